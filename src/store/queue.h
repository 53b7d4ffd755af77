/* Records on their way to the thread that writes them. */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include "record/record.h"

struct queue;

/* Copies of records, in the order in which they came. */
struct queue_batch {
    size_t count;
    struct record **items;
};

/* `bytes` is how much memory the copies may take, `wait` how many seconds one may be held back for others. */
struct queue *queue_new(uint64_t bytes, double wait);
/* From the sender. False: there is no room, or it is closed. `wait`: until there is room. */
bool queue_add(struct queue *q, const struct record *rec, bool wait);
/* To the receiver: waits for what is to be written now, up to `most` seconds. False: it was closed, and is
 * empty. The batch may be empty; its records are the receiver's until queue_give_back. */
bool queue_take(struct queue *q, double most, struct queue_batch *ret);
void queue_give_back(struct queue *q, struct queue_batch *batch);
/* From the receiver: waits so long, or until it is closed: then true. */
bool queue_pause(struct queue *q, double seconds);
/* From anyone: nothing more comes in. */
void queue_close(struct queue *q);
size_t queue_waiting(struct queue *q);
/* No thread uses it any more. */
void queue_free(struct queue **q);

#endif
