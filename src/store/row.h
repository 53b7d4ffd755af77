/* A record to a row, and back to the line that the json sink prints of it. */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <sqlite3.h>
#include "sink/line.h"
#include "store/columns.h"

/* "INSERT INTO smtp(id, "ts", ...) VALUES(?, ?, ...)", a terminator behind it, which row_bind is for. */
void row_insert_sql(const struct columns *cols, struct line *ret);
/* "id, "ts", ...", as row_json takes them. */
void row_select_list(const struct columns *cols, struct line *out);
/* Binds a body of that stream. Its texts and `scratch`, which is written over, are borrowed until the
 * statement is reset. */
void row_bind(sqlite3_stmt *stmt, const struct columns *cols, int64_t id, const void *body,
              struct line *scratch);
/* Adds the value of one column as JSON, without its key; null where it has none. */
void row_value_json(sqlite3_stmt *stmt, int at, const struct column *c, struct line *out);
/* Adds the record's JSON object, without a line's end: the bytes of the json sink. Its columns stand from
 * `first` on. */
void row_json(sqlite3_stmt *stmt, int first, const struct columns *cols, struct line *out);

#endif
