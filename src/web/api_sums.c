/* api_sums.c: /timeline, /top, /map, /paths: what the sums by minute and hour say.
 * In: requests. Out: answers. Owns: nothing. Limits: TIMELINE_MOST points, API_KEYS keys.
 * Knowingly: but for the timeline all of it is of whole hours; the answers say which. */
#include "view/top.h"
#include "web/api.h"
#include "web/say.h"
#include "web/route.h"
#include "web/table.h"

enum { WORD = 16 };

/* The step that is asked for, in whole minutes, or a fitting one. False: it is answered. */
static bool step_of(const struct request *r, struct answer *a, struct api_span span, int64_t *ret)
{
    int64_t since = span.since / API_SECOND, until = (span.until + API_SECOND - 1) / API_SECOND;
    *ret = timeline_step(since, until);
    if (!request_has(r, PARAM_step))
        return true;
    uint64_t step = request_number(r, PARAM_step, 0);
    if (!step || step % 60 || step > INT32_MAX) {
        answer_error(a, 400, "step wants whole minutes in seconds, as 60, 300 or 3600, not %llu",
                     (unsigned long long)step);
        return false;
    }
    if ((uint64_t)(until - since) / step >= TIMELINE_MOST) {
        answer_error(a, 400, "step: %llu s would be more than %d points; the least here is %lld s",
                     (unsigned long long)step, TIMELINE_MOST, (long long)*ret);
        return false;
    }
    *ret = (int64_t)step;
    return true;
}

/* Series: those of a query are the first few. */
static void write_timeline(const struct request *r, struct answer *a, const struct timeline *t,
                           enum timeline_series series)
{
    const char *columns[TIMELINE_SERIES + 1] = {"time"};
    for (enum timeline_series s = 0; s < series; s++)
        columns[s + 1] = timeline_name(s);
    struct table table;
    if (request_number(r, PARAM_format, FORMAT_JSON) != FORMAT_JSON) {
        table_open(&table, a, r, NULL, "rows", columns, series + 1);
        for (size_t i = 0; i < t->count && table_row(&table); i++) {
            table_count(&table, (uint64_t)(t->since + (int64_t)i * t->step));
            for (enum timeline_series s = 0; s < series; s++)
                table_count(&table, t->series[s][i]);
        }
        const struct table_end end = api_end(r);
        table_close(&table, &end, false);
        return;
    }
    say_object(a);
    api_times(a, t);
    for (enum timeline_series s = 0; s < series; s++) {
        api_series(a, t, timeline_name(s), s);
    }
    say_end(a);
    api_searched(r, a);
    say_end(a);
}

void handle_timeline(const struct request *r, struct answer *a)
{
    struct api_span span;
    struct query *query;
    struct timeline t;
    struct error err;
    int64_t step;
    if (!api_span(r, a, API_DAY, &span) || !step_of(r, a, span, &step) ||
        !api_query(r, a, QUERY_SMTP, &query))
        return;
    bool fits = timeline_init(&t, span.since / API_SECOND, (span.until + API_SECOND - 1) / API_SECOND, step);
    int code = !fits   ? error_set(&err, -1, "too many points")
               : query ? timeline_find(&t, r->reader, query, &err)
                       : timeline_fill(&t, r->reader, &err);
    if (code < 0)
        api_failed(a, &err);
    else
        write_timeline(r, a, &t, query ? TIMELINE_DEFERRED + 1 : TIMELINE_SERIES);
    timeline_free(&t);
    query_free(&query);
}

static struct hours hours_of(struct api_span span)
{
    return hours_around(span.since / API_SECOND, (span.until + API_SECOND - 1) / API_SECOND);
}

static void write_hours(struct answer *a, struct hours h)
{
    api_key_seconds(a, "since", h.since);
    api_key_seconds(a, "until", h.until);
}

static void write_sums(struct answer *a, const char *name, const struct sums *s)
{
    say_key(a, name);
    say_object(a);
    api_sums(a, s);
    say_end(a);
}

static const char *const sums_columns[] = {"key",      "mails", "accepted",   "rejected",
                                           "deferred", "tls",   "recipients", "bytes"};
enum { SUMS_COLUMNS = sizeof sums_columns / sizeof *sums_columns };

/* Keys stand in small letters; countries are shown as everybody writes them. */
static void country_cell(struct table *t, struct slice key)
{
    const uint8_t large[] = {(uint8_t)(key.data[0] & ~0x20), (uint8_t)(key.data[1] & ~0x20)};
    table_text(t, (struct slice){large, sizeof large});
}

static void cells_of(struct table *t, const struct keyed_row *row, bool country)
{
    const struct sums *s = &row->sums;
    if (t->a->redacts && slice_index(row->key, '@') < row->key.len)
        table_text(t, slice_str("***@"));
    else if (country && row->key.len == 2)
        country_cell(t, row->key);
    else
        table_text(t, row->key);
    table_count(t, s->mails);
    table_count(t, s->accepted);
    table_count(t, s->rejected);
    table_count(t, s->deferred);
    table_count(t, s->tls);
    table_count(t, s->recipients);
    table_count(t, s->bytes);
}

static void write_top(const struct request *r, struct answer *a, struct keyed *keys, enum top_by by,
                      struct hours span)
{
    struct table t;
    struct sums others = *keyed_others(keys), total = others;
    uint64_t limit = request_limit(r, 20), shown = 0;
    table_open(&t, a, r, NULL, "rows", sums_columns, SUMS_COLUMNS);
    for (size_t i = 0; i < keyed_count(keys); i++) {
        struct keyed_row row = keyed_row(keys, i);
        sums_add(&total, &row.sums);
        if (!row.key.len || shown == limit)
            sums_add(&others, &row.sums);
        else if (shown++, table_row(&t))
            cells_of(&t, &row, by == TOP_COUNTRY);
    }
    const struct table_end end = api_end(r);
    table_close(&t, &end, true);
    if (t.format != FORMAT_JSON)
        return;
    say_key(a, "by");
    say_str(a, top_by_name(by));
    write_hours(a, span);
    write_sums(a, "others", &others);
    write_sums(a, "total", &total);
    say_end(a);
}

void handle_top(const struct request *r, struct answer *a)
{
    struct api_span span;
    struct error err;
    enum top_by by = (enum top_by)request_number(r, PARAM_by, TOP_CLIENT);
    if (!api_span(r, a, API_DAY, &span))
        return;
    struct hours hours = hours_of(span);
    struct keyed *keys = keyed_new(API_KEYS);
    if (top_collect(r->reader, by, hours, keys, &err) < 0) {
        api_failed(a, &err);
    } else {
        keyed_sort(keys, (enum keyed_order)request_number(r, PARAM_order, KEYED_MAILS));
        write_top(r, a, keys, by, hours);
    }
    keyed_free(&keys);
}

/* What no country is known of is what the countries do not have of all mails. */
static struct sums rest_of(const struct sums *all, const struct sums *part)
{
#define REST(member) (all->member > part->member ? all->member - part->member : 0)
    return (struct sums){.mails = REST(mails),
                         .accepted = REST(accepted),
                         .rejected = REST(rejected),
                         .deferred = REST(deferred),
                         .tls = REST(tls),
                         .recipients = REST(recipients),
                         .bytes = REST(bytes)};
#undef REST
}

static void write_map(const struct request *r, struct answer *a, struct keyed *keys, const struct sums *all,
                      struct hours span)
{
    static const char *const columns[] = {"country",  "mails", "accepted",   "rejected",
                                          "deferred", "tls",   "recipients", "bytes"};
    struct table t;
    struct sums known = {0};
    table_open(&t, a, r, NULL, "countries", columns, SUMS_COLUMNS);
    for (size_t i = 0; i < keyed_count(keys); i++) {
        struct keyed_row row = keyed_row(keys, i);
        if (row.key.len != 2)
            continue;
        sums_add(&known, &row.sums);
        if (table_row(&t))
            cells_of(&t, &row, true);
    }
    const struct table_end end = api_end(r);
    table_close(&t, &end, true);
    if (t.format != FORMAT_JSON)
        return;
    struct sums unknown = rest_of(all, &known);
    write_hours(a, span);
    write_sums(a, "unknown", &unknown);
    say_end(a);
}

static struct sums total_of(const struct keyed *keys)
{
    struct sums all = *keyed_others(keys);
    for (size_t i = 0; i < keyed_count(keys); i++) {
        struct keyed_row row = keyed_row(keys, i);
        sums_add(&all, &row.sums);
    }
    return all;
}

/* Each mail has one server, so that the sums by server add up to all of them. */
void handle_map(const struct request *r, struct answer *a)
{
    struct api_span span;
    struct error err;
    if (!api_span(r, a, API_DAY, &span))
        return;
    struct hours hours = hours_of(span);
    struct keyed *keys = keyed_new(API_KEYS), *servers = keyed_new(API_KEYS);
    if (top_collect(r->reader, TOP_COUNTRY, hours, keys, &err) < 0 ||
        top_collect(r->reader, TOP_SERVER, hours, servers, &err) < 0) {
        api_failed(a, &err);
    } else {
        const struct sums all = total_of(servers);
        keyed_sort(keys, KEYED_MAILS);
        write_map(r, a, keys, &all, hours);
    }
    keyed_free(&servers);
    keyed_free(&keys);
}
