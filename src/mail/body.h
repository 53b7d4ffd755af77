/* The bytes of open parts, for who asked for them: shared by mime.c (which has the input) and tree.c (which
 * knows the parts). */
#ifndef MAIL_BODY_H
#define MAIL_BODY_H

#include "mail/tree.h"

void body_init(struct mime *m);
void body_reset(struct mime *m);
/* Tells of `p` by `ev`; what is wanted of it is known then. */
void body_begin(struct mime *m, struct part *p, const struct mime_event *ev);
/* The leaf m->part is over: what its decoding kept is told. */
void body_leaf_over(struct mime *m);
/* `p` is over. */
void body_end(struct mime *m, struct part *p);
/* Text of m->part, which is encoded: as transfer_count takes it. */
void body_text_of(struct mime *m, struct slice text, size_t end);
/* What transfer_count_digits takes, and as much of it as is such where it is not all: counts and tells it by
 * one look. How many bytes; 0 where that is not for it, and nothing was counted. */
size_t body_digits_of(struct mime *m, struct slice text);
/* Whole lines of it. */
void body_lines_of(struct mime *m, struct slice lines);
/* The input's next bytes, after the parser took them; as long as m->raw_parts. */
void body_raw(struct mime *m, struct slice bytes);
/* Bytes are missing behind those before. */
void body_gap(struct mime *m);
/* The input is over. */
void body_finish(struct mime *m, bool whole);

#endif
