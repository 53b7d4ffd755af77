/* api_mails.c: /mails and /count: mails that a query finds.
 * In: requests. Out: answers. Owns: nothing. Limits: web_page_rows, web_seconds. */
#include <math.h>
#include "view/columns.h"
#include "web/api_rows.h"
#include "web/say.h"
#include "web/route.h"

enum { PAGE_ROWS = 100 };

struct page {
    struct rows rows;
    struct table table;
};

static int take_row(void *ctx, const struct reader_row *row)
{
    struct page *p = ctx;
    return rows_add(&p->rows, &p->table, row) ? 0 : API_ENOUGH;
}

void handle_mails(const struct request *r, struct answer *a)
{
    struct page p;
    struct query *query = NULL;
    struct reader_result result;
    struct error err;
    struct reader_question q = {.limit = request_limit(r, PAGE_ROWS)};
    if (!api_query(r, a, QUERY_SMTP, &query))
        return;
    if (!rows_init(&p.rows, r, a, STREAM_SMTP, rows_mail))
        goto out;
    q.query = query;
    rows_ask(&p.rows, &q);
    api_bounds(r, &q);
    table_open(&p.table, a, r, stream_table[STREAM_SMTP]->path, "mails", p.rows.columns, p.rows.count + 1);
    if (reader_find(r->reader, &q, take_row, &p, &result, &err) < 0)
        api_failed(a, &err);
    else
        table_close(&p.table,
                    &(struct table_end){.pages = true,
                                        .next = result.more ? result.last : result.searched_to,
                                        .searches = true,
                                        .complete = result.complete,
                                        .searched_to =
                                            result.searched_to
                                                ? (double)reader_micros(r->reader, result.searched_to) * 1e-6
                                                : NAN},
                    false);
out:
    rows_free(&p.rows);
    query_free(&query);
}

void handle_count(const struct request *r, struct answer *a)
{
    struct query *query;
    struct reader_result result;
    struct error err;
    struct reader_question q = {.stream = STREAM_SMTP};
    if (!api_query(r, a, QUERY_SMTP, &query))
        return;
    q.query = query;
    api_bounds(r, &q);
    if (reader_count(r->reader, &q, &result, &err) < 0) {
        api_failed(a, &err);
    } else {
        say_object(a);
        say_key(a, "count");
        say_count(a, result.rows);
        api_searched(r, a);
        say_end(a);
    }
    query_free(&query);
}
