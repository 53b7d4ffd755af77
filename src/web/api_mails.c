/* api_mails.c: /mails, /count, /facets: mails that a query finds.
 * In: requests. Out: answers. Owns: nothing. Limits: web_page_rows, web_seconds. */
#include <math.h>
#include "base/nearest.h"
#include "base/shown.h"
#include "store/columns.h"
#include "web/api_rows.h"
#include "web/say.h"
#include "web/route.h"

enum { PAGE_ROWS = 100, FACET_ROWS = 10000, FACET_VALUES = 10, FACETS_MOST = 20 };

struct page {
    struct rows rows;
    struct table table;
};

static int take_row(void *ctx, const struct reader_row *row)
{
    struct page *p = ctx;
    return rows_add(&p->rows, &p->table, row) ? 0 : 1;
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
        table_close(
            &p.table,
            &(struct table_end){.pages = true,
                                .next = result.more ? result.last : result.searched_to,
                                .searches = true,
                                .complete = result.complete,
                                .searched_to = result.searched_to ? (double)result.searched_to * 1e-6 : NAN},
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

/* What fields= names, in the language of queries. False: it is answered. */
static bool facet_fields(const struct request *r, struct answer *a, enum query_field_index *ret,
                         size_t *count)
{
    struct slice list = slice_str("disposition,country,client,sender,recipient,agent,tls,anomaly,code"), name;
    size_t at = 0;
    if (request_has(r, PARAM_fields))
        list = request_text(r, PARAM_fields);
    for (*count = 0; request_name(list, &at, &name); (*count)++) {
        if (*count == FACETS_MOST) {
            answer_error(a, 400, "fields: more than %d", FACETS_MOST);
            return false;
        }
        ret[*count] = query_field_find(name, QUERY_SMTP);
        if (ret[*count] != QUERY_FIELDS)
            continue;
        struct nearest near = nearest_to(name);
        for (size_t i = 0; i < QUERY_FIELDS; i++)
            if (query_fields[i].streams & QUERY_SMTP)
                nearest_try(&near, query_fields[i].name);
        answer_error(a, 400, "fields: no field '%s'%s%s", shown(name).text,
                     near.name ? "; the nearest is " : "", near.name ? near.name : "");
        return false;
    }
    return true;
}

static int write_facet(void *ctx, const struct reader_facet *f)
{
    struct answer *a = ctx;
    say_object(a);
    say_key(a, "field");
    say_str(a, query_fields[f->field].name);
    say_key(a, "values");
    say_list(a);
    for (size_t i = 0; i < f->count; i++) {
        say_object(a);
        say_key(a, "value");
        say_text(a, f->values[i].value);
        say_key(a, "count");
        say_count(a, f->values[i].count);
        say_end(a);
    }
    say_end(a);
    say_end(a);
    return 0;
}

static void write_facets(const struct request *r, struct answer *a, const struct query *query,
                         const enum query_field_index *fields, size_t count)
{
    struct reader_result result;
    struct error err;
    struct reader_question q = {.stream = STREAM_SMTP, .query = query, .limit = FACET_ROWS};
    api_bounds(r, &q);
    say_object(a);
    say_key(a, "facets");
    say_list(a);
    if (reader_facets(r->reader, &q, fields, count, request_limit(r, FACET_VALUES), write_facet, a, &result,
                      &err) < 0) {
        api_failed(a, &err);
        return;
    }
    say_end(a);
    say_key(a, "of");
    say_count(a, result.rows);
    say_key(a, "complete");
    say_flag(a, result.complete);
    say_end(a);
}

void handle_facets(const struct request *r, struct answer *a)
{
    struct query *query;
    enum query_field_index fields[FACETS_MOST];
    size_t count;
    if (!api_query(r, a, QUERY_SMTP, &query))
        return;
    if (facet_fields(r, a, fields, &count))
        write_facets(r, a, query, fields, count);
    query_free(&query);
}
