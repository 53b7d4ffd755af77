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
 * n->suppress_for seconds away, and was counted, as n->folded repeats where it stands for these. */
bool fold_take(struct fold_table *f, const struct notice *n, unsigned actions);
/* Time moves on, packet time: what is over by now is told. */
void fold_advance(struct fold_table *f, struct timespec now);
/* All that is left is told. */
void fold_finish(struct fold_table *f);
/* One that is remembered, for who keeps them longer than a process lives. */
struct fold_entry {
    double from, until; /* its window, seconds */
    unsigned actions;
    uint64_t repeats;
    struct slice key;          /* what it is known by; bytes */
    const struct notice *last; /* of the repeats; NULL: none yet */
};
typedef void fold_each_fn(void *ctx, const struct fold_entry *e);
/* All of them, in no order; an entry is borrowed for the call. */
void fold_each(const struct fold_table *f, fold_each_fn *take, void *ctx);
/* Remembers one of fold_each again; one that is known already stays as it is. */
void fold_put(struct fold_table *f, const struct fold_entry *e);
/* Notices that were told early over `most`. */
uint64_t fold_shed(const struct fold_table *f);
void fold_table_free(struct fold_table **f);

#endif
