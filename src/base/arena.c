/* arena.c: bump memory.
 * In: sizes, slices. Out: memory, copies. Owns: a list of blocks.
 * Limits: `budget`, of bytes handed out; over it, allocations fail and copies are cut, and `over` says so.
 * Blocks grow from BLOCK_FIRST to BLOCK_BYTES, so that little takes little. Their ends that stay empty come
 * on top, at most as much again. One of up to KEPT_BYTES stays for the next round. Knowingly: dies loudly
 * where the system has no memory left. */
#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"

enum { BLOCK_FIRST = 336, BLOCK_BYTES = 4096, KEPT_BYTES = 8192, ALIGN = 16 };

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
    if (!a->used && room < a->first)
        room = a->first;
    if (room < size)
        room = size;
    b = malloc(sizeof *b + room);
    memory_check(b);
    *b = (struct arena_block){.next = a->blocks, .room = room};
    a->blocks = b;
    return b;
}

static size_t aligned(size_t size)
{
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* `size` bytes as they are, or NULL over the budget. */
static void *take(struct arena *a, size_t size)
{
    size_t left = a->budget - a->used, whole = aligned(size);
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

/* The block whose last piece this is, or NULL. */
static struct arena_block **holder(struct arena *a, const uint8_t *p, size_t whole)
{
    struct arena_block **slot = &a->blocks;
    while (*slot && p + whole != (*slot)->bytes + (*slot)->len)
        slot = &(*slot)->next;
    return *slot && p >= (*slot)->bytes ? slot : NULL;
}

/* A piece in a block of its own takes the block along; one with others before it grows as far as its block
 * goes. */
static void *stretch(struct arena_block **slot, uint8_t *p, size_t whole)
{
    struct arena_block *b = *slot;
    size_t at = (size_t)(p - b->bytes);
    if (b->room - at < whole && at)
        return NULL;
    if (b->room - at < whole) {
        b = realloc(b, sizeof *b + whole);
        memory_check(b);
        b->room = whole;
        *slot = b;
    }
    b->len = at + whole;
    return b->bytes + at;
}

void *arena_grow(struct arena *a, void *p, size_t old, size_t size)
{
    size_t had = aligned(old), whole = aligned(size);
    if (!p)
        return arena_alloc(a, size);
    struct arena_block **slot = holder(a, p, had);
    bool fits = whole >= size && whole - had <= a->budget - a->used;
    uint8_t *grown = slot && fits ? stretch(slot, p, whole) : NULL;
    if (grown) {
        a->used += whole - had;
    } else {
        grown = take(a, size);
        if (!grown)
            return NULL;
        memcpy(grown, p, old);
    }
    memset(grown + old, 0, size - old);
    return grown;
}

static struct slice copy(struct arena *a, struct slice s)
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

struct slice arena_copy(struct arena *a, struct slice s)
{
    struct arena_block *b = a->blocks;
    size_t whole = aligned(s.len);
    /* Of a length near the largest number, `whole` is less. */
    if (!b || !s.len || whole < s.len || whole > b->room - b->len || whole > a->budget - a->used)
        return copy(a, s);
    uint8_t *p = b->bytes + b->len;
    b->len += whole;
    a->used += whole;
    memcpy(p, s.data, s.len);
    return (struct slice){p, s.len};
}

struct slice arena_piece(const struct arena *a)
{
    const struct arena_block *b = a->blocks;
    return b && !b->next ? (struct slice){b->bytes, b->len} : (struct slice){NULL, 0};
}

typedef uint8_t sixteen __attribute__((vector_size(16)));

/* Sixteen bytes; what is in them is added to *seen. */
static inline void copy_sixteen(uint8_t *to, const uint8_t *from, sixteen *seen)
{
    sixteen c;
    memcpy(&c, from, sizeof c);
    memcpy(to, &c, sizeof c);
    *seen |= c;
}

/* At `to` there is room for a length that is aligned. False: something in it is not ASCII. */
static bool copy_ascii(uint8_t *to, struct slice s)
{
    const uint64_t high = 0x8080808080808080;
    uint64_t halves[2] = {0, 0};
    sixteen seen = {0};
    if (s.len < sizeof seen) {
        memcpy(halves, s.data, s.len);
        memcpy(to, halves, sizeof halves);
    } else {
        /* The last ones with some of those before them. */
        for (size_t i = 0; i + sizeof seen < s.len; i += sizeof seen)
            copy_sixteen(to + i, s.data + i, &seen);
        copy_sixteen(to + s.len - sizeof seen, s.data + s.len - sizeof seen, &seen);
        memcpy(halves, &seen, sizeof halves);
    }
    return !((halves[0] | halves[1]) & high);
}

bool arena_copy_ascii(struct arena *a, struct slice s, struct slice *ret)
{
    struct arena_block *b = a->blocks;
    size_t whole = aligned(s.len);
    if (!b || !s.len || whole < s.len || whole > b->room - b->len || whole > a->budget - a->used)
        return false;
    uint8_t *p = b->bytes + b->len;
    if (!copy_ascii(p, s))
        return false;
    b->len += whole;
    a->used += whole;
    *ret = (struct slice){p, s.len};
    return true;
}

static void drop_blocks(struct arena_block **first)
{
    struct arena_block *next;
    for (struct arena_block *b = *first; b; b = next) {
        next = b->next;
        free(b);
    }
    *first = NULL;
}

void arena_reset(struct arena *a)
{
    struct arena_block *b = a->blocks;
    if (b && b->next) {
        /* In one piece, the next time. */
        size_t whole = (a->used + BLOCK_FIRST - 1) / BLOCK_FIRST * BLOCK_FIRST;
        a->first = whole > KEPT_BYTES ? BLOCK_BYTES : (uint32_t)whole;
        drop_blocks(&a->blocks);
    } else if (b && b->room > KEPT_BYTES) {
        drop_blocks(&a->blocks);
    } else if (b) {
        b->len = 0;
    }
    a->used = 0;
    a->over = false;
}

void arena_free(struct arena *a)
{
    drop_blocks(&a->blocks);
    arena_init(a, a->budget);
}
