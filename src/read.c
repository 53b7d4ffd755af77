/* read.c: capture files through a pipeline into a sink, and what is said about it.
 * In: file names, settings. Out: records and events; a progress line and a closing line on standard error.
 * Owns: the pipeline, the sink, the file of events. */
#include "read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "back.h"
#include "pipeline.h"

struct run {
    const struct sink_ops *ops;
    struct sink *sink; /* NULL: records are not wanted */
    FILE *events;      /* NULL: events are not */
    char events_name[512];
    bool failed;
    bool on_screen, shown; /* records go to a terminal; a progress line stands there */
    struct error error;
    struct blocklists *lists;
    struct courier *courier;
    struct back *back;
    struct pipeline *pipeline;
    struct timespec event_ts;
    uint64_t packets, bytes, cut_packets, skipped;
    uint64_t hidden, hidden_entries; /* notices, lines of scripts that the format has no place for */
    double progress_at;
};

static double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void wipe(struct run *run)
{
    fputs("\r\033[K", stderr);
    run->shown = false;
}

static void to_back(void *ctx, struct record *rec)
{
    back_record(((struct run *)ctx)->back, rec);
}

static void on_record(void *ctx, const struct record *rec)
{
    struct run *run = ctx;
    if (run->shown && run->on_screen)
        wipe(run);
    if (!run->sink || run->failed)
        return;
    int wrote = run->ops->write(run->sink, rec, &run->error);
    run->failed = wrote < 0;
    run->hidden += wrote > 0 && rec->stream == &stream_notice;
    run->hidden_entries += wrote > 0 && rec->stream == &stream_entry;
}

static void print_event(struct run *run, struct slice uid, const char *prefix, const char *line)
{
    fprintf(run->events, "%lld.%06ld %.*s %s%s\n", (long long)run->event_ts.tv_sec,
            run->event_ts.tv_nsec / 1000, (int)uid.len, (const char *)uid.data, prefix, line);
}

static void on_event(void *ctx, struct slice uid, const struct smtp_event *ev)
{
    struct run *run = ctx;
    char line[4096];
    run->event_ts = ev->ts;
    smtp_dump(ev, line, sizeof line);
    print_event(run, uid, "", line);
}

/* A MIME event comes with the event of the dialogue that caused it. */
static void on_mime(void *ctx, struct slice uid, uint32_t mail, const struct mime_event *ev)
{
    char prefix[40], line[4096];
    snprintf(prefix, sizeof prefix, "mime mail=%u ", mail);
    mime_dump(ev, line, sizeof line);
    print_event(ctx, uid, prefix, line);
}

static void progress(struct run *run, const struct source *src, const char *path)
{
    const struct source_stats st = source_stats(src);
    double now = clock_seconds();
    if (now - run->progress_at < 0.5)
        return;
    run->progress_at = now;
    struct pipeline_stats ps = pipeline_stats(run->pipeline);
    run->shown = true;
    /* A long name would wrap, and then the line could not be wiped away. */
    const char *slash = strrchr(path, '/');
    fprintf(stderr, "\r%.30s: ", slash ? slash + 1 : path);
    if (st.file_bytes)
        fprintf(stderr, "%.0f %%, ", 100.0 * (double)st.file_read / (double)st.file_bytes);
    fprintf(stderr, "%llu packets, %llu mails\033[K", (unsigned long long)(run->packets + st.packets),
            (unsigned long long)ps.mails);
}

static enum exit_code read_file(struct run *run, const char *path, bool show)
{
    struct source *src = NULL;
    struct error err;
    int got = source_open(path, &src, &err);
    if (got < 0) {
        fprintf(stderr, "mailtap: %s\n", err.text);
        return EXIT_PARTLY;
    }
    struct packet pkt;
    unsigned tick = 0;
    run->progress_at = clock_seconds();
    while ((got = source_next(src, &pkt, &err)) > 0 && !run->failed) {
        pipeline_packet(run->pipeline, &pkt);
        if (++tick & 0xfff)
            continue;
        courier_poll(run->courier);
        if (show)
            progress(run, src, path);
    }
    if (run->shown)
        wipe(run);
    if (got < 0)
        fprintf(stderr, "mailtap: %s\n", err.text);
    const struct source_stats st = source_stats(src);
    run->packets += st.packets;
    run->bytes += st.bytes;
    run->cut_packets += st.cut_packets;
    run->skipped += st.skipped_blocks;
    source_close(&src);
    return got < 0 ? EXIT_PARTLY : EXIT_DONE;
}

static void closing_line(const struct run *run, double seconds)
{
    const struct pipeline_stats s = pipeline_stats(run->pipeline);
    const struct back_counts back = back_counts(run->back);
    const struct {
        uint64_t count;
        const char *what;
    } rows[] = {
        {back.notices, "notices"},
        {back.folded, "of them folded"},
        {back.dropped, "of them dropped"},
        {run->hidden, "of them not in this output"},
        {back.own, "of them about mail of our own"},
        {back.shed, "of them told early over max_suppressed"},
        {run->hidden_entries, "lines of scripts not in this output"},
        {back.scripts.errors, "errors in scripts"},
        {back.scripts.stopped, "of them stopped by a limit"},
        {back.scripts.deaf, "messages that on_data heard no more of"},
        {back.scripts.counters_shed, "counters of scripts given up"},
        {blocklists_counts(run->lists).limits, "patterns of block lists given up at a limit"},
        {blocklists_counts(run->lists).cut, "replies longer than block lists are looked for in"},
        {back.lookups_failed, "look-ups in a damaged country database"},
        {s.decode.other - s.decode.too_deep, "packets not TCP"},
        {s.decode.too_deep, "packets with too many layers"},
        {run->cut_packets, "packets cut by the snap length"},
        {s.decode.cut, "of them too short for TCP"},
        {s.decode.broken, "broken packets skipped"},
        {s.decode.checksum, "packets with a wrong checksum skipped"},
        {run->skipped, "blocks without a packet skipped"},
        {s.decode.fragments_expired + s.decode.fragments_shed, "datagrams with missing fragments"},
        {s.flow.gaps, "gaps"},
        {s.flow.gap_bytes, "bytes in gaps"},
        {s.flow.forged, "segments that no receiver took"},
        {s.flow.over_budget, "holes given up over budget"},
        {s.flow.shed, "connections shed"},
    };
    fprintf(stderr, "mailtap: %llu packets, %llu bytes, %llu sessions, %llu mails in %.2f s",
            (unsigned long long)run->packets, (unsigned long long)run->bytes, (unsigned long long)s.sessions,
            (unsigned long long)s.mails, seconds);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].count)
            fprintf(stderr, ", %llu %s", (unsigned long long)rows[i].count, rows[i].what);
    fputc('\n', stderr);
}

/* Where records and events go. The sink comes first, as it makes the folder. */
static bool open_output(struct run *run, const struct read_options *opt, bool tty)
{
    const struct sink_settings set = {.directory = opt->directory,
                                      .color = tty && !opt->directory && !getenv("NO_COLOR")};
    run->ops = opt->format ? opt->format : sink_find(tty && !opt->directory ? "text" : "json");
    bool records = opt->directory || !opt->events;
    if (records && run->ops->open(&set, &run->sink, &run->error) < 0)
        return false;
    if (!opt->events)
        return true;
    snprintf(run->events_name, sizeof run->events_name, "%s%s",
             opt->directory ? opt->directory : "standard output", opt->directory ? "/events.log" : "");
    run->events = opt->directory ? fopen(run->events_name, "w") : stdout;
    if (run->events)
        return true;
    error_set(&run->error, -errno, "%s: %s", run->events_name, strerror(errno));
    if (run->sink)
        run->ops->close(&run->sink, &(struct error){{0}});
    return false;
}

/* What was written must have arrived. The first error is the one that is told. */
static void close_output(struct run *run)
{
    struct error later;
    bool failed = run->failed;
    if (run->sink && run->ops->close(&run->sink, failed ? &later : &run->error) < 0)
        run->failed = true;
    if (!run->events)
        return;
    bool bad = fflush(run->events) != 0 || ferror(run->events);
    if (bad && !run->failed)
        error_set(&run->error, 0, "%s: %s", run->events_name, strerror(errno));
    run->failed |= bad;
    if (run->events != stdout)
        fclose(run->events);
}

static int start_courier(struct run *run, const struct settings *set)
{
    const char *to[SETTINGS_TEXTS];
    for (size_t i = 0; i < set->email_to.count; i++)
        to[i] = set->email_to.items[i].text;
    const struct courier_settings courier = {.email_server = set->email_server.text,
                                             .email_from = set->email_from.text,
                                             .email_to = to,
                                             .email_to_count = set->email_to.count,
                                             .email_user = set->email_user.text,
                                             .email_password_file = set->email_password_file.text,
                                             .email_interval = set->email_interval,
                                             .email_rate = set->email_rate,
                                             .webhook_url = set->webhook_url.text,
                                             .retry_first = set->retry_first,
                                             .retry_most = set->retry_most,
                                             .timeout = set->delivery_timeout,
                                             .spool_bytes = set->spool_bytes,
                                             .spool_directory = set->spool_directory.text,
                                             .courier_wait = set->courier_wait};
    return courier_start(&courier, &run->courier, &run->error);
}

/* An action of the policy for which there is no target would be nothing, silently. */
static bool check_actions(struct run *run, const struct settings *set)
{
    for (size_t i = 0; i < set->notice_policy.count; i++)
        for (unsigned k = 0; k < ACTIONS; k++) {
            const struct policy_row *row = &set->notice_policy.rows[i];
            const struct settings_target target = settings_target(set, row->actions & 1u << k);
            if (!target.name || *target.text)
                continue;
            error_set(&run->error, -EINVAL, "notice_policy: %s for %s, but %s is not set",
                      notice_action_name(1u << k), row->note, target.name);
            return false;
        }
    return true;
}

/* A target that nothing is sent to looks as if all were well. */
static void warn_unused(const struct settings *set, const struct read_options *opt)
{
    unsigned wanted = 0;
    for (size_t i = 0; i < set->notice_policy.count; i++)
        wanted |= set->notice_policy.rows[i].actions;
    for (unsigned i = 0; i < ACTIONS && !opt->script_count; i++) {
        const struct settings_target target = settings_target(set, 1u << i);
        if (target.name && *target.text && !(wanted & 1u << i))
            fprintf(stderr, "mailtap: %s is set, but no row of notice_policy has the action %s\n",
                    target.name, notice_action_name(1u << i));
    }
}

/* What the settings name, before anything is read. */
static bool open_services(struct run *run, const struct settings *set, const struct read_options *opt)
{
    const char *lists = *set->blocklists.text ? set->blocklists.text : NULL;
    if (!check_actions(run, set) || start_courier(run, set) < 0)
        return false;
    warn_unused(set, opt);
    const struct back_output out = {on_record, run->courier, run};
    if (blocklists_open(lists, &run->lists, &run->error) < 0)
        return false;
    const struct back_scripts scripts = {opt->scripts, opt->script_count};
    return back_open(set, &scripts, &out, &run->back, &run->error) == 0;
}

/* True: what was handed to the courier is delivered, or kept. */
static bool close_services(struct run *run)
{
    struct courier_counts counts = {0};
    bool good = courier_close(&run->courier, &counts) == 0;
    back_close(&run->back);
    if (run->lists)
        blocklists_close(run->lists);
    return good && !counts.email.lost && !counts.webhook.lost;
}

enum exit_code read_captures(const struct read_options *opt, const struct settings *set, char **files,
                             int count)
{
    struct run run = {0};
    enum exit_code code = EXIT_DONE;
    bool serves = open_services(&run, set, opt);
    if (!serves || !open_output(&run, opt, isatty(STDOUT_FILENO))) {
        fprintf(stderr, "mailtap: %s\n", run.error.text);
        close_services(&run);
        return serves ? EXIT_PARTLY : EXIT_USAGE;
    }
    const struct pipeline_output out = {to_back, run.events ? on_event : NULL, run.events ? on_mime : NULL,
                                        &run};
    const struct pipeline_services services = {run.lists, back_event_scripts(run.back)};
    run.pipeline = pipeline_new(set, &services, &out);
    double start = clock_seconds();
    bool show = isatty(STDERR_FILENO);
    run.on_screen = !opt->directory && isatty(STDOUT_FILENO);
    for (int i = 0; i < count; i++)
        if (read_file(&run, files[i], show) != EXIT_DONE)
            code = EXIT_PARTLY;
    pipeline_finish(run.pipeline);
    back_finish(run.back);
    close_output(&run);
    if (run.failed) {
        fprintf(stderr, "mailtap: %s\n", run.error.text);
        code = EXIT_PARTLY;
    }
    closing_line(&run, clock_seconds() - start);
    pipeline_free(&run.pipeline);
    if (!close_services(&run))
        code = EXIT_PARTLY;
    return code;
}
