/* buckets.c: finds a connection by its ends.
 * In: segments. Out: flows. Owns: its slots, not the flows. Limits: none; it grows with them. */
#include "flow/buckets.h"

#include <stdlib.h>
#include "base/memory.h"
#include "flow/ends.h"

enum { SLOTS_FIRST = 1024 };

void buckets_init(struct buckets *b, uint64_t seed)
{
    *b = (struct buckets){.slot_count = SLOTS_FIRST, .seed = seed};
    b->slots = calloc(b->slot_count, sizeof *b->slots);
    memory_check(b->slots);
}

uint64_t buckets_hash(const struct buckets *b, const struct segment *seg)
{
    return ends_hash(seg, b->seed);
}

static struct flow **slot_of(const struct buckets *b, uint64_t hash)
{
    return &b->slots[hash & (b->slot_count - 1)];
}

struct flow *buckets_find(const struct buckets *b, const struct segment *seg, uint64_t hash, int *ret_dir)
{
    struct flow *f = *slot_of(b, hash);
    while (f && !(f->hash == hash && ends_match(&f->info, seg, ret_dir)))
        f = f->chain;
    return f;
}

static void put(const struct buckets *b, struct flow *f)
{
    struct flow **slot = slot_of(b, f->hash);
    f->chain = *slot;
    *slot = f;
}

static void grow(struct buckets *b)
{
    struct buckets more = {.slot_count = b->slot_count * 2, .count = b->count, .seed = b->seed};
    more.slots = calloc(more.slot_count, sizeof *more.slots);
    memory_check(more.slots);
    for (size_t i = 0; i < b->slot_count; i++) {
        struct flow *next;
        for (struct flow *f = b->slots[i]; f; f = next) {
            next = f->chain;
            put(&more, f);
        }
    }
    free(b->slots);
    *b = more;
}

void buckets_add(struct buckets *b, struct flow *f)
{
    if (b->count >= b->slot_count)
        grow(b);
    b->count++;
    put(b, f);
}

void buckets_remove(struct buckets *b, const struct flow *f)
{
    struct flow **slot = slot_of(b, f->hash);
    while (*slot != f)
        slot = &(*slot)->chain;
    *slot = f->chain;
    b->count--;
}

void buckets_free(struct buckets *b)
{
    free(b->slots);
    *b = (struct buckets){0};
}
