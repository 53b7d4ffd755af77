/* Batches of the outbox that go together: for a side to which few large ones cost less than many small. */
#ifndef CARRIER_GROUP_H
#define CARRIER_GROUP_H

#include "carrier/outbox.h"
#include "sink/line.h"

struct group {
    struct line lines;     /* of all of them */
    size_t count, records; /* batches, and what is in them */
};

/* Reads batches from the front of a list while they are whole and make `most` bytes at most; the first may be
 * larger. None where the first is not whole, or cannot be read. */
void group_take(struct group *g, int folder, const struct outbox_batch *list, size_t count, uint64_t most);
void group_free(struct group *g);
/* How much of a batch is whole lines: a machine that fell may leave a file cut, or with zeros at its end. */
size_t group_whole(struct slice bytes);

#endif
