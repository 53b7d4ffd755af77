/* Bump memory with a budget: everything in it dies at once, at reset or free. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_block;
struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used, budget;        /* bytes handed out, bytes allowed */
    uint32_t first;             /* room of the next first block; 0: little */
    bool over;                  /* something did not fit since the last reset */
};

/* No memory is taken before the first use. */
void arena_init(struct arena *a, size_t budget);
/* Zeroed, aligned for any type; NULL and `over` where the budget is spent. Valid until reset or free. */
void *arena_alloc(struct arena *a, size_t size);
/* Makes what arena_alloc gave, `old` bytes at `p` (NULL: none yet), larger: `size` bytes, the new ones
 * zeroed, at the place that is returned. Where it was the last piece of its block that costs no more than the
 * difference; else the old bytes stay lost. NULL and `over` where the budget is spent; then the old piece is
 * as it was. */
void *arena_grow(struct arena *a, void *p, size_t old, size_t size);
/* A copy of `s` in the arena, cut to what the budget still holds (then `over` is set). */
struct slice arena_copy(struct arena *a, struct slice s);
/* The same where `s` is ASCII and not empty, and the block at hand has room: most texts are looked at and
 * copied in one. False: nothing was done. */
bool arena_copy_ascii(struct arena *a, struct slice s, struct slice *ret);
/* All that was handed out, where it lies in one piece; else nothing. Valid until the next call for this
 * arena. */
struct slice arena_piece(const struct arena *a);
/* Forgets all that was handed out; keeps a block that is not too large for the next round. Where one was not
 * enough, the next round begins with one that would have been. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
