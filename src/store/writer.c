/* writer.c: records into the file of their day.
 * In: records. Out: rows. Owns: the open day. */
#include "store/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "record/entry.h"
#include "sink/json.h"
#include "store/day.h"
#include "store/find.h"
#include "store/row.h"

enum { BATCH = 1000, APART_MOST = 1000 /* ids tried for one microsecond */ };

struct sink {
    char *directory;
    int32_t day; /* of db */
    sqlite3 *db; /* NULL: none is open */
    sqlite3_stmt *insert[STREAMS], *find;
    size_t batch;           /* rows since BEGIN */
    int64_t run_from, last; /* the ids that the latest records of one time took */
    struct sink_counts counts;
    struct line scratch;
    struct columns columns[STREAM_ENTRY];
};

static int sqlite_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    struct sink *snk = calloc(1, sizeof *snk);
    memory_check(snk);
    *ret = snk;
    snk->directory = strdup(set->directory ? set->directory : ".");
    memory_check(snk->directory);
    for (size_t i = 0; i < STREAM_ENTRY; i++)
        columns_of(stream_table[i], &snk->columns[i]);
    snk->last = -1;
    if (mkdir(snk->directory, 0777) < 0 && errno != EEXIST)
        return error_set(reterr, -errno, "%s: %s", snk->directory, strerror(errno));
    return 0;
}

static int exec(struct sink *snk, const char *sql, struct error *reterr)
{
    int code = sqlite3_exec(snk->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : day_error(snk->db, code, snk->directory, reterr);
}

static int leave_day(struct sink *snk, struct error *reterr)
{
    if (!snk->db)
        return 0;
    int err = snk->batch ? exec(snk, "COMMIT", reterr) : 0;
    snk->batch = 0;
    for (size_t i = 0; i < STREAMS; i++) {
        sqlite3_finalize(snk->insert[i]);
        snk->insert[i] = NULL;
    }
    sqlite3_finalize(snk->find);
    snk->find = NULL;
    struct error later;
    int closed = day_close(&snk->db, err ? &later : reterr);
    return err ? err : closed == -EBUSY ? 0 : closed;
}

static int prepare(struct sink *snk, struct error *reterr)
{
    static const char find_sql[] =
        "INSERT INTO find(rowid, subject, sender, recipient, file, url, host, text, key) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)";
    int code = sqlite3_prepare_v2(snk->db, find_sql, -1, &snk->find, NULL);
    for (size_t i = 0; i < STREAM_ENTRY && code == SQLITE_OK; i++) {
        line_clear(&snk->scratch);
        row_insert_sql(&snk->columns[i], &snk->scratch);
        code = sqlite3_prepare_v2(snk->db, (const char *)snk->scratch.data, -1, &snk->insert[i], NULL);
    }
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(snk->db, "INSERT INTO entry(id, path, record) VALUES(?, ?, ?)", -1,
                                  &snk->insert[STREAM_ENTRY], NULL);
    return code == SQLITE_OK ? 0 : day_error(snk->db, code, snk->directory, reterr);
}

static int enter_day(struct sink *snk, int32_t day, struct error *reterr)
{
    char path[DAY_PATH];
    int err = leave_day(snk, reterr);
    if (!err && !day_path(snk->directory, day, path))
        err = error_set(reterr, -ENAMETOOLONG, "%s: %s", snk->directory, strerror(ENAMETOOLONG));
    err = err ? err : day_open(path, &snk->db, reterr);
    snk->day = day;
    return err ? err : prepare(snk, reterr);
}

static int64_t next_id(struct sink *snk, struct timespec end)
{
    int64_t id = day_id(end);
    if (id >= snk->run_from && id <= snk->last)
        return ++snk->last;
    snk->run_from = snk->last = id;
    return id;
}

static int insert_find(struct sink *snk, int64_t id, const struct transaction *mail)
{
    size_t ends[FIND_COLUMNS], from = 0;
    find_texts(mail, &snk->scratch, ends);
    sqlite3_bind_int64(snk->find, 1, id);
    for (size_t i = 0; i < FIND_COLUMNS; from = ends[i++])
        sqlite3_bind_text64(snk->find, (int)i + 2,
                            ends[i] > from ? (const char *)snk->scratch.data + from : "", ends[i] - from,
                            SQLITE_STATIC, SQLITE_UTF8);
    int code = sqlite3_step(snk->find);
    sqlite3_reset(snk->find);
    return code;
}

static int insert_row(struct sink *snk, int64_t id, const struct record *rec)
{
    sqlite3_stmt *stmt = snk->insert[rec->stream->index];
    if (rec->stream == &stream_entry) {
        struct slice path = ((const struct entry *)rec->body)->stream;
        line_clear(&snk->scratch);
        json_record(rec, &snk->scratch);
        sqlite3_bind_int64(stmt, 1, id);
        sqlite3_bind_text64(stmt, 2, (const char *)path.data, path.len, SQLITE_STATIC, SQLITE_UTF8);
        sqlite3_bind_text64(stmt, 3, (const char *)snk->scratch.data, snk->scratch.len - 1, SQLITE_STATIC,
                            SQLITE_UTF8);
    } else {
        row_bind(stmt, &snk->columns[rec->stream->index], id, rec->body, &snk->scratch);
    }
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    if (code == SQLITE_DONE && rec->stream == &stream_smtp)
        code = insert_find(snk, id, rec->body);
    return code;
}

static int sqlite_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    int64_t id = next_id(snk, rec->end);
    int32_t day = day_of_id(id);
    int err = snk->db && day == snk->day ? 0 : enter_day(snk, day, reterr);
    if (!err && !snk->batch)
        err = exec(snk, "BEGIN", reterr);
    if (err)
        return err;
    int code = insert_row(snk, id, rec);
    if (code != SQLITE_DONE)
        return day_error(snk->db, code, snk->directory, reterr);
    snk->counts.written++;
    if (++snk->batch < BATCH)
        return 0;
    snk->batch = 0;
    return exec(snk, "COMMIT", reterr);
}

static int sqlite_close(struct sink **psnk, struct error *reterr)
{
    struct sink *snk = *psnk;
    *psnk = NULL;
    if (!snk)
        return 0;
    int err = leave_day(snk, reterr);
    line_free(&snk->scratch);
    free(snk->directory);
    free(snk);
    return err;
}

static void sqlite_tick(struct sink *snk, struct timespec now)
{
    (void)snk, (void)now;
}

static void sqlite_reopen(struct sink *snk)
{
    (void)snk;
}

static struct sink_counts sqlite_counts(const struct sink *snk)
{
    return snk->counts;
}

const struct sink_ops sink_sqlite = {"sqlite",      "a file of SQLite a day",
                                     sqlite_open,   sqlite_write,
                                     sqlite_close,  sqlite_tick,
                                     sqlite_reopen, sqlite_counts};
