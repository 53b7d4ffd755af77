/* The parts of a URL, for url.c and url_unwrap.c. */
#ifndef MAIL_URL_PARTS_H
#define MAIL_URL_PARTS_H

#include "base/buf.h"

struct url_parts {
    struct slice host;        /* as written, without user and port */
    struct slice rest;        /* behind it, all of it */
    struct slice path, query; /* of that; without '?' and fragment */
};

/* Views of the URL; what it lacks is empty. */
struct url_parts url_parts(struct slice url);
/* What stands behind the last `c`; all of it where there is none. */
struct slice url_behind_last(struct slice text, uint8_t c);
/* Adds `text` with its percent signs decoded; those before no two digits stay. */
void url_percent(struct slice text, struct buf *out);

#endif
