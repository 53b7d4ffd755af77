/* rate.c: a sliding window over the times of events.
 * In: times of events. Out: when the next may be. Owns: the last times. Limits: RATE_MOST. */
#include "courier/rate.h"

#include <stdlib.h>
#include "base/memory.h"

void rate_init(struct rate *r, uint64_t most, double period)
{
    *r = (struct rate){.most = most > RATE_MOST ? 0 : (size_t)most, .period = period};
    r->times = r->most ? calloc(r->most, sizeof *r->times) : NULL;
    if (r->most)
        memory_check(r->times);
}

double rate_free_at(const struct rate *r, bool last)
{
    size_t allowed = last || r->most < 2 ? r->most : r->most - 1;
    if (!r->most || r->total < allowed)
        return 0;
    return r->times[(r->total - allowed) % r->most] + r->period;
}

void rate_add(struct rate *r, double now)
{
    if (r->most)
        r->times[r->total++ % r->most] = now;
}

void rate_free(struct rate *r)
{
    free(r->times);
    r->times = NULL;
}
