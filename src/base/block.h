/* Pieces of memory that several threads look at: each is kept as long as somebody holds it, then used again.
 */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include "base/slice.h"

struct block {
    atomic_uint users; /* its owner is one of them */
    size_t room;
    _Alignas(16) uint8_t bytes[];
};

/* The caller is its owner. */
struct block *block_new(size_t room);
/* Nulls *b, which is freed where nobody else holds it; NULL inside is fine. */
void block_release(struct block **b);

static inline void block_hold(struct block *b)
{
    atomic_fetch_add_explicit(&b->users, 1, memory_order_relaxed);
}

/* Only the caller holds it, and sees all that others did with it. */
static inline bool block_is_alone(const struct block *b)
{
    return atomic_load_explicit(&b->users, memory_order_acquire) == 1;
}

/* Are these bytes of it? */
static inline bool block_has(const struct block *b, struct slice bytes)
{
    uintptr_t begin = (uintptr_t)b->bytes, at = (uintptr_t)bytes.data;
    return at >= begin && at < begin + b->room;
}

/* Blocks that their owner has done with, but that others may hold. For one thread. */
struct block_pool {
    struct block **blocks;
    size_t size, count, room; /* bytes of each block; of `blocks` */
};

/* One that nobody holds, or a new one. It is the caller's. */
struct block *block_pool_take(struct block_pool *p);
/* It is the pool's from now on. One of another size is released. */
void block_pool_put(struct block_pool *p, struct block *b);
/* Releases them all. */
void block_pool_free(struct block_pool *p);

#endif
