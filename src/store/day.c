/* day.c: the file of a day: its name, its tables.
 * In: folders, paths. Out: open databases. Owns: nothing. Limits: none of its own.
 * Knowingly: a column that a field once had stays in old files; nobody reads it. */
#include "store/day.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "sink/line.h"
#include "store/columns.h"

enum { MICROSECONDS = 1000000, DAY_SECONDS = 86400, BUSY_MS = 5000 };

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
    "content='', tokenize='unicode61 remove_diacritics 2');";

int64_t day_id(struct timespec end)
{
    return end.tv_sec < 0 ? 0 : (int64_t)end.tv_sec * MICROSECONDS + end.tv_nsec / 1000;
}

int32_t day_of_id(int64_t id)
{
    return (int32_t)(id / MICROSECONDS / DAY_SECONDS);
}

bool day_path(const char *directory, int32_t day, char ret[static DAY_PATH])
{
    time_t t = (time_t)day * DAY_SECONDS;
    struct tm tm;
    char name[32];
    gmtime_r(&t, &tm);
    strftime(name, sizeof name, "%Y-%m-%d", &tm);
    int len = snprintf(ret, DAY_PATH, "%s/%s.sqlite", directory, name);
    return len > 0 && len < DAY_PATH;
}

bool day_parse(const char *name, int32_t *ret)
{
    static const char form[] = "dddd-dd-dd.sqlite";
    for (size_t i = 0; i < sizeof form; i++)
        if (form[i] == 'd' ? !byte_is_digit((uint8_t)name[i]) : form[i] != name[i])
            return false;
    struct tm tm = {.tm_year = atoi(name) - 1900, .tm_mon = atoi(name + 5) - 1, .tm_mday = atoi(name + 8)};
    const struct tm given = tm;
    time_t t = timegm(&tm);
    *ret = (int32_t)(t / DAY_SECONDS);
    return t >= 0 && tm.tm_mon == given.tm_mon && tm.tm_mday == given.tm_mday;
}

int day_error(sqlite3 *db, int code, const char *what, struct error *reterr)
{
    static const struct {
        int code, error;
    } known[] = {{SQLITE_FULL, -ENOSPC},     {SQLITE_READONLY, -EROFS}, {SQLITE_CANTOPEN, -ENOENT},
                 {SQLITE_BUSY, -EBUSY},      {SQLITE_LOCKED, -EBUSY},   {SQLITE_PERM, -EACCES},
                 {SQLITE_CORRUPT, -EBADMSG}, {SQLITE_NOTADB, -EBADMSG}, {SQLITE_INTERRUPT, -EINTR}};
    int err = -EIO;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if ((code & 0xff) == known[i].code)
            err = known[i].error;
    memory_check(code == SQLITE_NOMEM ? NULL : known);
    return error_set(reterr, err, "%s: %s", what, db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

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

static int make_tables(sqlite3 *db, const char *path, struct error *reterr)
{
    struct line sql = {0};
    struct columns *cols = malloc(sizeof *cols);
    memory_check(cols);
    line_str(&sql, fixed_tables);
    for (size_t i = 0; i < STREAM_ENTRY; i++) {
        columns_of(stream_table[i], cols);
        add_table(&sql, cols);
    }
    line_printf(&sql, "INSERT OR IGNORE INTO meta VALUES('program', 'mailtap'); PRAGMA user_version = %d;",
                DAY_SCHEMA);
    line_byte(&sql, '\0');
    int err = run(db, path, (const char *)sql.data, reterr);
    for (size_t i = 0; i < STREAM_ENTRY && !err; i++) {
        columns_of(stream_table[i], cols);
        err = add_missing(db, path, cols, reterr);
    }
    free(cols);
    line_free(&sql);
    return err;
}

static int schema_version(sqlite3 *db, const char *path, int *ret, struct error *reterr)
{
    sqlite3_stmt *stmt;
    int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        *ret = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return code == SQLITE_ROW ? 0 : day_error(db, code, path, reterr);
}

/* Neither text of the file's own schema nor what it says of itself is to be believed. */
static int open_file(const char *path, int flags, sqlite3 **ret, struct error *reterr)
{
    int version = 0;
    int code = sqlite3_open_v2(path, ret, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    int err = code == SQLITE_OK ? 0 : day_error(*ret, code, path, reterr);
    if (!err) {
        sqlite3_busy_timeout(*ret, BUSY_MS);
        sqlite3_db_config(*ret, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(*ret, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        err = schema_version(*ret, path, &version, reterr);
    }
    if (!err && version > DAY_SCHEMA)
        err = error_set(reterr, -EPROTO, "%s: made by a newer mailtap (schema %d, this one knows %d)", path,
                        version, DAY_SCHEMA);
    if (err) {
        sqlite3_close(*ret);
        *ret = NULL;
    }
    return err;
}

int day_open(const char *path, sqlite3 **ret, struct error *reterr)
{
    int err = open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ret, reterr);
    if (err)
        return err;
    err = run(*ret, path, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE", reterr);
    err = err ? err : make_tables(*ret, path, reterr);
    err = err ? err : run(*ret, path, "COMMIT", reterr);
    if (err) {
        sqlite3_close(*ret);
        *ret = NULL;
    }
    return err;
}

int day_close(sqlite3 **db, struct error *reterr)
{
    int err = *db ? run(*db, "end of a day", "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE",
                        reterr)
                  : 0;
    sqlite3_close(*db);
    *db = NULL;
    return err;
}

int day_open_read(const char *path, sqlite3 **ret, struct error *reterr)
{
    return open_file(path, SQLITE_OPEN_READONLY, ret, reterr);
}

static int newest_first(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x < y) - (x > y);
}

int day_list(const char *directory, struct day_list *ret, struct error *reterr)
{
    size_t room = 0;
    int32_t day;
    *ret = (struct day_list){0};
    DIR *dir = opendir(directory);
    if (!dir)
        return error_set(reterr, -errno, "%s: %s", directory, strerror(errno));
    for (struct dirent *e; (e = readdir(dir));) {
        if (!day_parse(e->d_name, &day))
            continue;
        if (ret->count == room) {
            room = room ? 2 * room : 64;
            ret->items = reallocarray(ret->items, room, sizeof *ret->items);
            memory_check(ret->items);
        }
        ret->items[ret->count++] = day;
    }
    closedir(dir);
    if (ret->count)
        qsort(ret->items, ret->count, sizeof *ret->items, newest_first);
    return 0;
}
