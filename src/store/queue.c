/* queue.c: records on their way to the thread that writes them.
 * In: records. Out: batches of copies. Owns: the copies. Limits: bytes of memory for them, of which a record
 * that is larger than all of it may take more when it is alone; BATCH_BYTES of a batch.
 * Knowingly: one lock, as a record takes longer to be written than to be copied under it. */
#include "store/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "record/copy.h"

enum { PAGE_BYTES = 256 << 10, BATCH_BYTES = 8 << 20, EAGER_BYTES = 4 << 20, ALIGN = 16 };

struct page {
    struct page *next;
    size_t used, room, count;
    _Alignas(ALIGN) uint8_t bytes[];
};

/* Before each copy. */
struct head {
    struct record *rec;
    _Alignas(ALIGN) size_t size; /* of it and the copy */
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t came, went;
    uint64_t most, eager;
    double wait;
    /* Under the lock. */
    struct page *first, *last, *spare;
    uint64_t bytes; /* of all pages that are filled or being written */
    size_t count;   /* records in them */
    double since;   /* when the first one that waits came */
    bool closed;
    /* The receiver's own. */
    struct page *taken;
    size_t item_room;
};

static void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

struct queue *queue_new(uint64_t bytes, double wait)
{
    struct queue *q = calloc(1, sizeof *q);
    memory_check(q);
    pthread_mutex_init(&q->lock, NULL);
    cond_init(&q->came);
    cond_init(&q->went);
    q->most = bytes;
    q->eager = bytes / 4 < EAGER_BYTES ? bytes / 4 : EAGER_BYTES;
    q->wait = wait;
    return q;
}

static void free_pages(struct page *p)
{
    while (p) {
        struct page *next = p->next;
        free(p);
        p = next;
    }
}

void queue_free(struct queue **pq)
{
    struct queue *q = *pq;
    *pq = NULL;
    if (!q)
        return;
    free_pages(q->first);
    free_pages(q->taken);
    free(q->spare);
    pthread_cond_destroy(&q->came);
    pthread_cond_destroy(&q->went);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* A page of at least `least` bytes, behind the others. False: no room. */
static bool add_page(struct queue *q, size_t least)
{
    size_t room = least > PAGE_BYTES ? least : PAGE_BYTES;
    struct page *p = q->spare;
    if (q->bytes && q->bytes + room > q->most)
        return false;
    if (p && p->room >= room)
        q->spare = NULL;
    else
        p = malloc(sizeof *p + room);
    memory_check(p);
    *p = (struct page){.room = p == q->spare ? p->room : room};
    *(q->last ? &q->last->next : &q->first) = p;
    q->last = p;
    q->bytes += p->room;
    return true;
}

static bool put(struct page *p, const struct record *rec, size_t *ret_size)
{
    struct head *h = (struct head *)(p->bytes + p->used);
    size_t room = p->room - p->used > sizeof *h ? p->room - p->used - sizeof *h : 0;
    struct record *copy = NULL;
    *ret_size = 0;
    if (room)
        copy = record_copy(rec, h + 1, room, ret_size);
    else
        record_copy(rec, p->bytes, 0, ret_size);
    *ret_size = (*ret_size + sizeof *h + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (!copy)
        return false;
    *h = (struct head){.rec = copy, .size = *ret_size};
    p->used += *ret_size < p->room - p->used ? *ret_size : p->room - p->used;
    p->count++;
    return true;
}

static bool add(struct queue *q, const struct record *rec)
{
    size_t size = 0;
    if (q->last && put(q->last, rec, &size))
        return true;
    if (!q->last) {
        record_copy(rec, q, 0, &size);
        size += sizeof(struct head) + ALIGN;
    }
    return add_page(q, size) && put(q->last, rec, &size);
}

bool queue_add(struct queue *q, const struct record *rec, bool wait)
{
    pthread_mutex_lock(&q->lock);
    bool in = !q->closed && add(q, rec);
    while (!in && wait && !q->closed) {
        pthread_cond_signal(&q->came);
        pthread_cond_wait(&q->went, &q->lock);
        in = !q->closed && add(q, rec);
    }
    if (in && !q->count++)
        q->since = now_monotonic();
    if (in && q->bytes >= q->eager && q->last->count == 1)
        pthread_cond_signal(&q->came);
    pthread_mutex_unlock(&q->lock);
    return in;
}

static struct timespec at(double time)
{
    return (struct timespec){(time_t)time, (long)((time - (double)(time_t)time) * 1e9)};
}

static bool is_due(const struct queue *q, double now)
{
    return q->first && (q->closed || q->bytes >= q->eager || now >= q->since + q->wait);
}

/* The first pages, up to BATCH_BYTES. */
static void detach(struct queue *q, struct queue_batch *ret)
{
    size_t bytes = 0, count = 0;
    struct page **end = &q->first;
    do {
        bytes += (*end)->room;
        count += (*end)->count;
        end = &(*end)->next;
    } while (*end && bytes + (*end)->room <= BATCH_BYTES);
    q->taken = q->first;
    q->first = *end;
    *end = NULL;
    if (!q->first)
        q->last = NULL;
    q->since = now_monotonic();
    if (count > q->item_room) {
        q->item_room = count;
        ret->items = reallocarray(ret->items, count, sizeof(struct record *));
        memory_check(ret->items);
    }
}

static void list(struct page *p, struct queue_batch *ret)
{
    for (; p; p = p->next) {
        size_t used = 0;
        for (size_t i = 0; i < p->count; i++) {
            const struct head *h = (const struct head *)(p->bytes + used);
            ret->items[ret->count++] = h->rec;
            used += h->size;
        }
    }
}

bool queue_take(struct queue *q, double most, struct queue_batch *ret)
{
    double until = now_monotonic() + most;
    pthread_mutex_lock(&q->lock);
    for (double now; now = now_monotonic(), !is_due(q, now) && !q->closed && now < until;) {
        double due = q->first ? q->since + q->wait : now + q->wait;
        const struct timespec end = at(due < until ? due : until);
        pthread_cond_timedwait(&q->came, &q->lock, &end);
    }
    ret->count = 0;
    bool over = q->closed && !q->first;
    if (is_due(q, now_monotonic()))
        detach(q, ret);
    pthread_mutex_unlock(&q->lock);
    list(q->taken, ret);
    return !over;
}

void queue_give_back(struct queue *q, struct queue_batch *batch)
{
    uint64_t bytes = 0;
    struct page *p = q->taken, *spare = NULL;
    for (size_t i = 0; i < batch->count; i++)
        record_drop(batch->items[i]);
    for (const struct page *each = p; each; each = each->next)
        bytes += each->room;
    if (p && p->room == PAGE_BYTES) {
        spare = p;
        p = p->next;
    }
    free_pages(p);
    q->taken = NULL;
    pthread_mutex_lock(&q->lock);
    q->bytes -= bytes;
    q->count -= batch->count;
    if (!q->spare) {
        q->spare = spare;
        spare = NULL;
    }
    pthread_cond_broadcast(&q->went);
    pthread_mutex_unlock(&q->lock);
    free(spare);
    batch->count = 0;
}

bool queue_pause(struct queue *q, double seconds)
{
    const struct timespec end = at(now_monotonic() + seconds);
    pthread_mutex_lock(&q->lock);
    int over = 0;
    while (!q->closed && !over)
        over = pthread_cond_timedwait(&q->came, &q->lock, &end);
    bool closed = q->closed;
    pthread_mutex_unlock(&q->lock);
    return closed;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->came);
    pthread_cond_broadcast(&q->went);
    pthread_mutex_unlock(&q->lock);
}

size_t queue_waiting(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t count = q->count;
    pthread_mutex_unlock(&q->lock);
    return count;
}
