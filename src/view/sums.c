/* sums.c: sums of mails, and a table of them by key.
 * In: rows of roll-ups, keys. Out: sums. Owns: a table's keys.
 * Limits: `most` keys a table, the rest counts together. The hash is seeded: keys come from the wire. */
#include "view/sums.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>
#include "base/memory.h"
#include "sink/line.h"

enum { FIRST_SLOTS = 256 };

struct item {
    uint64_t hash;
    size_t at, len; /* in texts */
    struct sums sums;
};

struct keyed {
    size_t most, count, room;
    struct item *items;
    uint32_t *slots;   /* number of an item + 1; 0: free */
    size_t slot_count; /* a power of two, at least twice the items */
    uint64_t seed;
    struct line texts;
    struct sums others;
};

void sums_add(struct sums *s, const struct sums *more)
{
    s->mails += more->mails;
    s->accepted += more->accepted;
    s->rejected += more->rejected;
    s->deferred += more->deferred;
    s->tls += more->tls;
    s->recipients += more->recipients;
    s->bytes += more->bytes;
    s->delay += more->delay;
    s->delays += more->delays;
}

struct keyed *keyed_new(size_t most)
{
    assert(most && most < UINT32_MAX);
    struct keyed *k = calloc(1, sizeof *k);
    memory_check(k);
    k->most = most;
    k->slot_count = FIRST_SLOTS;
    k->slots = calloc(k->slot_count, sizeof *k->slots);
    memory_check(k->slots);
    if (getrandom(&k->seed, sizeof k->seed, GRND_NONBLOCK) != sizeof k->seed)
        k->seed = (uint64_t)(uintptr_t)k;
    return k;
}

void keyed_free(struct keyed **pk)
{
    struct keyed *k = *pk;
    *pk = NULL;
    if (!k)
        return;
    line_free(&k->texts);
    free(k->items);
    free(k->slots);
    free(k);
}

/* The slot that has the key, or the free one where it belongs. */
static uint32_t *slot_of(const struct keyed *k, uint64_t hash, struct slice key)
{
    for (size_t i = hash & (k->slot_count - 1);; i = (i + 1) & (k->slot_count - 1)) {
        const struct item *it = k->slots[i] ? &k->items[k->slots[i] - 1] : NULL;
        if (!it || (it->hash == hash && it->len == key.len &&
                    (!key.len || memcmp(k->texts.data + it->at, key.data, key.len) == 0)))
            return &k->slots[i];
    }
}

static void grow(struct keyed *k)
{
    k->room = k->room ? 2 * k->room : FIRST_SLOTS / 2;
    k->items = reallocarray(k->items, k->room, sizeof *k->items);
    memory_check(k->items);
    if (k->slot_count >= 2 * k->room)
        return;
    free(k->slots);
    k->slot_count = 2 * k->room;
    k->slots = calloc(k->slot_count, sizeof *k->slots);
    memory_check(k->slots);
    for (size_t n = 0; n < k->count; n++) {
        size_t i = k->items[n].hash & (k->slot_count - 1);
        while (k->slots[i])
            i = (i + 1) & (k->slot_count - 1);
        k->slots[i] = (uint32_t)n + 1;
    }
}

void keyed_add(struct keyed *k, struct slice key, const struct sums *sums)
{
    uint64_t hash = XXH3_64bits_withSeed(key.data, key.len, k->seed);
    uint32_t *slot = slot_of(k, hash, key);
    if (*slot) {
        sums_add(&k->items[*slot - 1].sums, sums);
        return;
    }
    if (k->count == k->most) {
        sums_add(&k->others, sums);
        return;
    }
    if (k->count == k->room) {
        grow(k);
        slot = slot_of(k, hash, key);
    }
    k->items[k->count] = (struct item){hash, k->texts.len, key.len, *sums};
    line_add(&k->texts, key);
    *slot = (uint32_t)++k->count;
}

size_t keyed_count(const struct keyed *k)
{
    return k->count;
}

struct keyed_row keyed_row(const struct keyed *k, size_t i)
{
    assert(i < k->count);
    const struct item *it = &k->items[i];
    return (struct keyed_row){{k->texts.data ? k->texts.data + it->at : NULL, it->len}, it->sums};
}

const struct sums *keyed_find(const struct keyed *k, struct slice key)
{
    uint32_t slot = *slot_of(k, XXH3_64bits_withSeed(key.data, key.len, k->seed), key);
    return slot ? &k->items[slot - 1].sums : NULL;
}

const struct sums *keyed_others(const struct keyed *k)
{
    return &k->others;
}

void keyed_add_others(struct keyed *k, const struct sums *sums)
{
    sums_add(&k->others, sums);
}

size_t keyed_most(const struct keyed *k)
{
    return k->most;
}

struct sorting {
    const uint8_t *texts;
    enum keyed_order order;
};

static uint64_t number_of(const struct sums *s, enum keyed_order order)
{
    return order == KEYED_REJECTED ? s->rejected : order == KEYED_BYTES ? s->bytes : s->mails;
}

static int compare(const void *a, const void *b, void *ctx)
{
    const struct sorting *by = ctx;
    const struct item *x = a, *y = b;
    uint64_t m = number_of(&x->sums, by->order), n = number_of(&y->sums, by->order);
    if (m != n)
        return m < n ? 1 : -1;
    size_t len = x->len < y->len ? x->len : y->len;
    int by_text = len ? memcmp(by->texts + x->at, by->texts + y->at, len) : 0;
    return by_text ? by_text : (x->len > y->len) - (x->len < y->len);
}

void keyed_sort(struct keyed *k, enum keyed_order order)
{
    struct sorting by = {k->texts.data, order};
    if (k->count)
        qsort_r(k->items, k->count, sizeof *k->items, compare, &by);
}
