/* Header values of a mail: encoded words, parameters, address lists. Pure; input is one unfolded value. */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "mail/charset.h"

/* Adds the readable form of `value` to `out`: RFC 2047 encoded words decoded (blanks between two of them
 * dropped, a character split over two adjacent words of one charset joined), raw 8-bit bytes taken as UTF-8
 * or else windows-1252. Always valid UTF-8. Linear in the input. */
void header_text(struct charsets *cs, struct slice value, struct buf *out);

/* A value with parameters (RFC 2045 5.1, RFC 2231): "attachment; filename=x". */
struct header_params {
    struct slice value; /* before the first ';' outside of comments, trimmed; inside the input */
    struct slice rest;  /* from there on */
};
struct header_params header_params(struct slice value);
/* Adds the parameter `name` (any case) to `out` as UTF-8: plain, quoted, RFC 2231 extended and continued
 * (name*, name*0, name*0*), and encoded words inside, as mailers write them. False: it is not there. Extended
 * wins over continued, that over plain; of two of one kind the first wins. Stray blanks around '=', missing
 * closing quotes, a missing first semicolon and missing or misordered sections are tolerated. */
bool header_param(struct charsets *cs, struct slice params, const char *name, struct buf *out);
/* The same; where it is given in a second way that reads otherwise, that goes to `other`, which is empty
 * before. */
bool header_param_both(struct charsets *cs, struct slice params, const char *name, struct buf *out,
                       struct buf *other);
/* The same, undecoded bytes, plain before continued; unquoted it ends at a blank: for boundaries. `other` may
 * be NULL. */
bool header_param_raw(struct slice params, const char *name, struct buf *out, struct buf *other);

/* The form of it that header_param takes, as it is written: without quotes, sections joined, nothing decoded.
 */
void header_param_written(struct slice params, const char *name, struct buf *out);

/* Takes the next element of an address list (RFC 5322 3.4) from *list: split at commas outside quotes,
 * comments and angle brackets; a group's name and its closing ';' are dropped, its members are elements.
 * Trimmed, never empty. False: no more. */
bool header_address_next(struct slice *list, struct slice *ret);
/* The bare address in an element: what is inside the last <...>, else the element without comments. */
struct slice header_address_bare(struct slice element);

#endif
