/* One record as JSON. */
#ifndef SINK_JSON_H
#define SINK_JSON_H

#include "base/buf.h"
#include "record/entry.h"
#include "sink/line.h"

/* Adds the record as one JSON object and a line end (RFC 8259): always valid UTF-8, no field without a value.
 */
void json_line(const struct record *rec, struct buf *out);
/* The same into a line under construction. */
void json_record(const struct record *rec, struct line *out);
/* Adds one field as it stands behind others: a comma, its key, its value, which is the one at its offset;
 * nothing where it has none. */
void json_field(const struct field *f, const void *value, struct line *out);
/* Adds its value alone, without key; nothing where it has none. */
void json_value(const struct field *f, const void *value, struct line *out);
/* Adds the fields that a script gave a line of its own, as they stand behind others. */
void json_pairs(const struct entry *entry, struct line *out);
/* A text between quotes, escaped. */
void json_text(struct slice s, struct line *out);

#endif
