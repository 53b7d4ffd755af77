/* ahead.c: a first look at segments that are at hand together.
 * In: parcels. Out: what it saw. Owns: nothing. Limits: FLOW_AHEAD of them. */
#include "flow/ahead.h"

void ahead_look(const struct buckets *b, const struct parcel *parcels, size_t count, struct glance *ret)
{
    uint64_t seen[FLOW_AHEAD];
    size_t seen_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct parcel *p = &parcels[i];
        ret[i] = (struct glance){0, ENDS_OTHER};
        if (!p->has_segment)
            continue;
        if (i && p[-1].has_segment)
            ret[i].ends = ends_compare(&p->seg, &p[-1].seg);
        /* Packets come in trains. */
        if (ret[i].ends != ENDS_OTHER) {
            ret[i].hash = ret[i - 1].hash;
            continue;
        }
        ret[i].hash = seen[seen_count++] = buckets_hash(b, &p->seg);
        buckets_expect_slot(b, ret[i].hash);
    }
    for (size_t i = 0; i < seen_count; i++)
        buckets_expect_flow(b, seen[i]);
    for (size_t i = 0; i < seen_count; i++)
        buckets_expect_user(b, seen[i]);
}
