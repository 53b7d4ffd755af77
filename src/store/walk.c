/* walk.c: a question's way over day files, newest or oldest first.
 * In: a question. Out: rows of SQL; how far it came. Owns: the statement at hand. Limits: the question's, the
 * reader's deadline. Knowingly: a record that is written after a later one was read is not seen by a question
 * that goes on behind that one. */
#include "store/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { DAY_SECONDS = 86400, MICROSECONDS = 1000000 };
#define DAY_IDS ((int64_t)DAY_SECONDS * MICROSECONDS)

/* What the index is asked. */
enum way {
    WAY_ROWS,  /* the table in its order */
    WAY_INDEX, /* the index, and the rows that it finds */
    WAY_ALONE, /* the index alone */
    WAY_CUT,   /* those that the index does not hold whole, and their rows */
};

struct walking {
    struct folder *folder;
    const struct walk *walk;
    struct reader_result *result;
    struct error *err;
    struct ask_bounds bounds;
    const struct query_node *root;
    struct line match;
    enum ask_narrow narrow;
    int stopped; /* what a row returned to end it */
};

static const char *path_of(enum stream_index stream)
{
    return stream == STREAM_ENTRY ? "entry" : stream_table[stream]->path;
}

static void add_match(const struct walking *w, enum way way, struct line *out)
{
    if (way == WAY_CUT) {
        line_str(out, "key : kzcut");
        return;
    }
    line_byte(out, '(');
    line_add(out, line_slice(&w->match));
    line_str(out, way == WAY_ALONE ? ") NOT (key : kzcut)" : ") OR (key : kzcut)");
}

static void add_order(const struct walking *w, const char *key, struct line *sql)
{
    line_printf(sql, " ORDER BY %s %s", key, w->walk->question->oldest_first ? "ASC" : "DESC");
}

/* `match` must live as long as the binds. */
static void add_sql(const struct walking *w, const struct ask_table *table, enum way way, struct line *match,
                    struct line *sql, struct binds *binds)
{
    const char *key = way == WAY_ROWS ? "r.id" : "f.rowid";
    line_printf(sql, "SELECT %s", key);
    if (w->walk->select)
        w->walk->select(w->walk->ctx, table, sql);
    if (way == WAY_ROWS)
        line_printf(sql, " FROM %s AS r WHERE ", path_of(table->stream));
    else if (way == WAY_ALONE)
        line_str(sql, " FROM find AS f WHERE ");
    else
        line_printf(sql, " FROM find AS f CROSS JOIN %s AS r ON r.id = f.rowid WHERE ",
                    path_of(table->stream));
    if (way != WAY_ROWS) {
        add_match(w, way, match);
        line_str(sql, "f.find MATCH ? AND ");
        binds_text(binds, line_slice(match));
    }
    line_printf(sql, "%s BETWEEN ? AND ?", key);
    binds_integer(binds, w->bounds.from);
    binds_integer(binds, w->bounds.to);
    if (way != WAY_ALONE) {
        if (w->folder->reader.deadline > 0)
            line_printf(sql, " AND seen(%s)", key);
        line_str(sql, " AND ");
        ask_where(table, w->root, sql, binds);
    }
    add_order(w, key, sql);
    line_byte(sql, '\0');
}

/* Where the next question begins, so that it gives no row twice and none is missed. */
static uint64_t place_reached(const struct walking *w, int64_t seen, uint64_t last)
{
    if (last == (uint64_t)seen)
        return last;
    return w->walk->question->oldest_first ? (uint64_t)seen - (seen > 0) : (uint64_t)seen + 1;
}

static void stop_here(struct walking *w, uint64_t place)
{
    w->result->complete = false;
    w->result->searched_to = place;
    reader_stopped(&w->folder->reader, place, w->walk->question->oldest_first);
}

/* False: the walk is at its end. */
static bool take_rows(struct walking *w, sqlite3_stmt *stmt, int *ret_code)
{
    const struct reader_question *q = w->walk->question;
    while ((*ret_code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (q->limit && w->result->rows == q->limit) {
            w->result->more = true;
            *ret_code = SQLITE_DONE;
            return false;
        }
        uint64_t id = (uint64_t)sqlite3_column_int64(stmt, 0);
        w->result->rows++;
        w->result->last = id;
        *compare_seen(volumes_compare(w->folder->volumes)) = (int64_t)id;
        if (w->walk->row && (w->stopped = w->walk->row(w->walk->ctx, stmt, id))) {
            *ret_code = SQLITE_DONE;
            return false;
        }
    }
    return true;
}

static void leave_out(struct walking *w, struct volume *v, int code)
{
    struct error why;
    char name[40];
    snprintf(name, sizeof name, "the file of day %" PRId32, v->day);
    day_error(v->db, code, name, &why);
    reader_leave_out(&w->folder->reader, w->result, &why);
    volumes_drop(w->folder->volumes, v);
}

/* Returns as take_rows does. `begin`: where nothing of the file has been seen yet. */
static bool run_sql(struct walking *w, struct volume *v, enum way way, int64_t begin)
{
    enum stream_index stream = w->walk->question->stream;
    const struct ask_table table = {stream, volumes_columns(w->folder->volumes, stream),
                                    stream == STREAM_ENTRY ? NULL : v->present[stream], v->notices};
    struct line sql = {0}, match = {0};
    struct binds binds = {0};
    sqlite3_stmt *stmt = NULL;
    int64_t *seen = compare_seen(volumes_compare(w->folder->volumes));
    bool go_on = true;
    *seen = begin;
    add_sql(w, &table, way, &match, &sql, &binds);
    int code = sqlite3_prepare_v2(v->db, (const char *)sql.data, (int)sql.len, &stmt, NULL);
    if (code == SQLITE_OK)
        code = binds_apply(&binds, stmt);
    if (code == SQLITE_OK)
        go_on = take_rows(w, stmt, &code);
    if (code == SQLITE_INTERRUPT) {
        stop_here(w, *seen == begin ? (uint64_t)begin : place_reached(w, *seen, w->result->last));
        go_on = false;
    }
    sqlite3_finalize(stmt);
    if (code != SQLITE_DONE && code != SQLITE_INTERRUPT)
        leave_out(w, v, code);
    binds_free(&binds);
    line_free(&match);
    line_free(&sql);
    return go_on;
}

static int64_t begin_of(const struct walking *w, int32_t day)
{
    int64_t first = (int64_t)day * DAY_IDS, last = first + DAY_IDS - 1;
    if (w->walk->question->oldest_first)
        return (first > w->bounds.from ? first : w->bounds.from) - 1;
    return (last < w->bounds.to ? last : w->bounds.to) + 1;
}

/* As take_rows. */
static bool walk_day(struct walking *w, int32_t day)
{
    enum stream_index stream = w->walk->question->stream;
    struct volume *v = NULL;
    struct error why;
    int64_t begin = begin_of(w, day);
    if (reader_over(&w->folder->reader)) {
        stop_here(w, (uint64_t)(begin > 0 ? begin : 0));
        return false;
    }
    w->result->files++;
    if (volumes_day(w->folder->volumes, day, &v, &why)) {
        reader_leave_out(&w->folder->reader, w->result, &why);
        return true;
    }
    if (!v->table[stream])
        return true;
    if (!v->find || w->narrow == ASK_ALL)
        return run_sql(w, v, WAY_ROWS, begin);
    if (!w->walk->ids_only || w->narrow != ASK_EXACTLY)
        return run_sql(w, v, WAY_INDEX, begin);
    return run_sql(w, v, WAY_CUT, begin) && run_sql(w, v, WAY_ALONE, begin);
}

static struct ask_bounds bounds_of(const struct reader_question *q)
{
    struct ask_bounds b = ask_bounds(q->query ? q->query->root : NULL);
    if (q->before && q->before <= INT64_MAX && (int64_t)q->before - 1 < b.to)
        b.to = (int64_t)q->before - 1;
    if (q->after >= INT64_MAX)
        b.from = INT64_MAX;
    else if ((int64_t)q->after >= b.from && q->after)
        b.from = (int64_t)q->after + 1;
    if (q->until && q->until - 1 < b.to)
        b.to = q->until - 1;
    if (q->since > b.from)
        b.from = q->since;
    return b;
}

static bool only_ids(const struct query_node *root)
{
    const struct query_node *part = !root ? NULL : root->kind == QUERY_AND ? root->first : root;
    for (; part; part = root == part ? NULL : part->next)
        if (part->kind != QUERY_TERM || (query_fields[part->term.field].kind != QUERY_TIME &&
                                         query_fields[part->term.field].kind != QUERY_ID))
            return false;
    return true;
}

static void ask_index(struct walking *w)
{
    enum stream_index stream = w->walk->question->stream;
    w->narrow = ask_match(volumes_compare(w->folder->volumes), stream, w->root, &w->match);
    /* To count all mails the rows themselves need not be read: each has one of two tokens. */
    if (w->narrow == ASK_ALL && w->walk->ids_only && stream == STREAM_SMTP && only_ids(w->root)) {
        line_str(&w->match, "key : (kt0 OR kt1)");
        w->narrow = ASK_EXACTLY;
    }
}

int walk_run(struct folder *f, const struct walk *walk, struct reader_result *ret, struct error *reterr)
{
    const struct reader_question *q = walk->question;
    struct walking w = {.folder = f,
                        .walk = walk,
                        .result = ret,
                        .err = reterr,
                        .bounds = bounds_of(q),
                        .root = q->query ? q->query->root : NULL};
    struct day_list days;
    *ret = (struct reader_result){.complete = true};
    int err = volumes_list(f->volumes, &days, reterr);
    bool go_on = true;
    if (err)
        return err;
    ask_index(&w);
    for (size_t i = 0; i < days.count && go_on; i++) {
        int32_t day = days.items[q->oldest_first ? days.count - 1 - i : i];
        int64_t first = (int64_t)day * DAY_IDS;
        if (first <= w.bounds.to && first + DAY_IDS > w.bounds.from)
            go_on = walk_day(&w, day);
    }
    free(days.items);
    line_free(&w.match);
    return w.stopped;
}
