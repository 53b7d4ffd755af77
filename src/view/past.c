/* past.c: sums by key of whole pieces of time, in memory.
 * In: the sums of a kind of store. Out: sums. Owns: a copy of the sums of each piece and dimension that
 * was asked for. Limits: `most` bytes; the one that was used longest ago goes. One with more than KEYS keys
 * is not kept. */
#include "view/past.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/memory.h"
#include "sink/line.h"

enum { KEYS = 1000000, FIRST_ROOM = 64, NUMBERS = 8 };

/* One dimension of one piece: rows of a key's length, the key, NUMBERS, and where the last is not 0 the
 * delay.
 */
struct kept {
    struct hours hours;
    enum top_by by;
    struct past_stamp stamp;
    uint64_t used;
    unsigned readers; /* it stays while somebody reads it */
    bool dropped;
    struct line rows;
};

struct past {
    pthread_mutex_t lock;
    size_t most, bytes, count, room;
    uint64_t uses;
    struct kept **items;
};

struct past *past_new(size_t most)
{
    struct past *p = calloc(1, sizeof *p);
    memory_check(p);
    p->most = most;
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

static void kept_free(struct kept *k)
{
    line_free(&k->rows);
    free(k);
}

void past_free(struct past **pp)
{
    struct past *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        kept_free(p->items[i]);
    free(p->items);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* Seven bits a byte, the lowest first; all but the last have the eighth. */
static void add_number(struct line *l, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        line_byte(l, (uint8_t)(v | 0x80));
    line_byte(l, (uint8_t)v);
}

static uint64_t take_number(const uint8_t **at)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t c = *(*at)++;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return v;
    }
}

static void add_row(struct line *l, const struct keyed_row *row)
{
    const struct sums *s = &row->sums;
    const uint64_t numbers[NUMBERS] = {s->mails, s->accepted,   s->rejected, s->deferred,
                                       s->tls,   s->recipients, s->bytes,    s->delays};
    add_number(l, row->key.len);
    line_add(l, row->key);
    for (size_t i = 0; i < NUMBERS; i++)
        add_number(l, numbers[i]);
    if (s->delays)
        line_add(l, (struct slice){(const uint8_t *)&s->delay, sizeof s->delay});
}

static void give_rows(const struct line *l, struct keyed *keys)
{
    const uint8_t *at = l->data, *end = at + l->len;
    while (at < end) {
        struct sums s = {0};
        uint64_t *const numbers[NUMBERS] = {&s.mails, &s.accepted,   &s.rejected, &s.deferred,
                                            &s.tls,   &s.recipients, &s.bytes,    &s.delays};
        struct slice key = {NULL, take_number(&at)};
        key.data = at;
        at += key.len;
        for (size_t i = 0; i < NUMBERS; i++)
            *numbers[i] = take_number(&at);
        if (s.delays) {
            memcpy(&s.delay, at, sizeof s.delay);
            at += sizeof s.delay;
        }
        keyed_add(keys, key, &s);
    }
}

static bool same(const struct past_stamp *a, const struct past_stamp *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* With the lock. */
static void drop(struct past *p, size_t i)
{
    struct kept *k = p->items[i];
    p->bytes -= k->rows.room;
    p->items[i] = p->items[--p->count];
    k->dropped = true;
    if (!k->readers)
        kept_free(k);
}

static bool is_of(const struct kept *k, const struct hours *hours, enum top_by by)
{
    return k->hours.since == hours->since && k->hours.until == hours->until && k->by == by;
}

/* Gives the rows of that piece, if they are kept and it is what it was. */
static bool give_kept(struct past *p, const struct past_piece *piece, enum top_by by, struct keyed *keys)
{
    struct kept *found = NULL;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->count && !found; i++)
        if (is_of(p->items[i], &piece->hours, by))
            found = p->items[i];
    if (found && !same(&found->stamp, &piece->stamp))
        found = NULL; /* who reads it anew puts it in its place */
    if (found) {
        found->readers++;
        found->used = ++p->uses;
    }
    pthread_mutex_unlock(&p->lock);
    if (!found)
        return false;
    give_rows(&found->rows, keys);
    pthread_mutex_lock(&p->lock);
    if (--found->readers == 0 && found->dropped)
        kept_free(found);
    pthread_mutex_unlock(&p->lock);
    return true;
}

/* Drops what was used longest ago, but nothing that the question at hand, which began at `since`, has used:
 * pieces that do not all fit would else drop each other in turn, so that none is there when it is asked for.
 */
static bool make_room(struct past *p, size_t bytes, uint64_t since)
{
    while (p->count && p->bytes + bytes > p->most) {
        size_t oldest = 0;
        for (size_t i = 1; i < p->count; i++)
            if (p->items[i]->used < p->items[oldest]->used)
                oldest = i;
        if (p->items[oldest]->used > since)
            return false;
        drop(p, oldest);
    }
    return p->bytes + bytes <= p->most;
}

static void add(struct past *p, struct kept *k)
{
    if (p->count == p->room) {
        p->room = p->room ? 2 * p->room : FIRST_ROOM;
        p->items = reallocarray(p->items, p->room, sizeof *p->items);
        memory_check(p->items);
    }
    k->used = ++p->uses;
    p->items[p->count++] = k;
    p->bytes += k->rows.room;
}

/* In the place of what was kept of that piece, or not at all. */
static void put(struct past *p, struct kept *k, uint64_t since)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = p->count; i-- > 0;)
        if (is_of(p->items[i], &k->hours, k->by))
            drop(p, i);
    bool fits = make_room(p, k->rows.room, since);
    if (fits)
        add(p, k);
    pthread_mutex_unlock(&p->lock);
    if (!fits)
        kept_free(k);
}

static void fit(struct line *l)
{
    uint8_t *data = l->len ? realloc(l->data, l->len) : NULL;
    if (data) {
        l->data = data;
        l->room = l->len;
    }
}

/* One question, one store, one answer. */
struct collecting {
    struct past *past;
    const struct past_kind *kind;
    struct reader *reader;
    enum top_by by;
    uint64_t since; /* uses of `past` before it */
    struct keyed *keys;
};

static bool is_still(const struct collecting *c, const struct past_piece *piece)
{
    struct past_stamp now;
    return !c->kind->look || (c->kind->look(c->reader, c->by, piece, &now) && same(&piece->stamp, &now));
}

/* Reads a whole one, and keeps it where it is still what it was. */
static int read_piece(const struct collecting *c, const struct past_piece *piece, struct error *reterr)
{
    struct keyed *rows = keyed_new(KEYS);
    struct kept *k = calloc(1, sizeof *k);
    memory_check(k);
    *k = (struct kept){.hours = piece->hours, .by = c->by, .stamp = piece->stamp};
    bool before = reader_complete(c->reader);
    int err = c->kind->sums(c->reader, c->by, piece->hours, rows, reterr);
    for (size_t i = 0; i < keyed_count(rows) && !err; i++) {
        struct keyed_row row = keyed_row(rows, i);
        keyed_add(c->keys, row.key, &row.sums);
        add_row(&k->rows, &row);
    }
    if (!err && keyed_others(rows)->mails)
        keyed_add(c->keys, (struct slice){0}, keyed_others(rows));
    fit(&k->rows);
    bool good = !err && before && reader_complete(c->reader) && !keyed_others(rows)->mails &&
                k->rows.room <= c->past->most && is_still(c, piece);
    if (good)
        put(c->past, k, c->since);
    else
        kept_free(k);
    keyed_free(&rows);
    return err;
}

static int collect_piece(const struct collecting *c, const struct past_piece *piece, struct hours span,
                         struct error *reterr)
{
    const struct hours *all = &piece->hours;
    const bool whole = span.since <= all->since && span.until >= all->until;
    if (!whole || !piece->over) {
        const struct hours part = {span.since > all->since ? span.since : all->since,
                                   span.until < all->until ? span.until : all->until};
        return c->kind->sums(c->reader, c->by, part, c->keys, reterr);
    }
    return give_kept(c->past, piece, c->by, c->keys) ? 0 : read_piece(c, piece, reterr);
}

int past_collect(struct past *p, const struct past_kind *kind, struct reader *r, enum top_by by,
                 struct hours span, struct keyed *keys, struct error *reterr)
{
    struct past_pieces pieces = {0};
    if (!p || !p->most)
        return kind->sums(r, by, span, keys, reterr);
    int err = kind->pieces(r, by, span, &pieces, reterr);
    pthread_mutex_lock(&p->lock);
    const struct collecting c = {p, kind, r, by, p->uses, keys};
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < pieces.count && !err; i++)
        err = collect_piece(&c, &pieces.items[i], span, reterr);
    free(pieces.items);
    return err;
}
