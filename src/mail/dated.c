/* dated.c: bytes that wait, with their packet times.
 * In: bytes. Out: the same bytes. Owns: them. Limits: the caller's maximum (twice that in memory); MARKS
 * packet times, what comes later counts as of the last. */
#include "mail/dated.h"

#include <assert.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/memory.h"

enum { MARKS = 32 };

struct mark {
    size_t at; /* in `bytes`: a packet's begin here */
    struct timespec ts;
};

struct dated {
    struct buf bytes;
    size_t from; /* what stands before was passed */
    uint32_t mark_count;
    struct mark marks[MARKS];
};

size_t dated_add(struct dated **pd, size_t max, struct timespec ts, struct slice bytes)
{
    struct dated *d = *pd;
    if (!d) {
        d = *pd = malloc(sizeof *d);
        memory_check(d);
        d->from = d->mark_count = 0;
        /* The rest alone is limited, and what was passed goes once it is the greater part: so each byte moves
         * but once, and how many fit does not depend on when the others went. */
        buf_init(&d->bytes, 2 * max);
    }
    struct slice rest = dated_rest(d);
    bytes = slice_sub(bytes, 0, rest.len < max ? max - rest.len : 0);
    if (d->bytes.len + bytes.len > 2 * max)
        dated_compact(d);
    const struct mark *last = d->mark_count ? &d->marks[d->mark_count - 1] : NULL;
    bool same = last && memcmp(&last->ts, &ts, sizeof ts) == 0;
    if (!same && d->mark_count < MARKS)
        d->marks[d->mark_count++] = (struct mark){d->bytes.len, ts};
    buf_add(&d->bytes, bytes);
    return bytes.len;
}

struct slice dated_rest(const struct dated *d)
{
    return d ? slice_sub(buf_slice(&d->bytes), d->from, d->bytes.len) : (struct slice){0};
}

/* The mark that the first byte of the rest stands under. */
static uint32_t mark_of_rest(const struct dated *d)
{
    uint32_t i = d->mark_count - 1;
    while (i && d->marks[i].at > d->from)
        i--;
    return i;
}

struct timespec dated_time(const struct dated *d)
{
    return d->marks[mark_of_rest(d)].ts;
}

bool dated_next(struct dated *d, struct timespec *ret_ts, struct slice *ret)
{
    if (!dated_rest(d).len)
        return false;
    uint32_t i = mark_of_rest(d);
    size_t to = i + 1 < d->mark_count ? d->marks[i + 1].at : d->bytes.len;
    *ret_ts = d->marks[i].ts;
    *ret = slice_sub(buf_slice(&d->bytes), d->from, to);
    d->from = to;
    return true;
}

void dated_pass(struct dated *d, size_t count)
{
    assert(count <= d->bytes.len - d->from);
    d->from += count;
}

bool dated_is_half_passed(const struct dated *d)
{
    return d->from > d->bytes.len / 2;
}

void dated_compact(struct dated *d)
{
    uint32_t kept = 0;
    for (uint32_t i = mark_of_rest(d); i < d->mark_count; i++) {
        struct mark mark = d->marks[i];
        mark.at -= mark.at < d->from ? mark.at : d->from;
        d->marks[kept++] = mark;
    }
    d->mark_count = kept;
    buf_consume(&d->bytes, d->from);
    d->from = 0;
}

void dated_free(struct dated **pd)
{
    struct dated *d = *pd;
    *pd = NULL;
    if (!d)
        return;
    buf_free(&d->bytes);
    free(d);
}
