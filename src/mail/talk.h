/* What the two ends of a connection said, in order, kept until it is known what it is: then it is told again.
 */
#ifndef MAIL_TALK_H
#define MAIL_TALK_H

#include <time.h>
#include "base/slice.h"

struct talk;

enum { TALK_APART = 256 };

struct talk_piece {
    int end;            /* 0 or 1: who said it */
    uint64_t gap;       /* bytes missing; 0: these are here: */
    size_t from;        /* its place in what this end said */
    struct slice bytes; /* as long as nothing is added */
    struct timespec ts;
};

/* `most`: bytes of each end. The caller owns it. */
struct talk *talk_new(size_t most);
/* Returns how many of `bytes` found room. The rest of a line belongs to its beginning, in time too; after
 * TALK_APART pieces so does what else the same end says on. */
size_t talk_add(struct talk *t, int end, struct timespec ts, struct slice bytes);
void talk_gap(struct talk *t, int end, struct timespec ts, uint64_t len);
/* All that this end said; as long as nothing is added. */
struct slice talk_said(const struct talk *t, int end);
/* True where some of what it said is missing. */
bool talk_has_gap(const struct talk *t, int end);
size_t talk_count(const struct talk *t);
/* `i` is less than talk_count. */
struct talk_piece talk_piece(const struct talk *t, size_t i);
/* Empties it; what memory it has for usual talks stays. */
void talk_clear(struct talk *t);
void talk_free(struct talk **t);

#endif
