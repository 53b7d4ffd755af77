/* Where a flow stands among all: in a queue of its kind, in the order of the last packet. */
#ifndef FLOW_PLACE_H
#define FLOW_PLACE_H

#include <time.h>
#include "flow/queue.h"

struct flow;

/* The first four are live ones. */
enum place {
    PLACE_HALF_OPEN, /* nothing but SYN and RST was seen */
    PLACE_SILENT,    /* no byte was */
    PLACE_UNKNOWN,   /* so few that nobody knows what it is */
    PLACE_LIVE,
    PLACE_WATCHED,
    PLACE_IGNORED,
    PLACE_CLOSED,
    PLACES,
} __attribute__((packed));

struct places {
    struct queue at[PLACES];
};

/* The flow, which stands nowhere, becomes the newest of its kind. */
void places_add(struct places *p, struct flow *f);
/* The flow, which stands somewhere, becomes the newest of the kind that it is now. */
void places_renew(struct places *p, struct flow *f);
/* It stands somewhere. */
void places_remove(struct places *p, struct flow *f);
/* NULL: there is none. */
struct flow *places_oldest(const struct places *p, enum place at);
/* The next newer one in the same queue, or NULL. */
struct flow *places_newer(const struct flow *f);
/* Whom to do without where there are too many; NULL: there is none at all. */
struct flow *places_least(const struct places *p, struct timespec now);

#endif
