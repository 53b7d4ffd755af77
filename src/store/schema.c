/* schema.c: the tables of a day's file.
 * In: tables of fields. Out: tables and columns of SQL. Owns: nothing.
 * Knowingly: a column that a field once had stays in old files; nobody reads it. What differs by a column
 * alone needs no step. */
#include "store/schema.h"

#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"
#include "sink/line.h"
#include "view/columns.h"
#include "store/day.h"

static const char fixed_tables[] =
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID, STRICT;"
    "CREATE TABLE IF NOT EXISTS entry(id INTEGER PRIMARY KEY, path TEXT NOT NULL, record TEXT NOT NULL) "
    "STRICT;"
    "CREATE TABLE IF NOT EXISTS minute(minute INTEGER PRIMARY KEY, mails INTEGER NOT NULL, accepted INTEGER "
    "NOT NULL, "
    "rejected INTEGER NOT NULL, deferred INTEGER NOT NULL, aborted INTEGER NOT NULL, unknown INTEGER NOT "
    "NULL, "
    "tls INTEGER NOT NULL, recipients INTEGER NOT NULL, bytes INTEGER NOT NULL, sessions INTEGER NOT NULL, "
    "notices INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS hourly(dimension TEXT NOT NULL, hour INTEGER NOT NULL, key TEXT NOT NULL, "
    "mails INTEGER NOT NULL, accepted INTEGER NOT NULL, rejected INTEGER NOT NULL, deferred INTEGER NOT "
    "NULL, "
    "tls INTEGER NOT NULL, recipients INTEGER NOT NULL, bytes INTEGER NOT NULL, delay REAL NOT NULL, "
    "delays INTEGER NOT NULL, PRIMARY KEY(dimension, hour, key)) WITHOUT ROWID, STRICT;"
    "CREATE VIRTUAL TABLE IF NOT EXISTS find USING fts5(subject, sender, recipient, file, url, host, text, "
    "key, "
    "content='', columnsize=0, tokenize='unicode61 remove_diacritics 2');";

static int run(sqlite3 *db, const char *path, const char *sql, struct error *reterr)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : day_error(db, code, path, reterr);
}

static void add_table(struct line *sql, const struct columns *cols)
{
    line_printf(sql, "CREATE TABLE IF NOT EXISTS %s(id INTEGER PRIMARY KEY", cols->stream->path);
    for (size_t i = 0; i < cols->count; i++)
        line_printf(sql, ", \"%s\" %s", cols->items[i].name, column_sql_type(&cols->items[i]));
    line_str(sql, ") STRICT;");
}

/* Columns that the file of an older program lacks. */
static int add_missing(sqlite3 *db, const char *path, const struct columns *cols, struct error *reterr)
{
    for (size_t i = 0; i < cols->count; i++) {
        char sql[160];
        if (sqlite3_table_column_metadata(db, NULL, cols->stream->path, cols->items[i].name, NULL, NULL, NULL,
                                          NULL, NULL) == SQLITE_OK)
            continue;
        snprintf(sql, sizeof sql, "ALTER TABLE %s ADD COLUMN \"%s\" %s", cols->stream->path,
                 cols->items[i].name, column_sql_type(&cols->items[i]));
        int err = run(db, path, sql, reterr);
        if (err < 0)
            return err;
    }
    return 0;
}

/* From nothing. */
static int make_first(sqlite3 *db, const char *path, struct columns *cols, struct error *reterr)
{
    struct line sql = {0};
    line_str(&sql, fixed_tables);
    for (size_t i = 0; i < STREAM_ENTRY; i++) {
        columns_of(stream_table[i], cols);
        add_table(&sql, cols);
    }
    line_str(&sql, "INSERT OR IGNORE INTO meta VALUES('program', 'mailtap');");
    line_byte(&sql, '\0');
    int err = run(db, path, (const char *)sql.data, reterr);
    line_free(&sql);
    return err;
}

/* Step i makes version i + 1 of version i. */
static int (*const steps[])(sqlite3 *db, const char *path, struct columns *cols, struct error *reterr) = {
    make_first,
};
static_assert(sizeof steps / sizeof *steps == SCHEMA_VERSION, "a step for each version");

int schema_make(sqlite3 *db, const char *path, int version, struct error *reterr)
{
    char sql[64];
    struct columns *cols = malloc(sizeof *cols);
    memory_check(cols);
    int err = 0;
    for (int i = version > 0 ? version : 0; i < SCHEMA_VERSION && !err; i++)
        err = steps[i](db, path, cols, reterr);
    for (size_t i = 0; i < STREAM_ENTRY && !err; i++) {
        columns_of(stream_table[i], cols);
        err = add_missing(db, path, cols, reterr);
    }
    free(cols);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", SCHEMA_VERSION);
    return err || version == SCHEMA_VERSION ? err : run(db, path, sql, reterr);
}
