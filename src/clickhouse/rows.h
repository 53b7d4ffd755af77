/* Lines of the outbox as rows of the tables. */
#ifndef CLICKHOUSE_ROWS_H
#define CLICKHOUSE_ROWS_H

#include "base/error.h"
#include "clickhouse/table.h"
#include "sink/line.h"

/* Rows under construction, by table, column by column. */
struct clickrows;

struct clickrows *clickrows_new(void);
void clickrows_clear(struct clickrows *r);
/* Adds the row of a line, which has no LF. 0, or -EINVAL with what is wrong: nothing was added. */
int clickrows_add(struct clickrows *r, struct slice line, struct error *reterr);
/* All of a batch, each with LF, in the order in which the server keeps them: so it has nothing to sort. Those
 * that are no records are in none of the tables but in clickrows_bad. */
void clickrows_take(struct clickrows *r, struct slice lines);
/* Line `i` of those, without LF, inside of what was taken, with what is wrong; false: there are no more. */
bool clickrows_bad(struct clickrows *r, size_t i, struct slice *ret, struct error *reterr);
/* How many rows it has of that table. */
size_t clickrows_count(const struct clickrows *r, enum stream_index stream);
/* Adds them to `out` as a block in FORMAT Native; of the table's columns those of `wanted`, by their index;
 * columns in which no row has anything are left out, which the server fills with the same. `wanted` NULL: all
 * columns. */
void clickrows_block(struct clickrows *r, enum stream_index stream, const bool *wanted, struct line *out);
void clickrows_free(struct clickrows *r);

#endif
