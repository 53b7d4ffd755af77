/* arena.c: bump memory.
 * In: sizes, slices. Out: memory, copies. Owns: a list of blocks.
 * Limits: `budget`, of bytes handed out; over it, allocations fail and copies are cut, and `over` says so.
 * Blocks grow from BLOCK_FIRST to BLOCK_BYTES, so that little takes little. Their ends that stay empty come
 * on top, at most as much again. Knowingly: dies loudly where the system has no memory left. */
#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"

enum { BLOCK_FIRST = 384, BLOCK_BYTES = 4096, ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t len, room;
    _Alignas(16) uint8_t bytes[];
};

void arena_init(struct arena *a, size_t budget)
{
    *a = (struct arena){.budget = budget};
}

static struct arena_block *block_with(struct arena *a, size_t size)
{
    struct arena_block *b = a->blocks;
    if (b && b->room - b->len >= size)
        return b;
    /* As much again as all of it so far: less than half of it stands empty. */
    size_t room = a->used > BLOCK_FIRST ? a->used : BLOCK_FIRST;
    if (room > BLOCK_BYTES)
        room = BLOCK_BYTES;
    if (room < size)
        room = size;
    b = malloc(sizeof *b + room);
    memory_check(b);
    *b = (struct arena_block){.next = a->blocks, .room = room};
    a->blocks = b;
    return b;
}

/* `size` bytes as they are, or NULL over the budget. */
static void *take(struct arena *a, size_t size)
{
    size_t left = a->budget - a->used, whole = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (size > left || whole > left) {
        a->over = true;
        return NULL;
    }
    struct arena_block *b = block_with(a, whole);
    void *p = b->bytes + b->len;
    b->len += whole;
    a->used += whole;
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    void *p = take(a, size);
    return p ? memset(p, 0, size) : NULL;
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    size_t left = (a->budget - a->used) & ~(size_t)(ALIGN - 1);
    if (s.len > left) {
        a->over = true;
        s.len = left;
    }
    if (!s.len)
        return (struct slice){(const uint8_t *)"", 0};
    uint8_t *p = take(a, s.len);
    assert(p);
    memcpy(p, s.data, s.len);
    return (struct slice){p, s.len};
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = NULL, *next;
    for (struct arena_block *b = a->blocks; b; b = next) {
        next = b->next;
        struct arena_block *drop = b;
        if (b->room <= BLOCK_BYTES && (!keep || b->room > keep->room)) {
            drop = keep;
            keep = b;
        }
        free(drop);
    }
    if (keep)
        *keep = (struct arena_block){.room = keep->room};
    *a = (struct arena){.blocks = keep, .budget = a->budget};
}

void arena_free(struct arena *a)
{
    struct arena_block *next;
    for (struct arena_block *b = a->blocks; b; b = next) {
        next = b->next;
        free(b);
    }
    arena_init(a, a->budget);
}
