/* Where the bytes of parts and of whole mails go, for who keeps them: handed down to the record's side, which
 * has no files. */
#ifndef RECORD_STORE_H
#define RECORD_STORE_H

#include "base/slice.h"

/* All of it may be called by several threads at once. */
struct part_store {
    void *ctx;
    bool parts, mails; /* which of them it wants */
    uint64_t most;     /* bytes of one; a larger one is not kept */
    /* A new file under a name for the time being: its descriptor, and its number, which is never 0. Negative:
     * there is none. */
    int (*open)(void *ctx, uint64_t *ret_number);
    /* False: it did not go in, and no more will. */
    bool (*add)(void *ctx, int fd, struct slice bytes);
    /* `keep`: it is whole, and the record that has its number decides on it; else it is gone. */
    void (*close)(void *ctx, int fd, uint64_t number, bool keep);
    void (*over)(void *ctx); /* one was larger than `most` */
};

#endif
