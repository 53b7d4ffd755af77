/* ring.c: a single-producer, single-consumer queue.
 * In: pointers. Out: pointers, in order. Owns: its slots. Limits: the capacity given.
 * Knowingly: who has to wait takes a lock; while both keep up nobody does. */
#include "base/ring.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { CACHE_LINE = 64 };

/* One of the two threads, where it has to wait. */
struct sleeper {
    atomic_bool waits;
    pthread_cond_t moved;
};

struct ring {
    _Alignas(CACHE_LINE) atomic_size_t head; /* taken so far; the receiver's */
    _Alignas(CACHE_LINE) atomic_size_t tail; /* put so far; the sender's */
    _Alignas(CACHE_LINE) struct sleeper sender;
    struct sleeper receiver;
    size_t mask;
    pthread_mutex_t lock;
    void *slots[];
};

struct ring *ring_new(size_t capacity)
{
    assert(capacity && !(capacity & (capacity - 1)));
    size_t size = sizeof(struct ring) + capacity * sizeof(void *);
    struct ring *r = aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));
    assert(r);
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
    atomic_init(&r->sender.waits, false);
    atomic_init(&r->receiver.waits, false);
    r->mask = capacity - 1;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->sender.moved, NULL);
    pthread_cond_init(&r->receiver.moved, NULL);
    return r;
}

/* Between the store of a place and the look at `waits` on one side, and the store of `waits` and the look at
 * the places on the other, nothing may be reordered: else each could miss the other. All four are
 * sequentially consistent for that. */
static void wake(struct ring *r, struct sleeper *other)
{
    if (!atomic_load(&other->waits))
        return;
    pthread_mutex_lock(&r->lock);
    pthread_cond_signal(&other->moved);
    pthread_mutex_unlock(&r->lock);
}

bool ring_try_push(struct ring *r, void *item)
{
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (tail - atomic_load(&r->head) > r->mask)
        return false;
    r->slots[tail & r->mask] = item;
    atomic_store(&r->tail, tail + 1);
    wake(r, &r->receiver);
    return true;
}

void *ring_try_pop(struct ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (head == atomic_load(&r->tail))
        return NULL;
    void *item = r->slots[head & r->mask];
    atomic_store(&r->head, head + 1);
    wake(r, &r->sender);
    return item;
}

static bool is_full(struct ring *r)
{
    return atomic_load(&r->tail) - atomic_load(&r->head) > r->mask;
}

static bool is_empty(struct ring *r)
{
    return atomic_load(&r->tail) == atomic_load(&r->head);
}

static void wait_while(struct ring *r, bool (*stuck)(struct ring *r), struct sleeper *self)
{
    pthread_mutex_lock(&r->lock);
    atomic_store(&self->waits, true);
    while (stuck(r))
        pthread_cond_wait(&self->moved, &r->lock);
    atomic_store(&self->waits, false);
    pthread_mutex_unlock(&r->lock);
}

void ring_push(struct ring *r, void *item)
{
    while (!ring_try_push(r, item))
        wait_while(r, is_full, &r->sender);
}

void *ring_pop(struct ring *r)
{
    void *item;
    while (!(item = ring_try_pop(r)))
        wait_while(r, is_empty, &r->receiver);
    return item;
}

void ring_free(struct ring **pr)
{
    struct ring *r = *pr;
    *pr = NULL;
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->sender.moved);
    pthread_cond_destroy(&r->receiver.moved);
    free(r);
}
