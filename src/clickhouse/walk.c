/* walk.c: a question's way over the tables of a server, newest or oldest first.
 * In: a question. Out: rows; how far it came. Owns: the ids at hand. Limits: the question's, the reader's
 * deadline; CHUNK rows and CHUNK_BYTES of them at a time. Knowingly: repeats of a row that the server has not
 * merged yet are left out here, as FINAL would cost more; a record that is written after a later one was read
 * is not seen by a question that goes on behind that one. Two records of one id are given together, so that
 * none is missed by who goes on behind it, even where a limit asks for one less.
 *
 * The server sorts all that it finds, whatever the limit. So a window of ids after the other is asked, each
 * for the ids of what it finds alone; then for the columns of these. Windows become wider while the server is
 * fast, and narrower where it is slow or finds many. */
#include "clickhouse/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/memory.h"
#include "base/now.h"
#include "clickhouse/table.h"
#include "record/record.h"

enum { DAY_SECONDS = 86400, DAYS_MOST = 1 << 16, HOUR = 3600 };
enum { CHUNK = 2048, CHUNK_BYTES = 64 << 20, IDS_MOST = 1 << 20, ROW_BYTES = 64 << 20, SHORT_ROW = 1 << 16 };
/* Rows that a window is thought to have. */
enum { WINDOW_FIRST = 1 << 18, WINDOW_LEAST = 1 << 10, WINDOW_MOST = 1 << 28 };
#define DAY_IDS       (((uint64_t)DAY_SECONDS * 1000000) << CLICKHOUSE_ID_BITS)
#define FAST          0.2 /* seconds */
#define SLOW          1.0
#define TRIES_OF_SLOW 3

struct row_id {
    uint64_t id, hash;
};

struct day {
    int32_t day;
    uint64_t rows;
};

struct chunk_row {
    size_t wanted; /* index of its id */
    size_t values; /* of the first in `values` */
};

struct walking {
    struct chreader *reader;
    const struct chwalk *walk;
    const struct reader_question *question;
    struct reader_result *result;
    struct error *err;
    const struct query_node *root;
    struct chask ask;
    struct line where; /* the query's condition for the window at hand */
    struct day *days;  /* in the order of time */
    size_t day_count;
    uint64_t from, to; /* ids that are not looked at yet; both of them are among them */
    uint64_t window;   /* rows */
    bool many;         /* the last window had more than a chunk */
    int stopped;       /* what a row returned to end it */
    struct row_id *ids;
    size_t id_count, id_room;
    size_t fetched; /* of the ids, those that rows have come for */
    struct binary_value *values;
    struct chunk_row *rows;
    size_t row_count, value_count, value_room, row_room;
    struct buf texts;
    enum binary_kind kinds[CHWALK_COLUMNS + 2];
    size_t columns;
    uint64_t counted;
    uint64_t asked; /* how many ids, at most */
};

static const char *order(const struct walking *w)
{
    return w->question->oldest_first ? "" : " DESC";
}

static int run(struct walking *w, const struct line *sql, const enum binary_kind *kinds, size_t count,
               size_t row_most, binary_row_fn *row)
{
    const struct select s = {.server = w->reader->server,
                             .until = chreader_until(w->reader),
                             .kinds = kinds,
                             .count = count,
                             .row_most = row_most,
                             .whole = true,
                             .row = row,
                             .ctx = w};
    return select_run(&s, line_slice(sql), w->err);
}

/* ---- days */

static bool take_day(void *ctx, const struct binary_value *v)
{
    struct walking *w = ctx;
    if (w->day_count == DAYS_MOST)
        return false;
    if (!(w->day_count % 64)) {
        w->days = reallocarray(w->days, w->day_count + 64, sizeof *w->days);
        memory_check(w->days);
    }
    w->days[w->day_count++] = (struct day){(int32_t)v[0].number, v[1].number};
    return true;
}

/* The days that have rows, and about how many: what the server tells of its files costs nothing. */
static int list_days(struct walking *w)
{
    static const enum binary_kind kinds[] = {BINARY_U16, BINARY_U64};
    enum stream_index stream = w->question->stream;
    const char *table = chtable_of(stream)->name;
    struct line sql = {0};
    uint64_t first = w->from / DAY_IDS, last = w->to / DAY_IDS;
    if (tables_is_over(w->reader->tables, stream))
        line_printf(&sql,
                    "SELECT toUInt16(day) AS d, count() FROM `%s` WHERE day BETWEEN toDate(%" PRIu64
                    ") AND toDate(%" PRIu64 ") GROUP BY d ORDER BY d",
                    table, first, last);
    else
        line_printf(&sql,
                    "SELECT toUInt16(min_date) AS d, sum(rows) FROM system.parts WHERE active AND database = "
                    "currentDatabase() AND table = '%s' AND d BETWEEN %" PRIu64 " AND %" PRIu64
                    " GROUP BY d ORDER BY d",
                    table, first, last);
    int err = run(w, &sql, kinds, 2, SHORT_ROW, take_day);
    line_free(&sql);
    return err;
}

static uint64_t first_id_of(int32_t day)
{
    return (uint64_t)day * DAY_IDS;
}

/* A range of ids, and the days that these are of. */
struct window {
    uint64_t from, to;
    int32_t first_day, last_day;
};

/* Index of a day in the order of the walk. */
static const struct day *day_at(const struct walking *w, size_t i)
{
    return &w->days[w->question->oldest_first ? i : w->day_count - 1 - i];
}

/* A part of a day that has too many rows, at its end that comes first. */
static void cut_day(const struct walking *w, uint64_t rows, struct window *win)
{
    uint64_t width = (uint64_t)((double)DAY_IDS * ((double)w->window / (double)rows));
    if (w->question->oldest_first && win->to - win->from > width)
        win->to = win->from + width;
    else if (!w->question->oldest_first && win->to - win->from > width)
        win->from = win->to - width;
}

/* The next one, which has about as many rows as it should. False: there is nothing left. */
static bool next_window(struct walking *w, struct window *ret)
{
    uint64_t rows = 0;
    bool any = false;
    for (size_t i = 0; i < w->day_count; i++) {
        const struct day *d = day_at(w, i);
        uint64_t first = first_id_of(d->day), last = first + DAY_IDS - 1;
        if (w->from > w->to || last < w->from || first > w->to)
            continue;
        if (any && rows + d->rows > w->window)
            break;
        uint64_t from = first > w->from ? first : w->from, to = last < w->to ? last : w->to;
        if (!any)
            *ret = (struct window){from, to, d->day, d->day};
        if (from < ret->from)
            ret->from = from, ret->first_day = d->day;
        if (to > ret->to)
            ret->to = to, ret->last_day = d->day;
        rows += d->rows;
        any = true;
    }
    if (any && rows > w->window)
        cut_day(w, rows, ret);
    return any;
}

/* All up to there is looked at. */
static void pass(struct walking *w, uint64_t id)
{
    if (w->question->oldest_first) {
        w->from = id + 1;
    } else if (id) {
        w->to = id - 1;
    } else {
        w->from = 1;
        w->to = 0;
    }
}

static void pass_window(struct walking *w, const struct window *win)
{
    pass(w, w->question->oldest_first ? win->to : win->from);
}

/* ---- what is asked */

static void begin_question(struct walking *w, const struct window *win)
{
    chask_begin(&w->ask);
    w->ask.first_day = win->first_day;
    w->ask.last_day = win->last_day;
    line_clear(&w->where);
    chask_where(&w->ask, w->root, &w->where);
}

static void add_from(const struct walking *w, const struct window *win, bool final, struct line *sql)
{
    line_printf(sql, " FROM `%s`%s PREWHERE day BETWEEN toDate(%" PRId32 ") AND toDate(%" PRId32 ")",
                chtable_of(w->question->stream)->name, final ? " FINAL" : "", win->first_day, win->last_day);
}

static void add_question(struct walking *w, const struct window *win, const char *what, bool final,
                         struct line *sql)
{
    begin_question(w, win);
    line_add(sql, line_slice(&w->ask.with));
    line_printf(sql, "SELECT %s", what);
    add_from(w, win, final, sql);
    line_printf(sql, " AND id BETWEEN %" PRIu64 " AND %" PRIu64 " AND ", win->from, win->to);
    line_add(sql, line_slice(&w->where));
}

/* ---- counts */

static bool take_count(void *ctx, const struct binary_value *v)
{
    struct walking *w = ctx;
    w->counted = v[0].number;
    return false;
}

static int count_window(struct walking *w, const struct window *win)
{
    static const enum binary_kind kinds[] = {BINARY_U64};
    uint64_t limit = w->question->limit;
    struct line sql = {0};
    add_question(w, win, "count()", true, &sql);
    w->counted = 0;
    int err = run(w, &sql, kinds, 1, SHORT_ROW, take_count);
    line_free(&sql);
    if (err < 0)
        return err;
    w->result->rows += w->counted;
    if (limit && w->result->rows > limit) {
        w->result->rows = limit;
        w->result->more = true;
    }
    pass_window(w, win);
    return 0;
}

/* ---- ids */

static bool take_id(void *ctx, const struct binary_value *v)
{
    struct walking *w = ctx;
    struct row_id id = {v[0].number, v[1].number};
    const struct row_id *last = w->id_count ? &w->ids[w->id_count - 1] : NULL;
    if (w->counted == w->asked)
        return false; /* more than it was asked for, and there may be no end of them */
    w->counted++;
    if (last && last->id == id.id && last->hash == id.hash)
        return true;
    if (w->id_count == w->id_room) {
        w->id_room = w->id_room ? 2 * w->id_room : CHUNK;
        w->ids = reallocarray(w->ids, w->id_room, sizeof *w->ids);
        memory_check(w->ids);
    }
    w->ids[w->id_count++] = id;
    return true;
}

/* Those of the window's first `most` rows, without repeats; `ret_all`: there are no more. */
static int ask_ids(struct walking *w, const struct window *win, uint64_t most, bool *ret_all)
{
    static const enum binary_kind kinds[] = {BINARY_U64, BINARY_U64};
    struct line sql = {0};
    add_question(w, win, "id, record_hash", false, &sql);
    line_printf(&sql, " ORDER BY id%s, record_hash%s LIMIT %" PRIu64, order(w), order(w), most);
    w->id_count = 0;
    w->counted = 0;
    w->asked = most;
    int err = run(w, &sql, kinds, 2, SHORT_ROW, take_id);
    line_free(&sql);
    *ret_all = w->counted < most;
    return err;
}

/* ---- rows */

static void keep_value(struct walking *w, const struct binary_value *v)
{
    if (w->value_count == w->value_room) {
        w->value_room = w->value_room ? 2 * w->value_room : 4096;
        w->values = reallocarray(w->values, w->value_room, sizeof *w->values);
        memory_check(w->values);
    }
    struct binary_value *to = &w->values[w->value_count++];
    *to = *v;
    /* Its place, until all are there and do not move any more. */
    to->text.data = (const uint8_t *)(uintptr_t)w->texts.len;
    buf_add(&w->texts, v->text);
}

/* Rows come in the order of the ids; those that are none of them, or come again, are passed over. */
static bool take_row(void *ctx, const struct binary_value *v)
{
    struct walking *w = ctx;
    size_t at = w->fetched;
    while (at < w->id_count && (w->ids[at].id != v[0].number || w->ids[at].hash != v[1].number))
        at++;
    if (at == w->id_count)
        return true;
    if (w->row_count == w->row_room) {
        w->row_room = w->row_room ? 2 * w->row_room : 256;
        w->rows = reallocarray(w->rows, w->row_room, sizeof *w->rows);
        memory_check(w->rows);
    }
    w->rows[w->row_count++] = (struct chunk_row){at, w->value_count};
    for (size_t i = 2; i < w->columns; i++)
        keep_value(w, &v[i]);
    w->fetched = at + 1;
    return w->texts.len < CHUNK_BYTES;
}

/* Asks for the rows of those ids that no row came for yet, until CHUNK_BYTES are there. */
static int fetch(struct walking *w, const struct window *win)
{
    struct line sql = {0}, columns = {0};
    w->row_count = w->value_count = 0;
    buf_clear(&w->texts);
    w->kinds[0] = w->kinds[1] = BINARY_U64;
    w->columns = 2 + w->walk->select(w->walk->ctx, &w->ask, &columns, w->kinds + 2);
    line_str(&sql, "SELECT id, record_hash");
    line_add(&sql, line_slice(&columns));
    add_from(w, win, false, &sql);
    line_str(&sql, " AND id IN (");
    for (size_t i = w->fetched; i < w->id_count; i++)
        line_printf(&sql, i > w->fetched ? ",%" PRIu64 : "%" PRIu64, w->ids[i].id);
    line_printf(&sql, ") ORDER BY id%s, record_hash%s LIMIT 1 BY id, record_hash", order(w), order(w));
    int err = run(w, &sql, w->kinds, w->columns, ROW_BYTES, take_row);
    if (!err && w->texts.len < CHUNK_BYTES)
        w->fetched = w->id_count;
    line_free(&sql);
    line_free(&columns);
    return err;
}

static bool give_rows(struct walking *w)
{
    for (size_t i = 0; i < w->value_count && w->texts.data; i++)
        w->values[i].text.data = w->texts.data + (uintptr_t)w->values[i].text.data;
    for (size_t i = 0; i < w->row_count; i++) {
        uint64_t id = w->ids[w->rows[i].wanted].id;
        w->result->rows++;
        w->result->last = id;
        if ((w->stopped = w->walk->row(w->walk->ctx, w->values + w->rows[i].values, id)))
            return false;
    }
    return true;
}

/* How many of the ids there are, in front, without those of the last one's, as more of them may follow. */
static size_t before_last(const struct walking *w)
{
    size_t count = w->id_count;
    while (count && w->ids[count - 1].id == w->ids[w->id_count - 1].id)
        count--;
    return count;
}

/* Cuts the ids at the limit, but not between two that are the same. */
static void keep_limit(struct walking *w)
{
    uint64_t limit = w->question->limit, left = limit - w->result->rows;
    if (!limit || w->id_count <= left)
        return;
    size_t count = (size_t)left;
    while (count && w->ids[count - 1].id == w->ids[left].id)
        count--;
    if (!count && !w->result->rows)
        for (count = 1; count < w->id_count && w->ids[count].id == w->ids[0].id;)
            count++;
    w->result->more = true;
    w->id_count = count;
}

/* Gives the rows of the ids at hand; what was given is passed. */
static int give_ids(struct walking *w, const struct window *win)
{
    w->fetched = 0;
    while (w->fetched < w->id_count) {
        size_t before = w->fetched;
        int err = fetch(w, win);
        if (err < 0)
            return err;
        if (!give_rows(w))
            return 0;
        if (w->fetched > before)
            pass(w, w->ids[w->fetched - 1].id);
    }
    return 0;
}

static int find_in_window(struct walking *w, const struct window *all)
{
    uint64_t limit = w->question->limit, most = w->window < CHUNK ? w->window + 1 : CHUNK;
    struct window win = *all;
    bool whole = false;
    w->many = false;
    while (!whole && !w->stopped && !w->result->more) {
        if (limit && limit - w->result->rows + 2 < most)
            most = limit - w->result->rows + 2;
        int err = ask_ids(w, &win, most, &whole);
        if (err < 0)
            return err;
        w->many |= !whole;
        size_t found = whole ? w->id_count : before_last(w);
        if (!found && !whole) {
            if (most >= IDS_MOST)
                return error_set(w->err, -EIO, "more than %d rows have one id", IDS_MOST);
            most *= 4;
            limit = 0; /* all of these are given together */
            continue;
        }
        w->id_count = found;
        keep_limit(w);
        err = give_ids(w, &win);
        if (err < 0)
            return err;
        if (w->question->oldest_first)
            win.from = w->from;
        else
            win.to = w->to;
        limit = w->question->limit;
    }
    if (!w->stopped && !w->result->more)
        pass_window(w, all);
    return 0;
}

/* ---- the walk */

static void stop_here(struct walking *w)
{
    bool oldest = w->question->oldest_first;
    uint64_t place = oldest ? w->from - (w->from > 0) : w->to + 1;
    w->result->complete = false;
    w->result->searched_to = place;
    reader_stopped(&w->reader->reader, place, oldest);
}

static void adapt(struct walking *w, double took)
{
    if (w->reader->window)
        return;
    if ((w->many && !w->question->limit) || took > SLOW)
        w->window = w->window / 2 > WINDOW_LEAST ? w->window / 2 : WINDOW_LEAST;
    else if (took < FAST && w->window < WINDOW_MOST)
        w->window *= 4;
}

static int walk_windows(struct walking *w)
{
    struct window win;
    unsigned slow = 0;
    while (!w->stopped && !w->result->more && next_window(w, &win)) {
        double begin = now_monotonic();
        if (reader_over(&w->reader->reader)) {
            stop_here(w);
            return 0;
        }
        int err = w->walk->select ? find_in_window(w, &win) : count_window(w, &win);
        if (err == -ETIMEDOUT && reader_over(&w->reader->reader)) {
            stop_here(w);
            return 0;
        }
        if (err == -ETIMEDOUT && slow++ < TRIES_OF_SLOW) {
            w->window = w->window / 16 > WINDOW_LEAST ? w->window / 16 : WINDOW_LEAST;
            continue;
        }
        if (err < 0)
            return err;
        slow = 0;
        adapt(w, now_monotonic() - begin);
    }
    return 0;
}

static void narrow(struct walking *w)
{
    const struct reader_question *q = w->question;
    struct chask_bounds b = chask_bounds(w->root);
    if (q->before && q->before - 1 < b.to)
        b.to = q->before - 1;
    if (q->after == UINT64_MAX)
        b.from = UINT64_MAX;
    else if (q->after && q->after + 1 > b.from)
        b.from = q->after + 1;
    if (q->until && (q->until < 0 || chask_id_at(q->until) == 0)) {
        b.from = 1;
        b.to = 0;
    } else if (q->until && chask_id_at(q->until) - 1 < b.to) {
        b.to = chask_id_at(q->until) - 1;
    }
    if (q->since > 0 && chask_id_at(q->since) > b.from)
        b.from = chask_id_at(q->since);
    /* Of days that the tables can have. */
    uint64_t most = first_id_of(UINT16_MAX) + DAY_IDS - 1;
    w->from = b.from;
    w->to = b.to < most ? b.to : most;
}

static int get_ready(struct walking *w)
{
    struct chreader *r = w->reader;
    int err = tables_refresh(r->tables, r->server, chreader_until(r), w->err);
    if (!err && !r->folds && chask_has_words(w->root))
        err = folds_new(&r->folds, w->err);
    w->ask = (struct chask){.stream = w->question->stream, .tables = r->tables, .folds = r->folds};
    if (!err && tables_has(r->tables, w->question->stream))
        err = list_days(w);
    return err;
}

int chwalk_run(struct chreader *r, const struct chwalk *walk, struct reader_result *ret, struct error *reterr)
{
    const struct reader_question *q = walk->question;
    struct walking w = {.reader = r,
                        .walk = walk,
                        .question = q,
                        .result = ret,
                        .err = reterr,
                        .root = q->query ? q->query->root : NULL,
                        .window = r->window ? r->window : WINDOW_FIRST};
    *ret = (struct reader_result){.complete = true};
    buf_init(&w.texts, SIZE_MAX / 2);
    narrow(&w);
    int err = 0;
    if (w.from <= w.to) {
        err = get_ready(&w);
        if (err == -ETIMEDOUT && reader_over(&r->reader)) {
            stop_here(&w);
            err = 0;
        } else if (!err) {
            ret->files = w.day_count;
            err = walk_windows(&w);
        }
    }
    chask_free(&w.ask);
    line_free(&w.where);
    buf_free(&w.texts);
    free(w.days);
    free(w.ids);
    free(w.values);
    free(w.rows);
    if (err < 0) {
        struct error why = *reterr;
        return error_set(reterr, err, "%s: %.350s", r->name, why.text);
    }
    return w.stopped;
}
