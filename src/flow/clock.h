/* Packet time: moves on with the packets, says when it is time to look at what has become old. Of one input
 * there is one, whatever the number of tables that it drives. */
#ifndef FLOW_CLOCK_H
#define FLOW_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct flow_clock {
    double back_after; /* seconds; packets that are longer behind are of an earlier day */
    struct timespec now, tidied;
    uint64_t number; /* packets so far */
    uint32_t behind; /* of them in a row, those long behind `now` */
};

/* What is to be done at a packet; bits. */
enum flow_step {
    FLOW_STEP_BACK = 1, /* before it: time was set back, what was seen later than `now` is over */
    FLOW_STEP_TIDY = 2, /* after it: time-outs */
};

/* When a packet, or no packet, comes: to be handed to every table alike. */
struct flow_moment {
    struct timespec now;
    uint64_t number; /* counts up */
    unsigned step;   /* bits of enum flow_step */
};

/* A packet of time `ts` is the next one. */
struct flow_moment flow_clock_advance(struct flow_clock *c, struct timespec ts);

#endif
