/* api_notices.c: /notices: notices, each with what people have decided of it.
 * In: requests. Out: answers. Owns: nothing. Limits: web_page_rows, web_seconds; API_KEYS kinds.
 * Knowingly: the state is looked up notice by notice, so few open ones among many muted ones take the time of
 * all. */
#include <math.h>
#include "view/columns.h"
#include "store/marks.h"
#include "web/api_rows.h"
#include "web/say.h"
#include "web/route.h"
#include "web/web.h"

enum { PAGE_ROWS = 100, STATE_ALL = MARK_STATES };

/* Where in a notice stands what decides. */
struct decisive {
    size_t note, identifier, host;
};

static struct decisive decisive(void)
{
    return (struct decisive){api_field(STREAM_NOTICE, "note"), api_field(STREAM_NOTICE, "identifier"),
                             api_field(STREAM_NOTICE, "host")};
}

static struct marked marked_of(const struct reader_row *row, const struct decisive *d)
{
    return (struct marked){(int64_t)reader_row_id(row), reader_row_micros(row),
                           reader_row_value(row, d->note).text, reader_row_value(row, d->identifier).text,
                           reader_row_value(row, d->host).text};
}

static double seconds_of(int64_t at)
{
    return at ? (double)at * 1e-6 : NAN;
}

struct page {
    struct rows rows;
    struct decisive at;
    struct table table;
    struct marks *marks;
    unsigned wanted; /* a state, or STATE_ALL */
    uint64_t limit, taken, last;
    struct error *err;
};

static int take_row(void *ctx, const struct reader_row *row)
{
    struct page *p = ctx;
    struct marked notice = marked_of(row, &p->at);
    struct mark mark;
    int err = marks_state(p->marks, &notice, &mark, p->err);
    if (err)
        return err;
    if (p->wanted != STATE_ALL && mark.state != p->wanted)
        return 0;
    if (p->taken == p->limit)
        return API_ENOUGH;
    p->taken++;
    p->last = reader_row_id(row);
    if (!rows_add(&p->rows, &p->table, row))
        return API_ENOUGH;
    table_text(&p->table, slice_str(mark_state_name(mark.state)));
    table_text(&p->table, mark.by);
    table_seconds(&p->table, seconds_of(mark.at));
    table_text(&p->table, mark.remark);
    if (mark.mute)
        table_id(&p->table, (uint64_t)mark.mute);
    else
        table_absent(&p->table);
    return 0;
}

/* The columns of a notice, and those of its state. */
static void add_columns(struct rows *rows)
{
    static const char *const more[] = {"state", "by", "at", "remark", "mute"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        rows->columns[rows->count + 1 + i] = more[i];
}

static void list_notices(const struct request *r, struct answer *a, struct page *p, const struct query *query)
{
    struct reader_result result;
    struct error err;
    struct reader_question q = {.stream = STREAM_NOTICE, .query = query};
    p->err = &err;
    p->limit = request_limit(r, PAGE_ROWS);
    p->wanted = (unsigned)request_number(r, PARAM_state, STATE_ALL);
    api_bounds(r, &q);
    add_columns(&p->rows);
    table_open(&p->table, a, r, stream_table[STREAM_NOTICE]->path, "notices", p->rows.columns,
               p->rows.count + 6);
    int code = reader_find(r->reader, &q, take_row, p, &result, &err);
    if (code < 0) {
        api_failed(a, &err);
        return;
    }
    table_close(
        &p->table,
        &(struct table_end){.pages = true,
                            .next = code ? p->last : result.searched_to,
                            .searches = true,
                            .complete = result.complete,
                            .searched_to = result.searched_to
                                               ? (double)reader_micros(r->reader, result.searched_to) * 1e-6
                                               : NAN},
        false);
}

void handle_notices(const struct request *r, struct answer *a)
{
    struct page p = {.at = decisive()};
    struct query *query = NULL;
    struct error err;
    if (!api_query(r, a, QUERY_NOTICE, &query))
        return;
    if (marks_open(r->set->directory, false, &p.marks, &err) < 0)
        api_failed(a, &err);
    else if (rows_init(&p.rows, r, a, STREAM_NOTICE, "all"))
        list_notices(r, a, &p, query);
    rows_free(&p.rows);
    marks_close(&p.marks);
    query_free(&query);
}

/* How many of each kind, by state: in the sums accepted stands for acknowledged, deferred for muted, mails
 * for all; bytes has the last one's time. */
struct kinds {
    struct decisive at;
    struct keyed *keys;
    struct marks *marks;
    struct error *err;
};

static int count_kind(void *ctx, const struct reader_row *row)
{
    struct kinds *k = ctx;
    struct marked notice = marked_of(row, &k->at);
    struct mark mark;
    int err = marks_state(k->marks, &notice, &mark, k->err);
    if (err)
        return err;
    const struct sums *known = keyed_find(k->keys, notice.note);
    struct sums one = {.mails = 1,
                       .accepted = mark.state == MARK_ACKNOWLEDGED,
                       .deferred = mark.state == MARK_MUTED,
                       .bytes = known ? 0 : (uint64_t)reader_row_micros(row)}; /* the newest comes first */
    keyed_add(k->keys, notice.note, &one);
    return 0;
}

static void write_kinds(const struct request *r, struct answer *a, struct keyed *keys)
{
    static const char *const columns[] = {"note", "open", "acknowledged", "muted", "last"};
    struct table t;
    keyed_sort(keys, KEYED_MAILS);
    table_open(&t, a, r, NULL, "kinds", columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < keyed_count(keys) && table_row(&t); i++) {
        struct keyed_row row = keyed_row(keys, i);
        table_text(&t, row.key);
        table_count(&t, row.sums.mails - row.sums.accepted - row.sums.deferred);
        table_count(&t, row.sums.accepted);
        table_count(&t, row.sums.deferred);
        table_seconds(&t, (double)row.sums.bytes * 1e-6);
    }
    const struct table_end end = api_end(r);
    table_close(&t, &end, false);
}

static void count_kinds(const struct request *r, struct answer *a, const struct query *query)
{
    const struct decisive d = decisive();
    const size_t fields[] = {d.note, d.identifier, d.host};
    struct error err;
    struct kinds k = {.at = d, .err = &err};
    struct reader_result result;
    struct reader_question q = {.stream = STREAM_NOTICE, .query = query, .fields = fields, .field_count = 3};
    if (marks_open(r->set->directory, false, &k.marks, &err) < 0) {
        api_failed(a, &err);
        return;
    }
    api_bounds(r, &q);
    k.keys = keyed_new(API_KEYS);
    if (reader_find(r->reader, &q, count_kind, &k, &result, &err) < 0)
        api_failed(a, &err);
    else
        write_kinds(r, a, k.keys);
    keyed_free(&k.keys);
    marks_close(&k.marks);
}

void handle_kinds(const struct request *r, struct answer *a)
{
    struct query *query;
    if (!api_query(r, a, QUERY_NOTICE, &query))
        return;
    count_kinds(r, a, query);
    query_free(&query);
}
