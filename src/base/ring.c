/* ring.c: a single-producer, single-consumer queue.
 * In: pointers. Out: pointers, in order. Owns: its slots. Limits: the capacity given. Knowingly: nobody waits
 * here; whoever wants to has a better place for it, where he can wait for other things too. */
#include "base/ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/memory.h"

enum { CACHE_LINE = 64 };

struct ring {
    _Alignas(CACHE_LINE) atomic_size_t head; /* taken so far; the receiver's */
    _Alignas(CACHE_LINE) atomic_size_t tail; /* put so far; the sender's */
    _Alignas(CACHE_LINE) size_t mask;
    void *slots[];
};

struct ring *ring_new(size_t capacity)
{
    assert(capacity && !(capacity & (capacity - 1)));
    size_t size = sizeof(struct ring) + capacity * sizeof(void *);
    struct ring *r = aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));
    memory_check(r);
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
    r->mask = capacity - 1;
    return r;
}

/* What the other side wrote before it moved its place is seen by who sees the place. */
bool ring_try_push(struct ring *r, void *item)
{
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (tail - atomic_load_explicit(&r->head, memory_order_acquire) > r->mask)
        return false;
    r->slots[tail & r->mask] = item;
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return true;
}

void *ring_try_pop(struct ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (head == atomic_load_explicit(&r->tail, memory_order_acquire))
        return NULL;
    void *item = r->slots[head & r->mask];
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return item;
}

bool ring_is_empty(const struct ring *r)
{
    return atomic_load_explicit(&r->head, memory_order_acquire) ==
           atomic_load_explicit(&r->tail, memory_order_acquire);
}

void ring_free(struct ring **pr)
{
    free(*pr);
    *pr = NULL;
}
