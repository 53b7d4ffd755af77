/* The plain text that is in all that a pattern fits, and which texts cannot have it: most patterns need not
 * be tried then. */
#ifndef RULE_LITERAL_H
#define RULE_LITERAL_H

#include "base/slice.h"

enum { LITERAL_MOST = 23 };

/* In lower case. Shorter than three bytes: there is none that would be of use. */
struct literal {
    uint8_t len, text[LITERAL_MOST];
};

/* The threes of neighbouring bytes of a text, in lower case, each as a bit that others may share. */
struct threes {
    uint64_t bits[64];
};

/* Of a pattern of PCRE2 that compiles, without UTF, whatever the case. Its longest text of the kind, or a
 * part of that; where the pattern is written in a way that is not known here, none. */
struct literal literal_of(struct slice pattern);
void threes_of(struct slice text, struct threes *ret);
/* False: the text has no such literal in it. True: it may have. Long texts, of thousands of bytes, may have
 * anything. */
bool threes_may_have(const struct threes *t, const struct literal *literal);

#endif
