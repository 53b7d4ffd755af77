/* Sums of days that nobody writes to any more, kept in memory: questions over months read no day twice. */
#ifndef STORE_PAST_H
#define STORE_PAST_H

#include "view/top.h"

struct past;

/* For one folder and all threads. Up to `most` bytes of days are kept, those that were used last. */
struct past *past_new(const char *directory, size_t most);
void past_free(struct past **p);
/* As top_collect, with the same outcome. `p` may be NULL: nothing is kept. */
int past_collect(struct past *p, struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                 struct error *reterr);

#endif
