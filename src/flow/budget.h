/* What all tables over one input hold together, so that a limit is one limit whatever their number. Over a
 * limit those give up that hold more than their share of it, each at its next packet. Any thread may change
 * it. */
#ifndef FLOW_BUDGET_H
#define FLOW_BUDGET_H

#include <stdatomic.h>

struct flow_budget {
    atomic_size_t tables, flows, sessions, bytes;
};

#endif
