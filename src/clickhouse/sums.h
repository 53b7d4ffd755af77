/* Sums over tables of ClickHouse: the same keys and numbers that a folder's files keep (store/rollup.c),
 * counted as they are asked for. For readers of this kind alone; each does what view/kind.h says. */
#ifndef CLICKHOUSE_SUMS_H
#define CLICKHOUSE_SUMS_H

#include "view/kind.h"

int chsums_collect(struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                   struct error *reterr);
int chsums_key_hours(struct reader *r, enum top_by by, struct slice key, struct hours span, top_hour_fn *each,
                     void *ctx, struct error *reterr);
int chsums_timeline(struct reader *r, struct timeline *t, const struct query *query, struct error *reterr);

#endif
