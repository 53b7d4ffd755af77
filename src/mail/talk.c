/* talk.c: what both ends said, kept in order.
 * In: bytes and gaps of both. Out: the same. Owns: them. Limits: the caller's, bytes of each end; a caller
 * that wants few pieces counts them. Knowingly: one run of bytes for each end, as who judges it reads it so.
 */
#include "mail/talk.h"

#include <stdlib.h>
#include "base/buf.h"
#include "base/memory.h"

enum { BYTES_KEPT = 512, PIECES_KEPT = 8 }; /* by one that is empty: bytes of each end */

struct piece {
    int end;
    uint64_t gap;
    size_t from, to; /* in said[end] */
    struct timespec ts;
};

struct talk {
    struct buf said[2];
    struct piece *pieces;
    size_t count, room;
};

struct talk *talk_new(size_t most)
{
    struct talk *t = malloc(sizeof *t);
    memory_check(t);
    *t = (struct talk){.pieces = NULL};
    buf_init(&t->said[0], most);
    buf_init(&t->said[1], most);
    return t;
}

void talk_clear(struct talk *t)
{
    for (int end = 0; end < 2; end++) {
        buf_clear(&t->said[end]);
        if (t->said[end].room > BYTES_KEPT)
            buf_free(&t->said[end]);
    }
    t->count = 0;
    if (t->room > PIECES_KEPT) {
        free(t->pieces);
        t->pieces = NULL;
        t->room = 0;
    }
}

static struct piece *add_piece(struct talk *t, int end, struct timespec ts, uint64_t gap)
{
    if (t->count == t->room) {
        t->room = t->room ? t->room * 2 : 2;
        t->pieces = realloc(t->pieces, t->room * sizeof *t->pieces);
        memory_check(t->pieces);
    }
    struct piece *p = &t->pieces[t->count++];
    *p = (struct piece){.end = end, .gap = gap, .ts = ts, .from = t->said[end].len, .to = t->said[end].len};
    return p;
}

static bool goes_on(const struct talk *t, int end)
{
    const struct piece *last = t->count ? &t->pieces[t->count - 1] : NULL;
    if (!last || last->end != end || last->gap || last->to == last->from)
        return false;
    return t->count >= TALK_APART || t->said[end].data[last->to - 1] != '\n';
}

size_t talk_add(struct talk *t, int end, struct timespec ts, struct slice bytes)
{
    struct piece *p = goes_on(t, end) ? &t->pieces[t->count - 1] : add_piece(t, end, ts, 0);
    size_t before = t->said[end].len;
    buf_add(&t->said[end], bytes);
    p->to = t->said[end].len;
    return p->to - before;
}

void talk_gap(struct talk *t, int end, struct timespec ts, uint64_t len)
{
    add_piece(t, end, ts, len);
}

struct slice talk_said(const struct talk *t, int end)
{
    return buf_slice(&t->said[end]);
}

bool talk_has_gap(const struct talk *t, int end)
{
    size_t i = 0;
    while (i < t->count && !(t->pieces[i].end == end && t->pieces[i].gap))
        i++;
    return i < t->count;
}

size_t talk_count(const struct talk *t)
{
    return t->count;
}

struct talk_piece talk_piece(const struct talk *t, size_t i)
{
    const struct piece *p = &t->pieces[i];
    return (struct talk_piece){p->end, p->gap, p->from, slice_sub(talk_said(t, p->end), p->from, p->to),
                               p->ts};
}

void talk_free(struct talk **pt)
{
    struct talk *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    buf_free(&t->said[0]);
    buf_free(&t->said[1]);
    free(t->pieces);
    free(t);
}
