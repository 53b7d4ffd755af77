/* book.c: the file of a day while it is written.
 * In: records. Out: rows. Owns: the open file, its statements.
 * Knowingly: a file that is moved away while it is open is written to until somebody asks book_is_there. */
#include "store/book.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "record/entry.h"
#include "sink/json.h"
#include "store/day.h"
#include "store/find.h"
#include "store/ids.h"
#include "store/rollup.h"
#include "store/row.h"

struct book {
    const struct book_settings *set;
    int32_t day;
    char path[DAY_PATH];
    struct stat is;
    sqlite3 *db;
    sqlite3_stmt *insert[STREAMS], *find, *find_key, *begin, *commit, *version;
    int64_t data_version; /* changes where others have written */
    struct ids *ids;
    struct rollup *rollup;
    struct line scratch;
};

static int fail(const struct book *b, int code, struct error *reterr)
{
    return day_error(b->db, code, b->path, reterr);
}

static int prepare(struct book *b, const char *sql, sqlite3_stmt **ret, struct error *reterr)
{
    int code = sqlite3_prepare_v3(b->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
    return code == SQLITE_OK ? 0 : fail(b, code, reterr);
}

static int prepare_all(struct book *b, struct error *reterr)
{
    struct {
        const char *sql;
        sqlite3_stmt **stmt;
    } all[] = {
        {"INSERT INTO find(rowid, subject, sender, recipient, file, url, host, text, key) "
         "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
         &b->find},
        {"INSERT INTO find(rowid, key) VALUES(?, ?)", &b->find_key},
        {"INSERT INTO entry(id, path, record) VALUES(?, ?, ?)", &b->insert[STREAM_ENTRY]},
        {"BEGIN IMMEDIATE", &b->begin},
        {"COMMIT", &b->commit},
        {"PRAGMA data_version", &b->version},
    };
    int err = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all && !err; i++)
        err = prepare(b, all[i].sql, all[i].stmt, reterr);
    for (size_t i = 0; i < STREAM_ENTRY && !err; i++) {
        line_clear(&b->scratch);
        row_insert_sql(&b->set->columns[i], &b->scratch);
        err = prepare(b, (const char *)b->scratch.data, &b->insert[i], reterr);
    }
    return err;
}

int book_open(const struct book_settings *set, int32_t day, struct book **ret, struct error *reterr)
{
    struct book *b = calloc(1, sizeof *b);
    memory_check(b);
    b->set = set;
    b->day = day;
    b->data_version = -1;
    int err = day_path(set->directory, day, b->path)
                  ? 0
                  : error_set(reterr, -ENAMETOOLONG, "%.200s: %s", set->directory, strerror(ENAMETOOLONG));
    err = err ? err : day_open(b->path, set->cache_bytes, &b->db, reterr);
    err = err ? err : prepare_all(b, reterr);
    err = err ? err : ids_open(b->db, set->columns, day_first_id(day + 1), &b->ids, reterr);
    err = err ? err : rollup_open(b->db, day, set->keys, &b->rollup, reterr);
    if (!err && stat(b->path, &b->is) < 0)
        err = error_set(reterr, -errno, "%.300s: %s", b->path, strerror(errno));
    if (err)
        book_close(&b, false, &(struct error){{0}});
    *ret = b;
    return err;
}

int32_t book_day(const struct book *b)
{
    return b->day;
}

bool book_is_there(const struct book *b)
{
    struct stat st;
    return stat(b->path, &st) == 0 && st.st_ino == b->is.st_ino && st.st_dev == b->is.st_dev;
}

static int run(struct book *b, sqlite3_stmt *stmt, struct error *reterr)
{
    int code = sqlite3_step(stmt);
    int err = code == SQLITE_DONE ? 0 : fail(b, code, reterr);
    sqlite3_reset(stmt);
    return err;
}

/* What is kept in memory of the file may be old where others write to it too. */
static int look_for_others(struct book *b, struct error *reterr)
{
    int code = sqlite3_step(b->version);
    int64_t version = sqlite3_column_int64(b->version, 0);
    int err = code == SQLITE_ROW ? 0 : fail(b, code, reterr);
    sqlite3_reset(b->version);
    if (err || version == b->data_version)
        return err;
    b->data_version = version;
    rollup_forget(b->rollup);
    return ids_forget(b->ids, reterr);
}

int book_begin(struct book *b, struct error *reterr)
{
    int err = run(b, b->begin, reterr);
    return err ? err : look_for_others(b, reterr);
}

int book_commit(struct book *b, struct error *reterr)
{
    int err = rollup_write(b->rollup, reterr);
    return err ? err : run(b, b->commit, reterr);
}

void book_roll_back(struct book *b)
{
    if (!sqlite3_get_autocommit(b->db))
        sqlite3_exec(b->db, "ROLLBACK", NULL, NULL, NULL);
    rollup_forget(b->rollup);
    b->data_version = -1; /* ids are looked for anew */
}

static int insert_find(struct book *b, const struct record *rec, int64_t id)
{
    size_t ends[FIND_COLUMNS], from = 0;
    find_texts(rec->body, b->set->find_bytes, &b->scratch, ends);
    sqlite3_bind_int64(b->find, 1, id);
    for (size_t i = 0; i < FIND_COLUMNS; from = ends[i++]) {
        const char *text = ends[i] > from ? (const char *)b->scratch.data + from : "";
        sqlite3_bind_text64(b->find, (int)i + 2, text, ends[i] - from, SQLITE_STATIC, SQLITE_UTF8);
    }
    int code = sqlite3_step(b->find);
    sqlite3_reset(b->find);
    return code;
}

static int insert_keys(struct book *b, const struct record *rec, int64_t id)
{
    if (!find_keys(rec, &b->scratch))
        return SQLITE_DONE;
    sqlite3_bind_int64(b->find_key, 1, id);
    sqlite3_bind_text64(b->find_key, 2, (const char *)b->scratch.data, b->scratch.len, SQLITE_STATIC,
                        SQLITE_UTF8);
    int code = sqlite3_step(b->find_key);
    sqlite3_reset(b->find_key);
    return code;
}

static void bind_entry(struct book *b, sqlite3_stmt *stmt, const struct record *rec, int64_t id)
{
    struct slice path = ((const struct entry *)rec->body)->stream;
    line_clear(&b->scratch);
    json_record(rec, &b->scratch);
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_text64(stmt, 2, (const char *)path.data, path.len, SQLITE_STATIC, SQLITE_UTF8);
    sqlite3_bind_text64(stmt, 3, (const char *)b->scratch.data, b->scratch.len - 1, SQLITE_STATIC,
                        SQLITE_UTF8);
}

static int insert_row(struct book *b, const struct record *rec, int64_t id)
{
    size_t stream = rec->stream->index;
    sqlite3_stmt *stmt = b->insert[stream];
    if (stream == STREAM_ENTRY)
        bind_entry(b, stmt, rec, id);
    else
        row_bind(stmt, &b->set->columns[stream], id, rec->body, &b->scratch);
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return code;
}

/* What it says of the record rather than of the file. */
static bool is_refusal(int code)
{
    int plain = code & 0xff;
    return plain == SQLITE_TOOBIG || plain == SQLITE_CONSTRAINT || plain == SQLITE_MISMATCH;
}

int book_put(struct book *b, const struct record *rec, int64_t *id, struct error *reterr)
{
    int place = ids_place(b->ids, rec, id, reterr);
    if (place < 0)
        return place == -EOVERFLOW ? BOOK_REFUSED : place;
    if (place != IDS_FREE)
        return place == IDS_KNOWN ? BOOK_KNOWN : BOOK_BEYOND;
    int code = insert_row(b, rec, *id);
    bool refused = is_refusal(code);
    if (code == SQLITE_DONE)
        code = rec->stream == &stream_smtp ? insert_find(b, rec, *id) : insert_keys(b, rec, *id);
    if (code != SQLITE_DONE) {
        int err = fail(b, code, reterr);
        return refused ? BOOK_REFUSED : err;
    }
    rollup_add(b->rollup, rec, *id);
    return BOOK_PUT;
}

int book_close(struct book **pb, bool over, struct error *reterr)
{
    struct book *b = *pb;
    *pb = NULL;
    if (!b)
        return 0;
    ids_free(&b->ids);
    rollup_free(&b->rollup);
    for (size_t i = 0; i < STREAMS; i++)
        sqlite3_finalize(b->insert[i]);
    sqlite3_stmt *const rest[] = {b->find, b->find_key, b->begin, b->commit, b->version};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        sqlite3_finalize(rest[i]);
    line_free(&b->scratch);
    int err = 0;
    if (over && b->db)
        err = day_close(&b->db, reterr);
    else
        sqlite3_close(b->db);
    free(b);
    return err;
}
