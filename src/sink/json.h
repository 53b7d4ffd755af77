/* One record as JSON. */
#ifndef SINK_JSON_H
#define SINK_JSON_H

#include "base/buf.h"
#include "record/record.h"

/* Adds the record as one JSON object and a line end (RFC 8259): always valid UTF-8, no field without a value.
 */
void json_line(const struct record *rec, struct buf *out);

#endif
