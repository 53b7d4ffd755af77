/* Batches of lines on disk, between the process that fills them and the one that carries them away. A batch
 * is a file NUMBER-SALT-LINES.ndjson, complete from the moment at which it has that name. Numbers grow in one
 * process; the salt is chance, so that no two batches are ever taken for each other: not after a clock was
 * set back, and not those of two sensors. */
#ifndef CARRIER_OUTBOX_H
#define CARRIER_OUTBOX_H

#include "base/error.h"
#include "base/slice.h"

enum { OUTBOX_NAME = 64 };
/* A batch of more bytes is not ours. */
#define OUTBOX_BATCH_MOST (UINT64_C(256) << 20)

struct outbox_batch {
    uint64_t number; /* below 2^62 */
    uint32_t salt;
    uint64_t lines; /* as its name says */
    uint64_t bytes;
    char name[OUTBOX_NAME];
};

/* Makes the folder (0700) where it is not there, for good. Its descriptor, which the caller closes; or
 * -errno. */
int outbox_open(const char *path, struct error *reterr);
/* A number above `last`: microseconds of the epoch, or one more than it. */
uint64_t outbox_number(uint64_t last);
/* Writes a batch: under another name, which is then changed. `sync`: it is on the disk when this returns,
 * which may take as long as disks take. 0 or -errno: nothing of it is there. */
int outbox_put(int folder, uint64_t number, uint64_t lines, struct slice bytes, bool sync,
               struct error *reterr);
/* The batches that are there, oldest first, at most `most`; names of others are passed over. How many, or
 * -errno. Free *ret by free(). */
int outbox_list(int folder, size_t most, struct outbox_batch **ret, struct error *reterr);

struct outbox_sum {
    uint64_t batches, lines, bytes;
    uint64_t last; /* the highest number that the clock can have given; 0: none */
};

/* Of all batches that are there. */
struct outbox_sum outbox_sum(int folder);
/* Removes what an earlier process began to write and did not end. */
void outbox_tidy(int folder);
/* Its bytes, batch->bytes of them, for free(); -errno. */
int outbox_read(int folder, const struct outbox_batch *batch, uint8_t **ret, struct error *reterr);
/* Gives it a name that is none of a batch: NAME.bad. */
void outbox_spoil(int folder, const struct outbox_batch *batch);
/* It is carried away. */
int outbox_remove(int folder, const struct outbox_batch *batch, struct error *reterr);

#endif
