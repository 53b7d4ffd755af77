/* How a sensor fares, told now and then: records of stream stats, and notices where it does not see enough.
 */
#ifndef PULSE_H
#define PULSE_H

#include "record/notice.h"
#include "record/stats.h"
#include "settings.h"

struct pulse_output {
    void (*record)(void *ctx, struct record *rec); /* stats and notices, borrowed for the call */
    void *ctx;
};

struct pulse {
    struct pulse_output out;
    struct timespec last;
    struct stats before; /* of all, at `last` */
};

/* From `now` on, wall clock. */
void pulse_init(struct pulse *p, const struct pulse_output *out, struct timespec now);
/* Is it time again? */
bool pulse_is_due(const struct pulse *p, const struct settings *set, struct timespec now);
/* Tells the counts, and raises Capture::Loss, Capture::One_Sided and Output::Outbox_Full for what they rose
 * by since it was called last. `all` is the sum of the fronts with what is counted once. */
void pulse_tell(struct pulse *p, const struct settings *set, struct timespec now, const struct stats *all,
                const struct stats *fronts, size_t front_count);

#endif
