/* over_seen.c: a set of hashes that forgets the oldest.
 * In: hashes. Out: what was said with them. Owns: a ring, and a table of twice its size at least, probed
 * linearly. Limits: `most`. Knowingly: two lowest bits of a hash are not looked at; of two lines with the
 * same other 62 the second counts as seen. */
#include "over_seen.h"

#include <stdlib.h>
#include "base/memory.h"

enum { WENT = 1, USED = 2, BITS = 3 };

struct over_seen {
    size_t most, len, oldest; /* of the ring */
    uint64_t *ring;
    size_t slots; /* a power of two */
    uint64_t *table;
};

struct over_seen *over_seen_new(size_t most)
{
    struct over_seen *s = calloc(1, sizeof *s);
    memory_check(s);
    *s = (struct over_seen){.most = most, .slots = 4};
    while (s->slots < 2 * most)
        s->slots *= 2;
    s->ring = calloc(most, sizeof *s->ring);
    s->table = calloc(s->slots, sizeof *s->table);
    memory_check(s->ring);
    memory_check(s->table);
    return s;
}

void over_seen_free(struct over_seen **ps)
{
    struct over_seen *s = *ps;
    *ps = NULL;
    if (!s)
        return;
    free(s->ring);
    free(s->table);
    free(s);
}

static size_t home(const struct over_seen *s, uint64_t item)
{
    return (size_t)(item >> 2) & (s->slots - 1);
}

/* Its slot, or the free one where it would stand. */
static size_t slot_of(const struct over_seen *s, uint64_t item)
{
    size_t at = home(s, item);
    while (s->table[at] && (s->table[at] | BITS) != (item | BITS))
        at = (at + 1) & (s->slots - 1);
    return at;
}

/* Those behind it move up, so that none is cut off from its home. */
static void take_out(struct over_seen *s, size_t hole)
{
    for (size_t at = hole;;) {
        s->table[hole] = 0;
        do {
            at = (at + 1) & (s->slots - 1);
            if (!s->table[at])
                return;
        } while (((at - home(s, s->table[at])) & (s->slots - 1)) < ((at - hole) & (s->slots - 1)));
        s->table[hole] = s->table[at];
        hole = at;
    }
}

enum over_fate over_seen_find(const struct over_seen *s, uint64_t hash)
{
    uint64_t item = s->table[slot_of(s, hash)];
    return !item ? OVER_NEW : item & WENT ? OVER_WENT : OVER_LEFT;
}

void over_seen_again(struct over_seen *s, uint64_t item)
{
    size_t at = slot_of(s, item);
    if (s->table[at])
        return;
    if (s->len == s->most) {
        take_out(s, slot_of(s, s->ring[s->oldest]));
        s->oldest = (s->oldest + 1) % s->most;
        s->len--;
        at = slot_of(s, item);
    }
    s->table[at] = item | USED;
    s->ring[(s->oldest + s->len++) % s->most] = item | USED;
}

void over_seen_put(struct over_seen *s, uint64_t hash, bool went)
{
    over_seen_again(s, (hash & ~(uint64_t)BITS) | USED | (went ? WENT : 0));
}

void over_seen_each(const struct over_seen *s, void (*take)(void *ctx, uint64_t item), void *ctx)
{
    for (size_t i = 0; i < s->len; i++)
        take(ctx, s->ring[(s->oldest + i) % s->most]);
}
