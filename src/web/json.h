/* JSON, value by value, into an answer: commas come by themselves. Always valid UTF-8; what could steer a
 * terminal or mean something in HTML is escaped. For somebody who is not to see persons, whatever looks like
 * an address loses its local part, in every text. */
#ifndef WEB_JSON_H
#define WEB_JSON_H

#include "web/answer.h"

void json_object(struct answer *a);
void json_list(struct answer *a);
/* Ends the innermost one. */
void json_end(struct answer *a);
/* The name of the next value; a literal or one of ours. */
void json_key(struct answer *a, const char *name);
void json_text(struct answer *a, struct slice text);
void json_str(struct answer *a, const char *text); /* NULL: null */
void json_count(struct answer *a, uint64_t v);
void json_number(struct answer *a, double v);  /* null where it is not finite */
void json_seconds(struct answer *a, double v); /* six digits behind the point, as in records */
void json_id(struct answer *a, uint64_t id);   /* as a text, as not all readers keep 64 bits of a number */
void json_flag(struct answer *a, bool v);
void json_null(struct answer *a);
/* A value that is JSON already, one of the store's; of `field` of a record of `stream` (both NULL: no
 * record's), which decides what is redacted. */
void json_raw(struct answer *a, const char *stream, const char *field, struct slice json);
/* A whole record, as the json sink prints it; with {"id":"..." at its front where id is not 0. */
void json_record(struct answer *a, const char *stream, uint64_t id, struct slice line);

/* Adds a text with its quotes to `out`. */
void json_quote(struct buf *out, struct slice text);

#endif
