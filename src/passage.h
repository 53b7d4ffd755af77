/* From one worker to another: segments that came to the one, and belong to the other. */
#ifndef PASSAGE_H
#define PASSAGE_H

#include "batch.h"

struct ring;

/* One direction between two threads. */
struct passage {
    struct ring *full, *empty;
    int wake;              /* an eventfd of the receiver's */
    struct batch *filling; /* the sender's own, as all below */
    size_t made;           /* batches so far: as many as were needed at once */
    uint64_t passed, dropped;
};

/* `wake` is borrowed. */
void passage_init(struct passage *p, int wake);
/* The sender: copies the segment; where there is no room it is dropped and counted. */
void passage_add(struct passage *p, const struct segment *seg);
/* The sender: what was added goes now. False: some stays, as the receiver has not taken what went before. */
bool passage_send(struct passage *p);
/* The sender: what stayed is dropped and counted. */
void passage_end(struct passage *p);
/* The receiver: the next batch, to be given back by passage_done; NULL: none. */
struct batch *passage_next(struct passage *p);
void passage_done(struct passage *p, struct batch *b);
/* Neither of both runs any more. */
void passage_free(struct passage *p);

#endif
