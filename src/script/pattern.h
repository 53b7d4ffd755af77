/* Lua's patterns, matched within a number of steps: Lua's own matcher can run for days and counts nothing. */
#ifndef SCRIPT_PATTERN_H
#define SCRIPT_PATTERN_H

#include <sys/types.h>
#include "base/slice.h"

enum { PATTERN_CAPTURES = 32, PATTERN_DEPTH = 200 };

struct capture {
    size_t from;
    ssize_t len; /* or one of enum capture_state */
};
enum capture_state { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

struct pattern {
    struct slice subject, text;
    uint64_t steps, steps_most; /* done so far, over all matches; and allowed */
    const char *fault;          /* what is wrong with the pattern; NULL: nothing so far */
    bool spent;                 /* the steps went out */
    unsigned depth, captures_len;
    struct capture captures[PATTERN_CAPTURES];
};

static inline struct pattern pattern_of(struct slice subject, struct slice text, uint64_t steps)
{
    return (struct pattern){.subject = subject, .text = text, .steps_most = steps};
}
/* Matches at `from` of the subject exactly; the pattern begins at `skip` of its text (1 behind an anchor).
 * True: *ret is where the match ends, and the captures are set. False: it does not match there, or there is a
 * fault, or the steps went out. */
bool pattern_match_at(struct pattern *m, size_t from, size_t skip, size_t *ret);

#endif
