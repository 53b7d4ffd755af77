/* One text that is kept for long, and now and then replaced: a pointer, and no more memory than the text. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/slice.h"

struct text; /* NULL: there is none, which is not the same as an empty one */

/* Becomes a copy of `s`, which must not lie inside of it. */
void text_set(struct text **t, struct slice s);
/* Valid until the next text_set or text_free; data is NULL where there is no text, and only there. */
struct slice text_slice(const struct text *t);
void text_free(struct text **t);

#endif
