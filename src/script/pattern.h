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

/* The captures are left as they are: to clear them costs more than many a match. */
static inline void pattern_init(struct pattern *m, struct slice subject, struct slice text, uint64_t steps)
{
    m->subject = subject;
    m->text = text;
    m->steps = 0;
    m->steps_most = steps;
    m->fault = NULL;
    m->spent = false;
    m->captures_len = 0;
}
/* Does the byte mean more than itself somewhere in a pattern? ')' and ']' do only behind their partners. */
static inline bool pattern_is_special(uint8_t c)
{
    switch (c) {
    case '^':
    case '$':
    case '*':
    case '+':
    case '?':
    case '.':
    case '(':
    case '[':
    case '%':
    case '-':
        return true;
    default:
        return false;
    }
}
/* The first match at or after `from` that does not end at `last` (where the one before it did; SIZE_MAX:
 * there was none). `anchor`: the pattern begins with '^', and only `from` itself is tried. True: *ret_from
 * and *ret_to are its ends, and the captures are set. False: there is none, or there is a fault, or the steps
 * went out. */
bool pattern_find(struct pattern *m, size_t from, bool anchor, size_t last, size_t *ret_from, size_t *ret_to);

#endif
