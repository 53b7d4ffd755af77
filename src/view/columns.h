/* The columns of the store's tables, made out of the tables of fields. */
#ifndef VIEW_COLUMNS_H
#define VIEW_COLUMNS_H

#include "record/field.h"
#include "record/record.h"

enum column_type {
    COLUMN_INTEGER,
    COLUMN_REAL,
    COLUMN_TEXT,
    COLUMN_JSON /* text, as the json sink prints the value */
};

enum { COLUMN_NAME = 40, COLUMNS_MOST = 96 };

struct column {
    const struct field *field;
    char name[COLUMN_NAME]; /* the field's, with _ for its dots; SQL wants it in double quotes */
    enum column_type type;
};

/* The table of a stream, by its path. Before these columns stands `id`, its key. */
struct columns {
    const struct stream *stream;
    size_t count;
    struct column items[COLUMNS_MOST];
};

/* All of a stream that has fields of its own: of every one but STREAM_ENTRY. */
void columns_of(const struct stream *stream, struct columns *ret);
/* "INTEGER", "REAL" or "TEXT", as STRICT tables have them. */
const char *column_sql_type(const struct column *c);
/* The column that a field of that name lives in, or NULL. */
const struct column *column_find(const struct columns *cols, struct slice name);

#endif
