/* What is known of segments at hand before the first of them is taken. */
#ifndef FLOW_AHEAD_H
#define FLOW_AHEAD_H

#include "flow/buckets.h"
#include "flow/ends.h"
#include "flow/table.h"

struct glance {
    uint64_t hash;  /* of its ends; 0 where the parcel has no segment */
    enum ends ends; /* beside those of the parcel before it; ENDS_OTHER for the first one */
};

/* Looks at FLOW_AHEAD parcels at most. Their connections are on their way into the cache when it returns:
 * enough to wait for all at once, few enough that none is pushed out again. */
void ahead_look(const struct buckets *b, const struct parcel *parcels, size_t count, struct glance *ret);

#endif
