/* Files on many cores: one thread reads and decodes, and hands both directions of a connection to one worker.
 */
#ifndef STEER_H
#define STEER_H

#include "worker.h"

struct steer;

/* The workers are borrowed, and fed by it alone from now on; `merge` has their lanes. */
struct steer *steer_new(struct worker *const *workers, size_t count, struct merge *merge);
/* An intake_take; ctx is the steer. */
void steer_take(void *ctx, struct parcel *parcels, size_t count, struct block *block);
/* Hands over all that it was given, for a moment at which nothing else comes. */
void steer_flush(struct steer *s);
/* How often batches were handed over. */
uint64_t steer_rounds(const struct steer *s);
/* From any thread: can batches be handed over? Else it would run away from the workers, or from the back. */
bool steer_has_room(const struct steer *s);
/* The input is over: all that is on its way is handed over, and the workers told that nothing follows. */
void steer_finish(struct steer *s);
void steer_free(struct steer **s);

#endif
