/* Threads that begin together: all of them, or none where the machine does not give so many. */
#ifndef TROOP_H
#define TROOP_H

#include <stddef.h>
#include "base/error.h"

struct troop;

/* Of `most` threads, none of which is there yet. */
struct troop *troop_new(size_t most);
/* One more, that will call `run` with `ctx`. */
void troop_add(struct troop *t, void (*run)(void *ctx), void *ctx);
/* 0; or -errno with a text, and then no `run` was or will be called. */
int troop_start(struct troop *t, struct error *reterr);
/* Waits for the end of all that were started. */
void troop_join(struct troop *t);
/* No thread is there any more. NULL is nothing. */
void troop_free(struct troop **t);

#endif
