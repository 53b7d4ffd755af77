/* The short way of a segment that only goes on where both sides are, as nearly all do. */
#ifndef FLOW_PLAIN_H
#define FLOW_PLAIN_H

#include "flow/flow.h"

/* All bytes that any packet of the direction spoke of were passed on, and it goes on. */
static inline bool stream_is_level(const struct halfstream *st)
{
    return st->begun && !st->has_fin && st->top == st->next && !st->backlog;
}

/* True: nothing is missing or waited for, the segment is the next one, whole, without anything but bytes, an
 * acknowledgement, or both, and what it acknowledges was passed on. Then flow_push and what is to be seen to
 * after it come down to flow_push_plain: no SYN, FIN, RST or hole is there to be told or to be filled; the
 * acknowledgement is none of bytes unknown; neither side waits for the other; no copy is to be compared. */
static inline bool flow_is_plain(const struct flow *f, int dir, const struct segment *seg)
{
    const struct halfstream *st = &f->dir[dir], *o = &f->dir[!dir];
    return (seg->flags & ~TCP_PUSH) == TCP_ACK && !seg->ambiguous && !seg->uncaptured &&
           f->state == FLOW_LIVE && !f->reset && !f->wait && stream_is_level(st) && stream_is_level(o) &&
           seg->seq == st->next && seq_diff(seg->ack, o->next) <= 0;
}

/* flow_push for such a segment. The flow is not blocked, reset or finished after it; its state may have
 * changed. */
void flow_push_plain(struct flow_core *core, struct flow *f, int dir, const struct segment *seg);

#endif
