/* store-run.c: prints what a store has, for tests.
 * usage: store-run FOLDER: its records as the json sink prints them, stream after stream, in the order of
 * ids. In: files of days. Out: lines. Owns: nothing. */
#include <stdlib.h>
#include "store/day.h"
#include "store_rows.h"

static int fail(const char *text)
{
    fprintf(stderr, "%s\n", text);
    return 1;
}

static void make_sql(const struct columns *cols, struct line *sql)
{
    line_str(sql, "SELECT ");
    if (cols)
        rows_select_list(cols, sql);
    else
        line_str(sql, "id, record");
    line_printf(sql, " FROM %s ORDER BY id", cols ? cols->stream->path : "entry");
}

static int print_day(const char *folder, int32_t day, const struct columns *cols)
{
    char path[DAY_PATH];
    struct error err;
    struct line sql = {0}, line = {0};
    sqlite3 *db;
    sqlite3_stmt *stmt;
    day_path(folder, day, path);
    if (day_open_read(path, &db, &err) < 0)
        return fail(err.text);
    make_sql(cols, &sql);
    if (sqlite3_prepare_v2(db, (const char *)sql.data, (int)sql.len, &stmt, NULL) != SQLITE_OK)
        return fail(sqlite3_errmsg(db));
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        line_clear(&line);
        if (cols)
            rows_json(stmt, cols, &line);
        else
            line_str(&line, (const char *)sqlite3_column_text(stmt, 1));
        line_byte(&line, '\n');
        fwrite(line.data, 1, line.len, stdout);
    }
    if (code != SQLITE_DONE)
        return fail(sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    line_free(&sql);
    line_free(&line);
    return 0;
}

int main(int argc, char **argv)
{
    struct columns cols;
    struct day_list days;
    struct error err;
    int code = 0;
    if (argc != 2)
        return fail("usage: store-run FOLDER");
    if (day_list(argv[1], &days, &err) < 0)
        return fail(err.text);
    for (size_t stream = 0; stream < STREAMS && !code; stream++) {
        if (stream != STREAM_ENTRY)
            columns_of(stream_table[stream], &cols);
        for (size_t i = days.count; i-- > 0 && !code;)
            code = print_day(argv[1], days.items[i], stream == STREAM_ENTRY ? NULL : &cols);
    }
    free(days.items);
    return code;
}
