/* fold.c: notices that repeat one another.
 * In: notices, time. Out: which of them goes out; notices that stand for repeats. Owns: the keys, and a copy
 * of each last repeat. Limits: the caller's in notices; the texts of a copy are cut to TEXT_MOST bytes each.
 * Knowingly: a notice's time decides, not the order of its coming, which may differ by what a mail lasts. */
#include "rule/fold.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>
#include "base/memory.h"

enum { TEXT_MOST = 1024, KEY_MOST = 512 };

struct fold {
    struct fold *next; /* in its bucket */
    uint64_t hash;
    size_t place; /* in the heap */
    double from, until;
    unsigned actions;
    uint64_t repeats;
    struct notice *last; /* of the repeats */
    size_t key_len;
    uint8_t key[]; /* note, LF, actions, identifier */
};

struct fold_table {
    void (*emit)(void *ctx, struct notice *n, unsigned actions);
    void *ctx;
    size_t most, count, buckets;
    uint64_t shed;
    struct fold **bucket;
    struct fold **heap; /* the one that ends first on top */
};

struct fold_table *fold_table_new(size_t most, void (*emit)(void *ctx, struct notice *n, unsigned actions),
                                  void *ctx)
{
    struct fold_table *f = calloc(1, sizeof *f);
    memory_check(f);
    assert(most);
    *f = (struct fold_table){.emit = emit, .ctx = ctx, .most = most, .buckets = 1};
    while (f->buckets < most)
        f->buckets *= 2;
    f->bucket = calloc(f->buckets, sizeof *f->bucket);
    f->heap = calloc(most, sizeof *f->heap);
    memory_check(f->bucket);
    memory_check(f->heap);
    return f;
}

static double seconds(struct timespec t)
{
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void heap_put(struct fold_table *f, size_t at, struct fold *e)
{
    f->heap[at] = e;
    e->place = at;
}

/* Finds the place for an entry that is to stand at `at` or further up or down. */
static void heap_settle(struct fold_table *f, size_t at, struct fold *e)
{
    while (at && f->heap[(at - 1) / 2]->until > e->until) {
        heap_put(f, at, f->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < f->count && f->heap[child + 1]->until < f->heap[child]->until)
            child++;
        if (child >= f->count || f->heap[child]->until >= e->until)
            break;
        heap_put(f, at, f->heap[child]);
        at = child;
    }
    heap_put(f, at, e);
}

static struct fold **find(struct fold_table *f, uint64_t hash, struct slice key)
{
    struct fold **slot = &f->bucket[hash & (f->buckets - 1)];
    while (*slot && !((*slot)->hash == hash && slice_eq((struct slice){(*slot)->key, (*slot)->key_len}, key)))
        slot = &(*slot)->next;
    return slot;
}

/* Takes it out, and tells of its repeats. */
static void end(struct fold_table *f, struct fold *e)
{
    struct fold **slot = find(f, e->hash, (struct slice){e->key, e->key_len});
    assert(*slot == e);
    *slot = e->next;
    struct fold *last = f->heap[--f->count];
    if (last != e)
        heap_settle(f, e->place, last);
    if (e->repeats) {
        e->last->folded = e->repeats;
        f->emit(f->ctx, e->last, e->actions);
    }
    free(e->last);
    free(e);
}

static struct slice key_of(const struct notice *n, unsigned actions, uint8_t to[static KEY_MOST])
{
    struct slice note = slice_sub(n->note, 0, 100), id = slice_sub(n->identifier, 0, KEY_MOST - 102);
    memcpy(to, note.data, note.len);
    to[note.len] = '\n';
    to[note.len + 1] = (uint8_t)actions;
    if (id.len)
        memcpy(to + note.len + 2, id.data, id.len);
    return (struct slice){to, note.len + 2 + id.len};
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return a < INT64_MAX - b && b < INT64_MAX ? a + b : INT64_MAX;
}

static struct fold *put(struct fold_table *f, uint64_t hash, struct slice key, double from, double until)
{
    if (f->count == f->most) {
        f->shed++;
        end(f, f->heap[0]);
    }
    struct fold *e = calloc(1, sizeof *e + key.len);
    memory_check(e);
    e->hash = hash;
    e->from = from;
    e->until = until;
    e->key_len = key.len;
    memcpy(e->key, key.data, key.len);
    struct fold **slot = find(f, hash, key);
    *slot = e;
    f->count++;
    heap_settle(f, f->count - 1, e);
    return e;
}

/* Seeded, as identifiers hold what strangers write. */
static uint64_t hash_of(const struct fold_table *f, struct slice key)
{
    return XXH3_64bits_withSeed(key.data, key.len, (uintptr_t)f);
}

bool fold_take(struct fold_table *f, const struct notice *n, unsigned actions)
{
    uint8_t room[KEY_MOST];
    if (!(n->suppress_for > 0) || !n->note.len)
        return true;
    struct slice key = key_of(n, actions, room);
    uint64_t hash = hash_of(f, key);
    double now = seconds(n->ts);
    struct fold *e = *find(f, hash, key);
    /* Captures may be read in any order: what lies long before is no repeat. */
    if (e && now < e->until && now > e->from - n->suppress_for) {
        /* One that stands for repeats itself, of a sensor that has folded already, is so many. */
        e->repeats = add(e->repeats, n->folded ? n->folded : 1);
        free(e->last);
        e->last = notice_copy(n, TEXT_MOST);
        return false;
    }
    if (e)
        end(f, e);
    put(f, hash, key, now, now + n->suppress_for)->actions = actions;
    return true;
}

void fold_advance(struct fold_table *f, struct timespec now)
{
    while (f->count && f->heap[0]->until <= seconds(now))
        end(f, f->heap[0]);
}

void fold_finish(struct fold_table *f)
{
    while (f->count)
        end(f, f->heap[0]);
}

void fold_each(const struct fold_table *f, fold_each_fn *take, void *ctx)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct fold *e = f->heap[i];
        take(ctx, &(struct fold_entry){.from = e->from,
                                       .until = e->until,
                                       .actions = e->actions,
                                       .repeats = e->repeats,
                                       .key = {e->key, e->key_len},
                                       .last = e->last});
    }
}

void fold_put(struct fold_table *f, const struct fold_entry *given)
{
    struct slice key = slice_sub(given->key, 0, KEY_MOST);
    uint64_t hash = hash_of(f, key);
    if (!key.len || *find(f, hash, key))
        return;
    struct fold *e = put(f, hash, key, given->from, given->until);
    e->actions = given->actions;
    e->repeats = given->last ? given->repeats : 0;
    e->last = given->last ? notice_copy(given->last, TEXT_MOST) : NULL;
}

uint64_t fold_shed(const struct fold_table *f)
{
    return f->shed;
}

void fold_table_free(struct fold_table **pf)
{
    struct fold_table *f = *pf;
    *pf = NULL;
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++) {
        free(f->heap[i]->last);
        free(f->heap[i]);
    }
    free(f->bucket);
    free(f->heap);
    free(f);
}
