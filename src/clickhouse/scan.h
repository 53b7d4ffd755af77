/* JSON, read from the front without keeping any of it. */
#ifndef CLICKHOUSE_SCAN_H
#define CLICKHOUSE_SCAN_H

#include "sink/line.h"

enum { SCAN_DEPTH = 32 }; /* objects and lists inside of each other; what is deeper is no JSON for us */

struct scan {
    const uint8_t *at, *end;
    bool escaped; /* the last string has a backslash */
    bool spread;  /* tabs or the like stand between tokens */
};

/* The next byte that is no blank, or 0 at the end. */
uint8_t scan_peek(struct scan *s);
/* Takes `c`, blanks before it too; false: something else is there. */
bool scan_byte(struct scan *s, uint8_t c);
/* A string with its quotes, escapes as they are. */
bool scan_string(struct scan *s, struct slice *ret);
/* A number, true, false or null. */
bool scan_word(struct scan *s, struct slice *ret);
/* Any value; `depth` are those around it. */
bool scan_skip(struct scan *s, unsigned depth);
/* What a string says that scan_string took: its bytes, or, where it has escapes, those made in `room`. Half
 * of a pair of surrogates becomes U+FFFD. */
struct slice scan_text(struct slice string, struct line *room);
/* A number, as near as a double comes; false: it is none, or has no end. */
bool scan_real(struct slice word, double *ret);

#endif
