/* JSON, value by value, into an answer: commas come by themselves. Always valid UTF-8; what could steer a
 * terminal or mean something in HTML is escaped. For somebody who is not to see persons, whatever looks like
 * an address loses its local part, in every text. */
#ifndef WEB_SAY_H
#define WEB_SAY_H

#include "web/answer.h"

void say_object(struct answer *a);
void say_list(struct answer *a);
/* Ends the innermost one. */
void say_end(struct answer *a);
/* The name of the next value; a literal or one of ours. */
void say_key(struct answer *a, const char *name);
void say_text(struct answer *a, struct slice text);
void say_str(struct answer *a, const char *text); /* NULL: null */
void say_count(struct answer *a, uint64_t v);
void say_number(struct answer *a, double v);  /* null where it is not finite */
void say_seconds(struct answer *a, double v); /* six digits behind the point, as in records */
void say_id(struct answer *a, uint64_t id);   /* as a text, as not all readers keep 64 bits of a number */
void say_flag(struct answer *a, bool v);
void say_null(struct answer *a);
/* A value that is JSON already, one of the store's; of `field` of a record of `stream` (both NULL: no
 * record's), which decides what is redacted. */
void say_raw(struct answer *a, const char *stream, const char *field, struct slice json);
/* A whole record, as the json sink prints it; with {"id":"..." at its front where id is not 0. */
void say_record(struct answer *a, const char *stream, uint64_t id, struct slice line);

/* Adds the value of say_raw as somebody may see it to whom persons are not shown; `null` where it is no
 * JSON. */
void say_redacted(struct answer *a, const char *stream, const char *field, struct slice json,
                  struct buf *out);
/* Adds a text with its quotes to `out`. */
void say_quote(struct buf *out, struct slice text);

#endif
