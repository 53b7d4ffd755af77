/* marks.c: acknowledgements and mutes of notices, in a database of their own.
 * In: what people decide. Out: states, history. Owns: page.sqlite.
 * Limits: those of marks.h. Each act is one transaction with its line of history.
 * Knowingly: an acknowledgement stays where retention has taken its notice away, until MARKS_KEPT newer ones
 * are there. */
#include "store/marks.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"
#include "store/day.h"

enum { MARKS_SCHEMA = 1, BUSY_MS = 2000, HISTORY_MOST = 200 };

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS acknowledged(notice INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT, "
    "remark TEXT) STRICT;"
    "CREATE TABLE IF NOT EXISTS mute(id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT, identifier "
    "TEXT, host TEXT, until INTEGER, at INTEGER NOT NULL, who TEXT, remark TEXT) STRICT;"
    "CREATE INDEX IF NOT EXISTS mute_note ON mute(note);"
    "CREATE TABLE IF NOT EXISTS history(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT, what TEXT NOT "
    "NULL, notice INTEGER, note TEXT, identifier TEXT, host TEXT, remark TEXT) STRICT;"
    "CREATE INDEX IF NOT EXISTS history_notice ON history(notice);"
    "CREATE INDEX IF NOT EXISTS history_note ON history(note);"
    "PRAGMA user_version = 1";

/* A mute, or a line of history about one, fits a notice of ?2 note, ?3 identifier, ?4 host. */
#define FITS                                                                                                 \
    "(note = ?2 AND (identifier IS NULL OR identifier = ?3) AND (host IS NULL OR host = ?4) OR "             \
    "note IS NULL AND host = ?4)"

struct marks {
    sqlite3 *db; /* NULL: there is no file */
    sqlite3_stmt *state;
    char path[DAY_PATH];
};

static const char *const state_names[MARK_STATES] = {"open", "acknowledged", "muted"};

const char *mark_state_name(enum mark_state s)
{
    return state_names[s];
}

static int failed(struct marks *m, int code, struct error *reterr)
{
    return day_error(m->db, code, m->path, reterr);
}

static int run(struct marks *m, const char *sql, struct error *reterr)
{
    int code = sqlite3_exec(m->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : failed(m, code, reterr);
}

static int version_of(struct marks *m, int *ret, struct error *reterr)
{
    sqlite3_stmt *stmt;
    int code = sqlite3_prepare_v2(m->db, "PRAGMA user_version", -1, &stmt, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        *ret = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return code == SQLITE_ROW ? 0 : failed(m, code, reterr);
}

/* SQLite says of a folder without rights what it says of one that is not there. */
static int writable(const char *directory, const char *path, struct error *reterr)
{
    const char *which = access(path, F_OK) == 0 ? path : directory;
    if (access(which, W_OK) == 0)
        return 0;
    int err = -errno;
    return error_set(reterr, err, "%s: %s", which, strerror(-err));
}

static int open_database(struct marks *m, bool write, struct error *reterr)
{
    int version = 0;
    int code = sqlite3_open_v2(m->path, &m->db,
                               (write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) |
                                   SQLITE_OPEN_NOMUTEX,
                               NULL);
    int err = code == SQLITE_OK ? 0 : failed(m, code, reterr);
    if (err)
        return err;
    sqlite3_busy_timeout(m->db, BUSY_MS);
    sqlite3_db_config(m->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(m->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    err = version_of(m, &version, reterr);
    if (!err && version > MARKS_SCHEMA)
        err = error_set(reterr, -EPROTO, "%s: made by a newer mailtap (schema %d, this one knows %d)",
                        m->path, version, MARKS_SCHEMA);
    /* The journal stays, emptied: who may not make files in the folder can go on with those that are there.
     */
    if (!err && write)
        err = run(m, "PRAGMA journal_mode = TRUNCATE; PRAGMA temp_store = MEMORY", reterr);
    if (err || version == MARKS_SCHEMA)
        return err;
    if (write)
        return run(m, tables, reterr);
    sqlite3_close(m->db); /* somebody is just making it */
    m->db = NULL;
    return 0;
}

int marks_open(const char *directory, bool write, struct marks **ret, struct error *reterr)
{
    struct marks *m = calloc(1, sizeof *m);
    memory_check(m);
    int len = snprintf(m->path, sizeof m->path, "%s/page.sqlite", directory);
    int err = len < 0 || len >= (int)sizeof m->path
                  ? error_set(reterr, -ENAMETOOLONG, "%s: %s", directory, strerror(ENAMETOOLONG))
                  : 0;
    bool there = *directory;
    if (!err && write && !there)
        err = error_set(reterr, -EROFS,
                        "setting web_directory is empty, and this store has no folder to write to");
    if (!err && write)
        err = writable(directory, m->path, reterr);
    if (!err && there && (write || access(m->path, F_OK) == 0))
        err = open_database(m, write, reterr);
    if (err)
        marks_close(&m);
    *ret = m;
    return err;
}

void marks_close(struct marks **pm)
{
    struct marks *m = *pm;
    *pm = NULL;
    if (!m)
        return;
    sqlite3_finalize(m->state);
    sqlite3_close(m->db);
    free(m);
}

static void bind_text(sqlite3_stmt *stmt, int at, struct slice text)
{
    if (text.data)
        sqlite3_bind_text64(stmt, at, (const char *)text.data, text.len, SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(stmt, at);
}

static struct slice text_at(sqlite3_stmt *stmt, int at)
{
    const unsigned char *text = sqlite3_column_text(stmt, at);
    return (struct slice){text, text ? (size_t)sqlite3_column_bytes(stmt, at) : 0};
}

static int prepare(struct marks *m, const char *sql, sqlite3_stmt **ret, struct error *reterr)
{
    int code = sqlite3_prepare_v2(m->db, sql, -1, ret, NULL);
    return code == SQLITE_OK ? 0 : failed(m, code, reterr);
}

/* Runs a statement to its end, and is done with it. */
static int finish(struct marks *m, sqlite3_stmt *stmt, struct error *reterr)
{
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        ;
    int err = code == SQLITE_DONE ? 0 : failed(m, code, reterr);
    sqlite3_finalize(stmt);
    return err;
}

int marks_state(struct marks *m, const struct marked *notice, struct mark *ret, struct error *reterr)
{
    static const char sql[] =
        "SELECT 1, at, who, remark, 0 FROM acknowledged WHERE notice = ?1 UNION ALL "
        "SELECT 2, at, who, remark, id FROM mute WHERE " FITS " AND (until IS NULL OR until > ?5) LIMIT 1";
    *ret = (struct mark){.state = MARK_OPEN};
    if (!m->db)
        return 0;
    int err = m->state ? 0 : prepare(m, sql, &m->state, reterr);
    if (err)
        return err;
    sqlite3_reset(m->state);
    sqlite3_bind_int64(m->state, 1, notice->id);
    bind_text(m->state, 2, notice->note);
    bind_text(m->state, 3, notice->identifier);
    bind_text(m->state, 4, notice->host);
    sqlite3_bind_int64(m->state, 5, notice->micros);
    int code = sqlite3_step(m->state);
    if (code == SQLITE_DONE) {
        sqlite3_reset(m->state); /* no lock outlives the answer */
        return 0;
    }
    if (code != SQLITE_ROW)
        return failed(m, code, reterr);
    *ret = (struct mark){sqlite3_column_int(m->state, 0) == 1 ? MARK_ACKNOWLEDGED : MARK_MUTED,
                         sqlite3_column_int64(m->state, 1), text_at(m->state, 2), text_at(m->state, 3),
                         sqlite3_column_int64(m->state, 4)};
    return 0;
}

/* Ends a transaction; 0 where all of it went well. */
static int settle(struct marks *m, int err, struct error *reterr)
{
    if (!err)
        err = run(m, "COMMIT", reterr);
    if (err)
        sqlite3_exec(m->db, "ROLLBACK", NULL, NULL, NULL);
    return err;
}

static int begin(struct marks *m, struct error *reterr)
{
    assert(m->db);
    return run(m, "BEGIN IMMEDIATE", reterr);
}

/* A line of history; `mute` is NULL where it is about one notice. */
static int tell(struct marks *m, const char *what, int64_t notice, const struct mute *mute,
                const struct mark_act *act, struct error *reterr)
{
    sqlite3_stmt *stmt;
    int err = prepare(m,
                      "INSERT INTO history(at, who, what, notice, note, identifier, host, remark) "
                      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                      &stmt, reterr);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, act->at);
    bind_text(stmt, 2, act->by);
    bind_text(stmt, 3, slice_str(what));
    if (mute) {
        bind_text(stmt, 5, mute->note);
        bind_text(stmt, 6, mute->identifier);
        bind_text(stmt, 7, mute->host);
    } else {
        sqlite3_bind_int64(stmt, 4, notice);
    }
    bind_text(stmt, 8, act->remark);
    err = finish(m, stmt, reterr);
    if (err)
        return err;
    err = prepare(m, "DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?1", &stmt, reterr);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, MARKS_KEPT);
    return finish(m, stmt, reterr);
}

static int put_acknowledged(struct marks *m, int64_t notice, const struct mark_act *act, struct error *reterr)
{
    sqlite3_stmt *stmt;
    int err = prepare(m, "INSERT OR REPLACE INTO acknowledged VALUES(?1, ?2, ?3, ?4)", &stmt, reterr);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, notice);
    sqlite3_bind_int64(stmt, 2, act->at);
    bind_text(stmt, 3, act->by);
    bind_text(stmt, 4, act->remark);
    err = finish(m, stmt, reterr);
    if (err)
        return err;
    err = prepare(m,
                  "DELETE FROM acknowledged WHERE notice IN (SELECT notice FROM acknowledged "
                  "ORDER BY notice DESC LIMIT -1 OFFSET ?1)",
                  &stmt, reterr);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, MARKS_KEPT);
    return finish(m, stmt, reterr);
}

int marks_acknowledge(struct marks *m, int64_t notice, const struct mark_act *act, struct error *reterr)
{
    int err = begin(m, reterr);
    if (err)
        return err;
    err = put_acknowledged(m, notice, act, reterr);
    return settle(m, err ? err : tell(m, "acknowledged", notice, NULL, act, reterr), reterr);
}

/* Deletes one row by its number; -ENOENT: there was none. */
static int drop(struct marks *m, const char *sql, int64_t number, const char *what, struct error *reterr)
{
    sqlite3_stmt *stmt;
    int err = prepare(m, sql, &stmt, reterr);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, number);
    err = finish(m, stmt, reterr);
    return err ? err
           : sqlite3_changes(m->db)
               ? 0
               : error_set(reterr, -ENOENT, "%s %lld is not there", what, (long long)number);
}

int marks_reopen(struct marks *m, int64_t notice, const struct mark_act *act, struct error *reterr)
{
    int err = begin(m, reterr);
    if (err)
        return err;
    err =
        drop(m, "DELETE FROM acknowledged WHERE notice = ?1", notice, "an acknowledgement of notice", reterr);
    return settle(m, err ? err : tell(m, "reopened", notice, NULL, act, reterr), reterr);
}

static int put_mute(struct marks *m, const struct mute *mute, struct error *reterr)
{
    sqlite3_stmt *stmt;
    int err = prepare(m,
                      "INSERT INTO mute(note, identifier, host, until, at, who, remark) "
                      "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE (SELECT count(*) FROM mute) < ?8",
                      &stmt, reterr);
    if (err)
        return err;
    bind_text(stmt, 1, mute->note);
    bind_text(stmt, 2, mute->identifier);
    bind_text(stmt, 3, mute->host);
    if (mute->until)
        sqlite3_bind_int64(stmt, 4, mute->until);
    sqlite3_bind_int64(stmt, 5, mute->act.at);
    bind_text(stmt, 6, mute->act.by);
    bind_text(stmt, 7, mute->act.remark);
    sqlite3_bind_int64(stmt, 8, MARKS_MUTES);
    err = finish(m, stmt, reterr);
    return err                      ? err
           : sqlite3_changes(m->db) ? 0
                                    : error_set(reterr, -ENOSPC,
                                                "there are %d mutes, which is the most; "
                                                "take some back",
                                                MARKS_MUTES);
}

int marks_mute(struct marks *m, const struct mute *mute, int64_t *ret, struct error *reterr)
{
    int err = begin(m, reterr);
    if (err)
        return err;
    err = put_mute(m, mute, reterr);
    int64_t id = sqlite3_last_insert_rowid(m->db);
    err = settle(m, err ? err : tell(m, "muted", 0, mute, &mute->act, reterr), reterr);
    if (!err)
        *ret = id;
    return err;
}

static struct mute mute_of_row(sqlite3_stmt *stmt)
{
    return (struct mute){.id = sqlite3_column_int64(stmt, 0),
                         .note = text_at(stmt, 1),
                         .identifier = text_at(stmt, 2),
                         .host = text_at(stmt, 3),
                         .until = sqlite3_column_int64(stmt, 4),
                         .act = {text_at(stmt, 6), text_at(stmt, 7), sqlite3_column_int64(stmt, 5)}};
}

/* Tells of the mute in the history before it is gone. */
static int tell_of_mute(struct marks *m, int64_t id, const struct mark_act *act, struct error *reterr)
{
    sqlite3_stmt *stmt;
    int err = prepare(m, "SELECT id, note, identifier, host, until, at, who, remark FROM mute WHERE id = ?1",
                      &stmt, reterr);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, id);
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        struct mute mute = mute_of_row(stmt);
        err = tell(m, "unmuted", 0, &mute, act, reterr);
    } else if (code != SQLITE_DONE) {
        err = failed(m, code, reterr);
    }
    sqlite3_finalize(stmt);
    return err;
}

int marks_unmute(struct marks *m, int64_t id, const struct mark_act *act, struct error *reterr)
{
    int err = begin(m, reterr);
    if (err)
        return err;
    err = tell_of_mute(m, id, act, reterr);
    return settle(m, err ? err : drop(m, "DELETE FROM mute WHERE id = ?1", id, "mute", reterr), reterr);
}

int marks_mutes(struct marks *m, marks_mute_fn *each, void *ctx, struct error *reterr)
{
    sqlite3_stmt *stmt;
    int code;
    if (!m->db)
        return 0;
    int err =
        prepare(m, "SELECT id, note, identifier, host, until, at, who, remark FROM mute ORDER BY id DESC",
                &stmt, reterr);
    if (err)
        return err;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct mute mute = mute_of_row(stmt);
        each(ctx, &mute);
    }
    err = code == SQLITE_DONE ? 0 : failed(m, code, reterr);
    sqlite3_finalize(stmt);
    return err;
}

int marks_history(struct marks *m, const struct marked *notice, marks_event_fn *each, void *ctx,
                  struct error *reterr)
{
    sqlite3_stmt *stmt;
    int code;
    if (!m->db)
        return 0;
    int err = prepare(m,
                      "SELECT what, who, remark, at FROM history WHERE notice = ?1 OR " FITS
                      " ORDER BY id DESC LIMIT ?5",
                      &stmt, reterr);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, notice->id);
    bind_text(stmt, 2, notice->note);
    bind_text(stmt, 3, notice->identifier);
    bind_text(stmt, 4, notice->host);
    sqlite3_bind_int64(stmt, 5, HISTORY_MOST);
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const struct mark_act act = {text_at(stmt, 1), text_at(stmt, 2), sqlite3_column_int64(stmt, 3)};
        each(ctx, (const char *)sqlite3_column_text(stmt, 0), &act);
    }
    err = code == SQLITE_DONE ? 0 : failed(m, code, reterr);
    sqlite3_finalize(stmt);
    return err;
}
