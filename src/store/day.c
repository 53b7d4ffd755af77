/* day.c: the file of a day: its name, how it is opened and ended.
 * In: folders, paths. Out: open databases. Owns: nothing. Limits: none of its own. */
#include "store/day.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"
#include "store/schema.h"

enum { MICROSECONDS = 1000000, DAY_SECONDS = 86400, BUSY_MS = 5000, CLOSE_MS = 300 };
enum { CHECKPOINT_PAGES = 2000, WAL_KEPT = 32 << 20, ASIDE_MOST = 1000 };

/* Of the last but one day with a year of four digits. */
static const int64_t last_second = 253402214399;

int64_t day_id(struct timespec end)
{
    int64_t seconds = end.tv_sec < last_second ? end.tv_sec : last_second;
    int64_t id = end.tv_sec < 0 ? 0 : seconds * MICROSECONDS + end.tv_nsec / 1000;
    return id ? id : 1; /* 0 is no id: it stands for none */
}

int32_t day_of_id(int64_t id)
{
    return (int32_t)(id / MICROSECONDS / DAY_SECONDS);
}

int64_t day_first_id(int32_t day)
{
    return (int64_t)day * DAY_SECONDS * MICROSECONDS;
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
    int system = db && err == -ENOENT ? sqlite3_system_errno(db) : 0;
    return error_set(reterr, err, "%s: %s%s%s", what, db ? sqlite3_errmsg(db) : sqlite3_errstr(code),
                     system ? ": " : "", system ? strerror(system) : "");
}

static int run(sqlite3 *db, const char *path, const char *sql, struct error *reterr)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : day_error(db, code, path, reterr);
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
static int open_file(const char *path, int flags, sqlite3 **ret, int *ret_version, struct error *reterr)
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
    if (!err && version > SCHEMA_VERSION)
        err = error_set(reterr, -EPROTO, "%s: made by a newer mailtap (schema %d, this one knows %d)", path,
                        version, SCHEMA_VERSION);
    if (err) {
        sqlite3_close(*ret);
        *ret = NULL;
    }
    *ret_version = version;
    return err;
}

/* What is dropped is whole files, so that there is nothing to be overwritten in them. */
static int tune(sqlite3 *db, const char *path, uint64_t cache_bytes, struct error *reterr)
{
    char sql[320];
    snprintf(sql, sizeof sql,
             "PRAGMA page_size = 8192; PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY; PRAGMA "
             "mmap_size = 0; "
             "PRAGMA cache_size = -%llu; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
             "PRAGMA wal_autocheckpoint = %d; PRAGMA journal_size_limit = %d; BEGIN IMMEDIATE",
             (unsigned long long)cache_bytes / 1024, CHECKPOINT_PAGES, WAL_KEPT);
    return run(db, path, sql, reterr);
}

int day_open(const char *path, uint64_t cache_bytes, sqlite3 **ret, struct error *reterr)
{
    /* Mails are not for everybody; the files beside it take its mode. */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd >= 0)
        close(fd);
    int version;
    int err = open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ret, &version, reterr);
    if (err)
        return err;
    err = tune(*ret, path, cache_bytes, reterr);
    err = err ? err : schema_make(*ret, path, version, reterr);
    err = err ? err : run(*ret, path, "COMMIT", reterr);
    if (err) {
        sqlite3_close(*ret);
        *ret = NULL;
    }
    return err;
}

int day_close(sqlite3 **db, struct error *reterr)
{
    /* A reader may take its time; the file can be ended later. */
    sqlite3_busy_timeout(*db, CLOSE_MS);
    int err = *db ? run(*db, "end of a day", "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE",
                        reterr)
                  : 0;
    sqlite3_close(*db);
    *db = NULL;
    return err;
}

static bool is_there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

int day_put_aside(const char *directory, int32_t day, struct error *reterr)
{
    static const char *const ends[] = {"-wal", "-shm", ""};
    char path[DAY_PATH], from[DAY_PATH + 8], to[DAY_PATH + 32];
    int number = 0;
    if (!day_path(directory, day, path))
        return error_set(reterr, -ENAMETOOLONG, "%.200s: %s", directory, strerror(ENAMETOOLONG));
    do
        snprintf(to, sizeof to, number ? "%s.damaged-%d" : "%s.damaged", path, number);
    while (is_there(to) && ++number < ASIDE_MOST);
    size_t len = strlen(to);
    fprintf(stderr, "mailtap: %s; it is put aside as %s, and a new one is begun\n", reterr->text, to);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(from, sizeof from, "%s%s", path, ends[i]);
        snprintf(to + len, sizeof to - len, "%s", ends[i]);
        if (rename(from, to) < 0 && (errno != ENOENT || !*ends[i]))
            return error_set(reterr, -errno, "%.300s: %s", from, strerror(errno));
    }
    return 0;
}

int day_end(const char *path, struct error *reterr)
{
    sqlite3 *db;
    int version, err = open_file(path, SQLITE_OPEN_READWRITE, &db, &version, reterr);
    return err ? err : day_close(&db, reterr);
}

int day_open_read(const char *path, sqlite3 **ret, struct error *reterr)
{
    int version;
    return open_file(path, SQLITE_OPEN_READONLY, ret, &version, reterr);
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
