/* facets.c: which values the records of a question have most.
 * In: rows with lists of values. Out: values and counts, most frequent first. Owns: nothing. */
#include "clickhouse/walk.h"
#include "view/tally.h"

enum { RECORDS = 10000 };

struct facets {
    const enum query_field_index *fields;
    size_t field_count;
    struct tally *tally;
    size_t columns, field_of[CHWALK_COLUMNS];
};

static size_t select_values(void *ctx, const struct chask *ask, struct line *out, enum binary_kind *kinds)
{
    struct facets *f = ctx;
    f->columns = 0;
    for (size_t i = 0; i < f->field_count && f->columns < CHWALK_COLUMNS; i++) {
        size_t at = out->len;
        line_str(out, ", ");
        if (!chask_values(ask, f->fields[i], out)) {
            out->len = at;
            continue;
        }
        kinds[f->columns] = BINARY_TEXTS;
        f->field_of[f->columns++] = i;
    }
    return f->columns;
}

static int on_row(void *ctx, const struct binary_value *values, uint64_t id)
{
    struct facets *f = ctx;
    (void)id;
    for (size_t i = 0; i < f->columns; i++) {
        struct binary_value list = values[i];
        struct slice text;
        while (binary_next_text(&list, &text))
            tally_value(f->tally, f->field_of[i], text);
    }
    tally_row(f->tally);
    return 0;
}

int chfacets_facets(struct reader *r, const struct reader_question *question,
                    const enum query_field_index *fields, size_t field_count, size_t most,
                    reader_facet_fn *take, void *ctx, struct reader_result *ret, struct error *reterr)
{
    struct facets f = {.fields = fields, .field_count = field_count};
    struct reader_question q = *question;
    const struct chwalk walk = {&q, select_values, on_row, &f};
    q.limit = q.limit ? q.limit : RECORDS;
    f.tally = tally_new(fields, field_count, q.limit);
    int err = chwalk_run(chreader_of(r), &walk, ret, reterr);
    ret->complete &= !ret->more;
    if (!err)
        err = tally_tell(f.tally, most, take, ctx);
    tally_free(&f.tally);
    return err;
}
