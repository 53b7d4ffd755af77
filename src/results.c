/* results.c: records to a sink, events to a file.
 * In: records, events. Out: files or standard output. Owns: the sink, the file of events. */
#include "results.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/memory.h"
#include "store/writer.h"

struct results {
    const struct sink_ops *ops;
    struct sink *sink; /* NULL: records are not wanted */
    FILE *events;      /* NULL: events are not */
    char events_name[512];
    struct timespec event_ts;
    atomic_bool failed;
    struct error error;
    uint64_t hidden, hidden_entries; /* notices, lines of scripts that the format has no place for */
};

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

int results_open(const struct results_settings *set, struct results **ret, struct error *reterr)
{
    struct results *r = calloc(1, sizeof *r);
    memory_check(r);
    bool tty = !set->directory && isatty(STDOUT_FILENO);
    struct sink_settings sink = {.directory = set->directory, .color = tty && !getenv("NO_COLOR")};
    if (set->lasting) {
        sink.lasting = true;
        sink.output_bytes = set->lasting->output_bytes;
        sink.rotate_size = set->lasting->rotate_size;
        sink.rotate_interval = set->lasting->rotate_interval;
        sink.rotate_keep = set->lasting->rotate_keep;
    }
    r->ops = set->format ? set->format : sink_find(tty ? "text" : "json");
    if (set->directory && strncmp(set->directory, "sqlite:", 7) == 0) {
        r->ops = &sink_sqlite;
        sink.directory = set->directory + 7;
    }
    /* The sink comes first, as it makes the folder. */
    int err = set->directory || !set->events ? r->ops->open(&sink, &r->sink, reterr) : 0;
    if (!err && set->events)
        err = open_events(r, set->directory, reterr);
    if (err)
        results_close(&r, &(struct error){{0}});
    *ret = r;
    return err;
}

void results_record(struct results *r, const struct record *rec)
{
    if (!r->sink || atomic_load(&r->failed))
        return;
    int wrote = r->ops->write(r->sink, rec, &r->error);
    if (wrote < 0)
        atomic_store(&r->failed, true);
    r->hidden += wrote > 0 && rec->stream == &stream_notice;
    r->hidden_entries += wrote > 0 && rec->stream == &stream_entry;
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
    return atomic_load(&r->failed);
}

void results_count(const struct results *r, struct stats *ret)
{
    ret->notices_hidden += r->hidden;
    ret->lines_hidden += r->hidden_entries;
    if (!r->sink)
        return;
    const struct sink_counts c = r->ops->counts(r->sink);
    ret->records += c.written;
    ret->records_lost += c.lost;
    ret->outputs_failing += c.failing;
}

void results_tick(struct results *r, struct timespec now)
{
    if (r->sink)
        r->ops->tick(r->sink, now);
    if (r->events)
        (void)fflush(r->events);
}

void results_reopen(struct results *r)
{
    if (r->sink)
        r->ops->reopen(r->sink);
}

int results_close(struct results **pr, struct error *reterr)
{
    struct results *r = *pr;
    struct error later;
    *pr = NULL;
    if (!r)
        return 0;
    int err = r->failed ? -EIO : 0;
    if (err)
        *reterr = r->error;
    int closed = r->sink ? r->ops->close(&r->sink, err ? &later : reterr) : 0;
    err = err ? err : closed;
    bool bad = r->events && (fflush(r->events) != 0 || ferror(r->events));
    if (bad && !err)
        err = error_set(reterr, -EIO, "%s: %s", r->events_name, strerror(errno));
    if (r->events && r->events != stdout)
        fclose(r->events);
    free(r);
    return err;
}
