/* api_export.c: /export: all that a query finds, in pieces, as fast as the client takes it.
 * In: requests. Out: answers. Owns: nothing. Limits: PAGE_BYTES or PAGE_ROWS of it in memory, and one record.
 * Knowingly: what comes while it goes on is not in it. It is read page by page, and while a page is sent no
 * file of the store is being read, so that a client that stops taking it keeps no writer's log from being
 * emptied. */
#include "view/columns.h"
#include "web/api_rows.h"
#include "web/say.h"
#include "web/route.h"
#include "web/web.h"

enum { PAGE_ROWS = 2000, PAGE_BYTES = 256 << 10, IDLE_PAGES = 5 };

/* In the order of the choices of PARAM_stream. */
static const enum stream_index streams[] = {STREAM_SMTP, STREAM_SESSION, STREAM_NOTICE, STREAM_SOFTWARE,
                                            STREAM_STATS};
static const unsigned query_streams[] = {QUERY_SMTP, QUERY_SESSION, QUERY_NOTICE, QUERY_SOFTWARE,
                                         QUERY_STATS};

struct export
{
    struct rows rows;
    struct table table;
    struct buf line;
    bool whole; /* records as they are, rather than cells */
    uint64_t last;
    unsigned idle; /* pages one after the other that came no further */
};

static int take_row(void *ctx, const struct reader_row *row)
{
    struct export *e = ctx;
    bool good;
    if (e->whole) {
        buf_clear(&e->line);
        reader_row_line(row, &e->line);
        good = table_record(&e->table, reader_row_id(row), buf_slice(&e->line));
    } else {
        good = rows_add(&e->rows, &e->table, row);
    }
    e->last = reader_row_id(row);
    return good && e->table.a->body.len <= PAGE_BYTES ? 0 : API_ENOUGH;
}

/* One page. 0: there is more; 1: that was the last one, or nobody wants more; or -errno. The pieces go out
 * only between the pages, so the outlet is out of reach meanwhile. */
static int send_page(const struct request *r, struct answer *a, struct export *e, struct reader_question *q)
{
    struct reader_result result;
    struct error err;
    struct outlet *out = a->out;
    a->out = NULL;
    reader_deadline(r->reader, r->set->seconds);
    int code = reader_find(r->reader, q, take_row, e, &result, &err);
    a->out = out;
    if (code < 0) {
        api_failed(a, &err);
        return code;
    }
    if (result.left_out) {
        answer_error(a, 503, "not all of the store can be read: %s", result.problem);
        return -1;
    }
    if (!answer_flows(a))
        return -1;
    if (!code && !result.more && !result.searched_to)
        return 1;
    uint64_t before = code || result.more ? e->last : result.searched_to;
    e->idle = before == q->before ? e->idle + 1 : 0;
    q->before = before;
    if (e->idle < IDLE_PAGES)
        return 0;
    answer_error(a, 503, "one record alone takes longer to search than %g s (web_seconds)", r->set->seconds);
    return -1;
}

void handle_export(const struct request *r, struct answer *a)
{
    struct export e = {0};
    struct query *query;
    uint64_t stream = request_number(r, PARAM_stream, 0);
    struct reader_question q = {.limit = PAGE_ROWS};
    if (!api_query(r, a, query_streams[stream], &query))
        return;
    buf_init(&e.line, API_LINE);
    if (rows_init(&e.rows, r, a, streams[stream], "all")) {
        q.query = query;
        api_bounds(r, &q);
        table_open(&e.table, a, r, stream_table[streams[stream]]->path, "records", e.rows.columns,
                   e.rows.count + 1);
        e.whole = e.table.format != FORMAT_CSV && !request_has(r, PARAM_fields);
        if (e.whole)
            q.stream = streams[stream];
        else
            rows_ask(&e.rows, &q);
        int code = 0;
        while (!code)
            code = send_page(r, a, &e, &q);
        if (code > 0)
            table_close(&e.table, &(struct table_end){0}, false);
    }
    rows_free(&e.rows);
    buf_free(&e.line);
    query_free(&query);
}
