/* Base64 (RFC 2045 6.8) by whole groups of four digits, as fast as the processor can. */
#ifndef MAIL_BASE64_H
#define MAIL_BASE64_H

#include "base/slice.h"

/* What a byte is: a digit's value, or one of these. */
enum { BASE64_JUNK = 64, BASE64_PAD = 65 };
extern const uint8_t base64_kinds[256];

/* Behind `stop` so many bytes may be written. */
enum { BASE64_SPILL = 64 };

/* Where decoding stands: what is read, from `p` up to `end`; where it goes, from `out` on, up to where `stop`
 * is reached. */
struct base64_run {
    const uint8_t *p, *end;
    uint8_t *out, *stop;
};

/* Takes whole groups, and the blanks and line ends between them, up to what is neither, to the end, or to
 * `stop`; `p` and `out` go on. Of what is left at the end the first three bytes at most are a group's. */
void base64_groups(struct base64_run *r);
/* The same by what every processor has; where both stop at `stop` it may be elsewhere. */
void base64_groups_plainly(struct base64_run *r);

/* How many digits there are; *ret_other: there is what is no digit, blank or control character, and the
 * number is of no use. */
size_t base64_count(struct slice text, bool *ret_other);
/* The same by what every processor has. */
size_t base64_count_plainly(struct slice text, bool *ret_other);

#endif
