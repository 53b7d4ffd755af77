/* Times: what the clocks say, and what lies between two. */
#ifndef BASE_NOW_H
#define BASE_NOW_H

#include <stdbool.h>
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
/* `a` is the later one. */
static inline bool time_is_later(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

#endif
