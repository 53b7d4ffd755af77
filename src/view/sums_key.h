/* Keys that mails are summed up by, so that all stores have the same ones. */
#ifndef VIEW_SUMS_KEY_H
#define VIEW_SUMS_KEY_H

#include "base/slice.h"

enum { SUMS_KEY = 255 /* bytes of a key; what is longer is cut, at a whole character */ };

/* In small letters. Empty: it counts nowhere. */
struct sums_key {
    uint8_t bytes[SUMS_KEY];
    size_t len;
};

struct slice sums_key_slice(const struct sums_key *k);
/* Adds what there is room for. */
void sums_key_add(struct sums_key *k, struct slice text);
/* What stands behind the last '@' of an address; <> is itself; a name without a domain has an @ behind it, by
 * which it is told from one. */
void sums_key_domain(struct sums_key *k, struct slice address);
/* Of a mail with that disposition; empty unless it is rejected or deferred. */
void sums_key_reason(struct sums_key *k, struct slice disposition, struct slice enhanced, uint64_t code,
                     struct slice stage);

/* One end of an edge of a mail's way: the first text that is not empty; a name has half of the room, an
 * address all that is left. */
struct sums_key_end {
    struct slice name, other, address;
};
/* False: an end has nothing, and the edge is none; not of the last one, which is what was captured. */
bool sums_key_edge(struct sums_key *k, const struct sums_key_end *from, const struct sums_key_end *to);
enum { SUMS_KEY_EDGES = 32 /* of a mail, beside the last */ };

#endif
