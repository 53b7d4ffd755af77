/* One direction of a connection: which byte comes next, and what waits because bytes before it are missing.
 */
#ifndef FLOW_STREAM_H
#define FLOW_STREAM_H

#include "decode/decode.h"

struct held {
    struct held *next;
    struct held *lane; /* where it is a stop of the lane: the next one */
    struct timespec ts;
    uint32_t seq, len;
    uint32_t missing; /* bytes after `data` that the snap length cut */
    uint32_t ack;
    bool has_ack;
    uint8_t data[];
};

/* What waits, and what has to be known of the time since it does. */
struct backlog {
    struct held *first, *last; /* by seq, without overlaps */
    struct held *lane;         /* some of them, in the same order, to find a place by */
    size_t bytes;
    uint32_t count;
    struct timespec acked_at; /* when the other side last acknowledged anything */
    struct timespec moved_at; /* when `next` moved last */
};

/* Two for each connection, most of which never hold anything. */
struct halfstream {
    uint32_t next; /* sequence number of the next byte to pass on */
    uint32_t acked, fin_seq;
    uint32_t isn;    /* of its SYN */
    uint32_t top;    /* behind the last byte that any of its packets spoke of */
    bool begun : 1;  /* `next` is known */
    bool passed : 1; /* bytes were passed on */
    bool has_syn : 1;
    bool has_acked : 1; /* the other side acknowledged up to `acked` */
    bool has_fin : 1;
    bool overran : 1;        /* it sent more than the other side's window took */
    uint8_t scaling : 4;     /* as its SYN offers it */
    uint8_t scale : 4;       /* of `window` */
    uint16_t window;         /* of the other side, behind `acked` */
    struct backlog *backlog; /* NULL where nothing is held */
};

/* a - b on the circle of sequence numbers (RFC 9293 3.4). */
static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* The first held piece, or NULL. */
static inline const struct held *stream_first(const struct halfstream *st)
{
    return st->backlog ? st->backlog->first : NULL;
}

static inline size_t stream_held_bytes(const struct halfstream *st)
{
    return st->backlog ? st->backlog->bytes : 0;
}

static inline uint32_t stream_held_count(const struct halfstream *st)
{
    return st->backlog ? st->backlog->count : 0;
}

/* Cuts the part of the segment that was passed on before. False: nothing new is left of it. */
bool stream_trim(const struct halfstream *st, struct segment *seg);
/* Keeps a copy of what of `seg` is not held yet: of bytes that came twice the first copy wins, and
 * *ret_differs is set where the other one says something else. Returns the bytes taken. It is `now`. */
size_t stream_hold(struct halfstream *st, const struct segment *seg, struct timespec now, bool *ret_differs);
/* Takes the first held piece out; the caller frees it. */
struct held *stream_take(struct halfstream *st);
void stream_clear(struct halfstream *st);

/* The other side took its FIN. */
static inline bool stream_fin_is_acked(const struct halfstream *st)
{
    return st->has_fin && st->has_acked && seq_diff(st->acked, st->fin_seq) > 0;
}

/* The connection is over, and nothing more is read: but its last FIN is acknowledged after it. */
static inline void stream_note_last_ack(struct halfstream *st, const struct segment *seg)
{
    if (!(seg->flags & TCP_ACK) || !st->has_fin || seg->ack != st->fin_seq + 1)
        return;
    st->has_acked = true;
    st->acked = seg->ack;
}

#endif
