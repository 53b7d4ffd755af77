/* Identical notices folded: of those with the same note and identifier the first goes out, and after its time
 * one more that stands for the repeats. */
#ifndef RULE_FOLD_H
#define RULE_FOLD_H

#include "record/notice.h"

struct fold_table;

/* `most`: notices remembered at once; over it the oldest is told and forgotten early. `emit` gets the notices
 * that stand for repeats, borrowed for the call. */
struct fold_table *fold_table_new(size_t most, void (*emit)(void *ctx, struct notice *n), void *ctx);
/* True: it goes out. False: it repeats one of the last n->suppress_for seconds, and was counted. */
bool fold_take(struct fold_table *f, const struct notice *n);
/* Time moves on, packet time: what is over by now is told. */
void fold_advance(struct fold_table *f, struct timespec now);
/* All that is left is told. */
void fold_finish(struct fold_table *f);
/* Notices that were told early over `most`. */
uint64_t fold_shed(const struct fold_table *f);
void fold_table_free(struct fold_table **f);

#endif
