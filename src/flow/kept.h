/* Bytes that were passed on and that the other side has not acknowledged yet. Until it does, another copy of
 * them may be the one that it takes; so they are kept to be compared. */
#ifndef FLOW_KEPT_H
#define FLOW_KEPT_H

#include "base/slice.h"

/* One for each direction that has some. */
struct kept {
    struct kept *next; /* of the other direction, or NULL */
    uint32_t seq, len, room;
    bool dir;
    uint8_t data[];
};

struct kept_budget {
    size_t most;      /* of one direction */
    size_t all, held; /* of all directions: at most, now */
};

enum kept_verdict { KEPT_SAME, KEPT_DIFFERS, KEPT_UNKNOWN /* not all of it is there any more */ };

/* Adds bytes that were passed on, the first of them numbered `seq`, as far as they fit: the earliest ones are
 * the ones that stay. */
void kept_add(struct kept **kept, struct kept_budget *budget, int dir, uint32_t seq, struct slice bytes);
/* The other side has all bytes before `seq`. */
void kept_forget(struct kept **kept, struct kept_budget *budget, int dir, uint32_t seq);
/* `bytes` is another copy of bytes of that direction. */
enum kept_verdict kept_compare(const struct kept *kept, int dir, uint32_t seq, struct slice bytes);
void kept_clear(struct kept **kept, struct kept_budget *budget);

#endif
