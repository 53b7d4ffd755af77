/* row.c: rows as lines of JSON and cells of CSV.
 * In: values of fields, as any store gives them. Out: text. Owns: the line at hand. */
#include "view/row.h"

#include <math.h>
#include "base/utf8.h"
#include "sink/json.h"
#include "view/kind.h"

enum { MICROSECONDS = 1000000, NANOSECONDS = 1000 /* in one */ };

uint64_t reader_row_id(const struct reader_row *row)
{
    return row->id;
}

int64_t reader_row_micros(const struct reader_row *row)
{
    return row->micros;
}

size_t reader_row_field(const struct reader_row *row, size_t i)
{
    return row->fields ? row->fields[i] : i;
}

struct reader_value reader_row_value(const struct reader_row *row, size_t field)
{
    if (!row->columns || field >= row->columns->count)
        return (struct reader_value){.kind = READER_ABSENT};
    return row->value(row, field);
}

/* The scratch line is no part of what a row is for its reader. */
static struct line *scratch(const struct reader_row *row)
{
    struct line *line = &((struct reader_row *)row)->line;
    line_clear(line);
    return line;
}

static void add_integer(int64_t v, enum field_kind kind, struct line *out)
{
    if (kind == FIELD_TIME) {
        struct timespec t = {v / MICROSECONDS, v % MICROSECONDS * NANOSECONDS};
        line_time(out, t);
    } else if (kind == FIELD_BOOL || kind == FIELD_TRUE || kind == FIELD_MAYBE) {
        line_str(out, v ? "true" : "false");
    } else {
        line_number(out, (uint64_t)v);
    }
}

/* Of a file that somebody else made. JSON has no control characters but blanks, which would end a line. */
static bool is_sound(struct slice json)
{
    bool plain = utf8_is_valid(json);
    for (size_t i = 0; i < json.len && plain; i++)
        plain = json.data[i] >= ' ';
    return plain;
}

void row_value_json(const struct column *c, const struct reader_value *v, struct line *out)
{
    if (v->kind == READER_ABSENT || (v->kind == READER_REAL && !isfinite(v->real)))
        line_str(out, "null");
    else if (v->kind == READER_INTEGER)
        add_integer(v->integer, c->field->kind, out);
    else if (v->kind == READER_REAL)
        line_seconds(out, v->real);
    else if (c->type == COLUMN_JSON && is_sound(v->text))
        line_add(out, v->text);
    else
        json_text(v->text, out);
}

void reader_row_line(const struct reader_row *row, struct buf *out)
{
    struct line *line = scratch(row);
    if (!row->columns) {
        buf_add(out, row->whole);
        buf_add_byte(out, '\n');
        return;
    }
    line_printf(line, "{\"_path\":\"%s\"", row->columns->stream->path);
    for (size_t i = 0; i < row->count; i++) {
        const struct column *c = &row->columns->items[reader_row_field(row, i)];
        struct reader_value v = row->value(row, reader_row_field(row, i));
        if (v.kind == READER_ABSENT)
            continue;
        line_add(line, c->field->key);
        row_value_json(c, &v, line);
    }
    line_str(line, "}\n");
    buf_add(out, line_slice(line));
}

bool reader_row_json(const struct reader_row *row, size_t field, struct buf *out)
{
    struct line *line = scratch(row);
    struct reader_value v = reader_row_value(row, field);
    if (v.kind == READER_ABSENT)
        return false;
    row_value_json(&row->columns->items[field], &v, line);
    buf_add(out, line_slice(line));
    return true;
}

static void add_cell(struct slice text, bool may_be_formula, struct buf *out)
{
    bool quoted = false;
    bool formula = may_be_formula && text.len && memchr("=+-@\t\r", text.data[0], 6);
    for (size_t i = 0; i < text.len && !quoted; i++)
        quoted = memchr("\",\r\n", text.data[i], 4) != NULL;
    buf_add_str(out, quoted ? "\"" : "");
    buf_add_str(out, formula ? "'" : "");
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            buf_add_byte(out, '"');
        buf_add_byte(out, text.data[i]);
    }
    buf_add_str(out, quoted ? "\"" : "");
}

void reader_row_csv(const struct reader_row *row, size_t field, struct buf *out)
{
    struct reader_value v = reader_row_value(row, field);
    if (v.kind == READER_ABSENT)
        return;
    const struct column *c = &row->columns->items[field];
    if (c->type == COLUMN_TEXT && v.kind == READER_TEXT) {
        add_cell(v.text, true, out);
        return;
    }
    struct line *line = scratch(row);
    row_value_json(c, &v, line);
    add_cell(line_slice(line), false, out);
}
