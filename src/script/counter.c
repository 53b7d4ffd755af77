/* counter.c: numbers by key that expire.
 * In: names, keys, packet time. Out: numbers. Owns: all keys. Limits: `keys` over all counters, the one that
 * was first added longest ago goes, and is counted; COUNTER_NAMES, COUNTER_KEY.
 * Knowingly: one lock for all of it, as each use is short. A key's time runs from its first add, so a key
 * that is added to all the time starts again from 0 each `expire` seconds. Time is the latest that anybody
 * said; where things come late (counters_lateness) a key's window is judged by each add's own time. */
#include "script/counter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>
#include "base/memory.h"

struct entry_list {
    struct entry_key *first, *last; /* oldest first */
};

struct entry_key {
    struct entry_key *chain; /* of one bucket */
    struct entry_key *older, *newer, *all_older, *all_newer;
    struct counter *counter;
    uint64_t hash;
    int64_t first; /* nanoseconds */
    int64_t value;
    size_t len;
    uint8_t key[];
};

struct counter {
    struct counters *store;
    char name[COUNTER_NAME + 1];
    double expire;
    int64_t expire_ns;
    struct entry_list keys;
};

struct counters {
    pthread_mutex_t lock;
    uint32_t most, len;
    uint64_t shed, seed;
    int64_t now, late;          /* nanoseconds */
    struct entry_key **buckets; /* a power of two of them, at least as many as keys */
    size_t buckets_len;
    struct entry_list keys;
    struct counter *items[COUNTER_NAMES];
    size_t items_len;
    atomic_bool any; /* items_len is not 0: asked without the lock */
};

static int64_t nanoseconds(struct timespec t)
{
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

struct counters *counters_new(uint32_t keys)
{
    struct counters *cs = calloc(1, sizeof *cs);
    if (!cs)
        return NULL;
    cs->most = keys;
    cs->now = INT64_MIN;
    cs->buckets_len = 64;
    cs->buckets = calloc(cs->buckets_len, sizeof(struct entry_key *));
    /* Keys come out of mails: nobody shall make them collide. */
    if (!cs->buckets || getrandom(&cs->seed, sizeof cs->seed, 0) != sizeof cs->seed ||
        pthread_mutex_init(&cs->lock, NULL) != 0) {
        free(cs->buckets);
        free(cs);
        return NULL;
    }
    return cs;
}

static struct entry_key **slot_of(struct counters *cs, const struct counter *c, uint64_t hash,
                                  struct slice key)
{
    struct entry_key **slot = &cs->buckets[hash & (cs->buckets_len - 1)];
    while (*slot && ((*slot)->counter != c || (*slot)->hash != hash ||
                     !slice_eq((struct slice){(*slot)->key, (*slot)->len}, key)))
        slot = &(*slot)->chain;
    return slot;
}

static struct slice key_of(struct slice key)
{
    return slice_sub(key, 0, COUNTER_KEY);
}

static uint64_t hash_of(const struct counters *cs, const struct counter *c, struct slice key)
{
    return XXH3_64bits_withSeed(key.len ? key.data : (const uint8_t *)"", key.len,
                                cs->seed ^ (uint64_t)(uintptr_t)c);
}

static void drop(struct counters *cs, struct entry_key *e)
{
    struct counter *c = e->counter;
    struct entry_key **slot = &cs->buckets[e->hash & (cs->buckets_len - 1)];
    while (*slot != e)
        slot = &(*slot)->chain;
    *slot = e->chain;
    *(e->older ? &e->older->newer : &c->keys.first) = e->newer;
    *(e->newer ? &e->newer->older : &c->keys.last) = e->older;
    *(e->all_older ? &e->all_older->all_newer : &cs->keys.first) = e->all_newer;
    *(e->all_newer ? &e->all_newer->all_older : &cs->keys.last) = e->all_older;
    cs->len--;
    free(e);
}

static void append(struct counters *cs, struct entry_key *e)
{
    struct counter *c = e->counter;
    e->older = c->keys.last;
    *(e->older ? &e->older->newer : &c->keys.first) = e;
    c->keys.last = e;
    e->all_older = cs->keys.last;
    *(e->all_older ? &e->all_older->all_newer : &cs->keys.first) = e;
    cs->keys.last = e;
    cs->len++;
}

void counters_free(struct counters **pcs)
{
    struct counters *cs = *pcs;
    *pcs = NULL;
    if (!cs)
        return;
    while (cs->keys.first)
        drop(cs, cs->keys.first);
    for (size_t i = 0; i < cs->items_len; i++)
        free(cs->items[i]);
    free(cs->buckets);
    pthread_mutex_destroy(&cs->lock);
    free(cs);
}

/* More buckets; where there is no memory the old ones serve on. */
static void grow(struct counters *cs)
{
    size_t more = cs->buckets_len * 2;
    struct entry_key **grown = calloc(more, sizeof *grown);
    if (!grown)
        return;
    for (struct entry_key *e = cs->keys.first; e; e = e->all_newer) {
        struct entry_key **slot = &grown[e->hash & (more - 1)];
        e->chain = *slot;
        *slot = e;
    }
    free(cs->buckets);
    cs->buckets = grown;
    cs->buckets_len = more;
}

static enum counter_fault find(struct counters *cs, struct slice name, double expire, struct counter **ret)
{
    for (size_t i = 0; i < cs->items_len; i++) {
        struct counter *c = cs->items[i];
        if (!slice_eq(name, slice_str(c->name)))
            continue;
        *ret = c;
        return expire == 0 || expire == c->expire ? COUNTER_FINE : COUNTER_DIFFERS;
    }
    if (expire == 0)
        return COUNTER_UNKNOWN;
    struct counter *c = cs->items_len < COUNTER_NAMES ? calloc(1, sizeof *c) : NULL;
    if (!c)
        return COUNTER_FULL;
    c->store = cs;
    memcpy(c->name, name.data, name.len);
    c->expire = expire;
    c->expire_ns = (int64_t)(expire * 1e9);
    *ret = cs->items[cs->items_len++] = c;
    atomic_store_explicit(&cs->any, true, memory_order_relaxed);
    return COUNTER_FINE;
}

enum counter_fault counters_find(struct counters *cs, struct slice name, double expire, struct counter **ret)
{
    /* A hundred years, and no name of which a terminator would cut a part. */
    if (!name.len || name.len > COUNTER_NAME || slice_index(name, '\0') < name.len ||
        !(expire >= 0 && expire <= 3.2e9))
        return COUNTER_BAD;
    pthread_mutex_lock(&cs->lock);
    enum counter_fault fault = find(cs, name, expire, ret);
    pthread_mutex_unlock(&cs->lock);
    return fault;
}

static void advance(struct counters *cs, int64_t now)
{
    if (now > cs->now)
        cs->now = now;
}

static void expire(struct counters *cs, struct counter *c)
{
    while (c->keys.first && cs->now - cs->late - c->keys.first->first >= c->expire_ns)
        drop(cs, c->keys.first);
}

void counters_tick(struct counters *cs, struct timespec now)
{
    if (!atomic_load_explicit(&cs->any, memory_order_relaxed))
        return;
    pthread_mutex_lock(&cs->lock);
    advance(cs, nanoseconds(now));
    for (size_t i = 0; i < cs->items_len; i++)
        expire(cs, cs->items[i]);
    pthread_mutex_unlock(&cs->lock);
}

void counters_lateness(struct counters *cs, double seconds)
{
    cs->late = (int64_t)(seconds * 1e9);
}

void counters_each(struct counters *cs, counters_each_fn *take, void *ctx)
{
    pthread_mutex_lock(&cs->lock);
    for (const struct entry_key *e = cs->keys.first; e; e = e->all_newer) {
        const struct counter *c = e->counter;
        take(ctx,
             &(struct counters_key){slice_str(c->name), c->expire, {e->key, e->len}, e->first, e->value});
    }
    pthread_mutex_unlock(&cs->lock);
}

uint64_t counters_shed(struct counters *cs)
{
    pthread_mutex_lock(&cs->lock);
    uint64_t shed = cs->shed;
    pthread_mutex_unlock(&cs->lock);
    return shed;
}

/* Takes the lock, with what is too old gone. */
static void enter(struct counter *c, struct timespec now)
{
    pthread_mutex_lock(&c->store->lock);
    advance(c->store, nanoseconds(now));
    expire(c->store, c);
}

/* The key's window is over at `t`, or is one that comes after it; never so where time comes in order. */
static bool is_over(const struct counter *c, const struct entry_key *e, int64_t t)
{
    return c->store->late && t - e->first >= c->expire_ns;
}

static bool is_before(const struct counter *c, const struct entry_key *e, int64_t t)
{
    return c->store->late && e->first - t >= c->expire_ns;
}

static struct entry_key *put(struct counter *c, uint64_t hash, struct slice key, int64_t first, int64_t n)
{
    struct counters *cs = c->store;
    if (cs->len == cs->most) {
        drop(cs, cs->keys.first);
        cs->shed++;
    }
    if (cs->len >= cs->buckets_len)
        grow(cs);
    struct entry_key *e = malloc(sizeof *e + key.len);
    memory_check(e);
    *e = (struct entry_key){.counter = c, .hash = hash, .first = first, .value = n, .len = key.len};
    if (key.len)
        memcpy(e->key, key.data, key.len);
    append(cs, e);
    struct entry_key **slot = &cs->buckets[hash & (cs->buckets_len - 1)];
    e->chain = *slot;
    *slot = e;
    return e;
}

static int64_t add(struct counter *c, struct slice key, int64_t t, int64_t n)
{
    struct counters *cs = c->store;
    uint64_t hash = hash_of(cs, c, key);
    struct entry_key *e = *slot_of(cs, c, hash, key);
    if (e && is_over(c, e, t)) {
        drop(cs, e);
        e = NULL;
    }
    if (!cs->most || (e && is_before(c, e, t)))
        return n;
    if (!e)
        return put(c, hash, key, cs->late ? t : cs->now, n)->value;
    if (__builtin_add_overflow(e->value, n, &e->value))
        e->value = n > 0 ? INT64_MAX : INT64_MIN;
    return e->value;
}

int64_t counter_add(struct counter *c, struct timespec now, struct slice key, int64_t n)
{
    enter(c, now);
    int64_t value = add(c, key_of(key), nanoseconds(now), n);
    pthread_mutex_unlock(&c->store->lock);
    return value;
}

int64_t counter_get(struct counter *c, struct timespec now, struct slice key)
{
    enter(c, now);
    key = key_of(key);
    const struct entry_key *e = *slot_of(c->store, c, hash_of(c->store, c, key), key);
    int64_t t = nanoseconds(now);
    int64_t value = e && !is_over(c, e, t) && !is_before(c, e, t) ? e->value : 0;
    pthread_mutex_unlock(&c->store->lock);
    return value;
}

void counter_reset(struct counter *c, struct slice key)
{
    pthread_mutex_lock(&c->store->lock);
    key = key_of(key);
    struct entry_key *e = *slot_of(c->store, c, hash_of(c->store, c, key), key);
    if (e)
        drop(c->store, e);
    pthread_mutex_unlock(&c->store->lock);
}

static size_t item_size(const struct entry_key *e)
{
    return sizeof(struct counter_item) + ((e->len + 7) & ~(size_t)7);
}

size_t counter_size(struct counter *c, struct timespec now)
{
    size_t size = 0;
    enter(c, now);
    for (const struct entry_key *e = c->keys.first; e; e = e->newer)
        size += item_size(e);
    pthread_mutex_unlock(&c->store->lock);
    return size;
}

size_t counter_copy(struct counter *c, struct timespec now, uint8_t *ret, size_t room)
{
    size_t len = 0;
    enter(c, now);
    for (const struct entry_key *e = c->keys.first; e && item_size(e) <= room - len; e = e->newer) {
        struct counter_item item = {e->value, e->len};
        memcpy(ret + len, &item, sizeof item);
        memcpy(ret + len + sizeof item, e->key, e->len);
        len += item_size(e);
    }
    pthread_mutex_unlock(&c->store->lock);
    return len;
}

bool counters_put(struct counters *cs, const struct counters_key *k)
{
    struct counter *c = NULL;
    pthread_mutex_lock(&cs->lock);
    bool known = find(cs, k->name, 0, &c) == COUNTER_FINE && c->expire == k->expire && cs->most;
    uint64_t hash = known ? hash_of(cs, c, key_of(k->key)) : 0;
    if (known && !*slot_of(cs, c, hash, key_of(k->key)))
        put(c, hash, key_of(k->key), k->first, k->value);
    pthread_mutex_unlock(&cs->lock);
    return known;
}
