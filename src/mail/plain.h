/* Text of a message that needs no closer look, as fast as the processor can. */
#ifndef MAIL_PLAIN_H
#define MAIL_PLAIN_H

#include "base/slice.h"

/* Text, and the byte before it. */
struct plain {
    struct slice text;
    uint8_t last;
    bool bare_lf, bare_cr;  /* where these stand a closer look is wanted */
    size_t line, line_most; /* bytes of the line so far, without CRs; how many it may have */
};

/* How much of the text there is before the next NUL, bare line end that is asked for, dot behind a CR or LF,
 * or byte with which a line has more than `line_most`; or less, as of short text and behind a dot. `line` is
 * that at the end of it. */
size_t plain_pass(struct plain *t);
/* The same by what every processor has. */
size_t plain_pass_plainly(struct plain *t);

#endif
