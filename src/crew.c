/* crew.c: the fronts of a run over files.
 * In: packets. Out: records, in one order whatever the number of workers. Owns: the pipeline, or the workers
 * and the thread of the back behind them; their block lists. */
#include "crew.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include "report.h"
#include "services.h"
#include "steer.h"

enum { IDLE_EVERY = 4096, IDLE_MS = 100 };

struct crew {
    struct crew_settings set;
    struct stats stats;
    struct flow_budget budget;
    unsigned tick;
    struct pipeline *pipeline; /* where there is one worker; else the rest */
    struct steer *steer;
    struct merge *merge;
    pthread_t back;
    struct worker **workers;
    struct blocklists *lists[];
};

/* The thread of the back. */
static void *run_back(void *arg)
{
    struct crew *c = arg;
    struct pollfd fd = {merge_fd(c->merge), POLLIN, 0};
    while (merge_take(c->merge, c->set.out.record, c->set.out.ctx)) {
        c->set.idle(c->set.out.ctx);
        poll(&fd, 1, IDLE_MS);
    }
    return NULL;
}

static void start_workers(struct crew *c)
{
    size_t count = c->set.workers;
    c->merge = merge_new(count);
    c->workers = calloc(count, sizeof *c->workers);
    assert(c->workers);
    for (size_t i = 0; i < count; i++) {
        const struct pipeline_services services = {.lists = c->lists[i], .budget = &c->budget};
        c->workers[i] = worker_start(c->set.set, &services, merge_lane(c->merge, i));
    }
    c->steer = steer_new(c->set.set, c->workers, count, c->merge);
    int err = pthread_create(&c->back, NULL, run_back, c);
    assert(!err);
}

int crew_new(const struct crew_settings *set, struct crew **ret, struct error *reterr)
{
    struct crew *c = calloc(1, sizeof *c + set->workers * sizeof c->lists[0]);
    assert(c && set->workers);
    c->set = *set;
    int err = services_lists(set->set, &c->lists[0], reterr);
    if (err) {
        crew_free(&c);
        return err;
    }
    for (size_t i = 1; i < set->workers; i++)
        c->lists[i] = blocklists_share(c->lists[0]);
    if (set->workers > 1) {
        start_workers(c);
    } else {
        const struct pipeline_services services = {.lists = c->lists[0], .scripts = set->scripts};
        c->pipeline = pipeline_new(set->set, &services, &set->out);
    }
    *ret = c;
    return 0;
}

void crew_packet(struct crew *c, const struct packet *pkt)
{
    if (c->steer) {
        steer_packet(c->steer, pkt);
        return;
    }
    pipeline_packet(c->pipeline, pkt);
    if (++c->tick % IDLE_EVERY == 0)
        c->set.idle(c->set.out.ctx);
}

static void join_workers(struct crew *c)
{
    steer_finish(c->steer);
    pthread_join(c->back, NULL);
    report_add_decoder(&c->stats, steer_decoded(c->steer));
    for (size_t i = 0; i < c->set.workers; i++) {
        const struct pipeline_stats s = worker_join(&c->workers[i]);
        report_add_pipeline(&c->stats, &s);
    }
}

void crew_finish(struct crew *c)
{
    if (c->steer) {
        join_workers(c);
    } else {
        pipeline_finish(c->pipeline);
        const struct pipeline_stats s = pipeline_stats(c->pipeline);
        report_add_pipeline(&c->stats, &s);
    }
}

void crew_count(const struct crew *c, struct stats *ret)
{
    stats_add(ret, &c->stats);
}

void crew_free(struct crew **pc)
{
    struct crew *c = *pc;
    *pc = NULL;
    if (!c)
        return;
    pipeline_free(&c->pipeline);
    steer_free(&c->steer);
    merge_free(&c->merge);
    free(c->workers);
    for (size_t i = 0; i < c->set.workers; i++)
        blocklists_close(c->lists[i]);
    free(c);
}
