/* One connection: both directions put in order, each with itself and with the other. */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "flow/stream.h"

enum flow_end { FLOW_FIN, FLOW_RST, FLOW_TIMEOUT, FLOW_REUSE, FLOW_SHED, FLOW_EOF };

struct flow_info {
    struct endpoint end[2]; /* direction 0 goes from end[0] to end[1] */
    int client;             /* index of the end that opened the connection; -1 where no SYN was seen */
    bool heard[2];          /* packets of that direction were seen */
    struct timespec first, last;
};

/* What the flow tells its user. Slices die on return. `user` is what open returned. */
struct flow_handler {
    void *(*open)(void *ctx, const struct flow_info *info); /* at the first byte or gap of the connection */
    /* false: the user has no interest in the rest. Bytes come in the order in which the two sides can have sent them. */
    bool (*data)(void *ctx, void *user, const struct flow_info *info, int dir, struct timespec ts, struct slice bytes);
    bool (*gap)(void *ctx, void *user, const struct flow_info *info, int dir, struct timespec ts, uint64_t len);
    void (*end)(void *ctx, void *user, const struct flow_info *info, enum flow_end how);
};

enum flow_state { FLOW_LIVE, FLOW_IGNORED, FLOW_CLOSED, FLOW_STATES };

struct flow {
    struct flow *chain;       /* next in its hash bucket */
    struct flow *older, *newer; /* in its state's list */
    struct flow *wait_older, *wait_newer;
    bool waits;
    struct timespec wait_since;
    uint64_t hash;
    struct flow_info info;
    enum flow_state state;
    bool opened, reset;
    void *user;
    struct halfstream dir[2];
};

struct flow_core {
    const struct flow_handler *handler;
    void *ctx;
    size_t held_bytes;  /* in all flows */
    uint64_t gaps, gap_bytes, overlaps;
};

/* Adds one segment of direction `dir`: passes on what is in order now, keeps the rest. */
void flow_push(struct flow_core *core, struct flow *f, int dir, struct segment *seg);
/* Bytes are held, or are known to be missing. */
bool flow_is_blocked(const struct flow *f);
/* True where the other side acknowledged what is missing, so that no copy of it will come. */
bool flow_hole_is_acked(const struct flow *f);
/* Takes the hole that blocks it for lost, says so as a gap, and passes on what follows it. */
void flow_give_up(struct flow_core *core, struct flow *f);
/* Passes on all that is held, with its gaps, and tells the user that the connection is over. */
void flow_close(struct flow_core *core, struct flow *f, enum flow_end how);
/* Both sides have closed, and all of it was passed on. */
bool flow_is_finished(const struct flow *f);
/* Drops all that is held. */
void flow_drop_held(struct flow_core *core, struct flow *f);

#endif
