/* facets.c: which values the records of a question have most.
 * In: rows of SQL that call tally(). Out: values and counts, most frequent first. Owns: the values.
 * Limits: VALUES different ones over all fields; over it new ones are not counted. Knowingly: values that
 * differ in the case of ASCII letters are one, as they are for a query, shown as the first of them is
 * written. */
#include <stdlib.h>
#include "base/arena.h"
#include "base/memory.h"
#include "store/walk.h"

enum { VALUES = 1 << 16, SLOTS = 1 << 17, RECORDS = 10000, TEXT_BYTES = 64 << 20, VALUE_BYTES = 1024 };

struct value {
    struct slice text;
    uint64_t count, row; /* the last row that had it */
    int field;
};

struct facets {
    const enum query_field_index *fields;
    size_t field_count;
    uint64_t row, rows; /* the one at hand; how many count */
    struct arena mem;
    struct value *values;
    size_t count;
    uint32_t *slots; /* 1 + index of a value; 0: free */
};

static uint64_t hash_of(int field, struct slice s)
{
    uint64_t h = 0xcbf29ce484222325u + (uint64_t)field;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ byte_lower(s.data[i])) * 0x100000001b3u;
    return h ^ h >> 29;
}

static struct value *value_of(struct facets *f, int field, struct slice text)
{
    size_t at = hash_of(field, text) % SLOTS;
    for (; f->slots[at]; at = (at + 1) % SLOTS) {
        struct value *v = &f->values[f->slots[at] - 1];
        if (v->field == field && slice_case_eq(v->text, text))
            return v;
    }
    if (f->count == VALUES)
        return NULL;
    struct value *v = &f->values[f->count];
    *v = (struct value){arena_copy(&f->mem, text), 0, UINT64_MAX, field};
    if (v->text.len < text.len)
        return NULL;
    f->slots[at] = (uint32_t)++f->count;
    return v;
}

static struct slice shown(enum query_field_index field, struct slice text)
{
    if (query_fields[field].kind == QUERY_BOOL)
        return slice_str(slice_eq(text, slice_str("1")) ? "yes" : "no");
    return text;
}

static void on_value(void *ctx, int number, struct slice text)
{
    struct facets *f = ctx;
    if (f->row >= f->rows)
        return;
    text = shown(f->fields[number], text);
    struct value *v = text.len && text.len <= VALUE_BYTES ? value_of(f, number, text) : NULL;
    if (!v || v->row == f->row)
        return;
    v->row = f->row;
    v->count++;
}

static void select_values(void *ctx, const struct ask_table *table, struct line *out)
{
    const struct facets *f = ctx;
    for (size_t i = 0; i < f->field_count; i++) {
        char call[32];
        size_t at = out->len;
        snprintf(call, sizeof call, "tally(%zu, ", i);
        line_str(out, ", ");
        if (!ask_values(table, f->fields[i], call, out))
            out->len = at;
    }
}

/* Its values were told while the row was made. */
static int on_row(void *ctx, sqlite3_stmt *stmt, uint64_t id)
{
    struct facets *f = ctx;
    (void)stmt, (void)id;
    f->row++;
    return 0;
}

static int by_count(const void *a, const void *b)
{
    const struct reader_facet_value *x = a, *y = b;
    size_t least = x->value.len < y->value.len ? x->value.len : y->value.len;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    int order = memcmp(x->value.data, y->value.data, least);
    return order ? order : (x->value.len > y->value.len) - (x->value.len < y->value.len);
}

static int tell(struct facets *f, size_t most, reader_facet_fn *take, void *ctx)
{
    struct reader_facet_value *list = calloc(f->count + 1, sizeof *list);
    int stop = 0;
    memory_check(list);
    for (size_t i = 0; i < f->field_count && !stop; i++) {
        size_t count = 0;
        for (size_t v = 0; v < f->count; v++)
            if (f->values[v].field == (int)i && f->values[v].count)
                list[count++] = (struct reader_facet_value){f->values[v].text, f->values[v].count};
        qsort(list, count, sizeof *list, by_count);
        stop = take(ctx, &(struct reader_facet){f->fields[i], list, count < most ? count : most});
    }
    free(list);
    return stop;
}

int folder_facets(struct reader *r, const struct reader_question *question,
                  const enum query_field_index *fields, size_t field_count, size_t most,
                  reader_facet_fn *take, void *ctx, struct reader_result *ret, struct error *reterr)
{
    struct facets f = {.fields = fields, .field_count = field_count};
    struct reader_question q = *question;
    const struct walk walk = {&q, false, select_values, on_row, &f};
    q.limit = f.rows = q.limit ? q.limit : RECORDS;
    f.values = calloc(VALUES, sizeof *f.values);
    f.slots = calloc(SLOTS, sizeof *f.slots);
    memory_check(f.values);
    memory_check(f.slots);
    arena_init(&f.mem, TEXT_BYTES);
    compare_tally(volumes_compare(folder_of(r)->volumes), on_value, &f);
    int err = walk_run(folder_of(r), &walk, ret, reterr);
    compare_tally(volumes_compare(folder_of(r)->volumes), NULL, NULL);
    ret->complete &= !ret->more;
    if (!err)
        err = tell(&f, most, take, ctx);
    arena_free(&f.mem);
    free(f.slots);
    free(f.values);
    return err;
}
