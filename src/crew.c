/* crew.c: the fronts of a run over files.
 * In: packets. Out: records, in one order whatever the number of workers. Owns: the pipeline, or the workers
 * and the thread of the back behind them; their block lists. */
#include "crew.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include "base/memory.h"
#include "intake.h"
#include "report.h"
#include "services.h"
#include "steer.h"
#include "troop.h"
#include "turns.h"

enum { IDLE_EVERY = 4096, IDLE_MS = 100, RECORDS_AT_ONCE = 64, READ_ROUNDS = 6 };

/* One of several workers, for its thread. */
struct hand {
    struct crew *crew;
    struct worker *worker;
};

struct crew {
    struct crew_settings set;
    struct stats stats;
    struct flow_budget budget;
    unsigned tick;
    struct packet packets[SUPPLY_MOST]; /* of the last supply; those from `taken` on are still to be taken */
    int packet_count, taken;
    struct intake *intake;
    struct pipeline *pipeline; /* where there is one worker; else the rest */
    struct steer *steer;
    struct merge *merge;
    struct turns *turns;
    struct troop *troop;
    struct hand *hands;
    struct worker **workers; /* the same as the hands have */
    struct agents *agents;
    struct blocklists *lists[];
};

/* The thread of the back. */
static void run_back(void *ctx)
{
    struct crew *c = ctx;
    struct pollfd fd = {merge_fd(c->merge), POLLIN, 0};
    while (merge_take(c->merge, c->set.out.record, c->set.out.ctx)) {
        turns_tell(c->turns);
        c->set.idle(c->set.out.ctx);
        poll(&fd, 1, IDLE_MS);
    }
}

/* An intake_take. */
static void take(void *ctx, struct parcel *parcels, size_t count, struct block *block)
{
    (void)block;
    pipeline_take(ctx, parcels, count);
}

static int hire(struct crew *c, struct error *reterr)
{
    size_t count = c->set.workers;
    int err = merge_new(count, RECORDS_AT_ONCE, &c->merge, reterr);
    if (err)
        return err;
    c->workers = calloc(count, sizeof(struct worker *));
    c->hands = calloc(count, sizeof *c->hands);
    memory_check(c->workers);
    memory_check(c->hands);
    for (size_t i = 0; i < count; i++) {
        const struct pipeline_services services = {
            .lists = c->lists[i], .agents = c->agents, .store = c->set.store, .budget = &c->budget};
        c->workers[i] = worker_new(c->set.set, &services, merge_lane(c->merge, i));
        c->hands[i] = (struct hand){.crew = c, .worker = c->workers[i]};
    }
    c->turns = turns_new();
    c->steer = steer_new(c->workers, count, c->merge);
    c->intake = intake_new(c->set.set, steer_take, c->steer);
    return 0;
}

int crew_new(const struct crew_settings *set, struct crew **ret, struct error *reterr)
{
    struct crew *c = calloc(1, sizeof *c + set->workers * sizeof c->lists[0]);
    memory_check(c);
    assert(set->workers);
    c->set = *set;
    int err = services_lists(set->set, &c->lists[0], reterr);
    if (!err)
        err = services_agents(set->set, &c->agents, reterr);
    for (size_t i = 1; i < set->workers && !err; i++)
        c->lists[i] = blocklists_share(c->lists[0]);
    if (!err && set->workers > 1)
        err = hire(c, reterr);
    if (err) {
        crew_free(&c);
        return err;
    }
    if (set->workers == 1) {
        const struct pipeline_services services = {
            .lists = c->lists[0], .agents = c->agents, .scripts = set->scripts, .store = set->store};
        c->pipeline = pipeline_new(set->set, &services, &set->out);
        c->intake = intake_new(set->set, take, c->pipeline);
    }
    *ret = c;
    return 0;
}

/* Takes one packet, or hands on what was taken, as nothing is there. */
static enum supply take_next(struct crew *c)
{
    enum supply got = SUPPLY_PACKETS;
    if (c->taken == c->packet_count) {
        c->taken = c->packet_count = 0;
        got = c->set.supply(c->set.out.ctx, c->packets, &c->packet_count);
    }
    if (got == SUPPLY_PACKETS)
        intake_packet(c->intake, &c->packets[c->taken++]);
    else
        intake_flush(c->intake);
    return got;
}

static void run_alone(struct crew *c)
{
    enum supply got;
    while ((got = take_next(c)) != SUPPLY_OVER) {
        if (got == SUPPLY_LATER || ++c->tick % IDLE_EVERY == 0)
            c->set.idle(c->set.out.ctx);
    }
    pipeline_finish(c->pipeline);
    const struct pipeline_stats s = pipeline_stats(c->pipeline);
    report_add_pipeline(&c->stats, &s);
}

/* Reads until every worker has been given a batch. What the last call of `supply` said. */
static enum supply read_round(struct crew *c)
{
    enum supply got = SUPPLY_PACKETS;
    uint64_t rounds = steer_rounds(c->steer);
    while (got == SUPPLY_PACKETS && rounds == steer_rounds(c->steer))
        got = take_next(c);
    if (got == SUPPLY_LATER)
        steer_flush(c->steer);
    else if (got == SUPPLY_OVER)
        steer_finish(c->steer);
    return got;
}

/* Some rounds at once, so that the others have something to do meanwhile; before a wait none, as this worker
 * has been given a batch too. True: the input is over. */
static bool read_on(struct crew *c)
{
    enum supply got = SUPPLY_PACKETS;
    for (int i = 0; i < READ_ROUNDS && got == SUPPLY_PACKETS && steer_has_room(c->steer); i++) {
        got = read_round(c);
        turns_tell(c->turns);
    }
    return got == SUPPLY_OVER;
}

/* The thread of a worker. */
static void run_hand(void *ctx)
{
    const struct hand *h = ctx;
    struct crew *c = h->crew;
    bool over = false;
    while (!over) {
        if (turns_next(c->turns, h->worker, c->steer) == TURN_READ) {
            turns_end_reading(c->turns, read_on(c));
        } else {
            over = worker_work(h->worker);
            turns_tell(c->turns);
        }
    }
}

static int run_together(struct crew *c, struct error *reterr)
{
    c->troop = troop_new(c->set.workers + 1);
    troop_add(c->troop, run_back, c);
    for (size_t i = 0; i < c->set.workers; i++)
        troop_add(c->troop, run_hand, &c->hands[i]);
    int err = troop_start(c->troop, reterr);
    if (err)
        return err;
    troop_join(c->troop);
    for (size_t i = 0; i < c->set.workers; i++) {
        const struct pipeline_stats s = worker_stats(c->workers[i]);
        report_add_pipeline(&c->stats, &s);
    }
    return 0;
}

int crew_run(struct crew *c, struct error *reterr)
{
    int err = 0;
    if (c->steer)
        err = run_together(c, reterr);
    else
        run_alone(c);
    report_add_decoder(&c->stats, intake_decoded(c->intake));
    return err;
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
    intake_free(&c->intake);
    pipeline_free(&c->pipeline);
    steer_free(&c->steer);
    for (size_t i = 0; c->workers && i < c->set.workers; i++)
        worker_free(&c->workers[i]);
    merge_free(&c->merge);
    turns_free(&c->turns);
    troop_free(&c->troop);
    free(c->hands);
    free(c->workers);
    for (size_t i = 0; i < c->set.workers; i++)
        blocklists_close(c->lists[i]);
    agents_close(c->agents);
    free(c);
}
