/* What all tables over one input hold together, so that a limit is one limit whatever their number. Any
 * thread may change it. */
#ifndef FLOW_BUDGET_H
#define FLOW_BUDGET_H

#include <stdatomic.h>

struct flow_budget {
    atomic_size_t flows, sessions, bytes;
};

#endif
