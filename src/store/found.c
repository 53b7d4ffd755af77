/* found.c: the rows that a question finds.
 * In: rows of SQL. Out: values. Owns: the row at hand. */
#include <assert.h>
#include <stdlib.h>
#include "store/row.h"
#include "store/walk.h"

/* A row of any kind, and where SQL has its fields. */
struct sql_row {
    struct reader_row row;
    sqlite3_stmt *stmt;
    int at[COLUMNS_MOST]; /* column of the statement, by field; 0: not asked for */
};

struct finding {
    struct sql_row row;
    reader_take_fn *take;
    void *ctx;
};

static struct reader_value value_of(const struct reader_row *r, size_t field)
{
    const struct sql_row *row = (const struct sql_row *)r;
    int at = row->at[field];
    return at ? row_value(row->stmt, at) : (struct reader_value){.kind = READER_ABSENT};
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
    for (size_t i = 0; i < f->row.row.count; i++) {
        size_t field = reader_row_field(&f->row.row, i);
        if (table->present && !table->present[field])
            line_str(out, ", NULL");
        else
            select_column(&table->columns->items[field], out);
    }
}

static int take_row(void *ctx, sqlite3_stmt *stmt, uint64_t id)
{
    struct finding *f = ctx;
    struct reader_row *row = &f->row.row;
    f->row.stmt = stmt;
    row->id = id;
    row->micros = (int64_t)id;
    if (!row->columns)
        row->whole = row_value(stmt, 1).text;
    return f->take(f->ctx, row);
}

int folder_find(struct reader *r, const struct reader_question *question, reader_take_fn *take, void *ctx,
                struct reader_result *ret, struct error *reterr)
{
    struct finding f = {.row.row.value = value_of, .take = take, .ctx = ctx};
    const struct walk walk = {question, false, select_fields, take_row, &f};
    struct reader_row *row = &f.row.row;
    row->columns = volumes_columns(folder_of(r)->volumes, question->stream);
    row->fields = question->fields;
    row->count = question->fields ? question->field_count : row->columns ? row->columns->count : 0;
    for (size_t i = 0; i < row->count; i++) {
        assert(reader_row_field(row, i) < row->columns->count);
        f.row.at[reader_row_field(row, i)] = (int)i + 1;
    }
    int err = walk_run(folder_of(r), &walk, ret, reterr);
    line_free(&row->line);
    return err;
}
