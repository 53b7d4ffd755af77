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
/* The receiver's: NULL where it is empty. */
void *ring_try_pop(struct ring *r);
/* From any thread; what is true may be false a moment later. */
bool ring_is_empty(const struct ring *r);
/* No thread uses it any more; items in it are the caller's. */
void ring_free(struct ring **r);

#endif
