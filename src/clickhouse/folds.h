/* Words as regular expressions (RE2), which find in any text what the index of a day file finds. */
#ifndef CLICKHOUSE_FOLDS_H
#define CLICKHOUSE_FOLDS_H

#include "base/error.h"
#include "sink/line.h"

/* Which letters are the same for the tokenizer, what is none, and what is passed over inside of words. Read
 * only; for any number of threads. */
struct folds;

/* Asks the tokenizer about each code point, which takes some 50 ms. 0 or -errno. */
int folds_new(struct folds **ret, struct error *reterr);
void folds_free(struct folds **f);

enum folds_found {
    FOLDS_NONE,    /* the text has no words; nothing was added */
    FOLDS_PATTERN, /* the pattern is for texts */
    FOLDS_JOINED   /* there are many words; it is for the words of a text, each with a blank before and behind
                    */
};
/* Adds a pattern that finds texts in which the words of `phrase` stand one after another; `start`: the last
 * may be the start of a word. */
enum folds_found folds_phrase(const struct folds *f, struct slice phrase, bool start, struct line *out);
/* Adds a pattern that finds each word of a text. */
void folds_word(const struct folds *f, struct line *out);

#endif
