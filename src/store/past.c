/* past.c: sums by key of whole days, in memory.
 * In: the sums by hour of day files. Out: sums. Owns: a copy of the sums of each day and dimension that was
 * asked for. Limits: `most` bytes; the day that was used longest ago goes. A day with more than KEYS keys is
 * not kept. Knowingly: a file is known by its place, size and time of change; with a log beside it, it is
 * read. */
#include "store/past.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "sink/line.h"
#include "store/day.h"
#include "store/walk.h"

enum { DAY = 86400, KEYS = 1000000, DAYS_ROOM = 64, NUMBERS = 8 };

/* One dimension of one day: rows of a key's length, the key, NUMBERS, and where the last is not 0 the delay.
 */
struct kept {
    int32_t day;
    enum top_by by;
    struct stat file;
    uint64_t used;
    unsigned readers; /* it stays while somebody reads it */
    bool dropped;
    struct line rows;
};

struct past {
    pthread_mutex_t lock;
    char *directory;
    size_t most, bytes, count, room;
    uint64_t uses;
    struct kept **items;
};

struct past *past_new(const char *directory, size_t most)
{
    struct past *p = calloc(1, sizeof *p);
    memory_check(p);
    p->directory = strdup(directory);
    memory_check(p->directory);
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
    free(p->directory);
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

/* False: there is none, or somebody writes to it. */
static bool look(const struct past *p, int32_t day, struct stat *ret)
{
    char path[DAY_PATH], log[DAY_PATH + 8];
    struct stat st;
    if (!day_path(p->directory, day, path))
        return false;
    snprintf(log, sizeof log, "%s-wal", path);
    return stat(path, ret) == 0 && (stat(log, &st) < 0 || st.st_size == 0);
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
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

/* Gives the rows of that day, if they are kept and the file is what it was. */
static bool give_kept(struct past *p, int32_t day, enum top_by by, const struct stat *file,
                      struct keyed *keys)
{
    struct kept *found = NULL;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->count && !found; i++)
        if (p->items[i]->day == day && p->items[i]->by == by)
            found = p->items[i];
    if (found && !same(&found->file, file))
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
 * days that do not all fit would else drop each other in turn, so that none is there when it is asked for. */
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
        p->room = p->room ? 2 * p->room : DAYS_ROOM;
        p->items = reallocarray(p->items, p->room, sizeof *p->items);
        memory_check(p->items);
    }
    k->used = ++p->uses;
    p->items[p->count++] = k;
    p->bytes += k->rows.room;
}

/* In the place of what was kept of that day, or not at all. */
static void put(struct past *p, struct kept *k, uint64_t since)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = p->count; i-- > 0;)
        if (p->items[i]->day == k->day && p->items[i]->by == k->by)
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

/* Reads a whole day, and keeps it where it is still what it was. */
static int read_day(struct past *p, struct reader *r, int32_t day, enum top_by by, const struct stat *file,
                    uint64_t since, struct keyed *keys, struct error *reterr)
{
    struct stat after;
    struct keyed *rows = keyed_new(KEYS);
    struct kept *k = calloc(1, sizeof *k);
    memory_check(k);
    *k = (struct kept){.day = day, .by = by, .file = *file};
    const struct hours whole = {(int64_t)day * DAY, (int64_t)(day + 1) * DAY};
    bool before = reader_complete(r);
    int err = folder_sums(r, by, whole, rows, reterr);
    for (size_t i = 0; i < keyed_count(rows) && !err; i++) {
        struct keyed_row row = keyed_row(rows, i);
        keyed_add(keys, row.key, &row.sums);
        add_row(&k->rows, &row);
    }
    if (!err && keyed_others(rows)->mails)
        keyed_add(keys, (struct slice){0}, keyed_others(rows));
    fit(&k->rows);
    bool good = !err && before && reader_complete(r) && !keyed_others(rows)->mails &&
                k->rows.room <= p->most && look(p, day, &after) && same(file, &after);
    if (good)
        put(p, k, since);
    else
        kept_free(k);
    keyed_free(&rows);
    return err;
}

static int collect_day(struct past *p, struct reader *r, int32_t day, enum top_by by, struct hours span,
                       uint64_t since, struct keyed *keys, struct error *reterr)
{
    struct stat file;
    const int64_t first = (int64_t)day * DAY, last = first + DAY;
    const bool whole = span.since <= first && span.until >= last;
    if (!whole || !look(p, day, &file)) {
        const struct hours part = {span.since > first ? span.since : first,
                                   span.until < last ? span.until : last};
        return folder_sums(r, by, part, keys, reterr);
    }
    return give_kept(p, day, by, &file, keys) ? 0 : read_day(p, r, day, by, &file, since, keys, reterr);
}

int past_collect(struct past *p, struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                 struct error *reterr)
{
    struct day_list days;
    if (!p || !p->most)
        return folder_sums(r, by, span, keys, reterr);
    int err = day_list(p->directory, &days, reterr);
    if (err)
        return err;
    pthread_mutex_lock(&p->lock);
    const uint64_t since = p->uses;
    pthread_mutex_unlock(&p->lock);
    for (size_t i = days.count; i-- > 0 && !err;)
        if (days.items[i] >= span.since / DAY && (int64_t)days.items[i] * DAY < span.until)
            err = collect_day(p, r, days.items[i], by, span, since, keys, reterr);
    free(days.items);
    return err;
}
