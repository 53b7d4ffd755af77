/* batch.c: segments for another thread.
 * In: parcels. Out: copies of them. Owns: bytes that are in no block. Limits: BATCH_PARCELS parcels,
 * BATCH_BLOCKS blocks, BYTES of copied payload, or one payload that is longer than that. */
#include "batch.h"

#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"

/* Half of a usual second-level cache, so that who reads it finds it there. */
enum { BYTES = 256 * 1024 };

struct batch *batch_new(void)
{
    struct batch *b = malloc(sizeof *b);
    memory_check(b);
    b->bytes = NULL;
    b->room = 0;
    b->block_count = 0;
    batch_clear(b);
    return b;
}

void batch_clear(struct batch *b)
{
    for (size_t i = 0; i < b->block_count; i++)
        block_release(&b->blocks[i]);
    b->count = b->used = b->block_count = 0;
    b->until = 0;
    b->last = false;
}

static bool has_bytes(const struct parcel *p)
{
    return p->seg.payload.len;
}

static bool is_inside(const struct parcel *p, const struct block *block)
{
    return block && block_has(block, p->seg.payload);
}

static bool is_held(const struct batch *b, const struct block *block)
{
    return b->block_count && b->blocks[b->block_count - 1] == block;
}

bool batch_fits(const struct batch *b, const struct parcel *p, const struct block *block)
{
    if (batch_is_full(b))
        return false;
    if (!has_bytes(p))
        return true;
    if (is_inside(p, block))
        return b->block_count < BATCH_BLOCKS || is_held(b, block);
    return !b->used || p->seg.payload.len <= b->room - b->used;
}

static void copy_bytes(struct batch *b, struct slice *bytes)
{
    if (bytes->len > b->room - b->used) {
        assert(!b->used);
        b->room = bytes->len > BYTES ? bytes->len : BYTES;
        b->bytes = realloc(b->bytes, b->room);
        memory_check(b->bytes);
    }
    uint8_t *to = b->bytes + b->used;
    memcpy(to, bytes->data, bytes->len);
    bytes->data = to;
    b->used += bytes->len;
}

void batch_add(struct batch *b, const struct parcel *p, struct block *block)
{
    struct parcel *to = &b->parcels[b->count++];
    *to = *p;
    if (!has_bytes(p))
        return;
    if (!is_inside(p, block)) {
        copy_bytes(b, &to->seg.payload);
    } else if (!is_held(b, block)) {
        block_hold(block);
        b->blocks[b->block_count++] = block;
    }
}

void batch_free(struct batch **pb)
{
    if (*pb) {
        batch_clear(*pb);
        free((*pb)->bytes);
    }
    free(*pb);
    *pb = NULL;
}
