/* Segments on their way from one thread to another. */
#ifndef BATCH_H
#define BATCH_H

#include "base/block.h"
#include "flow/table.h"

enum { BATCH_PARCELS = 256, BATCH_BLOCKS = 16 };

struct batch {
    struct parcel parcels[BATCH_PARCELS];
    size_t count;
    struct block *blocks[BATCH_BLOCKS]; /* with bytes of the segments; held */
    size_t block_count;
    uint8_t *bytes; /* of the other segments, copied; NULL until there is one */
    size_t used, room;
    uint64_t until; /* number of the last packet of which it may tell */
    bool last;      /* nothing follows */
};

struct batch *batch_new(void);
/* Lets go of all that is in it. */
void batch_clear(struct batch *b);
/* Has it room for anything? */
static inline bool batch_is_full(const struct batch *b)
{
    return b->count == BATCH_PARCELS;
}
/* Time goes on, that is all. It is not full. */
static inline void batch_add_moment(struct batch *b, const struct flow_moment *at)
{
    b->parcels[b->count].at = *at;
    b->parcels[b->count++].has_segment = false;
}
/* Has it room for this segment? An empty one has for any. `block` is what the segment's bytes may be in, or
 * NULL. */
bool batch_fits(const struct batch *b, const struct parcel *p, const struct block *block);
/* Copies the parcel, which has a segment and fits. The segment's bytes stay in the block, which it holds from
 * now on, or are copied too. */
void batch_add(struct batch *b, const struct parcel *p, struct block *block);
void batch_free(struct batch **b);

#endif
