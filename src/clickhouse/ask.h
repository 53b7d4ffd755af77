/* A query as a condition of SQL for ClickHouse, true of the rows that the store of SQLite would find. */
#ifndef CLICKHOUSE_ASK_H
#define CLICKHOUSE_ASK_H

#include "clickhouse/folds.h"
#include "clickhouse/tables.h"
#include "query/query.h"
#include "sink/line.h"

/* What a question is made of; chask_begin begins anew. */
struct chask {
    enum stream_index stream;
    const struct tables *tables;
    const struct folds *folds;
    int32_t first_day, last_day; /* days since 1970 that are asked about, for what other tables say of them */
    struct line with;            /* WITH and a blank behind, where there is any */
    size_t names;
    bool joins; /* `with` has a pattern of any word */
};

void chask_begin(struct chask *a);
void chask_free(struct chask *a);
/* Whether the query needs `folds`. */
bool chask_has_words(const struct query_node *root);
/* Adds the condition, whose texts go to `with`; "1" where the query finds all. */
void chask_where(struct chask *a, const struct query_node *root, struct line *out);
/* Adds an expression, an Array(String), of the values that a field has in a row, among which "" is none.
 * False: the field names no values in that stream; nothing was added. */
bool chask_values(const struct chask *a, enum query_field_index field, struct line *out);

/* Ids: from <= id <= to; none where from > to. */
struct chask_bounds {
    uint64_t from, to;
};
/* What a query says of ids for all of what it finds. */
struct chask_bounds chask_bounds(const struct query_node *root);
/* Microseconds since the epoch to the least id that a record of then can have. */
uint64_t chask_id_at(int64_t micros);

/* Of an id the time stands above so many bits, below it there are bits of the record's hash. */
enum { CLICKHOUSE_ID_BITS = 10 };

#endif
