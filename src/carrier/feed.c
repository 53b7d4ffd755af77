/* feed.c: records into the outbox of a carrier.
 * In: records. Out: batches of JSON lines. Owns: the batch under way. Limits: outbox_bytes wait; what finds
 * no room then, or cannot be written, is lost and counted: the oldest are kept, as they are nearer to their
 * end. Who is not lasting can wait for room instead, for as long as the other side takes anything, and for
 * wait_most where it does not. Knowingly: the batch under way is in memory alone, for batch_wait at most. */
#include "carrier/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/now.h"
#include "carrier/outbox.h"
#include "sink/json.h"

enum { LOOK = 1, WAIT_US = 5000 };

struct sink {
    struct carrier *carrier;
    const struct carrier_settings *set;
    int folder;
    struct line batch;
    uint64_t lines;         /* in it */
    double began;           /* when its first came */
    uint64_t last;          /* number */
    struct outbox_sum held; /* in the outbox when it was last looked at, and what was put there since */
    uint64_t gone_bytes, gone_lines; /* of the carrier's page, at that time */
    double looked_at;
    bool lasting, failing, given_up;
    struct sink_counts counts;
    struct line one, when;
};

/* Another carrier may empty the outbox: one of an earlier run, or of another sensor. */
static void look(struct sink *snk)
{
    const struct carrier_page *page = carrier_page(snk->carrier);
    snk->gone_bytes = atomic_load(&page->bytes);
    snk->gone_lines = atomic_load(&page->lines) + atomic_load(&page->refused);
    snk->held = outbox_sum(snk->folder);
    snk->looked_at = now_monotonic();
}

static int carried_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    struct sink *snk = calloc(1, sizeof *snk);
    memory_check(snk);
    *ret = snk;
    snk->carrier = set->carrier;
    snk->set = carrier_settings(set->carrier);
    snk->lasting = set->lasting;
    snk->folder = outbox_open(snk->set->outbox, reterr);
    if (snk->folder < 0)
        return snk->folder;
    look(snk);
    snk->last = snk->held.last;
    return 0;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static bool fits(const struct sink *snk)
{
    uint64_t gone = atomic_load(&carrier_page(snk->carrier)->bytes) - snk->gone_bytes;
    return less(snk->held.bytes, gone) + snk->batch.len <= snk->set->outbox_bytes;
}

static bool has_room(struct sink *snk)
{
    if (!fits(snk) && now_monotonic() >= snk->looked_at + LOOK)
        look(snk);
    return fits(snk);
}

/* A file can be read more slowly. */
static bool wait_for_room(struct sink *snk)
{
    const struct carrier_page *page = carrier_page(snk->carrier);
    uint64_t before = atomic_load(&page->bytes), now;
    double until = now_monotonic() + snk->set->wait_most;
    while (!has_room(snk)) {
        if (snk->lasting || snk->given_up || !carrier_lives(snk->carrier))
            return false;
        if ((now = atomic_load(&page->bytes)) != before)
            until = now_monotonic() + snk->set->wait_most;
        before = now;
        snk->given_up = now_monotonic() >= until;
        usleep(WAIT_US);
    }
    snk->given_up = false;
    return true;
}

static void say_failing(struct sink *snk, const char *why)
{
    if (!snk->failing)
        fprintf(stderr, "mailtap: %s: %s; what comes now is counted and lost\n", snk->set->url, why);
    snk->failing = true;
}

static void say_kept(struct sink *snk)
{
    if (snk->failing)
        fprintf(stderr, "mailtap: %s: records are kept again; %llu were lost\n", snk->set->url,
                (unsigned long long)snk->counts.lost);
    snk->failing = false;
}

static void put_batch(struct sink *snk)
{
    struct error err;
    if (!snk->lines)
        return;
    bool room = wait_for_room(snk);
    snk->last = outbox_number(snk->last);
    if (room && outbox_put(snk->folder, snk->last, snk->lines, line_slice(&snk->batch), &err) == 0) {
        say_kept(snk);
        snk->held.bytes += snk->batch.len;
        snk->held.lines += snk->lines;
        snk->counts.written += snk->lines;
        carrier_wake(snk->carrier);
    } else {
        say_failing(snk, room ? err.text : "the outbox is full (outbox_bytes)");
        snk->counts.lost += snk->lines;
        snk->counts.outbox_full += snk->lines;
    }
    line_clear(&snk->batch);
    snk->lines = 0;
}

/* A record as JSON, and when it was complete behind its path: others order by it. */
static void make_line(struct sink *snk, const struct record *rec)
{
    static const char begin[] = "{\"_path\":\"", key[] = ",\"_write_ts\":";
    enum { BEGIN = sizeof begin - 1 };
    struct line *out = &snk->one, *when = &snk->when;
    line_clear(when);
    line_clear(out);
    json_record(rec, out);
    line_str(when, key);
    line_time(when, rec->end);
    size_t at = BEGIN + slice_index(slice_sub(line_slice(out), BEGIN, out->len), '"') + 1;
    line_room(out, when->len);
    memmove(out->data + at + when->len, out->data + at, out->len - at);
    memcpy(out->data + at, when->data, when->len);
    out->len += when->len;
}

static int carried_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    (void)reterr;
    make_line(snk, rec);
    if (snk->lines && snk->batch.len + snk->one.len > snk->set->batch_bytes)
        put_batch(snk);
    if (!snk->lines)
        snk->began = now_monotonic();
    line_add(&snk->batch, line_slice(&snk->one));
    snk->lines++;
    if (snk->batch.len >= snk->set->batch_bytes || now_monotonic() >= snk->began + snk->set->batch_wait)
        put_batch(snk);
    return 0;
}

static void carried_tick(struct sink *snk, struct timespec now)
{
    (void)now;
    carrier_lives(snk->carrier);
    if (snk->lines && now_monotonic() >= snk->began + snk->set->batch_wait)
        put_batch(snk);
}

static void carried_now(struct sink *snk)
{
    put_batch(snk);
}

static struct sink_counts carried_counts(const struct sink *snk)
{
    const struct carrier_page *page = carrier_page(snk->carrier);
    struct sink_counts c = snk->counts;
    c.carried = atomic_load(&page->lines);
    c.refused = atomic_load(&page->refused);
    c.waiting = snk->lines;
    c.outbox = less(snk->held.lines, c.carried + c.refused - snk->gone_lines);
    c.failing = snk->failing || !carrier_lives(snk->carrier);
    c.down = atomic_load(&page->down);
    return c;
}

static int carried_close(struct sink **psnk, struct error *reterr)
{
    struct sink *snk = *psnk;
    *psnk = NULL;
    if (!snk)
        return 0;
    put_batch(snk);
    int err = snk->counts.lost ? error_set(reterr, -ENOSPC, "%.300s: %llu records were lost", snk->set->url,
                                           (unsigned long long)snk->counts.lost)
                               : 0;
    if (snk->folder >= 0)
        close(snk->folder);
    line_free(&snk->batch);
    line_free(&snk->one);
    line_free(&snk->when);
    free(snk);
    return err;
}

const struct sink_ops sink_carried = {"carried",     "to where others keep them",
                                      carried_open,  carried_write,
                                      carried_close, carried_tick,
                                      carried_now,   carried_counts,
                                      carried_now};
