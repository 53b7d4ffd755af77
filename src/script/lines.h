/* The text of a message to lines, however it comes in pieces. */
#ifndef SCRIPT_LINES_H
#define SCRIPT_LINES_H

#include "base/buf.h"

/* Of one session. */
struct lines {
    struct buf line; /* the beginning of a line that goes on in the next piece */
    size_t most;     /* bytes of a line */
    bool body;       /* the empty line behind the header was seen */
    bool skip;       /* the rest of a line that a gap broke */
};

/* Goes over the lines that a piece completes; a copy of it goes over them again. */
struct lines_reader {
    const struct lines *of;
    struct slice first, rest;
    bool has_first, body;
};

/* `most`: what is longer is cut. */
void lines_init(struct lines *l, size_t most);
void lines_free(struct lines *l);
/* `unseen`: the beginning was not seen; then the first line is a piece, and header and body cannot be told
 * apart: all is called body. */
void lines_begin(struct lines *l, bool unseen);
/* The lines that `piece` completes; it and the reader live until lines_took. */
struct lines_reader lines_feed(struct lines *l, struct slice piece);
static inline bool lines_has(const struct lines_reader *r)
{
    return r->has_first || slice_index(r->rest, '\n') < r->rest.len;
}
/* The next line, without its end. False: there is none. */
bool lines_next(struct lines_reader *r, struct slice *ret, bool *ret_body);
/* Keeps what is left of the piece. */
void lines_took(struct lines *l, const struct lines_reader *end);
void lines_gap(struct lines *l);
/* The message is over: the reader has the line that had no end, if any. lines_took() follows. */
struct lines_reader lines_end(struct lines *l);

#endif
