/* Sums of days or hours that nobody writes to any more, kept in memory: questions over months read no day
 * twice. */
#ifndef VIEW_PAST_H
#define VIEW_PAST_H

#include "view/top.h"

/* By what a piece of time that is over is known to be what it was. */
struct past_stamp {
    uint64_t numbers[5];
};
struct past_piece {
    struct hours hours; /* of the store's choice: a day, or an hour */
    bool over;          /* nobody writes to it, as far as one can tell: it may be kept */
    struct past_stamp stamp;
};
struct past_pieces {
    size_t count;
    struct past_piece *items; /* free() */
};

/* What a kind of store tells of its pieces of time, which do not overlap. */
struct past_kind {
    /* Those that may have anything of the span, newest first. 0 or -errno. */
    int (*pieces)(struct reader *r, enum top_by by, struct hours span, struct past_pieces *ret,
                  struct error *reterr);
    /* Asked once more when one was read; false: it is not over, or it is not there. NULL: a stamp is of a
     * moment before whatever is read after it, and changes with each change. */
    bool (*look)(struct reader *r, enum top_by by, const struct past_piece *piece, struct past_stamp *ret);
    /* As top_collect, from the store itself. */
    int (*sums)(struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                struct error *reterr);
};

struct past;

/* For one store and all threads. Up to `most` bytes of pieces are kept, those that were used last. */
struct past *past_new(size_t most);
void past_free(struct past **p);
/* As top_collect, with the same outcome. `p` may be NULL: nothing is kept. */
int past_collect(struct past *p, const struct past_kind *kind, struct reader *r, enum top_by by,
                 struct hours span, struct keyed *keys, struct error *reterr);

#endif
