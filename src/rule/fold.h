/* Identical notices folded: of those with the same note, identifier and actions the first goes out, and after
 * its time one more that stands for the repeats. Actions are part of it, or a notice that is only logged
 * would swallow one that somebody should be mailed about. */
#ifndef RULE_FOLD_H
#define RULE_FOLD_H

#include "record/notice.h"

struct fold_table;

/* `most`: notices remembered at once; over it the oldest is told and forgotten early. `emit` gets the notices
 * that stand for repeats, borrowed for the call. */
struct fold_table *fold_table_new(size_t most, void (*emit)(void *ctx, struct notice *n, unsigned actions),
                                  void *ctx);
/* `actions`: what was decided about it. True: it goes out. False: it repeats one that is less than
 * n->suppress_for seconds away, and was counted. */
bool fold_take(struct fold_table *f, const struct notice *n, unsigned actions);
/* Time moves on, packet time: what is over by now is told. */
void fold_advance(struct fold_table *f, struct timespec now);
/* All that is left is told. */
void fold_finish(struct fold_table *f);
/* Notices that were told early over `most`. */
uint64_t fold_shed(const struct fold_table *f);
void fold_table_free(struct fold_table **f);

#endif
