/* Connections by their ends: a hash table. */
#ifndef FLOW_BUCKETS_H
#define FLOW_BUCKETS_H

#include "flow/flow.h"

struct buckets {
    struct flow **slots;
    size_t slot_count, count; /* a power of two; flows in it */
    uint64_t seed;
};

void buckets_init(struct buckets *b, uint64_t seed);
/* Of the segment's two ends, the same for both directions; what the others take as `hash`. */
uint64_t buckets_hash(const struct buckets *b, const struct segment *seg);
/* The connection that the segment goes over, and in which direction; or NULL. */
struct flow *buckets_find(const struct buckets *b, const struct segment *seg, uint64_t hash, int *ret_dir);
/* By f->hash. The flow stays the caller's, here and below. */
void buckets_add(struct buckets *b, struct flow *f);
void buckets_remove(struct buckets *b, const struct flow *f);
void buckets_free(struct buckets *b);

/* What buckets_find will look at is on its way into the cache: first the slot, and, when that has had time to
 * come, the flow in it, and then what its user has. */
static inline void buckets_expect_slot(const struct buckets *b, uint64_t hash)
{
    __builtin_prefetch(&b->slots[hash & (b->slot_count - 1)]);
}

static inline void buckets_expect_flow(const struct buckets *b, uint64_t hash)
{
    const char *f = (const char *)b->slots[hash & (b->slot_count - 1)];
    for (size_t at = 0; f && at < sizeof(struct flow); at += 64)
        __builtin_prefetch(f + at, 1);
}

static inline void buckets_expect_user(const struct buckets *b, uint64_t hash)
{
    const struct flow *f = b->slots[hash & (b->slot_count - 1)];
    if (f)
        __builtin_prefetch(f->user, 1);
}

#endif
