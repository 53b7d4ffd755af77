/* The bytes that base64 and quoted-printable carry (RFC 2045 6.7, 6.8), by push. They are those that
 * transfer.h counts. */
#ifndef MAIL_DECODE_H
#define MAIL_DECODE_H

#include "base/buf.h"
#include "mail/transfer.h"

/* Where a part's decoding stands. Zero is its beginning. */
struct decoding {
    uint32_t bits;  /* base64: of the group that is begun */
    uint8_t have;   /* base64: its digits */
    uint8_t pads;   /* base64: '=' since the last digit */
    bool padded;    /* base64: padding completed a group, so what follows is no data */
    uint8_t escape; /* quoted-printable: characters of an escape so far, the '=' too */
    uint8_t half;   /* quoted-printable: its first digit */
    uint8_t ended;  /* quoted-printable: bytes of a line's end that are not out yet: it may be a boundary's */
    bool blanks_cut; /* more blanks stood together than are kept, so some are lost */
};

enum { DECODE_ROOM = 6144, DECODE_BLANKS = 65536 };

/* Takes decoded bytes, which die on return. False: no more of them are wanted. */
typedef bool decode_fn(void *ctx, struct slice bytes);

/* What one call decodes, on the way to `fn`. */
struct decode_out {
    decode_fn *fn;
    void *ctx;
    struct buf *blanks; /* quoted-printable: that may turn out to end their line; up to DECODE_BLANKS, kept
                           from call to call, empty at a part's beginning */
    size_t len, most;   /* `most`: bytes wanted at a time, up to DECODE_ROOM */
    bool full;          /* no more are wanted */
    uint8_t bytes[DECODE_ROOM + 64];
};

/* Before each call; `bytes` need not be set. */
static inline void decode_out_init(struct decode_out *o, decode_fn *fn, void *ctx, struct buf *blanks,
                                   size_t most)
{
    o->fn = fn;
    o->ctx = ctx;
    o->blanks = blanks;
    o->len = 0;
    o->most = most < DECODE_ROOM ? most : DECODE_ROOM;
    o->full = false;
}

/* `text`: lines, or parts of them, with or without their ends. Anything but digits is skipped. */
void decode_base64(struct decoding *d, struct decode_out *o, struct slice text);
/* As much of it as is digits, blanks and control characters, and is wanted: how many bytes that were; their
 * digits are added to *digits. 0 where padding came before. */
size_t decode_digits(struct decoding *d, struct decode_out *o, struct slice text, uint64_t *digits);
/* `line` is a part of a line without its end; `end` the bytes of the line's end where it ends here, else 0.
 */
void decode_qp(struct decoding *d, struct decode_out *o, struct slice line, size_t end);
/* The same for whole lines. */
void decode_qp_lines(struct decoding *d, struct decode_out *o, struct slice lines);
/* Bytes are missing here. */
void decode_gap(struct decoding *d, struct buf *blanks);
/* The part is over; what came before is all out. A line's end before a boundary is taken off first, by
 * ended = 0. */
void decode_end(struct decoding *d, struct decode_out *o);

#endif
