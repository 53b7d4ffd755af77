/* The way of a question over the tables of a server; inside of the reader. */
#ifndef CLICKHOUSE_WALK_H
#define CLICKHOUSE_WALK_H

#include "clickhouse/reader.h"
#include "clickhouse/select.h"

enum { CHWALK_COLUMNS = 256 };

struct chwalk {
    const struct reader_question *question;
    /* Adds the columns that are wanted, each with a comma before it, and their kinds, up to CHWALK_COLUMNS;
     * returns how many. NULL: rows are only counted. */
    size_t (*select)(void *ctx, const struct chask *ask, struct line *out, enum binary_kind *kinds);
    /* A row's columns. Nonzero ends the walk, and is what it returns. */
    int (*row)(void *ctx, const struct binary_value *values, uint64_t id);
    void *ctx;
};

/* 0, or what `row` returned, or -errno with a text. */
int chwalk_run(struct chreader *r, const struct chwalk *w, struct reader_result *ret, struct error *reterr);

/* See view/kind.h. */
int chfound_find(struct reader *r, const struct reader_question *question, reader_take_fn *take, void *ctx,
                 struct reader_result *ret, struct error *reterr);
int chfacets_facets(struct reader *r, const struct reader_question *question,
                    const enum query_field_index *fields, size_t field_count, size_t most,
                    reader_facet_fn *take, void *ctx, struct reader_result *ret, struct error *reterr);

#endif
