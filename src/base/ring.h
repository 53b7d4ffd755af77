/* A bounded queue of pointers from one thread to one other. */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring;

/* Room for `capacity` items, a power of two. */
struct ring *ring_new(size_t capacity);
/* The sender's: false where it is full. */
bool ring_try_push(struct ring *r, void *item);
/* The sender's: waits while it is full. */
void ring_push(struct ring *r, void *item);
/* The receiver's: NULL where it is empty. */
void *ring_try_pop(struct ring *r);
/* The receiver's: waits while it is empty. */
void *ring_pop(struct ring *r);
/* No thread uses it any more; items in it are the caller's. */
void ring_free(struct ring **r);

#endif
