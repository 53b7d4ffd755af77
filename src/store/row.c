/* row.c: values of fields as values of columns.
 * In: bodies of records. Out: bound statements. Owns: nothing.
 * Knowingly: a count above 2^63 is kept as that. */
#include "store/row.h"

#include <assert.h>
#include <math.h>
#include "record/absent.h"
#include "sink/json.h"

enum { MICROSECONDS = 1000000, NANOSECONDS = 1000 /* in one */ };

static void add_names(const struct columns *cols, struct line *out)
{
    line_str(out, "id");
    for (size_t i = 0; i < cols->count; i++)
        line_printf(out, ", \"%s\"", cols->items[i].name);
}

void row_insert_sql(const struct columns *cols, struct line *ret)
{
    line_printf(ret, "INSERT INTO %s(", cols->stream->path);
    add_names(cols, ret);
    line_str(ret, ") VALUES(?");
    for (size_t i = 0; i < cols->count; i++)
        line_str(ret, ", ?");
    line_byte(ret, ')');
    line_byte(ret, '\0');
}

static int64_t within(uint64_t v)
{
    return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static void bind_integer(sqlite3_stmt *stmt, int at, enum field_kind kind, const void *value)
{
    const struct timespec *t = value;
    int64_t v;
    switch ((int)kind) {
    case FIELD_TIME:
        v = (int64_t)t->tv_sec * MICROSECONDS + t->tv_nsec / NANOSECONDS;
        break;
    case FIELD_PORT:
    case FIELD_SOME_PORT:
        v = *(const uint16_t *)value;
        break;
    case FIELD_BOOL:
    case FIELD_TRUE:
        v = *(const bool *)value;
        break;
    case FIELD_MAYBE:
        v = *(const enum maybe *)value == MAYBE_YES;
        break;
    default:
        v = within(*(const uint64_t *)value);
    }
    sqlite3_bind_int64(stmt, at, v);
}

static void bind_real(sqlite3_stmt *stmt, int at, enum field_kind kind, const void *value)
{
    double v = kind == FIELD_SPAN ? ((const struct interval *)value)->seconds : *(const double *)value;
    sqlite3_bind_double(stmt, at, isfinite(v) ? v : 0.0); /* NaN would be NULL */
}

/* The texts that have to be made stand one behind the other in `scratch`, so that it may move while they
 * grow; returns where this one ends. */
static size_t make_text(const struct column *c, const void *value, struct line *scratch)
{
    if (c->type == COLUMN_JSON) {
        size_t at = scratch->len;
        json_field(c->field, value, scratch);
        size_t len = scratch->len - at > c->field->key.len ? scratch->len - at - c->field->key.len : 0;
        if (len)
            memmove(scratch->data + at, scratch->data + at + c->field->key.len, len);
        scratch->len = at + len;
    } else if (c->field->kind == FIELD_ADDRESS) {
        line_address(scratch, value);
    } else if (c->field->kind == FIELD_ANOMALY) {
        line_str(scratch, anomaly_name(*(const enum anomaly *)value));
    }
    return scratch->len;
}

static void bind_text(sqlite3_stmt *stmt, int at, const void *data, size_t len)
{
    sqlite3_bind_text64(stmt, at, len ? data : "", len, SQLITE_STATIC, SQLITE_UTF8);
}

void row_bind(sqlite3_stmt *stmt, const struct columns *cols, int64_t id, const void *body,
              struct line *scratch)
{
    size_t ends[COLUMNS_MOST], from = 0;
    line_clear(scratch);
    for (size_t i = 0; i < cols->count; i++) {
        const struct column *c = &cols->items[i];
        ends[i] = make_text(c, (const char *)body + c->field->offset, scratch);
    }
    sqlite3_bind_int64(stmt, 1, id);
    for (size_t i = 0; i < cols->count; from = ends[i++]) {
        const struct column *c = &cols->items[i];
        const void *value = (const char *)body + c->field->offset;
        int at = (int)i + 2;
        if (ends[i] > from)
            bind_text(stmt, at, scratch->data + from, ends[i] - from);
        else if (c->type == COLUMN_JSON || value_is_absent(c->field->kind, value))
            sqlite3_bind_null(stmt, at);
        else if (c->type == COLUMN_INTEGER)
            bind_integer(stmt, at, c->field->kind, value);
        else if (c->type == COLUMN_REAL)
            bind_real(stmt, at, c->field->kind, value);
        else
            bind_text(stmt, at, ((const struct slice *)value)->data, ((const struct slice *)value)->len);
    }
}

struct reader_value row_value(sqlite3_stmt *stmt, int at)
{
    struct reader_value v = {READER_ABSENT, 0, 0, {NULL, 0}};
    switch (sqlite3_column_type(stmt, at)) {
    case SQLITE_INTEGER:
        v.kind = READER_INTEGER;
        v.integer = sqlite3_column_int64(stmt, at);
        break;
    case SQLITE_FLOAT:
        v.kind = READER_REAL;
        v.real = sqlite3_column_double(stmt, at);
        break;
    case SQLITE_TEXT:
    case SQLITE_BLOB:
        v.kind = READER_TEXT;
        v.text.data = sqlite3_column_text(stmt, at);
        v.text.len = (size_t)sqlite3_column_bytes(stmt, at);
        break;
    }
    return v;
}
