/* reader_row.c: rows of a question, and what they look like.
 * In: rows of SQL. Out: values, lines of JSON, cells of CSV. Owns: the line at hand. */
#include <assert.h>
#include <stdlib.h>
#include "store/row.h"
#include "store/walk.h"

struct reader_row {
    sqlite3_stmt *stmt;
    uint64_t id;
    const struct columns *columns; /* NULL: of a script's stream */
    int at[COLUMNS_MOST];          /* column of the statement, by field; 0: not asked for */
    const size_t *fields;          /* those asked for; NULL: all */
    size_t count;
    struct line line;
};

struct finding {
    struct reader_row row;
    reader_take_fn *take;
    void *ctx;
};

static size_t field_at(const struct reader_row *row, size_t i)
{
    return row->fields ? row->fields[i] : i;
}

uint64_t reader_row_id(const struct reader_row *row)
{
    return row->id;
}

static struct slice text_at(const struct reader_row *row, int at)
{
    const uint8_t *text = sqlite3_column_text(row->stmt, at);
    return (struct slice){text, text ? (size_t)sqlite3_column_bytes(row->stmt, at) : 0};
}

struct reader_value reader_row_value(const struct reader_row *row, size_t field)
{
    int at = row->columns && field < row->columns->count ? row->at[field] : 0;
    struct reader_value v = {READER_ABSENT, 0, 0, {NULL, 0}};
    switch (at ? sqlite3_column_type(row->stmt, at) : SQLITE_NULL) {
    case SQLITE_INTEGER:
        v.kind = READER_INTEGER;
        v.integer = sqlite3_column_int64(row->stmt, at);
        break;
    case SQLITE_FLOAT:
        v.kind = READER_REAL;
        v.real = sqlite3_column_double(row->stmt, at);
        break;
    case SQLITE_TEXT:
    case SQLITE_BLOB:
        v.kind = READER_TEXT;
        v.text = text_at(row, at);
        break;
    }
    return v;
}

static bool is_there(const struct reader_row *row, size_t field)
{
    return row->at[field] && sqlite3_column_type(row->stmt, row->at[field]) != SQLITE_NULL;
}

/* The scratch line is no part of what a row is for its reader. */
static struct line *scratch(const struct reader_row *row)
{
    struct line *line = &((struct reader_row *)row)->line;
    line_clear(line);
    return line;
}

void reader_row_line(const struct reader_row *row, struct buf *out)
{
    struct line *line = scratch(row);
    if (!row->columns) {
        buf_add(out, text_at(row, 1));
        buf_add_byte(out, '\n');
        return;
    }
    line_printf(line, "{\"_path\":\"%s\"", row->columns->stream->path);
    for (size_t i = 0; i < row->count; i++) {
        size_t field = field_at(row, i);
        if (!is_there(row, field))
            continue;
        line_add(line, row->columns->items[field].field->key);
        row_value_json(row->stmt, row->at[field], &row->columns->items[field], line);
    }
    line_str(line, "}\n");
    buf_add(out, line_slice(line));
}

bool reader_row_json(const struct reader_row *row, size_t field, struct buf *out)
{
    struct line *line = scratch(row);
    if (!row->columns || field >= row->columns->count || !is_there(row, field))
        return false;
    row_value_json(row->stmt, row->at[field], &row->columns->items[field], line);
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
    const struct column *c = row->columns && field < row->columns->count ? &row->columns->items[field] : NULL;
    if (!c || !is_there(row, field))
        return;
    if (c->type == COLUMN_TEXT) {
        add_cell(text_at(row, row->at[field]), true, out);
        return;
    }
    struct line *line = scratch(row);
    row_value_json(row->stmt, row->at[field], c, line);
    add_cell(line_slice(line), false, out);
}

/* What is no JSON where JSON should be, of a file that somebody else made, is a text as any other. */
static void select_column(const struct column *c, struct line *out)
{
    if (c->type == COLUMN_JSON)
        line_printf(out,
                    ", CASE WHEN r.\"%s\" IS NULL OR json_valid(r.\"%s\") THEN r.\"%s\" ELSE "
                    "json_quote(CAST(r.\"%s\" AS TEXT)) END",
                    c->name, c->name, c->name, c->name);
    else
        line_printf(out, ", r.\"%s\"", c->name);
}

static void select_fields(void *ctx, const struct ask_table *table, struct line *out)
{
    struct finding *f = ctx;
    if (!table->columns) {
        line_str(out, ", r.record");
        return;
    }
    for (size_t i = 0; i < f->row.count; i++) {
        size_t field = field_at(&f->row, i);
        if (table->present && !table->present[field])
            line_str(out, ", NULL");
        else
            select_column(&table->columns->items[field], out);
    }
}

static int take_row(void *ctx, sqlite3_stmt *stmt, uint64_t id)
{
    struct finding *f = ctx;
    f->row.stmt = stmt;
    f->row.id = id;
    return f->take(f->ctx, &f->row);
}

int reader_find(struct reader *r, const struct reader_question *question, reader_take_fn *take, void *ctx,
                struct reader_result *ret, struct error *reterr)
{
    struct finding f = {.take = take, .ctx = ctx};
    const struct walk walk = {question, false, select_fields, take_row, &f};
    f.row.columns = volumes_columns(r->volumes, question->stream);
    f.row.fields = question->fields;
    f.row.count = question->fields ? question->field_count : f.row.columns ? f.row.columns->count : 0;
    for (size_t i = 0; i < f.row.count; i++) {
        assert(field_at(&f.row, i) < f.row.columns->count);
        f.row.at[field_at(&f.row, i)] = (int)i + 1;
    }
    int err = walk_run(r, &walk, ret, reterr);
    line_free(&f.row.line);
    return err;
}
