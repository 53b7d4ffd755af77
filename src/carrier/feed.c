/* feed.c: records into the outbox of a carrier.
 * In: records. Out: batches of JSON lines, in the shape that carry_format says. Owns: the batch under way.
 * Limits: outbox_bytes wait; what finds no room then, or cannot be written, is lost and counted: the oldest
 * are kept, as they are nearer to their end. Who is not lasting can wait for room instead, for as long as the
 * other side takes anything, and for wait_most where it does not. Knowingly: the batch under way is in memory
 * alone, for batch_wait at most; so are those that a thread forces to the disk, as who is lasting does not
 * wait for one. */
#include "carrier/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/now.h"
#include "carrier/form.h"
#include "carrier/outbox.h"
#include "carrier/outbox_thread.h"

enum { LOOK = 1, WAIT_US = 5000 };

struct sink {
    struct carrier *carrier;
    const struct carrier_settings *set;
    int folder;
    struct line batch;
    uint64_t lines;         /* in it */
    uint64_t waiting;       /* in batches that the thread has */
    double began;           /* when its first came */
    uint64_t last;          /* number */
    struct outbox_sum held; /* in the outbox when it was last looked at, and what was put there since */
    uint64_t gone_bytes, gone_lines; /* of the carrier's page, at that time */
    double looked_at;
    bool lasting, failing, given_up;
    struct outbox_thread *thread; /* NULL: it is written by us */
    struct sink_counts counts;
    struct form *form;
    struct line one;
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

static void wake(void *carrier)
{
    carrier_wake(carrier);
}

static int carried_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    struct sink *snk = calloc(1, sizeof *snk);
    memory_check(snk);
    *ret = snk;
    snk->carrier = set->carrier;
    snk->set = carrier_settings(set->carrier);
    snk->lasting = set->lasting;
    snk->form = form_new(snk->set->format);
    snk->folder = outbox_open(snk->set->outbox, reterr);
    if (snk->folder < 0)
        return snk->folder;
    look(snk);
    snk->last = snk->held.last;
    if (snk->lasting && snk->set->sync)
        snk->thread = outbox_thread_new(snk->folder, wake, snk->carrier);
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

static void lose(struct sink *snk, uint64_t lines, const char *why)
{
    say_failing(snk, why);
    snk->counts.lost += lines;
    snk->counts.outbox_full += lines;
}

/* What has become of batches that the thread has; `wait`: of all of them. */
static void collect(struct sink *snk, bool wait)
{
    if (!snk->thread)
        return;
    const struct outbox_result r = outbox_thread_results(snk->thread, wait);
    snk->counts.written += r.lines_kept;
    snk->held.bytes = less(snk->held.bytes, r.bytes_lost);
    snk->held.lines = less(snk->held.lines, r.lines_lost);
    snk->waiting = r.lines_waiting;
    if (r.lines_lost)
        lose(snk, r.lines_lost, r.why.text);
    else if (r.lines_kept)
        say_kept(snk);
}

static int hand_over(struct sink *snk, struct error *reterr)
{
    const struct slice bytes = line_slice(&snk->batch);
    if (snk->thread) {
        collect(snk, false);
        return outbox_thread_put(snk->thread, snk->last, snk->lines, bytes, reterr);
    }
    int err = outbox_put(snk->folder, snk->last, snk->lines, bytes, snk->set->sync, reterr);
    if (err)
        return err;
    say_kept(snk);
    snk->counts.written += snk->lines;
    carrier_wake(snk->carrier);
    return 0;
}

static void put_batch(struct sink *snk)
{
    struct error err;
    if (!snk->lines)
        return;
    bool room = wait_for_room(snk);
    snk->last = outbox_number(snk->last);
    if (room && hand_over(snk, &err) == 0) {
        snk->held.bytes += snk->batch.len;
        snk->held.lines += snk->lines;
    } else {
        lose(snk, snk->lines, room ? err.text : "the outbox is full (outbox_bytes)");
    }
    line_clear(&snk->batch);
    snk->lines = 0;
}

static int carried_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    (void)reterr;
    line_clear(&snk->one);
    if (form_record(snk->form, rec, &snk->one) != 0)
        return 1;
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
    collect(snk, false);
    if (snk->lines && now_monotonic() >= snk->began + snk->set->batch_wait)
        put_batch(snk);
}

static void carried_now(struct sink *snk)
{
    put_batch(snk);
}

static void carried_drain(struct sink *snk)
{
    put_batch(snk);
    collect(snk, true);
}

static struct sink_counts carried_counts(const struct sink *snk)
{
    const struct carrier_page *page = carrier_page(snk->carrier);
    struct sink_counts c = snk->counts;
    c.carried = atomic_load(&page->lines);
    c.refused = atomic_load(&page->refused);
    c.waiting = snk->lines + snk->waiting;
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
    carried_drain(snk);
    outbox_thread_close(&snk->thread);
    int err = snk->counts.lost ? error_set(reterr, -ENOSPC, "%.300s: %llu records were lost", snk->set->url,
                                           (unsigned long long)snk->counts.lost)
                               : 0;
    if (snk->folder >= 0)
        close(snk->folder);
    line_free(&snk->batch);
    line_free(&snk->one);
    form_free(&snk->form);
    free(snk);
    return err;
}

const struct sink_ops sink_carried = {"carried",     "to where others keep them",
                                      carried_open,  carried_write,
                                      carried_close, carried_tick,
                                      carried_now,   carried_counts,
                                      carried_drain};
