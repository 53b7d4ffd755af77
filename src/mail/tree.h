/* The MIME parser's state, shared by mime.c (bytes to lines) and tree.c (lines to fields and parts). */
#ifndef MAIL_TREE_H
#define MAIL_TREE_H

#include "mail/decode.h"
#include "mail/mime.h"
#include "mail/transfer.h"

/* A boundary's line is no longer than this, nor is a field's name: so the beginning of a line that was fed in
 * pieces decides. */
enum { LINE_JUDGED = 1024, LINE_ENDS = 3, NAME_BYTES = 4096 };

enum state { HEADERS, BODY, BETWEEN }; /* BETWEEN: a multipart's preamble or epilogue */

/* What is told of a part's bytes. */
struct body {
    bool told;      /* of its beginning, and so of its end */
    bool raw;       /* they are the input's own */
    uint32_t depth; /* its own */
    enum mime_want want;
    size_t head;   /* WANT_HEAD: bytes left */
    uint64_t from; /* raw: position of its first byte */
    struct decoding decoding;
};

/* What a header block says of its part. */
struct part {
    struct buf type, name, disposition_name, boundary;
    struct buf other, other_boundary; /* what another reader may take for its name, its boundary */
    struct buf raw_name, disposition, encoding, charset; /* as written */
    /* From here on it is 0 at the beginning. */
    heading_set fields; /* of odd.c: which of those that stand once at most it has */
    bool has_type, has_disposition, has_transfer, has_name, has_boundary, boundary_odd, cut;
    bool has_blank, blank_within; /* a line of blanks stands in the block; and within a field */
    bool later_boundary;          /* other_boundary is of a second field */
    enum transfer transfer;
    struct transfer_size size;
    uint64_t begin;                                          /* position of its first byte */
    uint64_t type_at, disposition_at, transfer_at, other_at; /* of these fields */
    uint64_t blank_at;                                       /* of that line */
    anomaly_set odd;                                         /* told of it */
    struct body body;
};

/* An open multipart, or an attached mail around what is open. */
struct frame {
    bool is_mail, digest;
    bool gap;                   /* bytes of it are missing, so its end may be */
    bool begun;                 /* its preamble is over */
    struct buf boundary, other; /* that it goes by; that another reader may go by */
    struct part mail;           /* is_mail: its own part */
};

enum feed {
    FEED_FRESH,  /* at a line's start */
    FEED_GATHER, /* `line` holds its beginning: it must be whole before it can be judged */
    FEED_STREAM, /* its beginning was passed on already */
};

/* What looks like a part in a preamble, so far. */
struct preamble {
    bool has_type, has_text;  /* a Content-Type; an empty line behind it */
    uint64_t type_at, digits; /* of base64, in lines of nothing else */
};

struct mime {
    const struct mime_limits *lim;
    struct charsets *cs;
    mime_fn *fn;
    void *ctx;

    /* lines */
    enum feed feed;
    struct buf line;
    unsigned held_crs;   /* FEED_STREAM: CRs that may belong to the line's end */
    bool lost;           /* a gap lies before: the line's beginning is not known */
    uint64_t pos;        /* bytes seen, gaps included */
    uint64_t line_start; /* position of the line's first byte */
    size_t last_end;     /* length of the last line's end */

    /* tree */
    enum state state;
    struct buf field;     /* the header field so far, unfolded */
    struct buf decoded;   /* the field's value, where it was decoded already */
    bool field_cut;       /* by a limit */
    bool after_gap;       /* HEADERS: the block's end may lie in a gap */
    bool utf8;            /* UTF-8 in header fields was announced */
    uint16_t field_colon; /* in `field` */
    uint64_t field_at;    /* position of the field's first byte */
    uint64_t headers_used;
    struct part part; /* whose headers or body are read */
    struct frame *frames;
    struct preamble preamble; /* where tree_in_preamble */
    struct buf closed;        /* boundary of the multipart that was closed last */
    uint32_t depth, parts, frame_room;
    uint64_t overruns;
    anomaly_set told;
    bool gaps; /* bytes of the mail are missing */

    /* bodies */
    struct part *telling; /* of which the callback now hears */
    uint32_t raw_parts;   /* open ones that want the input's own bytes */
    struct buf held;      /* raw_parts: the last bytes of the input that may belong to a boundary */
    struct buf blanks;    /* decode.h */
};

void part_init(struct part *p);
/* Keeps memory. */
void part_clear(struct part *p);
void part_free(struct part *p);
size_t part_memory(const struct part *p);
/* Takes a field of m->part's header block. */
void part_take_field(struct mime *m, const struct mime_field *f);
/* Takes off blanks at the end, as in a boundary's lines. */
void part_trim_end(struct buf *boundary);

/* Tells of it, the first time; `at`: position of its first byte. */
void tree_anomaly(struct mime *m, enum anomaly which, uint64_t at, struct slice evidence);
/* The same, of m->part in particular: each part has its own. */
void tree_part_anomaly(struct mime *m, enum anomaly which, uint64_t at, struct slice evidence);
/* Does it matter whether a line is a boundary? */
static inline bool tree_has_boundaries(const struct mime *m)
{
    return m->depth || m->closed.len;
}
/* Before the first boundary of the innermost multipart. */
static inline bool tree_in_preamble(const struct mime *m)
{
    return m->state == BETWEEN && m->depth && !m->frames[m->depth - 1].begun;
}
void tree_init(struct mime *m);
void tree_reset(struct mime *m);
void tree_free(struct mime *m);
/* Bytes that it takes beyond struct mime. */
size_t tree_memory(const struct mime *m);
/* A line of a header block, without its end. True: the block ended before it, and it is the body's first
 * line. */
bool tree_header_line(struct mime *m, struct slice line);
/* True: the line was a boundary, and what it ends is reported. */
bool tree_boundary_line(struct mime *m, struct slice line);
/* `begun`: the gap lies in a line that is no continuation. */
void tree_gap(struct mime *m, bool begun);
/* The input is over at m->pos; `whole`: that is the mail's end. */
void tree_finish(struct mime *m, bool whole);

#endif
