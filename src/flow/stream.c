/* stream.c: the pieces of one direction that wait for bytes before them.
 * In: segments. Out: pieces in order, without overlaps. Owns: the copies.
 * Limits: counted here, enforced in table.c. Spec: RFC 9293 3.4, 3.10.7.4. */
#include "flow/stream.h"

#include <stdlib.h>
#include "base/memory.h"

static void cut_front(struct segment *seg, uint32_t count)
{
    seg->seq += count;
    if (count <= seg->payload.len) {
        seg->payload = slice_sub(seg->payload, count, seg->payload.len);
        return;
    }
    seg->uncaptured -= count - (uint32_t)seg->payload.len;
    seg->payload.len = 0;
}

bool stream_trim(const struct halfstream *st, struct segment *seg)
{
    uint32_t len = (uint32_t)seg->payload.len + seg->uncaptured;
    int32_t ahead = seq_diff(seg->seq, st->next);
    if (!len || ahead + (int64_t)len <= 0)
        return false;
    if (ahead < 0)
        cut_front(seg, (uint32_t)-ahead);
    return true;
}

static void link_after(struct backlog *b, struct held *before, struct held *h)
{
    struct held **slot = before ? &before->next : &b->first;
    h->next = *slot;
    *slot = h;
    if (!h->next)
        b->last = h;
    b->count++;
    b->bytes += sizeof *h + h->len;
}

static struct backlog *backlog_new(struct timespec now)
{
    struct backlog *b = calloc(1, sizeof *b);
    memory_check(b);
    b->moved_at = now;
    return b;
}

static struct held *held_new(const struct segment *seg, uint32_t len)
{
    uint32_t bytes = len < seg->payload.len ? len : (uint32_t)seg->payload.len;
    struct held *h = malloc(sizeof *h + bytes);
    memory_check(h);
    *h = (struct held){.ts = seg->ts,
                       .seq = seg->seq,
                       .len = bytes,
                       .missing = len - bytes,
                       .ack = seg->ack,
                       .has_ack = seg->flags & TCP_ACK};
    if (bytes)
        memcpy(h->data, seg->payload.data, bytes);
    return h;
}

static uint32_t held_end(const struct held *h)
{
    return h->seq + h->len + h->missing;
}

/* A copy of held bytes that acknowledges less: they did not wait for more, or the first copy acknowledged
 * what was never sent, and the receiver dropped it. */
static void take_lower_ack(struct held *h, const struct segment *seg)
{
    if (h->has_ack && seg->flags & TCP_ACK && seq_diff(seg->ack, h->ack) < 0)
        h->ack = seg->ack;
}

/* The last piece that begins no later than `seq`, or NULL. Along the lane first; where the way from there is
 * long, it gets more stops, so that whoever sends in whichever order makes few steps needed for each piece.
 */
static struct held *find_before(struct backlog *b, uint32_t seq)
{
    enum { LANE_STEP = 32 };
    if (b->last && seq_diff(seq, b->last->seq) >= 0)
        return b->last;
    struct held *before = NULL, **lane = &b->lane;
    while (*lane && seq_diff((*lane)->seq, seq) <= 0) {
        before = *lane;
        lane = &before->lane;
    }
    unsigned steps = 0;
    for (struct held *h = before ? before->next : b->first; h && seq_diff(h->seq, seq) <= 0; h = h->next) {
        before = h;
        if (++steps % LANE_STEP)
            continue;
        h->lane = *lane;
        *lane = h;
        lane = &h->lane;
    }
    return before;
}

/* The segment begins inside of the held piece, or where it does. */
static bool says_the_same(const struct held *h, const struct segment *seg)
{
    size_t from = seg->seq - h->seq;
    struct slice first = slice_sub((struct slice){h->data, h->len}, from, from + seg->payload.len);
    return !first.len || memcmp(first.data, seg->payload.data, first.len) == 0;
}

size_t stream_hold(struct halfstream *st, const struct segment *whole, struct timespec now, bool *ret_differs)
{
    struct segment seg = *whole;
    if (!st->backlog)
        st->backlog = backlog_new(now);
    struct backlog *b = st->backlog;
    size_t before_bytes = b->bytes;
    struct held *before = find_before(b, seg.seq);
    for (;;) {
        uint32_t len = (uint32_t)seg.payload.len + seg.uncaptured;
        if (before && seq_diff(held_end(before), seg.seq) > 0) {
            uint32_t over = held_end(before) - seg.seq;
            *ret_differs |= !says_the_same(before, &seg);
            if (over >= len) {
                take_lower_ack(before, &seg);
                break;
            }
            cut_front(&seg, over);
            len -= over;
        }
        struct held *after = before ? before->next : b->first;
        uint32_t room = len;
        if (after && seq_diff(seg.seq + len, after->seq) > 0)
            room = after->seq - seg.seq;
        if (room)
            link_after(b, before, held_new(&seg, room));
        if (room == len)
            break;
        cut_front(&seg, room);
        before = after;
    }
    return b->bytes - before_bytes;
}

struct held *stream_take(struct halfstream *st)
{
    struct backlog *b = st->backlog;
    struct held *h = b->first;
    b->first = h->next;
    if (b->lane == h)
        b->lane = h->lane;
    b->count--;
    b->bytes -= sizeof *h + h->len;
    if (!b->first) {
        free(b);
        st->backlog = NULL;
    }
    return h;
}

void stream_clear(struct halfstream *st)
{
    while (st->backlog)
        free(stream_take(st));
}
