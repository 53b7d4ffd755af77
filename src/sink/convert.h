/* Values of ours as values of another shape. */
#ifndef SINK_CONVERT_H
#define SINK_CONVERT_H

#include "record/record.h"
#include "sink/line.h"

enum conversion {
#define CONVERSION(name, whole, doc) TO_##name,
#include "sink/convert.def"
#undef CONVERSION
    CONVERSIONS
};

/* A value of a record: one item of its list where it stands in one. */
struct datum {
    enum field_kind kind;
    const void *value;
    const struct field *field; /* the one that it was found in */
};

/* Does it keep all that the value says? */
bool conversion_is_whole(enum conversion how);
/* Such a value stands beside others only. */
bool conversion_is_label(enum conversion how);
/* Adds one JSON value, always valid UTF-8. `with`: see convert.def, or NULL. False: there is none; then what
 * was added has to be taken back. Linear in the value. Not for REST. */
bool convert_value(enum conversion how, const char *with, const struct record *rec, const struct datum *d,
                   struct line *out);
/* The same of the record as a whole. */
bool convert_record(enum conversion how, const char *with, const struct record *rec, struct line *out);
/* Whose connection the record is about; NULL: of no single one. */
const struct connection *convert_connection(const struct record *rec);

#endif
