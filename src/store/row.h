/* A record to a row, and values of rows. */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <sqlite3.h>
#include "sink/line.h"
#include "view/columns.h"
#include "view/reader.h"

/* "INSERT INTO smtp(id, "ts", ...) VALUES(?, ?, ...)", a terminator behind it, which row_bind is for. */
void row_insert_sql(const struct columns *cols, struct line *ret);
/* Binds a body of that stream. Its texts and `scratch`, which is written over, are borrowed until the
 * statement is reset. */
void row_bind(sqlite3_stmt *stmt, const struct columns *cols, int64_t id, const void *body,
              struct line *scratch);
/* A value at hand; its bytes live until the next step. */
struct reader_value row_value(sqlite3_stmt *stmt, int at);

#endif
