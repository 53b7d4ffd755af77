/* The parts of a mail as files of its record. */
#ifndef RECORD_PARTS_H
#define RECORD_PARTS_H

#include "record/headers.h"

struct spares;

/* The open parts of one mail. */
struct parts;
struct parts *parts_new(void);
void parts_free(struct parts **p);
/* For the next mail; keeps what usual mails need. */
void parts_reset(struct parts *p);
/* PART_BEGIN, BODY, ATTACHED_HEADER and PART of the mail that `d` is of, from within the events of `m`. */
void parts_mime(struct parts *p, struct draft *d, struct spares *with, struct mime *m,
                const struct mime_event *ev);
/* Bytes of what is open may be missing that the MIME parser knows nothing of: it has no hashes, and is not
 * kept. */
void parts_lack(struct parts *p);

#endif
