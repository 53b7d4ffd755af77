/* A front on a thread of its own, fed with batches of segments. */
#ifndef WORKER_H
#define WORKER_H

#include "batch.h"
#include "merge.h"
#include "pipeline.h"

struct worker;

/* How many are of use: one a core that this process may use, 8 at most. */
size_t workers_auto(void);

/* Starts it; its records go to `lane`. What is borrowed outlives it. */
struct worker *worker_start(const struct settings *set, const struct pipeline_services *services,
                            struct lane *lane);
/* An empty batch to be filled; waits until there is one. It comes back by worker_push. */
struct batch *worker_batch(struct worker *w);
/* Hands over a batch; of the one that is `last` it is known that the thread ends. */
void worker_push(struct worker *w, struct batch *b);
/* Waits for its end; then what it counted. Frees it. */
struct pipeline_stats worker_join(struct worker **w);

#endif
