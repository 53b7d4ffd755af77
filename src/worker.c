/* worker.c: one front of several.
 * In: batches of segments. Out: records, to its lane. Owns: its thread, its pipeline, BATCHES batches.
 * Limits: as many batches are on their way; who feeds it waits for one to come back. */
#include "worker.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include "base/ring.h"

enum { BATCHES = 8, AUTO_MOST = 8 };

struct worker {
    struct pipeline *pipeline;
    struct lane *lane;
    struct ring *in, *empty;
    pthread_t thread;
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

static void work_off(struct worker *w, struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct parcel *p = &b->parcels[i];
        pipeline_segment(w->pipeline, &p->at, p->has_segment ? &p->seg : NULL);
    }
}

static void *run(void *arg)
{
    struct worker *w = arg;
    for (;;) {
        struct batch *b = ring_pop(w->in);
        bool last = b->last;
        work_off(w, b);
        if (last)
            pipeline_finish(w->pipeline);
        lane_publish(w->lane, last ? UINT64_MAX : b->until);
        ring_push(w->empty, b);
        if (last)
            return NULL;
    }
}

struct worker *worker_start(const struct settings *set, const struct pipeline_services *services,
                            struct lane *lane)
{
    struct worker *w = calloc(1, sizeof *w);
    assert(w);
    const struct pipeline_output out = {.record = on_record, .ctx = w};
    w->pipeline = pipeline_new(set, services, &out);
    w->lane = lane;
    w->in = ring_new(BATCHES);
    w->empty = ring_new(BATCHES);
    for (int i = 0; i < BATCHES; i++)
        ring_push(w->empty, batch_new());
    int err = pthread_create(&w->thread, NULL, run, w);
    assert(!err);
    return w;
}

struct batch *worker_batch(struct worker *w)
{
    struct batch *b = ring_pop(w->empty);
    batch_clear(b);
    return b;
}

void worker_push(struct worker *w, struct batch *b)
{
    ring_push(w->in, b);
}

struct pipeline_stats worker_join(struct worker **pw)
{
    struct worker *w = *pw;
    struct batch *b;
    *pw = NULL;
    pthread_join(w->thread, NULL);
    struct pipeline_stats stats = pipeline_stats(w->pipeline);
    while ((b = ring_try_pop(w->empty)))
        batch_free(&b);
    ring_free(&w->in);
    ring_free(&w->empty);
    pipeline_free(&w->pipeline);
    free(w);
    return stats;
}
