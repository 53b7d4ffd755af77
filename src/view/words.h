/* The words of texts, as the index of a day file tells them: SQLite's tokenizer unicode61, without
 * diacritics. Every kind of store answers by the same words. */
#ifndef VIEW_WORDS_H
#define VIEW_WORDS_H

#include "base/error.h"
#include "base/slice.h"

/* For one thread at a time. */
struct words;

/* 0, or -errno with a text: SQLite of this machine cannot do it. */
int words_open(struct words **ret, struct error *reterr);
void words_close(struct words **w);

/* A word in small letters, which is no terminated string, and where it stands in the text: [from, to). Not 0
 * ends it. `flags` is SQLite's, and of no use. */
typedef int words_fn(void *ctx, int flags, const char *word, int len, int from, int to);
/* Calls back with each word of a text, in their order; time is linear. */
void words_each(struct words *w, struct slice text, words_fn *word, void *ctx);

#endif
