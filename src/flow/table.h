/* All connections: found by their ends, expired by packet time, shed over budget. */
#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H

#include "flow/budget.h"
#include "flow/clock.h"
#include "flow/flow.h"

struct flow_settings {
    /* Connections at once; over it the longest idle one goes: one that stopped amid its handshake, else of
     * the closed ones, else of those that are no mail, else of those without a byte so far, else of those
     * with so few that nobody knows what they are, else of those with TLS, else of all. */
    uint32_t max_flows;
    uint32_t max_sessions; /* of them, those with a user; over it the longest idle one is shed, of those first
                              that nobody knows yet */
    size_t flow_bytes;  /* held out of order by one connection; a longer hole that nobody acknowledged is not
                           believed */
    size_t total_bytes; /* and by all */
    uint32_t flow_pieces;       /* held by one connection */
    size_t recheck_bytes;       /* of one direction, passed on and not acknowledged, to be compared */
    double idle_timeout;        /* seconds of packet time without a packet */
    double ignored_timeout;     /* the same for connections that are not mail */
    double closed_timeout;      /* how long stray packets of a closed connection are known as such */
    double gap_wait;            /* seconds that an acknowledged hole may still be filled by a late packet */
    double hole_wait;           /* the same for one that was not acknowledged */
    uint64_t seed;              /* of the hash; that of flow_table_new stays */
    struct flow_budget *budget; /* of all tables to which max_flows, max_sessions and total_bytes apply
                                   together, borrowed; NULL: to this one alone */
};

struct flow_stats {
    uint64_t shed_silent; /* of which no byte was seen; not in `shed` */
    uint64_t flows, shed, timeouts, ignored, gaps, gap_bytes, over_budget, stray;
    uint64_t passed_bytes;             /* told to users */
    uint64_t unchecked;                /* segments that came again and could not be compared */
    uint64_t forged;                   /* segments and resets that no receiver can have taken */
    uint64_t held_bytes, live, opened; /* now; `opened` have a user */
};

/* A segment and the moment at which it came. */
struct parcel {
    struct flow_moment at;
    bool has_segment; /* else time goes on, that is all */
    struct segment seg;
};

struct flow_table;

/* `set` is copied, `handler` and `ctx` are borrowed. */
struct flow_table *flow_table_new(const struct flow_settings *set, const struct flow_handler *handler,
                                  void *ctx);
/* Other limits from now on; the seed and the budget stay. */
void flow_table_adjust(struct flow_table *t, const struct flow_settings *set);
/* What came, in order; segments may be changed. Many at once take less time than one after the other, as the
 * connections are loaded ahead. Over budget it sheds and counts; it never fails. */
void flow_table_take(struct flow_table *t, struct parcel *parcels, size_t count);
/* While the handler is called: where this stands among all that tables over one input tell. By `number` (of
 * the moment), `place`, then `first`; what is equal in all three comes of one flow, in its order. */
struct flow_order {
    uint64_t number, place, first;
};
struct flow_order flow_table_order(const struct flow_table *t);
/* The input is over: closes every connection, the one that was quiet longest first. */
void flow_table_finish(struct flow_table *t);
struct flow_stats flow_table_stats(const struct flow_table *t);
void flow_table_free(struct flow_table **t);

#endif
