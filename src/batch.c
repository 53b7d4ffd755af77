/* batch.c: segments for another thread.
 * In: segments. Out: copies. Owns: their bytes. Limits: BATCH_PARCELS segments, BYTES of payload, or one
 * payload that is longer than that. */
#include "batch.h"

#include <assert.h>
#include <stdlib.h>

/* Half of a usual second-level cache, so that who reads it finds it there. */
enum { BYTES = 256 * 1024 };

struct batch *batch_new(void)
{
    struct batch *b = malloc(sizeof *b);
    assert(b);
    b->bytes = malloc(BYTES);
    assert(b->bytes);
    b->room = BYTES;
    batch_clear(b);
    return b;
}

void batch_clear(struct batch *b)
{
    b->count = b->used = 0;
    b->until = 0;
    b->last = false;
}

bool batch_fits(const struct batch *b, size_t payload)
{
    return b->count < BATCH_PARCELS && (payload <= b->room - b->used || !b->used);
}

void batch_add(struct batch *b, const struct flow_moment *at, const struct segment *seg)
{
    struct parcel *p = &b->parcels[b->count++];
    p->at = *at;
    p->has_segment = seg;
    if (!seg)
        return;
    p->seg = *seg;
    if (!seg->payload.len)
        return;
    if (seg->payload.len > b->room - b->used) {
        assert(!b->used);
        b->bytes = realloc(b->bytes, seg->payload.len);
        assert(b->bytes);
        b->room = seg->payload.len;
    }
    p->seg.payload.data = b->bytes + b->used;
    memcpy(b->bytes + b->used, seg->payload.data, seg->payload.len);
    b->used += seg->payload.len;
}

void batch_free(struct batch **pb)
{
    if (*pb)
        free((*pb)->bytes);
    free(*pb);
    *pb = NULL;
}
