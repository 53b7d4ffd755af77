/* ids.c: a place for each record.
 * In: records; rows that are there. Out: ids. Owns: statements, the ends of some runs. Limits: PROBES ids are
 * looked at for one record.
 * Knowingly: many records may end at one time, as all that are open do at the end of a capture, so it is
 * known where the last few runs of such have come to. That is a short cut: without it the same ids are
 * found. */
#include "store/ids.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "record/entry.h"
#include "sink/json.h"
#include "store/day.h"

enum { RUNS = 16 /* a power of two */, SAME = 6, PROBES = 1 << 17 };

/* The columns by which a record is known again: what another sensor saw is another record. */
static const char *const same[STREAM_ENTRY][SAME] = {
    [STREAM_SMTP] = {"uid", "trans_depth", "sensor"},
    [STREAM_SESSION] = {"uid", "sensor"},
    [STREAM_NOTICE] = {"uid", "trans_depth", "note", "identifier", "msg", "sensor"},
    [STREAM_SOFTWARE] = {"uid", "host", "software_type", "name", "version", "sensor"},
    [STREAM_STATS] = {"worker", "sensor"},
};

struct run {
    int64_t time, last; /* records of that time have ids up to the last one */
};

struct ids {
    sqlite3 *db;
    int64_t end, most; /* the highest that is taken; -1: none */
    struct run runs[RUNS];
    const struct column *columns[STREAM_ENTRY][SAME];
    sqlite3_stmt *find[STREAMS]; /* a row by its id, with those columns */
    sqlite3_stmt *highest;
    struct line scratch;
};

static int fail(const struct ids *ids, int code, struct error *reterr)
{
    return day_error(ids->db, code, "ids", reterr);
}

static int prepare(struct ids *ids, const struct line *sql, sqlite3_stmt **ret, struct error *reterr)
{
    int code = sqlite3_prepare_v3(ids->db, (const char *)sql->data, (int)sql->len, SQLITE_PREPARE_PERSISTENT,
                                  ret, NULL);
    return code == SQLITE_OK ? 0 : fail(ids, code, reterr);
}

static int prepare_find(struct ids *ids, const struct columns *columns, size_t stream, struct error *reterr)
{
    struct line sql = {0};
    line_str(&sql, "SELECT id");
    for (size_t i = 0; stream < STREAM_ENTRY && i < SAME && same[stream][i]; i++) {
        ids->columns[stream][i] = column_find(&columns[stream], slice_str(same[stream][i]));
        line_printf(&sql, ", \"%s\"", ids->columns[stream][i]->name);
    }
    if (stream == STREAM_ENTRY)
        line_str(&sql, ", record");
    line_printf(&sql, " FROM %s WHERE id = ?", stream == STREAM_ENTRY ? "entry" : stream_table[stream]->path);
    int err = prepare(ids, &sql, &ids->find[stream], reterr);
    line_free(&sql);
    return err;
}

static int prepare_highest(struct ids *ids, struct error *reterr)
{
    struct line sql = {0};
    line_str(&sql, "SELECT max(-1");
    for (size_t i = 0; i < STREAMS; i++)
        line_printf(&sql, ", coalesce((SELECT max(id) FROM %s), -1)",
                    i == STREAM_ENTRY ? "entry" : stream_table[i]->path);
    line_str(&sql, ")");
    int err = prepare(ids, &sql, &ids->highest, reterr);
    line_free(&sql);
    return err;
}

int ids_open(sqlite3 *db, const struct columns *columns, int64_t end, struct ids **ret, struct error *reterr)
{
    struct ids *ids = calloc(1, sizeof *ids);
    memory_check(ids);
    *ret = ids;
    ids->db = db;
    ids->end = end;
    int err = prepare_highest(ids, reterr);
    for (size_t i = 0; i < STREAMS && !err; i++)
        err = prepare_find(ids, columns, i, reterr);
    return err ? err : ids_forget(ids, reterr);
}

int ids_forget(struct ids *ids, struct error *reterr)
{
    for (size_t i = 0; i < RUNS; i++)
        ids->runs[i] = (struct run){-1, -1};
    int code = sqlite3_step(ids->highest);
    if (code == SQLITE_ROW)
        ids->most = sqlite3_column_int64(ids->highest, 0);
    int err = code == SQLITE_ROW ? 0 : fail(ids, code, reterr);
    sqlite3_reset(ids->highest);
    return err;
}

void ids_free(struct ids **pids)
{
    struct ids *ids = *pids;
    *pids = NULL;
    if (!ids)
        return;
    for (size_t i = 0; i < STREAMS; i++)
        sqlite3_finalize(ids->find[i]);
    sqlite3_finalize(ids->highest);
    line_free(&ids->scratch);
    free(ids);
}

static struct slice text_at(sqlite3_stmt *stmt, int at)
{
    const unsigned char *text = sqlite3_column_text(stmt, at);
    return (struct slice){text, (size_t)sqlite3_column_bytes(stmt, at)};
}

static bool is_equal(struct ids *ids, sqlite3_stmt *stmt, int at, const struct field *f, const void *value)
{
    struct slice kept = text_at(stmt, at);
    switch ((int)f->kind) {
    case FIELD_TEXT:
        return slice_eq(kept, *(const struct slice *)value);
    case FIELD_ADDRESS:
        line_clear(&ids->scratch);
        line_address(&ids->scratch, value);
        return slice_eq(kept, line_slice(&ids->scratch));
    default:
        return sqlite3_column_int64(stmt, at) == (int64_t) * (const uint64_t *)value;
    }
}

static bool is_same(struct ids *ids, sqlite3_stmt *stmt, const struct record *rec)
{
    size_t stream = rec->stream->index;
    if (stream == STREAM_ENTRY) {
        line_clear(&ids->scratch);
        json_record(rec, &ids->scratch);
        return slice_eq(text_at(stmt, 1), slice_sub(line_slice(&ids->scratch), 0, ids->scratch.len - 1));
    }
    bool equal = true;
    for (size_t i = 0; i < SAME && same[stream][i] && equal; i++) {
        const struct field *f = ids->columns[stream][i]->field;
        equal = is_equal(ids, stmt, (int)i + 1, f, (const char *)rec->body + f->offset);
    }
    return equal;
}

enum found { FOUND_NOTHING, FOUND_OTHER, FOUND_SAME };

/* In one table. An enum found, or -errno. */
static int look(struct ids *ids, size_t stream, int64_t id, const struct record *rec, struct error *reterr)
{
    sqlite3_stmt *stmt = ids->find[stream];
    sqlite3_bind_int64(stmt, 1, id);
    int code = sqlite3_step(stmt), ret = FOUND_NOTHING;
    if (code == SQLITE_ROW)
        ret = rec && is_same(ids, stmt, rec) ? FOUND_SAME : FOUND_OTHER;
    else if (code != SQLITE_DONE)
        ret = fail(ids, code, reterr);
    sqlite3_reset(stmt);
    return ret;
}

static int look_everywhere(struct ids *ids, int64_t id, const struct record *rec, struct error *reterr)
{
    if (id > ids->most)
        return FOUND_NOTHING;
    int found = look(ids, rec->stream->index, id, rec, reterr);
    for (size_t i = 0; i < STREAMS && found == FOUND_NOTHING; i++)
        if (i != rec->stream->index)
            found = look(ids, i, id, NULL, reterr);
    return found;
}

int ids_place(struct ids *ids, const struct record *rec, int64_t *id, struct error *reterr)
{
    struct run *run = &ids->runs[(uint64_t)*id % RUNS];
    int64_t time = *id, at = run->time == time ? run->last + 1 : time;
    int found = FOUND_OTHER;
    for (size_t i = 0; i < PROBES && at < ids->end && found == FOUND_OTHER; i++) {
        found = look_everywhere(ids, at, rec, reterr);
        if (found < 0)
            return found;
        at += found == FOUND_OTHER;
    }
    *id = at;
    *run = (struct run){time, at};
    if (found == FOUND_SAME)
        return IDS_KNOWN;
    if (found == FOUND_OTHER && at < ids->end)
        return error_set(reterr, -EOVERFLOW, "more than %d records of one time", PROBES);
    if (at >= ids->end)
        return IDS_BEYOND;
    ids->most = at > ids->most ? at : ids->most;
    return IDS_FREE;
}
