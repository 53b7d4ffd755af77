/* read.c: capture files through the fronts and the back into a sink, and what is said about it.
 * In: file names, settings. Out: records and events; a progress line and a closing line on standard error.
 * Owns: all that works on it. */
#include "read.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/now.h"
#include "crew.h"
#include "report.h"
#include "services.h"
#include "worker.h"

struct run {
    const struct read_options *opt;
    const struct settings *set;
    bool on_screen, show, shown; /* records go to a terminal; progress is wanted; a line of it stands there */
    struct error error;
    struct results *results;
    struct services services;
    struct crew *crew;
    struct stats stats;
    atomic_ullong mails;
    double progress_at;
    char *const *files; /* not opened yet */
    int file_count;
    const char *path; /* of the one that is read */
    struct source *src;
    atomic_bool waits; /* for the input, which was told; another thread may look */
    unsigned tick;
    enum exit_code code;
};

/* Files smaller than this in all are read before threads would be of use. */
enum { THREADS_FROM_BYTES = 4 << 20 };

static void wipe(struct run *run)
{
    fputs("\r\033[K", stderr);
    run->shown = false;
}

static void to_back(void *ctx, struct record *rec)
{
    struct run *run = ctx;
    if (rec->stream == &stream_smtp)
        atomic_fetch_add_explicit(&run->mails, 1, memory_order_relaxed);
    back_record(run->services.back, rec);
}

/* Who reads from a pipe sees what there is while its writer is silent. */
static void on_idle(void *ctx)
{
    struct run *run = ctx;
    if (atomic_load_explicit(&run->waits, memory_order_relaxed))
        results_tick(run->results, now_wall());
    courier_poll(run->services.courier);
}

static void on_record(void *ctx, const struct record *rec)
{
    struct run *run = ctx;
    if (run->shown && run->on_screen)
        wipe(run);
    results_record(run->results, rec);
}

static void on_event(void *ctx, struct slice uid, const struct smtp_event *ev)
{
    results_event(((struct run *)ctx)->results, uid, ev);
}

static void on_mime(void *ctx, struct slice uid, uint32_t mail, const struct mime_event *ev)
{
    results_mime(((struct run *)ctx)->results, uid, mail, ev);
}

static void progress(struct run *run)
{
    double now = now_monotonic();
    if (now - run->progress_at < 0.5)
        return;
    const struct source_stats st = source_stats(run->src);
    run->progress_at = now;
    run->shown = true;
    /* A long name would wrap, and then the line could not be wiped away. */
    const char *slash = strrchr(run->path, '/');
    fprintf(stderr, "\r%.30s: ", slash ? slash + 1 : run->path);
    if (st.file_bytes)
        fprintf(stderr, "%.0f %%, ", 100.0 * (double)st.file_read / (double)st.file_bytes);
    fprintf(stderr, "%llu packets, %llu mails\033[K", (unsigned long long)(run->stats.packets + st.packets),
            (unsigned long long)atomic_load(&run->mails));
}

static void fail(struct run *run, const struct error *err)
{
    fprintf(stderr, "mailtap: %s\n", err->text);
    run->code = EXIT_PARTLY;
}

/* False: no file is left. */
static bool open_next(struct run *run)
{
    struct error err;
    while (run->file_count) {
        run->path = *run->files++;
        run->file_count--;
        run->progress_at = now_monotonic();
        if (source_open(run->path, &run->src, &err) >= 0)
            return true;
        fail(run, &err);
    }
    return false;
}

static void close_file(struct run *run)
{
    if (run->shown)
        wipe(run);
    const struct source_stats st = source_stats(run->src);
    report_add_source(&run->stats, &st);
    source_close(&run->src);
}

static enum supply supply(void *ctx, struct packet *ret, int *ret_count)
{
    struct run *run = ctx;
    struct error err;
    while (!results_failed(run->results) && (run->src || open_next(run))) {
        if (!run->waits && source_waits(run->src)) {
            run->waits = true;
            return SUPPLY_LATER;
        }
        int got = source_next_few(run->src, ret, SUPPLY_MOST, &err);
        if (run->waits)
            run->waits = false;
        if (got > 0) {
            *ret_count = got;
            if (run->show && !(++run->tick & 0xff))
                progress(run);
            return SUPPLY_PACKETS;
        }
        close_file(run);
        if (got < 0)
            fail(run, &err);
    }
    if (run->src)
        close_file(run);
    return SUPPLY_OVER;
}

/* Bytes of the files; 0 where one of them is no plain file, but comes as it is made. */
static uint64_t size_of(char *const *files, int count)
{
    uint64_t sum = 0;
    struct stat st;
    for (int i = 0; i < count; i++) {
        if (strcmp(files[i], "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(files[i], &st))
            continue;
        if (!S_ISREG(st.st_mode))
            return 0;
        sum += (uint64_t)st.st_size;
    }
    return sum;
}

/* Events, and the scripts that hear them, go in the order of packets, which one worker alone has. */
static size_t count_workers(const struct run *run)
{
    bool events = results_want_events(run->results) || back_event_scripts(run->services.back);
    if (events && run->opt->workers > 1)
        fputs("mailtap: one worker, as events or scripts that hear them are wanted\n", stderr);
    if (events)
        return 1;
    if (run->opt->workers)
        return run->opt->workers;
    return size_of(run->files, run->file_count) < THREADS_FROM_BYTES ? 1 : workers_auto();
}

static int start(struct run *run, size_t workers)
{
    bool events = results_want_events(run->results);
    const struct crew_settings crew = {
        .set = run->set,
        .workers = workers,
        .scripts = back_event_scripts(run->services.back),
        .store = extract_store(run->services.extract),
        .out = {to_back, events ? on_event : NULL, events ? on_mime : NULL, run},
        .supply = supply,
        .idle = on_idle};
    /* The progress line and the records would get in each other's way. */
    run->on_screen = !run->opt->results.target_count && isatty(STDOUT_FILENO);
    run->show = isatty(STDERR_FILENO) && !(run->on_screen && workers > 1);
    return crew_new(&crew, &run->crew, &run->error);
}

static enum exit_code finish(struct run *run, double since)
{
    back_finish(run->services.back);
    results_drain(run->results);
    services_carry(&run->services);
    results_count(run->results, &run->stats);
    int err = results_close(&run->results, &run->error);
    if (err == -EPIPE && !run->opt->results.target_count) {
        run->code = EXIT_UNREAD; /* nothing else was to have the records */
    } else if (err < 0) {
        fprintf(stderr, "mailtap: %s\n", run->error.text);
        run->code = EXIT_PARTLY;
    }
    crew_count(run->crew, &run->stats);
    const struct back_counts back = back_counts(run->services.back);
    report_add_back(&run->stats, &back);
    report_print("", &run->stats, now_monotonic() - since);
    crew_free(&run->crew);
    return services_close(&run->services) ? run->code : EXIT_PARTLY;
}

enum exit_code read_captures(const struct read_options *opt, const struct settings *set, char **files,
                             int count)
{
    struct run run = {.opt = opt, .set = set, .files = files, .file_count = count, .code = EXIT_DONE};
    const struct script_files scripts = {opt->scripts, opt->script_count, 0, NULL};
    const struct back_output out = {.record = on_record, .ctx = &run};
    enum exit_code code = EXIT_USAGE;
    const struct courier_start how = {.wait_most = HUGE_VAL};
    struct results_settings results = opt->results;
    int err = services_start(&run.services, set, opt->script_count, &results, &how, &run.error);
    if (!err)
        err = services_decide(&run.services, set, &scripts, &out, &run.error);
    if (!err) {
        code = EXIT_PARTLY;
        results.settings = set;
        err = results_open(&results, &run.results, &run.error);
    }
    if (!err) {
        code = EXIT_USAGE;
        err = start(&run, count_workers(&run));
    }
    if (err) {
        fprintf(stderr, "mailtap: %s\n", run.error.text);
        results_close(&run.results, &(struct error){{0}});
        services_close(&run.services);
        return code;
    }
    double since = now_monotonic();
    if (crew_run(run.crew, &run.error) < 0) {
        fprintf(stderr, "mailtap: %s\n", run.error.text);
        run.code = EXIT_PARTLY;
    }
    return finish(&run, since);
}
