/* The parts of questions under construction, for the files that make them. */
#ifndef CLICKHOUSE_ASK_PARTS_H
#define CLICKHOUSE_ASK_PARTS_H

#include "clickhouse/ask.h"

/* Adds a term's condition on all its places; its texts go to `with`. False: the stream has no place for that;
 * nothing was added. */
bool chask_places(struct chask *a, const struct query_term *t, struct line *out);

#endif
