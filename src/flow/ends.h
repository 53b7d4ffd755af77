/* The two ends of a connection as the key of a table, the same for both directions. */
#ifndef FLOW_ENDS_H
#define FLOW_ENDS_H

#include "flow/flow.h"

uint64_t ends_hash(const struct segment *seg, uint64_t seed);
/* How the ends of one segment stand to those of another. */
enum ends {
    ENDS_SAME,
    ENDS_TURNED, /* it goes the other way over the same connection */
    ENDS_OTHER,
};
static inline enum ends ends_compare(const struct segment *a, const struct segment *b)
{
    if (endpoint_eq(&a->src, &b->src) && endpoint_eq(&a->dst, &b->dst))
        return ENDS_SAME;
    return endpoint_eq(&a->src, &b->dst) && endpoint_eq(&a->dst, &b->src) ? ENDS_TURNED : ENDS_OTHER;
}
/* Does the segment go between the ends of this connection? *ret_dir is its direction then. */
bool ends_match(const struct flow_info *info, const struct segment *seg, int *ret_dir);

#endif
