/* worker.c: one front of several.
 * In: batches of segments. Out: records, to its lane. Owns: its pipeline, the batches, but for those that are
 * being filled. Limits: BATCHES batches are on their way; a few more where the feeder does not ask
 * for room in between. */
#include "worker.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/ring.h"

enum { BATCHES = 8, AUTO_MOST = 8 };

struct worker {
    struct pipeline *pipeline;
    struct lane *lane;
    struct ring *in, *empty;
};

size_t workers_auto(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < AUTO_MOST ? (size_t)count : AUTO_MOST;
}

static void on_record(void *ctx, struct record *rec)
{
    struct worker *w = ctx;
    lane_add(w->lane, rec, pipeline_order(w->pipeline));
}

struct worker *worker_new(const struct settings *set, const struct pipeline_services *services,
                          struct lane *lane)
{
    struct worker *w = calloc(1, sizeof *w);
    memory_check(w);
    const struct pipeline_output out = {.record = on_record, .ctx = w};
    w->pipeline = pipeline_new(set, services, &out);
    w->lane = lane;
    w->in = ring_new(2 * BATCHES);
    w->empty = ring_new(BATCHES);
    for (int i = 0; i < BATCHES; i++)
        ring_try_push(w->empty, batch_new());
    return w;
}

struct batch *worker_batch(struct worker *w)
{
    struct batch *b = ring_try_pop(w->empty);
    return b ? b : batch_new();
}

bool worker_has_room(const struct worker *w)
{
    return !ring_is_empty(w->empty);
}

void worker_push(struct worker *w, struct batch *b)
{
    bool put = ring_try_push(w->in, b);
    assert(put);
}

bool worker_has_batch(const struct worker *w)
{
    return !ring_is_empty(w->in);
}

bool worker_work(struct worker *w)
{
    struct batch *b = ring_try_pop(w->in);
    if (!b)
        return false;
    uint64_t until = b->last ? UINT64_MAX : b->until;
    pipeline_take(w->pipeline, b->parcels, b->count);
    if (b->last)
        pipeline_finish(w->pipeline);
    batch_clear(b);
    lane_publish(w->lane, until);
    if (!ring_try_push(w->empty, b))
        batch_free(&b);
    return until == UINT64_MAX;
}

struct pipeline_stats worker_stats(const struct worker *w)
{
    return pipeline_stats(w->pipeline);
}

static void free_all(struct ring **r)
{
    struct batch *b;
    while ((b = ring_try_pop(*r)))
        batch_free(&b);
    ring_free(r);
}

void worker_free(struct worker **pw)
{
    struct worker *w = *pw;
    *pw = NULL;
    if (!w)
        return;
    free_all(&w->in);
    free_all(&w->empty);
    pipeline_free(&w->pipeline);
    free(w);
}
