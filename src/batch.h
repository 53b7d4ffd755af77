/* Segments on their way from one thread to another, with copies of their bytes. */
#ifndef BATCH_H
#define BATCH_H

#include "flow/clock.h"
#include "decode/decode.h"

enum { BATCH_PARCELS = 512 };

struct parcel {
    struct flow_moment at;
    bool has_segment; /* else time goes on, that is all */
    struct segment seg;
};

struct batch {
    struct parcel parcels[BATCH_PARCELS];
    size_t count;
    uint8_t *bytes; /* of the segments */
    size_t used, room;
    uint64_t until; /* number of the last packet of which it may tell */
    bool last;      /* nothing follows */
};

struct batch *batch_new(void);
void batch_clear(struct batch *b);
/* Has it room for this payload? An empty one has for any. */
bool batch_fits(const struct batch *b, size_t payload);
/* `seg` is copied with its payload; NULL: none. It fits. */
void batch_add(struct batch *b, const struct flow_moment *at, const struct segment *seg);
void batch_free(struct batch **b);

#endif
