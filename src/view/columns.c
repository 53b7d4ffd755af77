/* columns.c: a column per field of a stream.
 * In: tables of fields. Out: tables of columns. Owns: nothing. */
#include "view/columns.h"

#include <assert.h>

static enum column_type type_of(enum field_kind kind)
{
    switch (kind) {
    case FIELD_TIME:
    case FIELD_PORT:
    case FIELD_COUNT:
    case FIELD_SOME_PORT:
    case FIELD_SOME:
    case FIELD_BOOL:
    case FIELD_TRUE:
    case FIELD_MAYBE:
        return COLUMN_INTEGER;
    case FIELD_DOUBLE:
    case FIELD_SPAN:
        return COLUMN_REAL;
    case FIELD_TEXT:
    case FIELD_ADDRESS:
    case FIELD_ANOMALY:
        return COLUMN_TEXT;
    case FIELD_TEXTS:
    case FIELD_ADDRESSES:
    case FIELD_FLAGS:
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_APART:
        return COLUMN_JSON;
    }
    assert(!"a kind without a column");
    return COLUMN_JSON;
}

void columns_of(const struct stream *stream, struct columns *ret)
{
    assert(stream->index != STREAM_ENTRY && stream->count <= COLUMNS_MOST);
    ret->stream = stream;
    ret->count = stream->count;
    for (size_t i = 0; i < stream->count; i++) {
        struct column *c = &ret->items[i];
        size_t len = strlen(stream->fields[i].name);
        assert(len < COLUMN_NAME);
        c->field = &stream->fields[i];
        c->type = type_of(c->field->kind);
        for (size_t at = 0; at <= len; at++)
            c->name[at] = (char)(c->field->name[at] == '.' ? '_' : c->field->name[at]);
    }
}

const char *column_sql_type(const struct column *c)
{
    static const char *const names[] = {
        [COLUMN_INTEGER] = "INTEGER", [COLUMN_REAL] = "REAL", [COLUMN_TEXT] = "TEXT", [COLUMN_JSON] = "TEXT"};
    return names[c->type];
}

const struct column *column_find(const struct columns *cols, struct slice name)
{
    for (size_t i = 0; i < cols->count; i++)
        if (slice_eq(slice_str(cols->items[i].field->name), name))
            return &cols->items[i];
    return NULL;
}
