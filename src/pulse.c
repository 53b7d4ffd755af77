/* pulse.c: what a sensor says of itself.
 * In: counts. Out: records, notices. Owns: the counts of the time before. Knowingly: a share of few is
 * chance, so a notice needs LEAST packets, bytes or sessions. */
#include "pulse.h"

#include <stdio.h>
#include "base/now.h"

enum { LEAST_PACKETS = 1000, LEAST_BYTES = 100000, LEAST_SESSIONS = 10 };

void pulse_init(struct pulse *p, const struct pulse_output *out, struct timespec now)
{
    *p = (struct pulse){.out = *out, .last = now};
}

bool pulse_is_due(const struct pulse *p, const struct settings *set, struct timespec now)
{
    double passed = seconds_between(p->last, now);
    return passed >= set->stats_interval || passed < 0;
}

static void tell(struct pulse *p, struct timespec now, const struct stats *s, const char *worker)
{
    struct stats copy = *s;
    copy.ts = now;
    copy.worker = worker ? slice_str(worker) : (struct slice){0};
    p->out.record(p->out.ctx, &(struct record){&stream_stats, &copy, now, NULL});
}

static void raise_notice(struct pulse *p, struct timespec now, const char *note, const char *msg,
                         const char *sub)
{
    struct notice n = {.ts = now,
                       .note = slice_str(note),
                       .msg = slice_str(msg),
                       .sub = *sub ? slice_str(sub) : (struct slice){0},
                       .identifier = slice_str(note),
                       .suppress_for = -1};
    p->out.record(p->out.ctx, &(struct record){&stream_notice, &n, now, NULL});
}

static double share(uint64_t part, uint64_t rest)
{
    return part ? (double)part / ((double)part + (double)rest) : 0;
}

static void look_for_loss(struct pulse *p, const struct settings *set, struct timespec now,
                          const struct stats *d)
{
    char msg[256], sub[256];
    uint64_t drops = d->kernel_drops + d->interface_drops + d->ring_drops;
    bool packets = drops + d->packets >= LEAST_PACKETS && share(drops, d->packets) > set->loss_threshold;
    bool bytes = d->gap_bytes + d->stream_bytes >= LEAST_BYTES &&
                 share(d->gap_bytes, d->stream_bytes) > set->loss_threshold;
    if (!packets && !bytes)
        return;
    snprintf(msg, sizeof msg,
             "Within %.0f s %.1f %% of the packets were dropped here, and %.1f %% of the bytes of SMTP "
             "connections were not seen",
             seconds_between(p->last, now), 100 * share(drops, d->packets),
             100 * share(d->gap_bytes, d->stream_bytes));
    snprintf(sub, sizeof sub,
             "dropped by the kernel %llu, by the interface %llu, between workers %llu; gaps %llu, bytes in "
             "them %llu",
             (unsigned long long)d->kernel_drops, (unsigned long long)d->interface_drops,
             (unsigned long long)d->ring_drops, (unsigned long long)d->gaps,
             (unsigned long long)d->gap_bytes);
    raise_notice(p, now, "Capture::Loss", msg, sub);
}

static void look_for_one_side(struct pulse *p, const struct settings *set, struct timespec now,
                              const struct stats *d)
{
    char msg[256];
    if (d->sessions_ended < LEAST_SESSIONS ||
        (double)d->one_sided <= set->one_sided_threshold * (double)d->sessions_ended)
        return;
    snprintf(msg, sizeof msg,
             "Within %.0f s only one direction was seen of %llu of %llu SMTP connections: does the mirror "
             "show both?",
             seconds_between(p->last, now), (unsigned long long)d->one_sided,
             (unsigned long long)d->sessions_ended);
    raise_notice(p, now, "Capture::One_Sided", msg, "");
}

static void look_for_full(struct pulse *p, struct timespec now, const struct stats *d,
                          const struct stats *all)
{
    char msg[256], sub[256];
    if (!d->outbox_lost)
        return;
    snprintf(msg, sizeof msg,
             "Within %.0f s %llu records for an output over a network were lost, as its outbox had no room",
             seconds_between(p->last, now), (unsigned long long)d->outbox_lost);
    snprintf(sub, sizeof sub, "waiting now %llu, outputs that cannot be reached %llu",
             (unsigned long long)all->outbox_records, (unsigned long long)all->outputs_down);
    raise_notice(p, now, "Output::Outbox_Full", msg, sub);
}

void pulse_tell(struct pulse *p, const struct settings *set, struct timespec now, const struct stats *all,
                const struct stats *fronts, size_t front_count)
{
    char name[24];
    struct stats rise = *all;
    stats_subtract(&rise, &p->before);
    tell(p, now, all, NULL);
    for (size_t i = 0; i < front_count; i++) {
        snprintf(name, sizeof name, "%zu", i);
        tell(p, now, &fronts[i], name);
    }
    look_for_loss(p, set, now, &rise);
    look_for_one_side(p, set, now, &rise);
    look_for_full(p, now, &rise, all);
    p->before = *all;
    p->last = now;
}
