/* A mail by push: bytes in (after dot-unstuffing), headers and parts out (RFC 5322, RFC 2045-2046). */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "base/buf.h"
#include "mail/anomaly.h"
#include "mail/charset.h"
#include "mail/heading.h"

enum mime_kind {
    MIME_HEADER,      /* of the top header block only: name, value */
    MIME_HEADERS_END, /* the top header block is over */
    MIME_ANOMALY, /* anomaly, the first of its kind in this mail; size = place of its first byte in the mail,
                     without stuffed dots; value: evidence, or none */
    MIME_PART,    /* a leaf part, or an attached mail as a whole, is over: type, filename, size, depth */
    MIME_PART_BEGIN,      /* its header block is over: as PART, but for the size; its bytes follow if
                             mime_bodies asks for them here */
    MIME_BODY,            /* value: decoded bytes of the open part at `depth`, the next ones */
    MIME_ATTACHED_HEADER, /* a field of the attached mail that is open at `depth`: name, value */
};

/* What of a part's decoded bytes is told. */
enum mime_want {
    WANT_NONE,
    WANT_HEAD, /* the first head_bytes of struct mime_limits */
    WANT_ALL,
};

struct mime_event {
    enum mime_kind kind;
    enum anomaly anomaly;
    struct slice name;  /* HEADER: field name as written, without the colon and blanks before it */
    struct slice value; /* HEADER, ATTACHED_HEADER: unfolded (CRLF before a blank taken out), blanks at both
                           ends off, undecoded. BODY: never empty, but where `cut` */
    struct slice
        decoded; /* HEADER: value as header_text gives it, where that was needed already; else empty */
    struct slice
        type; /* PART: "application/pdf", lower case, no comment; "text/plain" where none was declared */
    struct slice filename;     /* PART: UTF-8; data is NULL where the part has none */
    struct slice raw_filename; /* PART: the same as it is written, without quotes; sections joined; empty
                                  where it cannot differ */
    struct slice disposition;  /* PART: lower case; empty where none is declared, as the next two */
    struct slice encoding;     /* PART: Content-Transfer-Encoding, as written */
    anomaly_set anomalies;     /* PART: those of this part, also where one came before */
    struct slice charset;      /* PART: parameter of its Content-Type, as written */
    uint64_t at;               /* PART_BEGIN: place of its first byte in the mail, as of an ANOMALY */
    uint64_t size;  /* HEADER: place of its first byte in the mail, without stuffed dots. PART: bytes after
                       base64 or quoted-printable decoding, without the line end before a  boundary */
    uint32_t depth; /* PART: 0 is the mail itself. An attached mail has less than what is in it, so that it
                       tells of which open part a BODY is */
    enum heading heading; /* HEADER, ATTACHED_HEADER: what `name` is */
    bool cut; /* HEADER: over a limit or before a gap, value may be its beginning alone. PART: a gap or the
               * end of the input lies in it. PART_BEGIN: a gap in its header block may have held its
               * beginning. BODY: bytes are missing before these, or behind the last ones; `value` is empty */
};
typedef void mime_fn(void *ctx, const struct mime_event *ev); /* slices die on return */

struct mime_limits {
    size_t header_bytes;   /* one field, unfolded */
    size_t headers_bytes;  /* the top header block; what follows is skipped up to the blank line */
    uint32_t depth, parts; /* deeper multiparts are leaves; parts over the count are not reported */
    size_t head_bytes;     /* of WANT_HEAD, at least 1 */
};

struct mime;

/* `lim` and `cs` are borrowed and outlive the parser. */
struct mime *mime_new(const struct mime_limits *lim, struct charsets *cs, mime_fn *fn, void *ctx);
/* Starts over for the next mail; keeps memory. */
void mime_reset(struct mime *m);
/* Events go to `fn` with `ctx` from now on. */
void mime_tell(struct mime *m, mime_fn *fn, void *ctx);
/* After mime_reset: UTF-8 in header fields is nothing odd (RFC 6532). */
void mime_utf8(struct mime *m);
/* Bytes that it takes. */
size_t mime_memory(const struct mime *m);
/* From within the callback: at PART_BEGIN, how much of the part is to be told; at a BODY of it, from then on:
 * from HEAD to ALL at any, the last one too, or no more. Nothing is told where nobody asks. The bytes of a
 * leaf are those that `size` counts: without the line end before a boundary, without blanks at the end of
 * lines of quoted-printable, base64 up to its padding, what is no digit skipped. Those of an attached mail
 * are its text as it came, as a mail program saves it. */
void mime_bodies(struct mime *m, enum mime_want want);
/* Any split of the input gives the same events, and of each part the same bytes, in other pieces. A line ends
 * with LF, CRLF or CR CR LF; a bare CR is part of its line. */
void mime_feed(struct mime *m, struct slice bytes);
/* `len` bytes are missing here, and what is left of their last line is dropped, unless it is a whole boundary
 * line. In headers lines count as fields again only while they look like such; the mail may have gone on into
 * its body. */
void mime_gap(struct mime *m, uint64_t len);
/* The mail is over: a last line without its end still counts, open parts are reported. `whole`: this is its
 * end, not only that of what was seen of it. */
void mime_finish(struct mime *m, bool whole);
/* Parts and header bytes that went over a limit since mime_reset. */
uint64_t mime_overruns(const struct mime *m);
void mime_free(struct mime **m);
/* One line of text, without its end, for an event: what tests compare and --events prints. */
size_t mime_dump(const struct mime_event *ev, char *ret, size_t room);

#endif
