/* volumes.c: the day files that a reader has open.
 * In: a folder. Out: databases to read, with what their tables have. Owns: these. Limits: so many files are
 * open at most, the one that was used longest ago is closed; and what a row, a statement and a cache may
 * take. Knowingly: files are read, not mapped, as a mapped one that somebody cuts would end the process. A
 * file that cannot be read in the usual way (its folder may not be written to, and it was not ended as it
 * should be) is read as it lies there, where it has no log beside it. */
#include "store/volumes.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "store/schema.h"

enum {
    FILES = 40,
    CACHE_BYTES = 1 << 20,
    ROW_BYTES = 256 << 20, /* the longest text or row */
    PATTERN_BYTES = 64 << 10,
    STEPS = 2000, /* of a statement, between two looks at the clock */
    BUSY_MS = 2000
};

struct volumes {
    char *directory;
    size_t most, count, cache_bytes;
    struct volume **items;
    uint64_t uses;
    struct compare *compare;
    int (*over)(void *ctx);
    void *over_ctx;
    struct columns columns[STREAM_ENTRY];
};

static void volume_free(struct volume *v)
{
    sqlite3_close(v->db);
    free(v);
}

int volumes_open(const char *directory, size_t files, size_t cache_bytes, struct volumes **ret,
                 struct error *reterr)
{
    struct volumes *v = calloc(1, sizeof *v);
    struct day_list days;
    memory_check(v);
    v->directory = strdup(directory);
    memory_check(v->directory);
    v->most = files ? files : FILES;
    v->cache_bytes = cache_bytes ? cache_bytes : CACHE_BYTES;
    v->items = calloc(v->most, sizeof *v->items);
    memory_check(v->items);
    for (size_t i = 0; i < STREAM_ENTRY; i++)
        columns_of(stream_table[i], &v->columns[i]);
    int err = day_list(directory, &days, reterr);
    if (!err)
        free(days.items);
    err = err ? err : compare_open(&v->compare, reterr);
    if (err)
        volumes_close(&v);
    *ret = v;
    return err;
}

void volumes_close(struct volumes **pv)
{
    struct volumes *v = *pv;
    *pv = NULL;
    if (!v)
        return;
    for (size_t i = 0; i < v->count; i++)
        volume_free(v->items[i]);
    compare_close(&v->compare);
    free(v->items);
    free(v->directory);
    free(v);
}

struct compare *volumes_compare(struct volumes *v)
{
    return v->compare;
}

void volumes_watch(struct volumes *v, int (*over)(void *ctx), void *ctx)
{
    v->over = over;
    v->over_ctx = ctx;
    for (size_t i = 0; i < v->count; i++)
        sqlite3_progress_handler(v->items[i]->db, STEPS, over, ctx);
}

const struct columns *volumes_columns(const struct volumes *v, enum stream_index stream)
{
    return stream == STREAM_ENTRY ? NULL : &v->columns[stream];
}

int volumes_list(struct volumes *v, struct day_list *ret, struct error *reterr)
{
    return day_list(v->directory, ret, reterr);
}

static bool has_log(const char *path)
{
    char log[DAY_PATH + 8];
    struct stat st;
    snprintf(log, sizeof log, "%s-wal", path);
    return stat(log, &st) == 0 && st.st_size > 0;
}

/* What is read as it lies there is not, once somebody writes to it: to its log at first. */
static bool same_file(const struct volume *v, const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0 || st.st_dev != v->dev || st.st_ino != v->ino)
        return false;
    return !v->frozen || (st.st_mtim.tv_sec == v->changed.tv_sec &&
                          st.st_mtim.tv_nsec == v->changed.tv_nsec && !has_log(path));
}

void volumes_drop(struct volumes *v, struct volume *volume)
{
    for (size_t i = 0; i < v->count; i++) {
        if (v->items[i] != volume)
            continue;
        volume_free(volume);
        v->items[i] = v->items[--v->count];
        return;
    }
}

static void make_room(struct volumes *v)
{
    size_t oldest = 0;
    if (v->count < v->most)
        return;
    for (size_t i = 1; i < v->count; i++)
        if (v->items[i]->used < v->items[oldest]->used)
            oldest = i;
    volumes_drop(v, v->items[oldest]);
}

/* As it lies there: nobody locks it, nothing is made beside it. */
static int open_frozen(const char *path, sqlite3 **ret, struct error *reterr)
{
    char uri[3 * DAY_PATH + 32] = "file:";
    size_t len = strlen(uri);
    int version = -1;
    for (const char *c = path; *c; c++)
        len += (size_t)snprintf(uri + len, sizeof uri - len, strchr("%?#", *c) ? "%%%02x" : "%c",
                                (unsigned char)*c);
    snprintf(uri + len, sizeof uri - len, "?immutable=1");
    int code = sqlite3_open_v2(
        uri, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    sqlite3_stmt *stmt = NULL;
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(*ret, "PRAGMA user_version", -1, &stmt, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        version = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    int err = code == SQLITE_ROW ? 0 : day_error(*ret, code, path, reterr);
    if (!err && version > SCHEMA_VERSION)
        err = error_set(reterr, -EPROTO, "%s: made by a newer mailtap (schema %d, this one knows %d)", path,
                        version, SCHEMA_VERSION);
    if (err) {
        sqlite3_close(*ret);
        *ret = NULL;
    }
    return err;
}

static int open_file(const char *path, struct volume *v, struct error *reterr)
{
    int err = day_open_read(path, &v->db, reterr);
    if (err && err != -EPROTO && err != -EBADMSG && !has_log(path)) {
        v->frozen = true;
        err = open_frozen(path, &v->db, reterr);
    }
    return err;
}

/* Nothing of the file is trusted: not its schema, nor that its rows are of a size that can be. */
static int confine(struct volumes *vs, struct volume *v)
{
    char sql[128];
    sqlite3_db_config(v->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(v->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(v->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(v->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(v->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(v->db, SQLITE_LIMIT_LENGTH, ROW_BYTES);
    sqlite3_limit(v->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(v->db, SQLITE_LIMIT_WORKER_THREADS, 0);
    sqlite3_limit(v->db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_BYTES);
    sqlite3_busy_timeout(v->db, BUSY_MS);
    sqlite3_progress_handler(v->db, STEPS, vs->over, vs->over_ctx);
    snprintf(sql, sizeof sql, "PRAGMA cache_size = -%zu; PRAGMA mmap_size = 0; PRAGMA query_only = 1",
             vs->cache_bytes >> 10);
    int code = sqlite3_exec(v->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? compare_join(vs->compare, v->db) : code;
}

static bool has_column(sqlite3 *db, const char *table, const char *column)
{
    return sqlite3_table_column_metadata(db, "main", table, column, NULL, NULL, NULL, NULL, NULL) ==
           SQLITE_OK;
}

/* Of virtual tables SQLite knows the columns only once they are in use. */
static bool can_read(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    sqlite3_finalize(stmt);
    return code == SQLITE_OK;
}

static void look_at_tables(const struct volumes *vs, struct volume *v)
{
    for (size_t i = 0; i < STREAM_ENTRY; i++) {
        const struct columns *cols = &vs->columns[i];
        v->table[i] = has_column(v->db, cols->stream->path, "id");
        for (size_t c = 0; c < cols->count; c++)
            v->present[i][c] = v->table[i] && has_column(v->db, cols->stream->path, cols->items[c].name);
    }
    v->table[STREAM_ENTRY] = has_column(v->db, "entry", "record");
    v->find = can_read(v->db, "SELECT key FROM find LIMIT 0");
    v->notices = has_column(v->db, "notice", "uid") && has_column(v->db, "notice", "trans_depth");
}

static int read_in(struct volumes *vs, int32_t day, const char *path, struct volume *v, struct error *reterr)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    v->day = day;
    v->dev = st.st_dev;
    v->ino = st.st_ino;
    v->changed = st.st_mtim;
    int err = open_file(path, v, reterr);
    if (err)
        return err;
    int code = confine(vs, v);
    if (code != SQLITE_OK)
        return day_error(v->db, code, path, reterr);
    look_at_tables(vs, v);
    return 0;
}

bool volumes_path(const struct volumes *v, int32_t day, char ret[static DAY_PATH])
{
    return day_path(v->directory, day, ret);
}

int volumes_day(struct volumes *vs, int32_t day, struct volume **ret, struct error *reterr)
{
    char path[DAY_PATH];
    if (!day_path(vs->directory, day, path))
        return error_set(reterr, -ENAMETOOLONG, "%s: %s", vs->directory, strerror(ENAMETOOLONG));
    for (size_t i = 0; i < vs->count; i++) {
        struct volume *v = vs->items[i];
        if (v->day != day)
            continue;
        /* One without tables was seen while it was being made. */
        if (v->table[STREAM_SMTP] && same_file(v, path)) {
            v->used = ++vs->uses;
            *ret = v;
            return 0;
        }
        volumes_drop(vs, v);
        break;
    }
    make_room(vs);
    struct volume *v = calloc(1, sizeof *v);
    memory_check(v);
    int err = read_in(vs, day, path, v, reterr);
    if (err) {
        volume_free(v);
        return err;
    }
    v->used = ++vs->uses;
    vs->items[vs->count++] = v;
    *ret = v;
    return 0;
}
