/* Transfer encodings (RFC 2045 6): sizes and bytes of what they carry. */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include "base/buf.h"

enum transfer { TRANSFER_IDENTITY, TRANSFER_BASE64, TRANSFER_QP };

/* Counts decoded bytes of a part, fed in any pieces. Zero is its beginning. */
struct transfer_size {
    uint64_t bytes;  /* decoded so far */
    uint64_t digits; /* base64 digits, not yet in `bytes` */
    uint64_t blanks; /* quoted-printable: blanks that may yet turn out to end their line */
    uint8_t escape;  /* quoted-printable: characters of an escape so far, the '=' too */
    uint8_t ended;   /* bytes that the last line's end added */
    uint8_t pads;    /* base64: '=' since the last digit */
    bool padded;     /* base64: padding completed a group, so what follows is no data */
    bool gap;        /* bytes are missing, so that what looks odd may be whole */
    bool odd;        /* what the encoding does not have was among it, first at: */
    uint64_t odd_at; /* encoded bytes before it */
    uint64_t fed;    /* encoded bytes so far */
};

/* The encoding that a Content-Transfer-Encoding value names; *ret_known is false for one that RFC 2045 does
 * not name. */
enum transfer transfer_of(struct slice value, bool *ret_known);
/* `line` is a part of a line without its end; `end` the bytes of the line's end where it ends here, else 0.
 */
void transfer_count(struct transfer_size *t, enum transfer kind, struct slice line, size_t end);
/* Base64 that is nothing but digits and line ends, in any number of lines. False: it is not, and nothing was
 * counted. */
bool transfer_count_digits(struct transfer_size *t, struct slice text);
/* The same for a block of lines that begins where a line does. */
void transfer_count_lines(struct transfer_size *t, enum transfer kind, struct slice lines);
/* Bytes are missing here, `fed` encoded ones lie before the next, and the rest of their line is not fed. */
void transfer_gap(struct transfer_size *t, uint64_t fed);
/* Takes back the last line's end: it belongs to a boundary. */
void transfer_uncount_end(struct transfer_size *t);
uint64_t transfer_total(const struct transfer_size *t);
/* Bytes of a line's end, given the line up to its LF: LF, CRLF or CR CR LF. */
size_t transfer_line_end(struct slice line);
/* Adds the decoded bytes of a whole text; junk characters are skipped as RFC 2045 says. */
void transfer_base64(struct slice text, struct buf *out);
/* The Q encoding of RFC 2047: '_' is a blank. */
void transfer_q_word(struct slice text, struct buf *out);

#endif
