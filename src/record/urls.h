/* The URLs of a mail into its record. */
#ifndef RECORD_URLS_H
#define RECORD_URLS_H

#include "mail/url.h"
#include "record/headers.h"

struct spares;

/* Those of one mail so far. Zero is none. */
struct urls {
    uint32_t *slots; /* by their hashes; the place of each in the list, from 1 */
    size_t room;
    uint64_t part;         /* place in files of the part that is read */
    size_t last;           /* the last one of HTML, from 1; 0: none */
    size_t labels;         /* that were compared with what their links lead to */
    bool full, label_told; /* no more are taken; that a link shows another host was told */
    struct buf ascii, unicode, inner;
};

/* For the next mail. */
void urls_reset(struct urls *u);
void urls_free(struct urls *u);
/* What a scanner tells. `at`: place of the part's first byte in the mail. */
void urls_take(struct urls *u, struct draft *d, struct spares *with, const struct url_event *ev, uint64_t at);

#endif
