/* feed.c: records into the outbox of a carrier.
 * In: records. Out: batches of JSON lines. Owns: the batch under way. Limits: outbox_bytes wait; what finds
 * no room then, or cannot be written, is lost and counted: the oldest are kept, as they are nearer to their
 * end. Knowingly: the batch under way is in memory alone, for batch_wait at most. */
#include "carrier/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/now.h"
#include "carrier/outbox.h"
#include "sink/json.h"

struct sink {
    struct carrier *carrier;
    const struct carrier_settings *set;
    int folder;
    struct line batch;
    uint64_t lines;     /* in it */
    double began;       /* when its first came */
    uint64_t last;      /* number */
    uint64_t put_bytes; /* into the outbox, what was there at the start included */
    struct sink_counts counts;
    bool failing;
    struct line one;
};

static int carried_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    struct sink *snk = calloc(1, sizeof *snk);
    memory_check(snk);
    *ret = snk;
    snk->carrier = set->carrier;
    snk->set = carrier_settings(set->carrier);
    snk->folder = outbox_open(snk->set->outbox, reterr);
    if (snk->folder < 0)
        return snk->folder;
    snk->put_bytes = outbox_bytes(snk->folder) + atomic_load(&carrier_page(snk->carrier)->bytes);
    return 0;
}

static bool has_room(const struct sink *snk)
{
    uint64_t gone = atomic_load(&carrier_page(snk->carrier)->bytes);
    return snk->put_bytes - gone + snk->batch.len <= snk->set->outbox_bytes;
}

static void say_failing(struct sink *snk, const char *why)
{
    if (!snk->failing)
        fprintf(stderr, "mailtap: %s: %s; what comes now is counted and lost\n", snk->set->url, why);
    snk->failing = true;
}

static void put_batch(struct sink *snk)
{
    struct error err;
    if (!snk->lines)
        return;
    bool room = has_room(snk);
    snk->last = outbox_number(snk->last);
    if (room && outbox_put(snk->folder, snk->last, snk->lines, line_slice(&snk->batch), &err) == 0) {
        if (snk->failing)
            fprintf(stderr, "mailtap: %s: records are kept again; %llu were lost\n", snk->set->url,
                    (unsigned long long)snk->counts.lost);
        snk->failing = false;
        snk->put_bytes += snk->batch.len;
        snk->counts.written += snk->lines;
        carrier_wake(snk->carrier);
    } else {
        say_failing(snk, room ? err.text : "the outbox is full");
        snk->counts.lost += snk->lines;
    }
    snk->counts.failing = snk->failing;
    line_clear(&snk->batch);
    snk->lines = 0;
}

static int carried_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    (void)reterr;
    line_clear(&snk->one);
    json_record(rec, &snk->one);
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
    if (snk->lines && now_monotonic() >= snk->began + snk->set->batch_wait)
        put_batch(snk);
}

static void carried_now(struct sink *snk)
{
    put_batch(snk);
}

static struct sink_counts carried_counts(const struct sink *snk)
{
    struct sink_counts c = snk->counts;
    c.waiting = snk->lines;
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
    free(snk);
    return err;
}

const struct sink_ops sink_carried = {"carried",     "to where others keep them",
                                      carried_open,  carried_write,
                                      carried_close, carried_tick,
                                      carried_now,   carried_counts,
                                      carried_now};
