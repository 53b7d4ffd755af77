/* A front that is fed with batches of segments, from one thread, and works them off on another one. */
#ifndef WORKER_H
#define WORKER_H

#include "batch.h"
#include "merge.h"
#include "pipeline.h"

struct worker;

/* How many are of use: one a core that this process may use, 8 at most. */
size_t workers_auto(void);

/* Its records go to `lane`. What is borrowed outlives it. */
struct worker *worker_new(const struct settings *set, const struct pipeline_services *services,
                          struct lane *lane);
/* The feeder's: an empty batch to be filled; it comes back by worker_push. */
struct batch *worker_batch(struct worker *w);
/* The feeder's: has it room for another batch? To be asked before at least every fourth one is pushed. */
bool worker_has_room(const struct worker *w);
/* The feeder's: hands over a batch. */
void worker_push(struct worker *w, struct batch *b);
/* From any thread, here and of worker_has_room: what is true may be false a moment later, unless the one who
 * asks is the one who can change it. */
bool worker_has_batch(const struct worker *w);
/* The worker's own: works off one batch. True: it was the last one, nothing is to be called any more but
 * worker_stats and worker_free. */
bool worker_work(struct worker *w);
struct pipeline_stats worker_stats(const struct worker *w);
void worker_free(struct worker **w);

#endif
