/* Transfer encodings (RFC 2045 6): sizes and bytes of what they carry. */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include "base/buf.h"

enum transfer { TRANSFER_IDENTITY, TRANSFER_BASE64, TRANSFER_QP };

/* Counts decoded bytes of a part, fed in any pieces. Zero is its beginning. */
struct transfer_size {
    uint64_t bytes;  /* decoded so far */
    uint64_t digits; /* base64 digits, not yet in `bytes` */
    uint8_t escape;  /* quoted-printable: characters seen after '=' */
    bool padded;
    uint64_t blanks; /* quoted-printable: blanks that may yet turn out to end their line */
};

/* The encoding that a Content-Transfer-Encoding value names. */
enum transfer transfer_of(struct slice value);
/* `line` is a part of a line without its end; `end` the bytes of the line's end where it ends here, else 0. */
void transfer_count(struct transfer_size *t, enum transfer kind, struct slice line, size_t end);
/* Takes back the line end that belongs to a boundary. */
void transfer_uncount_end(struct transfer_size *t, enum transfer kind, size_t end);
uint64_t transfer_total(const struct transfer_size *t);
/* Adds the decoded bytes of a whole text; junk characters are skipped as RFC 2045 says. */
void transfer_base64(struct slice text, struct buf *out);
/* The Q encoding of RFC 2047: '_' is a blank. */
void transfer_q_word(struct slice text, struct buf *out);

#endif
