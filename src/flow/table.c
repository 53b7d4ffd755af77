/* table.c: all connections.
 * In: segments. Out: calls of struct flow_handler. Owns: every struct flow.
 * Limits: struct flow_settings; over them the longest idle connection is shed, or a hole given up, and counted.
 * Knowingly: a SYN with another sequence number begins a new connection. Spec: RFC 9293. */
#include "flow/table.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

struct list {
    struct flow *oldest, *newest;
};

struct flow_table {
    struct flow_settings set;
    struct flow_core core;
    struct flow_stats stats;
    struct flow **buckets;
    size_t bucket_count, count;
    struct list by_state[FLOW_STATES];
    struct list waiting;
    struct timespec now;
};

static double seconds_between(struct timespec from, struct timespec to)
{
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) * 1e-9;
}

struct flow_table *flow_table_new(const struct flow_settings *set, const struct flow_handler *handler, void *ctx)
{
    struct flow_table *t = calloc(1, sizeof *t);
    assert(t);
    *t = (struct flow_table){.set = *set, .core = {.handler = handler, .ctx = ctx}, .bucket_count = 1024};
    t->buckets = calloc(t->bucket_count, sizeof *t->buckets);
    assert(t->buckets);
    return t;
}

struct key {
    uint8_t bytes[2][18];
};

static void key_end(uint8_t *ret, const struct endpoint *e)
{
    memcpy(ret, e->addr.bytes, 16);
    ret[16] = (uint8_t)(e->port >> 8);
    ret[17] = (uint8_t)e->port;
}

/* The same for both directions: the smaller end comes first. */
static uint64_t hash_of(const struct flow_table *t, const struct segment *seg)
{
    struct key k;
    uint8_t a[18], b[18];
    key_end(a, &seg->src);
    key_end(b, &seg->dst);
    int first = memcmp(a, b, sizeof a) <= 0 ? 0 : 1;
    memcpy(k.bytes[first], a, sizeof a);
    memcpy(k.bytes[!first], b, sizeof b);
    return XXH3_64bits_withSeed(&k, sizeof k, t->set.seed);
}

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && address_eq(&a->addr, &b->addr);
}

static void list_remove(struct list *l, struct flow *f)
{
    *(f->older ? &f->older->newer : &l->oldest) = f->newer;
    *(f->newer ? &f->newer->older : &l->newest) = f->older;
    f->older = f->newer = NULL;
}

static void list_append(struct list *l, struct flow *f)
{
    f->older = l->newest;
    f->newer = NULL;
    *(l->newest ? &l->newest->newer : &l->oldest) = f;
    l->newest = f;
}

static void wait_remove(struct flow_table *t, struct flow *f)
{
    if (!f->waits)
        return;
    struct list *l = &t->waiting;
    *(f->wait_older ? &f->wait_older->wait_newer : &l->oldest) = f->wait_newer;
    *(f->wait_newer ? &f->wait_newer->wait_older : &l->newest) = f->wait_older;
    f->wait_older = f->wait_newer = NULL;
    f->waits = false;
}

static void wait_append(struct flow_table *t, struct flow *f)
{
    struct list *l = &t->waiting;
    f->waits = true;
    f->wait_since = t->now;
    f->wait_older = l->newest;
    f->wait_newer = NULL;
    *(l->newest ? &l->newest->wait_newer : &l->oldest) = f;
    l->newest = f;
}

static void flow_remove(struct flow_table *t, struct flow *f)
{
    struct flow **slot = &t->buckets[f->hash & (t->bucket_count - 1)];
    while (*slot != f)
        slot = &(*slot)->chain;
    *slot = f->chain;
    wait_remove(t, f);
    list_remove(&t->by_state[f->state], f);
    t->count--;
    free(f);
}

/* The list a flow stands in follows its state, which the user's answers may change. */
static void set_state(struct flow_table *t, struct flow *f, enum flow_state from, enum flow_state to)
{
    list_remove(&t->by_state[from], f);
    f->state = to;
    list_append(&t->by_state[to], f);
}

static void close_flow(struct flow_table *t, struct flow *f, enum flow_end how)
{
    enum flow_state before = f->state;
    wait_remove(t, f);
    flow_close(&t->core, f, how);
    set_state(t, f, before, FLOW_CLOSED);
}

static void end_flow(struct flow_table *t, struct flow *f, enum flow_end how)
{
    if (f->state != FLOW_CLOSED)
        close_flow(t, f, how);
    flow_remove(t, f);
}

static void buckets_grow(struct flow_table *t)
{
    size_t count = t->bucket_count * 2;
    struct flow **grown = calloc(count, sizeof *grown);
    assert(grown);
    for (size_t i = 0; i < t->bucket_count; i++) {
        struct flow *next;
        for (struct flow *f = t->buckets[i]; f; f = next) {
            next = f->chain;
            f->chain = grown[f->hash & (count - 1)];
            grown[f->hash & (count - 1)] = f;
        }
    }
    free(t->buckets);
    t->buckets = grown;
    t->bucket_count = count;
}

static void shed_one(struct flow_table *t)
{
    static const enum flow_state order[] = {FLOW_CLOSED, FLOW_IGNORED, FLOW_LIVE};
    for (size_t i = 0; i < 3; i++) {
        struct flow *f = t->by_state[order[i]].oldest;
        if (f) {
            t->stats.shed += f->state == FLOW_LIVE;
            end_flow(t, f, FLOW_SHED);
            return;
        }
    }
}

static struct flow *flow_add(struct flow_table *t, const struct segment *seg, uint64_t hash)
{
    if (t->count >= t->set.max_flows)
        shed_one(t);
    if (t->count >= t->bucket_count)
        buckets_grow(t);
    struct flow *f = calloc(1, sizeof *f);
    assert(f);
    f->hash = hash;
    f->info = (struct flow_info){.end = {seg->src, seg->dst}, .client = -1, .first = seg->ts, .last = seg->ts};
    if (seg->flags & TCP_SYN)
        f->info.client = seg->flags & TCP_ACK ? 1 : 0;
    struct flow **slot = &t->buckets[hash & (t->bucket_count - 1)];
    f->chain = *slot;
    *slot = f;
    list_append(&t->by_state[FLOW_LIVE], f);
    t->count++;
    t->stats.flows++;
    return f;
}

static struct flow *find(const struct flow_table *t, const struct segment *seg, uint64_t hash, int *ret_dir)
{
    for (struct flow *f = t->buckets[hash & (t->bucket_count - 1)]; f; f = f->chain) {
        if (f->hash != hash)
            continue;
        for (int d = 0; d < 2; d++) {
            if (same_end(&f->info.end[d], &seg->src) && same_end(&f->info.end[!d], &seg->dst)) {
                *ret_dir = d;
                return f;
            }
        }
    }
    return NULL;
}

/* A SYN for ends that are known: a copy of the first one, or a new connection on the same ports. */
static bool begins_anew(const struct flow *f, int dir, const struct segment *seg)
{
    if ((seg->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return false;
    const struct halfstream *st = &f->dir[dir];
    return f->state == FLOW_CLOSED || (st->begun && f->opened && seq_diff(seg->seq + 1, st->next) > 0) ||
           (st->begun && !f->opened && seg->seq + 1 != st->next);
}

static void after_push(struct flow_table *t, struct flow *f, enum flow_state before)
{
    if (f->state == FLOW_IGNORED && before == FLOW_LIVE) {
        t->stats.ignored++;
        wait_remove(t, f);
        flow_drop_held(&t->core, f);
        set_state(t, f, FLOW_LIVE, FLOW_IGNORED);
        return;
    }
    while (f->state == FLOW_LIVE && flow_is_blocked(f) &&
           (f->dir[0].held_bytes + f->dir[1].held_bytes > t->set.flow_bytes ||
            t->core.held_bytes > t->set.total_bytes)) {
        t->stats.over_budget++;
        flow_give_up(&t->core, f);
    }
    if (f->state != before) {
        after_push(t, f, before);
        return;
    }
    bool wait = flow_is_blocked(f) || f->reset;
    if (wait && !f->waits)
        wait_append(t, f);
    else if (!wait)
        wait_remove(t, f);
    if (!f->reset && flow_is_finished(f))
        close_flow(t, f, FLOW_FIN);
}

void flow_table_push(struct flow_table *t, struct segment *seg)
{
    int dir = 0;
    uint64_t hash = hash_of(t, seg);
    flow_table_advance(t, seg->ts);
    struct flow *f = find(t, seg, hash, &dir);
    if (f && begins_anew(f, dir, seg)) {
        end_flow(t, f, FLOW_REUSE);
        f = NULL;
    }
    if (!f) {
        if ((seg->flags & TCP_RST) || (!seg->payload.len && !(seg->flags & TCP_SYN))) {
            t->stats.stray++;
            return;
        }
        f = flow_add(t, seg, hash);
        dir = 0;
    }
    list_remove(&t->by_state[f->state], f);
    list_append(&t->by_state[f->state], f);
    if (f->state == FLOW_CLOSED) {
        t->stats.stray++;
        return;
    }
    f->info.last = seg->ts;
    if (f->info.client < 0 && seg->flags & TCP_SYN)
        f->info.client = seg->flags & TCP_ACK ? !dir : dir;
    if (seg->flags & TCP_RST) {
        /* Its end waits a moment, as packets that the sender sent before it may still come. */
        f->reset = true;
    } else {
        f->info.heard[dir] = true;
    }
    if (f->state == FLOW_IGNORED) {
        f->dir[dir].has_fin |= (seg->flags & TCP_FIN) != 0;
        if (f->reset || (f->dir[0].has_fin && f->dir[1].has_fin))
            close_flow(t, f, f->reset ? FLOW_RST : FLOW_FIN);
        return;
    }
    enum flow_state before = f->state;
    if (!(seg->flags & TCP_RST))
        flow_push(&t->core, f, dir, seg);
    after_push(t, f, before);
}

static void give_up_old(struct flow_table *t)
{
    struct flow *f;
    while ((f = t->waiting.oldest) && seconds_between(f->wait_since, t->now) >= t->set.gap_wait) {
        if (f->reset) {
            close_flow(t, f, FLOW_RST);
            continue;
        }
        const struct held *h = f->dir[0].first ? f->dir[0].first : f->dir[1].first;
        enum flow_state before = f->state;
        if (flow_hole_is_acked(f) || seconds_between(h->ts, t->now) >= t->set.hole_wait)
            flow_give_up(&t->core, f);
        wait_remove(t, f);
        after_push(t, f, before);
    }
}

void flow_table_advance(struct flow_table *t, struct timespec now)
{
    const double limit[FLOW_STATES] = {t->set.idle_timeout, t->set.ignored_timeout, t->set.closed_timeout};
    if (seconds_between(t->now, now) <= 0)
        return;
    t->now = now;
    give_up_old(t);
    for (int s = 0; s < FLOW_STATES; s++) {
        struct flow *f;
        while ((f = t->by_state[s].oldest) && seconds_between(f->info.last, now) >= limit[s]) {
            t->stats.timeouts += s == FLOW_LIVE;
            end_flow(t, f, FLOW_TIMEOUT);
        }
    }
}

void flow_table_finish(struct flow_table *t)
{
    for (int s = 0; s < FLOW_STATES; s++)
        while (t->by_state[s].oldest) {
            struct flow *f = t->by_state[s].oldest;
            end_flow(t, f, f->reset ? FLOW_RST : FLOW_EOF);
        }
}

struct flow_stats flow_table_stats(const struct flow_table *t)
{
    struct flow_stats s = t->stats;
    s.gaps = t->core.gaps;
    s.gap_bytes = t->core.gap_bytes;
    s.held_bytes = t->core.held_bytes;
    s.live = t->count;
    return s;
}

void flow_table_free(struct flow_table **pt)
{
    struct flow_table *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    flow_table_finish(t);
    free(t->buckets);
    free(t);
}
