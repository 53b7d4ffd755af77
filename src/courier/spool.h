/* What waits for one target: a queue with a bound, and where a directory is given a file for each item, so
 * that the queue survives its process. */
#ifndef COURIER_SPOOL_H
#define COURIER_SPOOL_H

#include "base/error.h"
#include "base/slice.h"

struct spool_item {
    struct spool_item *next;
    uint64_t number; /* names its file; microseconds of the epoch, or one more than the last */
    bool kept;       /* the file is there */
    size_t len;
    uint8_t bytes[];
};

struct spool {
    struct spool_item *first, **end;
    size_t count, bytes, most; /* bytes: what `most` bounds, the items' heads too */
    const char *name;          /* how its files begin; also for messages */
    int directory;             /* -1: none */
    uint64_t number;           /* the last one given */
    bool failing;              /* the directory did not take the last item; that was said */
};

static inline struct slice spool_bytes(const struct spool_item *item)
{
    return (struct slice){item->bytes, item->len};
}

/* Makes the directory (0700) where it is not there, and locks it for `wait` seconds at most: of two couriers
 * each would deliver the other's items. Returns its descriptor, which the caller closes, and with it the
 * lock; or -errno and a text. A directory that somebody else could write to is refused. */
int spool_directory(const char *path, double wait, struct error *reterr);

/* `directory` and `name` are the caller's and must outlive the spool. */
void spool_init(struct spool *s, const char *name, int directory, size_t most);
/* Reads what an earlier process left, in its order; the bound does not hold for it. 0 or -errno; what cannot
 * be read is said, stays where it is, and is not counted. */
int spool_load(struct spool *s);
/* At the end of the queue; copies. False: it would go over the bound and was not taken. A directory that
 * fails is said once, and the item is kept in memory alone. */
bool spool_add(struct spool *s, struct slice bytes);
/* Forgets the first item and removes its file. */
void spool_drop(struct spool *s);
/* How many items have no file. */
size_t spool_unkept(const struct spool *s);
/* Gives the memory back; files stay. */
void spool_free(struct spool *s);

#endif
