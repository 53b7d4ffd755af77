/* merge.c: puts the records of several fronts in one order.
 * In: records, each lane in its order, and how far each lane has come. Out: records in the order of all.
 * Owns: copies of records on their way. Limits: who feeds the lanes waits while too many records are on their
 * way; a record waits until every lane has passed it. */
#include "merge.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/block.h"
#include "base/memory.h"
#include "record/copy.h"

/* Copies of records lie in pages, one after the other: to ask for the memory of each, and to give it back
 * from another thread, takes longer than to copy it. */
enum { PAGE_BYTES = 64 * 1024 };

struct told {
    _Alignas(16) struct told *next;
    struct block *page; /* that it is in, held */
    struct flow_order order;
    struct record *rec;
};

struct told_list {
    struct told *first, **end; /* `end` is where the next one goes */
};

struct lane {
    struct merge *merge;
    /* Its front's own. */
    struct told_list added; /* not published yet */
    struct block *page;     /* that is being filled, or NULL */
    size_t page_used;
    struct block_pool pages;
    /* Under the lock. */
    struct told_list published;
    uint64_t until;
    size_t pending;
    /* The back's own. */
    struct told_list ready;
};

struct merge {
    pthread_mutex_t lock;
    pthread_cond_t taken;
    int fd;
    uint64_t until;
    uint64_t told; /* under the lock: how far all lanes had come when the back was told */
    size_t pending, count, enough;
    struct lane lanes[];
};

static void list_init(struct told_list *l)
{
    *l = (struct told_list){.end = &l->first};
}

static void list_move(struct told_list *from, struct told_list *to)
{
    if (!from->first)
        return;
    *to->end = from->first;
    to->end = from->end;
    list_init(from);
}

int merge_new(size_t lanes, size_t enough, struct merge **ret, struct error *reterr)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return error_set(reterr, -errno, "the event of records: %s", strerror(errno));
    struct merge *m = calloc(1, sizeof *m + lanes * sizeof m->lanes[0]);
    memory_check(m);
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->taken, NULL);
    m->fd = fd;
    m->count = lanes;
    m->enough = enough;
    for (size_t i = 0; i < lanes; i++) {
        m->lanes[i].merge = m;
        m->lanes[i].pages.size = PAGE_BYTES;
        list_init(&m->lanes[i].added);
        list_init(&m->lanes[i].published);
        list_init(&m->lanes[i].ready);
    }
    *ret = m;
    return 0;
}

struct lane *merge_lane(struct merge *m, size_t i)
{
    return &m->lanes[i];
}

/* So that what follows is aligned for any type. */
static size_t padded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

/* NULL where the page has no room; *ret_size is what it takes in any case. */
static struct told *put(struct lane *l, const struct record *rec, size_t *ret_size)
{
    size_t room = l->page ? l->page->room - l->page_used : 0;
    size_t head = sizeof(struct told) < room ? sizeof(struct told) : room;
    struct told *t = l->page ? (struct told *)(l->page->bytes + l->page_used) : NULL;
    struct record *copy = record_copy(rec, (char *)t + head, room - head, ret_size);
    *ret_size += sizeof *t;
    if (!copy)
        return NULL;
    *t = (struct told){.page = l->page, .rec = copy};
    block_hold(l->page);
    l->page_used += padded(*ret_size);
    return t;
}

static void begin_page(struct lane *l, size_t least)
{
    if (l->page)
        block_pool_put(&l->pages, l->page);
    l->page = least > PAGE_BYTES ? block_new(padded(least)) : block_pool_take(&l->pages);
    l->page_used = 0;
}

void lane_add(struct lane *l, const struct record *rec, struct flow_order order)
{
    size_t size;
    struct told *t = put(l, rec, &size);
    if (!t) {
        begin_page(l, size);
        t = put(l, rec, &size);
    }
    t->order = order;
    *l->added.end = t;
    l->added.end = &t->next;
}

static uint64_t least_until(const struct merge *m)
{
    uint64_t until = UINT64_MAX;
    for (size_t i = 0; i < m->count; i++)
        until = m->lanes[i].until < until ? m->lanes[i].until : until;
    return until;
}

/* Is there something new for the back to take? */
static bool is_news(struct merge *m, uint64_t lane_until)
{
    uint64_t until = least_until(m);
    if (lane_until != UINT64_MAX && (m->pending < m->enough || until == m->told))
        return false;
    m->told = until;
    return true;
}

void lane_publish(struct lane *l, uint64_t until)
{
    struct merge *m = l->merge;
    size_t count = 0;
    for (const struct told *t = l->added.first; t; t = t->next)
        count++;
    pthread_mutex_lock(&m->lock);
    list_move(&l->added, &l->published);
    l->until = until;
    l->pending += count;
    m->pending += count;
    bool news = is_news(m, until);
    pthread_mutex_unlock(&m->lock);
    if (news)
        (void)!write(m->fd, &(uint64_t){1}, 8);
}

void lane_wait(struct lane *l, size_t most)
{
    pthread_mutex_lock(&l->merge->lock);
    while (l->pending > most)
        pthread_cond_wait(&l->merge->taken, &l->merge->lock);
    pthread_mutex_unlock(&l->merge->lock);
}

bool merge_is_behind(struct merge *m, size_t most)
{
    pthread_mutex_lock(&m->lock);
    bool behind = m->pending > most;
    pthread_mutex_unlock(&m->lock);
    return behind;
}

int merge_fd(const struct merge *m)
{
    return m->fd;
}

static bool is_before(const struct flow_order *a, const struct flow_order *b)
{
    if (a->number != b->number)
        return a->number < b->number;
    return a->place != b->place ? a->place < b->place : a->first < b->first;
}

/* The lane whose record is next, of those that no lane can come before any more. */
static struct lane *next_lane(struct merge *m)
{
    struct lane *best = NULL;
    for (size_t i = 0; i < m->count; i++) {
        struct told *t = m->lanes[i].ready.first;
        if (t && t->order.number <= m->until && (!best || is_before(&t->order, &best->ready.first->order)))
            best = &m->lanes[i];
    }
    return best;
}

static void collect(struct merge *m)
{
    uint64_t ignored;
    (void)!read(m->fd, &ignored, sizeof ignored);
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->count; i++) {
        struct lane *l = &m->lanes[i];
        list_move(&l->published, &l->ready);
    }
    m->until = least_until(m);
    pthread_mutex_unlock(&m->lock);
}

static void told_free(struct told *t)
{
    struct block *page = t->page;
    record_drop(t->rec);
    block_release(&page);
}

static void take_first(struct lane *l, void (*take)(void *ctx, struct record *rec), void *ctx)
{
    struct told *t = l->ready.first;
    l->ready.first = t->next;
    if (!t->next)
        list_init(&l->ready);
    take(ctx, t->rec);
    told_free(t);
}

bool merge_take(struct merge *m, void (*take)(void *ctx, struct record *rec), void *ctx)
{
    enum { AT_ONCE = 64 };
    struct lane *l;
    collect(m);
    while ((l = next_lane(m))) {
        size_t count = 0;
        for (; count < AT_ONCE && l == next_lane(m); count++)
            take_first(l, take, ctx);
        pthread_mutex_lock(&m->lock);
        l->pending -= count;
        m->pending -= count;
        pthread_cond_broadcast(&m->taken);
        pthread_mutex_unlock(&m->lock);
    }
    return m->until != UINT64_MAX;
}

uint64_t merge_until(const struct merge *m)
{
    return m->until;
}

static void list_free(struct told_list *l)
{
    for (struct told *t = l->first, *next; t; t = next) {
        next = t->next;
        told_free(t);
    }
}

void merge_free(struct merge **pm)
{
    struct merge *m = *pm;
    *pm = NULL;
    if (!m)
        return;
    for (size_t i = 0; i < m->count; i++) {
        list_free(&m->lanes[i].added);
        list_free(&m->lanes[i].published);
        list_free(&m->lanes[i].ready);
        block_release(&m->lanes[i].page);
        block_pool_free(&m->lanes[i].pages);
    }
    close(m->fd);
    pthread_cond_destroy(&m->taken);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
