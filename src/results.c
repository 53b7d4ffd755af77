/* results.c: records to sinks, events to a file.
 * In: records, events. Out: files or standard output. Owns: the sinks, the file of events. */
#include "results.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/nearest.h"
#include "carrier/feed.h"
#include "record/entry.h"
#include "record/notice.h"
#include "record/software.h"
#include "store/writer.h"

struct target {
    const struct sink_ops *ops;
    struct sink *sink;
};

struct results {
    struct target targets[RESULTS_TARGETS];
    size_t count;
    FILE *events; /* NULL: they are not wanted */
    char sensor_name[SETTINGS_TEXT];
    struct slice sensor; /* none: nothing is told of it */
    char events_name[512];
    struct timespec event_ts;
    atomic_int failed; /* -errno */
    struct error error;
    uint64_t hidden, hidden_entries; /* notices, lines of scripts that the format has no place for */
};

/* What stands before the colon; 0: it is a folder. A folder that looks so is written ./name:x. */
static size_t scheme_length(const char *text)
{
    size_t len = 0;
    while ((text[len] >= 'a' && text[len] <= 'z') || (text[len] >= 'A' && text[len] <= 'Z') ||
           (len && (byte_is_digit((uint8_t)text[len]) || text[len] == '-' || text[len] == '+')))
        len++;
    return text[len] == ':' ? len : 0;
}

static int no_scheme(struct slice given, struct error *reterr)
{
    struct nearest near = nearest_to(given);
    nearest_try(&near, sink_sqlite.name);
    for (size_t i = 0; carrier_table[i]; i++)
        nearest_try(&near, carrier_table[i]->scheme);
    return error_set(reterr, -EINVAL,
                     "-o: no kind of output '%.*s'; the nearest is '%s'; a folder of such a name is written "
                     "./%.*s:...",
                     (int)(given.len < 40 ? given.len : 40), (const char *)given.data, near.name,
                     (int)(given.len < 40 ? given.len : 40), (const char *)given.data);
}

int results_add_target(struct results_settings *set, const char *text, struct error *reterr)
{
    size_t scheme = scheme_length(text);
    struct results_target target = {.directory = scheme ? text + scheme + 1 : text};
    const struct slice name = {(const uint8_t *)text, scheme};
    if (scheme && strncmp(target.directory, "//", 2) == 0)
        target.remote = carrier_find(name);
    if (target.remote && carrier_check_url(target.remote, text, reterr) < 0)
        return -EINVAL;
    if (target.remote) {
        target.ops = &sink_carried;
        target.directory = text;
    } else if (scheme && slice_eq(name, slice_str(sink_sqlite.name))) {
        target.ops = &sink_sqlite;
    } else if (scheme) {
        return no_scheme(name, reterr);
    }
    if (!*target.directory)
        return error_set(reterr, -EINVAL, "-o wants a folder%s%.40s", scheme ? " behind " : "",
                         scheme ? text : "");
    for (size_t i = 0; i < set->target_count; i++)
        if (set->targets[i].ops == target.ops && strcmp(set->targets[i].directory, target.directory) == 0)
            return error_set(reterr, -EINVAL, "-o: %.300s is there twice", text);
    if (set->target_count == RESULTS_TARGETS)
        return error_set(reterr, -EINVAL, "-o can be there %d times", RESULTS_TARGETS);
    set->targets[set->target_count++] = target;
    return 0;
}

/* Beside the logs. */
static const char *events_folder(const struct results_settings *set)
{
    for (size_t i = 0; i < set->target_count; i++)
        if (!set->targets[i].ops)
            return set->targets[i].directory;
    return NULL;
}

static int open_events(struct results *r, const char *directory, struct error *reterr)
{
    if (!directory) {
        snprintf(r->events_name, sizeof r->events_name, "standard output");
        r->events = stdout;
        return 0;
    }
    snprintf(r->events_name, sizeof r->events_name, "%s/events.log", directory);
    r->events = fopen(r->events_name, "we");
    return r->events ? 0 : error_set(reterr, -errno, "%s: %s", r->events_name, strerror(errno));
}

static int open_target(struct results *r, const struct results_settings *set,
                       const struct results_target *target, struct error *reterr)
{
    bool tty = !target->directory && isatty(STDOUT_FILENO);
    const struct settings *from = set->settings;
    const struct sink_settings sink = {.directory = target->directory,
                                       .color = tty && !getenv("NO_COLOR"),
                                       .lasting = set->lasting,
                                       .carrier = target->carrier,
                                       .output_bytes = from->output_bytes,
                                       .rotate_size = from->rotate_size,
                                       .rotate_interval = from->rotate_interval,
                                       .rotate_keep = from->rotate_keep,
                                       .store = {.queue_bytes = from->store_queue_bytes,
                                                 .cache_bytes = from->store_cache_bytes,
                                                 .find_bytes = from->store_find_bytes,
                                                 .keys = from->store_keys,
                                                 .days = from->store_days,
                                                 .bytes = from->store_bytes,
                                                 .commit = from->store_commit}};
    struct target *t = &r->targets[r->count++];
    t->ops = target->ops ? target->ops : set->format ? set->format : sink_find(tty ? "text" : "json");
    return t->ops->open(&sink, &t->sink, reterr);
}

int results_open(const struct results_settings *set, struct results **ret, struct error *reterr)
{
    struct results *r = calloc(1, sizeof *r);
    memory_check(r);
    int err = 0;
    snprintf(r->sensor_name, sizeof r->sensor_name, "%s", set->settings->sensor.text);
    r->sensor = slice_str(r->sensor_name);
    /* The sinks come first, as they make the folder. */
    for (size_t i = 0; i < set->target_count && !err; i++)
        err = open_target(r, set, &set->targets[i], reterr);
    const char *folder = events_folder(set);
    if (!set->target_count && !set->events)
        err = open_target(r, set, &(struct results_target){0}, reterr);
    if (!err && set->events)
        err = open_events(r, folder, reterr);
    if (err)
        results_close(&r, &(struct error){{0}});
    *ret = r;
    return err;
}

/* A record of ours has a field for it. */
static void name_sensor(const struct results *r, const struct record *rec)
{
    static const size_t offsets[STREAM_ENTRY] = {[STREAM_SMTP] = offsetof(struct transaction, sensor),
                                                 [STREAM_SESSION] = offsetof(struct session, sensor),
                                                 [STREAM_NOTICE] = offsetof(struct notice, sensor),
                                                 [STREAM_SOFTWARE] = offsetof(struct software, sensor),
                                                 [STREAM_STATS] = offsetof(struct stats, sensor)};
    *(struct slice *)((char *)rec->body + offsets[rec->stream->index]) = r->sensor;
}

static void write_all(struct results *r, const struct record *rec)
{
    bool shown = false;
    for (size_t i = 0; i < r->count; i++) {
        int wrote = r->targets[i].ops->write(r->targets[i].sink, rec, &r->error);
        if (wrote < 0)
            atomic_store(&r->failed, wrote);
        shown |= wrote == 0;
    }
    r->hidden += !shown && rec->stream == &stream_notice;
    r->hidden_entries += !shown && rec->stream == &stream_entry;
}

static void write_entry(struct results *r, const struct record *rec)
{
    struct entry named = *(const struct entry *)rec->body;
    struct entry_pair room[ENTRY_PAIRS + 1];
    struct record whole = *rec;
    entry_name_sensor(&named, room, r->sensor);
    whole.body = &named;
    write_all(r, &whole);
}

void results_record(struct results *r, const struct record *rec)
{
    if (!r->count || atomic_load(&r->failed))
        return;
    if (r->sensor.len && rec->stream == &stream_entry) {
        write_entry(r, rec);
        return;
    }
    if (r->sensor.len)
        name_sensor(r, rec);
    write_all(r, rec);
}

bool results_want_events(const struct results *r)
{
    return r->events;
}

static void print_event(struct results *r, struct slice uid, const char *prefix, const char *line)
{
    fprintf(r->events, "%lld.%06ld %.*s %s%s\n", (long long)r->event_ts.tv_sec, r->event_ts.tv_nsec / 1000,
            (int)uid.len, (const char *)uid.data, prefix, line);
}

void results_event(struct results *r, struct slice uid, const struct smtp_event *ev)
{
    char line[4096];
    r->event_ts = ev->ts;
    smtp_dump(ev, line, sizeof line);
    print_event(r, uid, "", line);
}

/* A MIME event comes with the event of the dialogue that caused it. */
void results_mime(struct results *r, struct slice uid, uint32_t mail, const struct mime_event *ev)
{
    char prefix[40], line[4096];
    snprintf(prefix, sizeof prefix, "mime mail=%u ", mail);
    mime_dump(ev, line, sizeof line);
    print_event(r, uid, prefix, line);
}

bool results_failed(const struct results *r)
{
    return atomic_load(&r->failed) < 0;
}

void results_count(const struct results *r, struct stats *ret)
{
    ret->notices_hidden += r->hidden;
    ret->lines_hidden += r->hidden_entries;
    for (size_t i = 0; i < r->count; i++) {
        const struct sink_counts c = r->targets[i].ops->counts(r->targets[i].sink);
        ret->records += c.written;
        ret->records_lost += c.lost;
        ret->records_known += c.known;
        ret->days_dropped += c.dropped;
        ret->outputs_failing += c.failing;
        ret->records_carried += c.carried;
        ret->records_refused += c.refused;
        ret->outbox_lost += c.outbox_full;
        ret->outbox_records += c.outbox;
        ret->outputs_down += c.down;
    }
}

void results_tick(struct results *r, struct timespec now)
{
    for (size_t i = 0; i < r->count; i++)
        r->targets[i].ops->tick(r->targets[i].sink, now);
    if (r->events)
        (void)fflush(r->events);
}

void results_reopen(struct results *r)
{
    for (size_t i = 0; i < r->count; i++)
        r->targets[i].ops->reopen(r->targets[i].sink);
}

void results_drain(struct results *r)
{
    results_reopen(r);
    for (size_t i = 0; i < r->count; i++)
        if (r->targets[i].ops->drain)
            r->targets[i].ops->drain(r->targets[i].sink);
}

int results_close(struct results **pr, struct error *reterr)
{
    struct results *r = *pr;
    struct error later;
    *pr = NULL;
    if (!r)
        return 0;
    int err = r->failed;
    if (err)
        *reterr = r->error;
    for (size_t i = 0; i < r->count; i++) {
        int closed = r->targets[i].ops->close(&r->targets[i].sink, err ? &later : reterr);
        err = err ? err : closed;
    }
    bool bad = r->events && (fflush(r->events) != 0 || ferror(r->events));
    if (bad && !err)
        err = error_set(reterr, errno ? -errno : -EIO, "%s: %s", r->events_name, strerror(errno));
    if (r->events && r->events != stdout)
        fclose(r->events);
    free(r);
    return err;
}
