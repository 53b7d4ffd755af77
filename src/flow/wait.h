/* Flows that wait for bytes or for an end, in the order in which they began to. */
#ifndef FLOW_WAIT_H
#define FLOW_WAIT_H

#include "flow/flow.h"

struct flow_wait {
    struct link link; /* in the queue of those that wait */
    struct flow *flow;
    struct timespec since;
};

/* NULL: none waits. */
struct flow *waiting_longest(const struct queue *q);
/* From `now` on, where it does not wait already. */
void waiting_begin(struct queue *q, struct flow *f, struct timespec now);
/* Where it waits. */
void waiting_end(struct queue *q, struct flow *f);
/* No one has waited since a time after `now`. */
void waiting_set_back(struct queue *q, struct timespec now);

#endif
