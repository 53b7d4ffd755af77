/* What hides the signs of a header value: quoted strings, comments, escapes. Pure. */
#ifndef MAIL_HIDDEN_H
#define MAIL_HIDDEN_H

#include "base/slice.h"

/* Position behind what begins at `i` and hides what is in it: a quoted string, a comment with those in it
 * (RFC 5322 3.2), an escaped byte; `i` where nothing does. At most s.len. What does not close within a short
 * reach is none: then it is i + 1, and the sign stands for itself. Each call looks that far at most, so all
 * of them over one value are linear in it. */
size_t hidden_past(struct slice s, size_t i);
/* The same for who asks at many places of one value: *none is NULL before the first of them, and keeps how
 * far no comment ends. `s` may be what is left of the value. */
size_t hidden_past_known(struct slice s, size_t i, const uint8_t **none);
/* The same for angle brackets: position of the '>' that closes the '<' at `i`, or `i`. */
size_t hidden_angle(struct slice s, size_t i);

#endif
