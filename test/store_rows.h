/* Rows of a day file as lines, past the reader: for tests of what the writer writes. */
#ifndef TEST_STORE_ROWS_H
#define TEST_STORE_ROWS_H

#include "store/row.h"
#include "view/row.h"

/* "id, "ts", ..." */
static inline void rows_select_list(const struct columns *cols, struct line *out)
{
    line_str(out, "id");
    for (size_t i = 0; i < cols->count; i++)
        line_printf(out, ", \"%s\"", cols->items[i].name);
}

/* Adds a record's JSON object, without a line's end; its columns stand behind the id. */
static inline void rows_json(sqlite3_stmt *stmt, const struct columns *cols, struct line *out)
{
    line_printf(out, "{\"_path\":\"%s\"", cols->stream->path);
    for (size_t i = 0; i < cols->count; i++) {
        struct reader_value v = row_value(stmt, (int)i + 1);
        if (v.kind == READER_ABSENT)
            continue;
        line_add(out, cols->items[i].field->key);
        row_value_json(&cols->items[i], &v, out);
    }
    line_byte(out, '}');
}

#endif
