/* api_facets.c: /facets: what is frequent among the mails that a query finds.
 * In: requests. Out: answers. Owns: nothing. Limits: FACET_ROWS mails, FACETS_MOST fields, web_page_rows
 * values. Knowingly: those to whom records are redacted get the domains of senders and recipients, each
 * counted as often as its addresses are, and no other values that tell of persons. */
#include "base/nearest.h"
#include "base/shown.h"
#include "web/api.h"
#include "web/say.h"
#include "web/route.h"

enum {
    FACET_ROWS = 10000,
    FACET_VALUES = 10,
    FACETS_MOST = 20,
    ADDRESSES = 10000 /* of which domains are made */
};

struct facets {
    struct answer *a;
    bool redacts;
    size_t count, at;
    uint64_t values; /* of each, at most */
    enum query_field_index fields[FACETS_MOST];
    struct slice names[FACETS_MOST]; /* as they were asked for */
};

static bool unknown(struct answer *a, struct slice name)
{
    struct nearest near = nearest_to(name);
    for (size_t i = 0; i < QUERY_FIELDS; i++)
        if (query_fields[i].streams & QUERY_SMTP)
            nearest_try(&near, query_fields[i].name);
    answer_error(a, 400, "fields: no field '%s'%s%s", shown(name).text, near.name ? "; the nearest is " : "",
                 near.name ? near.name : "");
    return false;
}

static bool has_domain(enum query_field_index field)
{
    return field == QUERY_FIELD_FROM || field == QUERY_FIELD_RCPT;
}

/* What fields= names, in the language of queries. False: it is answered what is wrong with it. */
static bool read_fields(const struct request *r, struct answer *a, struct facets *f)
{
    struct slice list =
                     slice_str("disposition,country,client,sender,recipient,agent,tls,anomaly,code,sensor"),
                 name;
    size_t at = 0;
    if (request_has(r, PARAM_fields))
        list = request_text(r, PARAM_fields);
    for (f->count = 0; request_name(list, &at, &name); f->count++) {
        if (f->count == FACETS_MOST) {
            answer_error(a, 400, "fields: there are more than %d", FACETS_MOST);
            return false;
        }
        enum query_field_index field = query_field_find(name, QUERY_SMTP);
        if (field == QUERY_FIELDS)
            return unknown(a, name);
        if (f->redacts && api_is_personal(field) && !has_domain(field)) {
            answer_error(a, 403, "fields: %s tells of persons, which is not shown to you",
                         query_fields[field].name);
            return false;
        }
        f->fields[f->count] = field;
        f->names[f->count] = name;
    }
    return true;
}

static void write_value(struct answer *a, struct slice value, uint64_t count)
{
    say_object(a);
    say_key(a, "value");
    say_text(a, value);
    say_key(a, "count");
    say_count(a, count);
    say_end(a);
}

/* "*@example.org" in place of who is there. */
static void write_domains(struct facets *f, const struct reader_facet *facet)
{
    struct keyed *domains = keyed_new(API_KEYS);
    for (size_t i = 0; i < facet->count; i++) {
        struct slice value = facet->values[i].value;
        const uint8_t *at = value.len ? memrchr(value.data, '@', value.len) : NULL;
        const struct sums one = {.mails = facet->values[i].count};
        if (at)
            keyed_add(domains, slice_sub(value, (size_t)(at - value.data) + 1, value.len), &one);
    }
    keyed_sort(domains, KEYED_MAILS);
    for (size_t i = 0; i < keyed_count(domains) && i < f->values; i++) {
        struct keyed_row row = keyed_row(domains, i);
        struct buf text;
        buf_init(&text, QUERY_BYTES);
        buf_add_str(&text, "*@");
        buf_add(&text, row.key);
        write_value(f->a, buf_slice(&text), row.sums.mails);
        buf_free(&text);
    }
    keyed_free(&domains);
}

static int write_facet(void *ctx, const struct reader_facet *facet)
{
    struct facets *f = ctx;
    say_object(f->a);
    say_key(f->a, "field");
    say_text(f->a, f->names[f->at++]);
    say_key(f->a, "values");
    say_list(f->a);
    if (f->redacts && has_domain(facet->field))
        write_domains(f, facet);
    else
        for (size_t i = 0; i < facet->count && i < f->values; i++)
            write_value(f->a, facet->values[i].value, facet->values[i].count);
    say_end(f->a);
    say_end(f->a);
    return 0;
}

static void write_facets(const struct request *r, struct answer *a, const struct query *query,
                         struct facets *f)
{
    struct reader_result result;
    struct error err;
    struct reader_question q = {.stream = STREAM_SMTP, .query = query, .limit = FACET_ROWS};
    api_bounds(r, &q);
    f->values = request_limit(r, FACET_VALUES);
    say_object(a);
    say_key(a, "facets");
    say_list(a);
    if (reader_facets(r->reader, &q, f->fields, f->count, f->redacts ? ADDRESSES : f->values, write_facet, f,
                      &result, &err) < 0) {
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
    struct facets f = {.a = a, .redacts = r->role == ROLE_REDACTED};
    if (!api_query(r, a, QUERY_SMTP, &query))
        return;
    if (read_fields(r, a, &f))
        write_facets(r, a, query, &f);
    query_free(&query);
}
