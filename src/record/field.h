/* The tables of the records' fields. All output formats, the schema and the docs come from them. */
#ifndef RECORD_FIELD_H
#define RECORD_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

enum field_kind {
    FIELD_TIME,      /* struct timespec */
    FIELD_DOUBLE,    /* double */
    FIELD_PORT,      /* uint16_t */
    FIELD_COUNT,     /* uint64_t */
    FIELD_SOME_PORT, /* uint16_t; absent where it is 0 */
    FIELD_SOME,      /* uint64_t; absent where it is 0 */
    FIELD_BOOL,      /* bool */
    FIELD_TRUE,      /* bool; absent where it is false */
    FIELD_MAYBE,     /* enum maybe; absent where it is not known */
    FIELD_SPAN,      /* struct interval; absent where it is not known */
    /* From here on it is no number. */
    FIELD_ADDRESS, /* struct address; absent where it has no family */
    FIELD_ANOMALY, /* enum anomaly: its name */
    FIELD_FLAGS,   /* struct flags */
    /* From here on there is something inside of it. */
    FIELD_OBJECT, /* fields of their own, see `of`; absent where all of them are */
    /* From here on it begins with a pointer; where that is NULL the field is absent, and all of it is zero.
     */
    FIELD_TEXT,      /* struct slice */
    FIELD_TEXTS,     /* struct text_list */
    FIELD_ADDRESSES, /* struct address_list */
    FIELD_LIST,      /* struct object_list of objects */
    FIELD_APART,     /* pointer to an object, or NULL: what few mails have takes no room in the others */
};

enum maybe { MAYBE, MAYBE_NO, MAYBE_YES };

struct interval {
    double seconds;
    bool known;
};

struct shape;

enum { FIELD_KEY = 32 }; /* the longest key; with one copy of so many bytes none is looked at */

struct field {
    const char *name;
    struct slice key; /* as JSON has it behind another field, FIELD_KEY bytes readable; none without JSON */
    size_t offset;    /* of the value in the record's body, or in the object */
    const char *doc;
    enum field_kind kind;
    const struct shape *of; /* of OBJECT, LIST and APART */
};

/* What an object has in it. */
struct shape {
    size_t size;
    const struct field *fields;
    size_t count;
};

/* Any list of objects has this form, with items of its own type. */
struct object_list {
    const void *items;
    size_t len, room;
};

/* What a field of TEXT or behind it begins with: of kind APART its object. */
static inline const void *field_pointer(const void *value)
{
    const void *pointer;
    memcpy(&pointer, value, sizeof pointer);
    return pointer;
}
/* A field without a value is left out; `value` is the one at its offset. Of an object: nothing in it has one.
 */
bool field_is_absent(const struct field *f, const void *value);

enum stream_index {
    STREAM_SMTP,
    STREAM_SESSION,
    STREAM_NOTICE,
    STREAM_SOFTWARE,
    STREAM_STATS,
    STREAM_ENTRY,
    STREAMS
};

struct stream {
    enum stream_index index;
    const char *path; /* "_path" in JSON, the log file's name */
    const char *doc;
    size_t size; /* of its records' bodies */
    const struct field *fields;
    size_t count;
};

/* The members of struct flags, by name, for who prints them. */
struct flag {
    const char *name;
    size_t offset;
    bool of_session; /* a session may have it too */
    const char *doc;
};

enum flag_index {
#define FLAG(name, of_session, doc) FLAG_##name,
#include "record/fields.def"
#undef FLAG
    FLAG_COUNT
};
extern const struct flag flag_table[FLAG_COUNT];

#endif
