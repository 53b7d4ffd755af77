/* Batches into an outbox by a thread of its own, for who must not wait for a disk. */
#ifndef CARRIER_OUTBOX_THREAD_H
#define CARRIER_OUTBOX_THREAD_H

#include "base/error.h"
#include "base/slice.h"

/* So many batches wait for the disk at most, of so many bytes together; one always may. */
enum { OUTBOX_THREAD_MOST = 64, OUTBOX_THREAD_BYTES = 64 << 20 };

struct outbox_thread;

/* `folder` stays the caller's, and open. `done` is called by the thread after each batch that is kept. */
struct outbox_thread *outbox_thread_new(int folder, void (*done)(void *ctx), void *ctx);
/* A copy of the batch will be forced to the disk; the thread begins with the first one. 0; -EAGAIN: too many
 * wait, the disk is too slow; or -errno: there is no thread. Nothing was taken then. */
int outbox_thread_put(struct outbox_thread *t, uint64_t number, uint64_t lines, struct slice bytes,
                      struct error *reterr);

struct outbox_result {
    uint64_t lines_kept, lines_lost, bytes_lost;
    uint64_t lines_waiting; /* now */
    struct error why;       /* of the last loss; "": there was none */
};

/* What has become of batches since the last call; `wait`: of all that were given. */
struct outbox_result outbox_thread_results(struct outbox_thread *t, bool wait);
/* Waits for all that were given. Nulls *t. */
void outbox_thread_close(struct outbox_thread **t);

#endif
