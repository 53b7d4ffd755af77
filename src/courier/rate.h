/* At most so many events in a period that may begin at any time. */
#ifndef COURIER_RATE_H
#define COURIER_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rate {
    double *times; /* the last `most`, in a ring */
    size_t most;   /* 0: no limit */
    uint64_t total;
    double period;
};

/* Over RATE_MOST events there is no need for a limit, and none is held. */
enum { RATE_MOST = 100000 };
void rate_init(struct rate *r, uint64_t most, double period);
/* When the next event may be, in the time of rate_add; 0: at any. The last event that the period permits is
 * kept back unless `last`, or where it permits one only. */
double rate_free_at(const struct rate *r, bool last);
void rate_add(struct rate *r, double now);
void rate_free(struct rate *r);

#endif
