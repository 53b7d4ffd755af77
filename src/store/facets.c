/* facets.c: which values the records of a question have most.
 * In: rows of SQL that call tally(). Out: values and counts, most frequent first. Owns: nothing. */
#include "store/walk.h"
#include "view/tally.h"

enum { RECORDS = 10000 };

struct facets {
    const enum query_field_index *fields;
    size_t field_count;
    struct tally *tally;
};

static void on_value(void *ctx, int number, struct slice text)
{
    struct facets *f = ctx;
    tally_value(f->tally, (size_t)number, text);
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
    tally_row(f->tally);
    return 0;
}

int folder_facets(struct reader *r, const struct reader_question *question,
                  const enum query_field_index *fields, size_t field_count, size_t most,
                  reader_facet_fn *take, void *ctx, struct reader_result *ret, struct error *reterr)
{
    struct facets f = {fields, field_count, NULL};
    struct reader_question q = *question;
    const struct walk walk = {&q, false, select_values, on_row, &f};
    q.limit = q.limit ? q.limit : RECORDS;
    f.tally = tally_new(fields, field_count, q.limit);
    compare_tally(volumes_compare(folder_of(r)->volumes), on_value, &f);
    int err = walk_run(folder_of(r), &walk, ret, reterr);
    compare_tally(volumes_compare(folder_of(r)->volumes), NULL, NULL);
    ret->complete &= !ret->more;
    if (!err)
        err = tally_tell(f.tally, most, take, ctx);
    tally_free(&f.tally);
    return err;
}
