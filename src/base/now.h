/* Times: what the clocks say, and what lies between two. */
#ifndef BASE_NOW_H
#define BASE_NOW_H

#include <time.h>

/* Of the wall clock, which may be set. */
struct timespec now_wall(void);
/* Seconds of a clock that only goes on. */
double now_monotonic(void);
/* Negative where `to` is the earlier one. */
static inline double seconds_between(struct timespec from, struct timespec to)
{
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) * 1e-9;
}

#endif
