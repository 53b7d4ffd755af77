/* The text of a mail out of notices. A notice in an email spool is its subject, LF, its text. */
#ifndef COURIER_COMPOSE_H
#define COURIER_COMPOSE_H

#include "base/buf.h"
#include "courier/spool.h"

struct compose_head {
    const char *from;
    const char *const *to;
    size_t to_count;
    const char *message_id; /* with its brackets */
    int64_t time;           /* seconds of the epoch */
    const char *eol;        /* CRLF on the wire, LF for a sendmail program */
};

/* What COMPOSE_BYTES and COMPOSE_NOTICES let into one mail, at least one notice: how many of the queue's
 * first items. */
size_t compose_fits(const struct spool_item *first);
/* Replaces *ret, which the caller frees, by a mail with the first `count` items: with the notice's subject
 * for one, with their number for more. No line is over 998 bytes, whatever is in them, none ends otherwise
 * than in `eol`, and the header is ASCII. */
void compose(struct buf *ret, const struct compose_head *head, const struct spool_item *first, size_t count);

#endif
