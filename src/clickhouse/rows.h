/* Lines of the outbox as rows of the tables. */
#ifndef CLICKHOUSE_ROWS_H
#define CLICKHOUSE_ROWS_H

#include "base/error.h"
#include "base/slice.h"
#include "record/field.h"

/* Rows under construction, JSONEachRow, by stream. */
struct clickrows;

/* `sensor` stands in rows whose records name none; borrowed. */
struct clickrows *clickrows_new(const char *sensor);
void clickrows_clear(struct clickrows *r);
/* Adds the row of a line, which has no LF. 0, or -EINVAL with what is wrong: nothing was added. */
int clickrows_add(struct clickrows *r, struct slice line, struct error *reterr);
struct slice clickrows_of(const struct clickrows *r, enum stream_index stream);
/* They are sent: empties that one. */
void clickrows_drop(struct clickrows *r, enum stream_index stream);
void clickrows_free(struct clickrows *r);

#endif
