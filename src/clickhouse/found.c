/* found.c: the rows that a question finds, as values of fields.
 * In: columns of rows. Out: values. Owns: the row at hand. Knowingly: a column that stands for no value is
 * told from one that is empty by the column `empties`; what is no JSON where JSON should be, of a server that
 * somebody else filled, is a text as any other. Spec: schema.c. */
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"
#include "clickhouse/scan.h"
#include "clickhouse/walk.h"
#include "clickhouse/table.h"
#include "record/record.h"
#include "sink/json.h"

enum { WHOLE = COLUMNS_MOST };

/* A row of any kind, and where it has its fields. */
struct found_row {
    struct reader_row row;
    struct reader_value values[COLUMNS_MOST]; /* by field */
    struct line texts;                        /* JSON that had to be made */
};

struct finding {
    struct found_row row;
    reader_take_fn *take;
    void *ctx;
    size_t columns;
    size_t field_of[CHWALK_COLUMNS]; /* of each column; WHOLE: the line of a script */
    bool has_empties;                /* it is the first column */
};

static struct reader_value value_of(const struct reader_row *r, size_t field)
{
    return ((const struct found_row *)r)->values[field];
}

static enum binary_kind kind_of(enum field_kind kind)
{
    switch (kind) {
    case FIELD_TEXTS:
    case FIELD_ADDRESSES:
    case FIELD_FLAGS:
        return BINARY_TEXTS;
    case FIELD_TEXT:
    case FIELD_ADDRESS:
    case FIELD_ANOMALY:
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_APART:
        return BINARY_TEXT;
    case FIELD_DOUBLE:
    case FIELD_SPAN:
        return BINARY_F64;
    case FIELD_TIME:
    case FIELD_PORT:
    case FIELD_COUNT:
    case FIELD_SOME_PORT:
    case FIELD_SOME:
    case FIELD_BOOL:
    case FIELD_TRUE:
    case FIELD_MAYBE:
        break;
    }
    return BINARY_U64;
}

/* Whatever its column's type is in this server, what comes is of that kind. */
static void add_column(const char *name, enum binary_kind kind, struct line *out)
{
    static const char *const calls[] = {[BINARY_U64] = "toUInt64",
                                        [BINARY_F64] = "toFloat64",
                                        [BINARY_TEXT] = "toString",
                                        [BINARY_TEXTS] = "",
                                        [BINARY_REALS] = ""};
    line_printf(out, ", %s(`%s`)", calls[kind], name);
}

static size_t select_fields(void *ctx, const struct chask *ask, struct line *out, enum binary_kind *kinds)
{
    struct finding *f = ctx;
    const struct columns *cols = f->row.row.columns;
    f->columns = 0;
    f->has_empties = tables_column(ask->tables, ask->stream, slice_str("empties")) != NULL;
    if (!cols) {
        line_str(out, ", toString(record)");
        kinds[0] = BINARY_TEXT;
        f->has_empties = false;
        f->field_of[f->columns++] = WHOLE;
        return f->columns;
    }
    if (f->has_empties) {
        line_str(out, ", empties");
        kinds[f->columns++] = BINARY_TEXTS;
    }
    for (size_t i = 0; i < f->row.row.count; i++) {
        size_t field = reader_row_field(&f->row.row, i);
        const struct column *c = &cols->items[field];
        const char *name = c->field->kind == FIELD_TIME ? "ts_us" : c->name;
        if (!tables_column(ask->tables, ask->stream, slice_str(name)))
            continue;
        kinds[f->columns] = kind_of(c->field->kind);
        add_column(name, kinds[f->columns], out);
        f->field_of[f->columns++] = field;
    }
    return f->columns;
}

/* ["a","b"], and of flags {"a":true,"b":true}. */
static void add_list(struct binary_value list, bool flags, struct line *out)
{
    struct slice text;
    bool any = false;
    line_byte(out, flags ? '{' : '[');
    while (binary_next_text(&list, &text)) {
        line_str(out, any ? "," : "");
        json_text(text, out);
        line_str(out, flags ? ":true" : "");
        any = true;
    }
    line_byte(out, flags ? '}' : ']');
}

static bool is_json(struct slice text)
{
    struct scan s = {text.data, text.data + text.len};
    return scan_skip(&s, 0) && !scan_peek(&s) && s.at == s.end;
}

/* A value that is there, or whose column says so by being what it is when nothing is. */
static struct reader_value convert(struct finding *f, const struct field *field, const struct binary_value *v,
                                   bool *ret_empty)
{
    struct reader_value ret = {.kind = READER_TEXT, .text = v->text};
    switch ((int)kind_of(field->kind)) {
    case BINARY_U64:
        ret.kind = READER_INTEGER;
        ret.integer = (int64_t)v->number;
        *ret_empty = !v->number;
        return ret;
    case BINARY_F64:
        ret.kind = READER_REAL;
        ret.real = v->real;
        *ret_empty = v->real == 0;
        return ret;
    case BINARY_TEXTS:
        /* Where it begins, until all are made. */
        ret.text.data = NULL;
        ret.text.len = f->row.texts.len;
        add_list(*v, field->kind == FIELD_FLAGS, &f->row.texts);
        ret.integer = 1;
        *ret_empty = !v->count;
        return ret;
    default:
        *ret_empty = !v->text.len;
        bool json = field->kind == FIELD_OBJECT || field->kind == FIELD_LIST || field->kind == FIELD_APART;
        if (json && v->text.len && !is_json(v->text)) {
            ret.text.data = NULL;
            ret.text.len = f->row.texts.len;
            json_text(v->text, &f->row.texts);
            ret.integer = 1;
        }
        return ret;
    }
}

/* Its column's name, with - before it where a field that all records have is missing. */
static bool is_named(const struct binary_value *empties, const char *name, bool missing)
{
    struct binary_value list = *empties;
    struct slice text;
    while (binary_next_text(&list, &text)) {
        if (missing && (!text.len || text.data[0] != '-'))
            continue;
        if (slice_eq(slice_sub(text, missing, text.len), slice_str(name)))
            return true;
    }
    return false;
}

/* The texts that were made stand one behind the other, and do not move any more. */
static void place_texts(struct finding *f)
{
    size_t end = f->row.texts.len;
    for (size_t i = f->columns; i-- > f->has_empties;) {
        struct reader_value *v = &f->row.values[f->field_of[i]];
        if (v->kind != READER_TEXT || !v->integer)
            continue;
        size_t from = v->text.len;
        v->text = (struct slice){f->row.texts.data + from, end - from};
        v->integer = 0;
        end = from;
    }
}

static int take_row(void *ctx, const struct binary_value *values, uint64_t id)
{
    static const struct binary_value none;
    struct finding *f = ctx;
    struct reader_row *row = &f->row.row;
    const struct binary_value *empties = f->has_empties ? &values[0] : &none;
    row->id = id;
    row->micros = (int64_t)(id >> CLICKHOUSE_ID_BITS);
    line_clear(&f->row.texts);
    if (!row->columns) {
        row->whole = values[0].text;
        return f->take(f->ctx, row);
    }
    for (size_t i = f->has_empties; i < f->columns; i++) {
        const struct column *c = &row->columns->items[f->field_of[i]];
        bool empty = false, always = chtable_always(c->field->kind);
        size_t before = f->row.texts.len;
        struct reader_value v = convert(f, c->field, &values[i], &empty);
        if (empty && is_named(empties, c->name, always) == always) {
            v = (struct reader_value){.kind = READER_ABSENT};
            f->row.texts.len = before;
        }
        f->row.values[f->field_of[i]] = v;
    }
    place_texts(f);
    return f->take(f->ctx, row);
}

int chfound_find(struct reader *reader, const struct reader_question *question, reader_take_fn *take,
                 void *ctx, struct reader_result *ret, struct error *reterr)
{
    struct chreader *r = chreader_of(reader);
    struct finding *f = calloc(1, sizeof *f);
    const struct chwalk walk = {question, select_fields, take_row, f};
    memory_check(f);
    f->take = take;
    f->ctx = ctx;
    struct reader_row *row = &f->row.row;
    row->value = value_of;
    row->columns = r->columns[question->stream];
    row->fields = question->fields;
    row->count = question->fields ? question->field_count : row->columns ? row->columns->count : 0;
    int err = chwalk_run(r, &walk, ret, reterr);
    line_free(&row->line);
    line_free(&f->row.texts);
    free(f);
    return err;
}
