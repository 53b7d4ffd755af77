/* Batches of lines on disk, between the process that fills them and the one that carries them away. A batch
 * is a file NUMBER-LINES.ndjson, complete from the moment at which it has that name; numbers grow, also over
 * restarts. */
#ifndef CARRIER_OUTBOX_H
#define CARRIER_OUTBOX_H

#include "base/error.h"
#include "base/slice.h"

enum { OUTBOX_NAME = 48 };

struct outbox_batch {
    uint64_t number;
    uint64_t lines, bytes;
    char name[OUTBOX_NAME];
};

/* Makes the folder (0700) where it is not there. Its descriptor, which the caller closes; or -errno. */
int outbox_open(const char *path, struct error *reterr);
/* A number above all that were given by then: microseconds of the epoch, or one more than `last`. */
uint64_t outbox_number(uint64_t last);
/* Writes a batch: under another name, which is then changed. 0 or -errno. */
int outbox_put(int folder, uint64_t number, uint64_t lines, struct slice bytes, struct error *reterr);
/* The batches that are there, oldest first, at most `most`. How many, or -errno. Free *ret by free(). */
int outbox_list(int folder, size_t most, struct outbox_batch **ret, struct error *reterr);
/* All bytes of batches that are there. */
uint64_t outbox_bytes(int folder);
/* Its bytes, for free(); -errno. */
int outbox_read(int folder, const struct outbox_batch *batch, uint8_t **ret, struct error *reterr);
/* It is carried away. */
int outbox_remove(int folder, const struct outbox_batch *batch, struct error *reterr);

#endif
