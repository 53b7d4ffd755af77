/* tally.c: which values rows have most.
 * In: values. Out: values and counts, most frequent first. Owns: the values. Limits: VALUES different ones
 * over all fields, of up to VALUE_BYTES; over it new ones are not counted. Knowingly: values that differ in
 * the case of ASCII letters are one, as they are for a query, shown as the first of them is written. */
#include "view/tally.h"

#include <stdlib.h>
#include "base/arena.h"
#include "base/memory.h"

enum { VALUES = 1 << 16, SLOTS = 1 << 17, TEXT_BYTES = 64 << 20, VALUE_BYTES = 1024 };

struct value {
    struct slice text;
    uint64_t count, row; /* the last row that had it */
    size_t field;
};

struct tally {
    const enum query_field_index *fields;
    size_t field_count;
    uint64_t row, rows; /* the one at hand; how many count */
    struct arena mem;
    struct value *values;
    size_t count;
    uint32_t *slots; /* 1 + index of a value; 0: free */
};

struct tally *tally_new(const enum query_field_index *fields, size_t field_count, uint64_t rows)
{
    struct tally *t = calloc(1, sizeof *t);
    memory_check(t);
    t->fields = fields;
    t->field_count = field_count;
    t->rows = rows;
    t->values = calloc(VALUES, sizeof *t->values);
    t->slots = calloc(SLOTS, sizeof *t->slots);
    memory_check(t->values);
    memory_check(t->slots);
    arena_init(&t->mem, TEXT_BYTES);
    return t;
}

void tally_free(struct tally **pt)
{
    struct tally *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    arena_free(&t->mem);
    free(t->slots);
    free(t->values);
    free(t);
}

static uint64_t hash_of(size_t field, struct slice s)
{
    uint64_t h = 0xcbf29ce484222325u + (uint64_t)field;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ byte_lower(s.data[i])) * 0x100000001b3u;
    return h ^ h >> 29;
}

static struct value *value_of(struct tally *t, size_t field, struct slice text)
{
    size_t at = hash_of(field, text) % SLOTS;
    for (; t->slots[at]; at = (at + 1) % SLOTS) {
        struct value *v = &t->values[t->slots[at] - 1];
        if (v->field == field && slice_case_eq(v->text, text))
            return v;
    }
    if (t->count == VALUES)
        return NULL;
    struct value *v = &t->values[t->count];
    *v = (struct value){arena_copy(&t->mem, text), 0, UINT64_MAX, field};
    if (v->text.len < text.len)
        return NULL;
    t->slots[at] = (uint32_t)++t->count;
    return v;
}

static struct slice shown(enum query_field_index field, struct slice text)
{
    if (query_fields[field].kind == QUERY_BOOL)
        return slice_str(slice_eq(text, slice_str("1")) ? "yes" : "no");
    return text;
}

void tally_value(struct tally *t, size_t i, struct slice text)
{
    if (t->row >= t->rows || !text.len)
        return;
    text = shown(t->fields[i], text);
    struct value *v = text.len <= VALUE_BYTES ? value_of(t, i, text) : NULL;
    if (!v || v->row == t->row)
        return;
    v->row = t->row;
    v->count++;
}

void tally_row(struct tally *t)
{
    t->row++;
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

int tally_tell(const struct tally *t, size_t most, reader_facet_fn *take, void *ctx)
{
    struct reader_facet_value *list = calloc(t->count + 1, sizeof *list);
    int stop = 0;
    memory_check(list);
    for (size_t i = 0; i < t->field_count && !stop; i++) {
        size_t count = 0;
        for (size_t v = 0; v < t->count; v++)
            if (t->values[v].field == i && t->values[v].count)
                list[count++] = (struct reader_facet_value){t->values[v].text, t->values[v].count};
        qsort(list, count, sizeof *list, by_count);
        stop = take(ctx, &(struct reader_facet){t->fields[i], list, count < most ? count : most});
    }
    free(list);
    return stop;
}
