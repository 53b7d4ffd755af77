/* What is odd in the header fields and the parts of a mail. Each tells by tree_anomaly. */
#ifndef MAIL_ODD_H
#define MAIL_ODD_H

#include "mail/tree.h"

enum { EVIDENCE_MOST = 120 }; /* of a text that is no name */

/* The field at m->field_at. Where its value must be decoded for that, m->decoded has it. */
void odd_field(struct mime *m, const struct mime_field *f);
/* A line that begins with a blank, in a header block. */
void odd_continuation(struct mime *m, struct slice line);
/* A line of a multipart's preamble, which is no boundary. */
void odd_preamble(struct mime *m, struct slice line);
/* The header block of m->part is over. */
void odd_headers(struct mime *m);
/* A multipart's boundary as its parameter has it. */
bool odd_boundary(struct slice boundary);
/* A Content-Type names UTF-7. */
bool odd_charset(struct slice value);

#endif
