/* The comparisons of the query language as functions of SQL, by the very words that the index has.
 *
 *   says(text, words)      the words stand in it one after another
 *   starts(text, words)    the same, and the last may be the start of a word
 *   alike(text, pattern)   it is the pattern, in which each * stands for anything
 *   below(text, domain)    its part behind the last @ is the domain, or one below it
 *   within(text, network)  it is an address of it
 *   behind_at(text)        its part behind the last @
 *   seen(id)               true, and kept for compare_seen
 *   tally(number, value)   handed to whoever asked for it by compare_tally
 * Letters of ASCII are the same in both cases. Each is false of what is no text. */
#ifndef STORE_COMPARE_H
#define STORE_COMPARE_H

#include <sqlite3.h>
#include "base/error.h"
#include "base/slice.h"

/* The index's way to tell words, and scratch memory; one for a reader. */
struct compare;

/* 0 or -errno. */
int compare_open(struct compare **ret, struct error *reterr);
void compare_close(struct compare **c);
/* Makes the functions known to a database, which must be closed before `c`. Returns a code of SQLite's. */
int compare_join(struct compare *c, sqlite3 *db);
/* Calls back with each word's place in the text: its first byte and the one behind its last. */
void compare_words(struct compare *c, struct slice text, void (*word)(void *ctx, size_t from, size_t to),
                   void *ctx);
/* The id that the latest call of seen() had; what is there before is set by the caller. */
int64_t *compare_seen(struct compare *c);
/* Who hears of calls of tally(), from now on; not those of NULL. */
void compare_tally(struct compare *c, void (*tally)(void *ctx, int number, struct slice value), void *ctx);
bool compare_below(struct slice text, struct slice domain);

#endif
