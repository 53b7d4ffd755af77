/* One connection: both directions put in order, each with itself and with the other. */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "flow/kept.h"
#include "flow/place.h"
#include "flow/stream.h"

enum flow_end { FLOW_FIN, FLOW_RST, FLOW_TIMEOUT, FLOW_REUSE, FLOW_SHED, FLOW_EOF, FLOW_UNWANTED };

struct flow_info {
    struct endpoint end[2]; /* direction 0 goes from end[0] to end[1] */
    int client;             /* index of the end that opened the connection; -1 where no SYN was seen */
    bool heard[2];          /* packets of that direction were seen */
    bool ambiguous;         /* the receiver may have read other bytes than those that were passed on */
    struct timespec first, last;
};

/* How much of a connection's rest its user wants. */
enum flow_want {
    FLOW_WANT_BYTES,
    FLOW_WANT_MORE, /* bytes; it does not know yet what the connection is, so who needs room takes it here */
    FLOW_WANT_END,  /* only to know when and how it ends */
    FLOW_WANT_NOTHING,
};

/* What the flow tells its user. Slices die on return. `user` is what open returned. */
struct flow_handler {
    /* At the first byte or gap of the connection. `info`, the same each time, lives until `end` returns. */
    void *(*open)(void *ctx, const struct flow_info *info);
    /* Bytes come in the order in which the two sides can have sent them. */
    enum flow_want (*data)(void *ctx, void *user, const struct flow_info *info, int dir, struct timespec ts,
                           struct slice bytes);
    enum flow_want (*gap)(void *ctx, void *user, const struct flow_info *info, int dir, struct timespec ts,
                          uint64_t len);
    /* The user goes: the connection is over, or it wanted nothing more of it (FLOW_UNWANTED). */
    void (*end)(void *ctx, void *user, const struct flow_info *info, enum flow_end how);
};

enum flow_state {
    FLOW_LIVE,
    FLOW_WATCHED, /* for its end alone */
    FLOW_IGNORED, /* its user has gone */
    FLOW_CLOSED,
    FLOW_STATES,
} __attribute__((packed));

/* There may be as many of them as packets that begin a connection, answered or not: what few need is apart.
 */
struct flow {
    struct flow *chain; /* next in its hash bucket */
    struct link place;
    struct flow_wait *wait; /* while bytes or an end are waited for; or NULL */
    uint64_t hash;
    uint64_t first_number, last_number; /* of its first packet, of the packet at which it came to its place in
                                           the queue */
    struct timespec queued_at;          /* when that was */
    struct flow_info info;
    enum flow_state state;
    enum place stands; /* the queue that `place` is in */
    bool answered : 1; /* a packet of it was neither SYN nor RST */
    bool spoke : 1;    /* bytes of it were seen, or were cut by the snap length */
    bool opened : 1;
    bool known : 1; /* its user knows what it is */
    bool alone : 1; /* the other side was waited for, and is not in sight of the tap */
    bool reset : 1; /* a RST came; where its number is the next one it ends the connection, a moment later */
    bool reset_dir : 1;
    bool is_signed : 1; /* all of its segments are (RFC 2385, RFC 5925) */
    uint32_t reset_seq;
    struct timespec reset_at;
    struct segment *renewal; /* a SYN or SYN/ACK with another number came, or NULL; its sender's word alone
                                does not end this connection */
    void *user;
    struct kept *kept; /* of both directions */
    struct halfstream dir[2];
};

/* As many segments are at hand at once, their bytes with them. */
enum { FLOW_AHEAD = 32 };

/* Bytes of a segment at hand that were passed on. */
struct fresh {
    struct flow *flow; /* NULL: it is gone */
    struct slice bytes;
    uint32_t end; /* the number behind them */
    bool dir;
};

struct flow_core {
    const struct flow_handler *handler;
    void *ctx;
    size_t max_hole; /* a longer one that nobody acknowledged is not believed */
    struct kept_budget kept;
    size_t fresh_count;
    struct fresh fresh[FLOW_AHEAD];
    size_t held_bytes;   /* in all flows */
    uint32_t opened;     /* flows that have a user */
    struct timespec now; /* packet time */
    uint64_t gaps, gap_bytes, forged;
    uint64_t unchecked;    /* segments that came again and could not be compared */
    uint64_t passed_bytes; /* told to users */
};

/* Adds one segment of direction `dir`: passes on what is in order now, keeps the rest. */
void flow_push(struct flow_core *core, struct flow *f, int dir, struct segment *seg);
/* The same for a segment that only goes on where both sides are, as nearly all do, and for all else that
 * table.c does of it: it notes that the segment came, and afterwards the flow is not blocked, reset or
 * finished. False: it is no such segment, and nothing was done. */
bool flow_push_plain(struct flow_core *core, struct flow *f, int dir, const struct segment *seg);
/* The bytes of the segments at hand will be gone: those that may be wanted for comparison are kept. To be
 * called after FLOW_AHEAD segments at most. */
void flow_settle(struct flow_core *core);
/* Notes what the segment says of the other side's bytes. flow_push does it too. */
void flow_note_ack(struct flow_core *core, struct flow *f, int dir, const struct segment *seg);
/* Could this RST be the sender's own? (RFC 5961 3: its number is the next one, or what the other side
 * acknowledged; more where the tap missed bytes.) Others are ignored as the receiver ignores them. */
bool flow_takes_reset(const struct flow *f, int dir, const struct segment *seg);
/* The RST's number is the next one by now, or what the other side acknowledged: the receiver took it. */
bool flow_is_reset(const struct flow *f);
/* What a packet says of a new connection on the same ends. */
enum renewal {
    RENEWAL_NONE,
    RENEWAL_NOW,  /* this SYN begins a new connection */
    RENEWAL_SHOWN /* the SYN seen before (f->renewal) did: the other side has answered it, or its sender goes
                     on after it */
};
enum renewal flow_renewal(struct flow *f, int dir, const struct segment *seg);
/* Bytes are held, or are known to be missing. */
bool flow_is_blocked(const struct flow *f);
/* The piece that is given up first; NULL where none is held. */
const struct held *flow_head(const struct flow *f);
/* When its direction last passed something on. */
struct timespec flow_head_moved(const struct flow *f);
/* True where the other side acknowledged what is missing, so that no copy of it will come. */
bool flow_hole_is_acked(const struct flow *f);
/* Takes the hole that blocks it for lost, says so as a gap, and passes on what follows it. A piece beyond
 * max_hole that was not acknowledged never reached the other side: it is dropped instead. */
void flow_give_up(struct flow_core *core, struct flow *f);
/* Passes on all that is held, with its gaps, and tells the user that the connection is over. */
void flow_close(struct flow_core *core, struct flow *f, enum flow_end how);
/* Both sides have closed, and all of it was passed on. */
bool flow_is_finished(const struct flow *f);
/* Drops all that is held. */
void flow_drop_held(struct flow_core *core, struct flow *f);

#endif
