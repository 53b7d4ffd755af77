/* Workers that take turns at reading the input: who has nothing to do reads on, one at a time, so that no
 * thread waits while there is work. */
#ifndef TURNS_H
#define TURNS_H

#include "steer.h"
#include "worker.h"

struct turns;

enum turn {
    TURN_WORK, /* a batch has come for this worker */
    TURN_READ, /* this worker reads, nobody else does until turns_end_reading */
};

struct turns *turns_new(void);
/* What is next for the worker; waits until there is something. */
enum turn turns_next(struct turns *t, const struct worker *w, const struct steer *s);
/* A batch was sent, or given back: somebody may have waited for it. */
void turns_tell(struct turns *t);
/* `over`: nobody will read again. */
void turns_end_reading(struct turns *t, bool over);
void turns_free(struct turns **t);

#endif
