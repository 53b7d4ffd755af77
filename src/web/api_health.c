/* api_health.c: /health: how well the traffic was seen, and what the store has.
 * In: requests. Out: answers. Owns: nothing. Limits: TIMELINE_POINTS steps. */
#include <math.h>
#include "view/health.h"
#include "web/api.h"
#include "web/say.h"
#include "web/route.h"
#include "web/table.h"

static int take_last(void *ctx, const struct reader_row *row)
{
    struct answer *a = ctx;
    struct buf line;
    buf_init(&line, API_LINE);
    reader_row_line(row, &line);
    say_record(a, "stats", reader_row_id(row), buf_slice(&line));
    buf_free(&line);
    return 0;
}

static int write_last(const struct request *r, struct answer *a, uint64_t id, struct error *reterr)
{
    struct reader_result result = {0};
    const struct reader_question q = {
        .stream = STREAM_STATS, .before = id + 1, .after = id ? id - 1 : 0, .limit = 1};
    say_key(a, "last");
    int err = id ? reader_find(r->reader, &q, take_last, a, &result, reterr) : 0;
    if (!err && !result.rows)
        say_null(a);
    return err;
}

static int write_store(const struct request *r, struct answer *a, struct error *reterr)
{
    struct reader_span span;
    int err = reader_span(r->reader, &span, reterr);
    say_key(a, "store");
    if (err || !span.files) {
        say_null(a);
        return err;
    }
    say_object(a);
    say_key(a, "days");
    say_count(a, span.files);
    api_key_seconds(a, "since", span.first / API_SECOND);
    api_key_seconds(a, "until", span.last / API_SECOND);
    say_end(a);
    return 0;
}

static void write_rows(const struct request *r, struct answer *a, const struct health *h)
{
    const char *columns[HEALTH_SERIES + 1] = {"time"};
    struct table t;
    for (int s = 0; s < HEALTH_SERIES; s++)
        columns[s + 1] = health_name((enum health_series)s);
    table_open(&t, a, r, NULL, "rows", columns, HEALTH_SERIES + 1);
    for (size_t i = 0; i < h->count && table_row(&t); i++) {
        table_count(&t, (uint64_t)(h->since + (int64_t)i * h->step));
        for (int s = 0; s < HEALTH_SERIES; s++)
            table_count(&t, h->series[s][i]);
    }
    const struct table_end end = api_end(r);
    table_close(&t, &end, false);
}

static void write_series(struct answer *a, const struct health *h)
{
    api_key_seconds(a, "step", h->step);
    api_key_seconds(a, "since", h->since);
    api_key_seconds(a, "until", h->until);
    say_key(a, "times");
    say_list(a);
    for (size_t i = 0; i < h->count; i++)
        say_count(a, (uint64_t)(h->since + (int64_t)i * h->step));
    say_end(a);
    say_key(a, "series");
    say_object(a);
    for (int s = 0; s < HEALTH_SERIES; s++) {
        say_key(a, health_name((enum health_series)s));
        say_list(a);
        for (size_t i = 0; i < h->count; i++)
            say_count(a, h->series[s][i]);
        say_end(a);
    }
    say_end(a);
}

static void write_shares(struct answer *a, const struct health_sums *s)
{
    say_key(a, "loss");
    say_number(a, s->loss);
    say_key(a, "gap_share");
    say_number(a, s->gap_share);
    say_key(a, "one_sided");
    say_number(a, s->one_sided);
}

static void write_sensor(struct answer *a, const struct health_sensor *s)
{
    say_object(a);
    say_key(a, "sensor");
    if (s->name)
        say_text(a, slice_str(s->name));
    else
        say_null(a);
    say_key(a, "last");
    say_seconds(a, (double)s->last_micros * 1e-6);
    say_key(a, "every");
    say_seconds(a, s->every ? (double)s->every * 1e-6 : NAN);
    say_key(a, "sums");
    say_object(a);
    for (int i = 0; i < HEALTH_SERIES; i++) {
        say_key(a, health_name((enum health_series)i));
        say_count(a, s->sums.sum[i]);
    }
    say_end(a);
    write_shares(a, &s->sums);
    say_end(a);
}

static void write_sensors(struct answer *a, const struct health *h)
{
    say_key(a, "sensors");
    say_list(a);
    for (size_t i = 0; i < h->sensor_count; i++)
        write_sensor(a, &h->sensors[i]);
    say_end(a);
    say_key(a, "sensors_over");
    say_count(a, h->sensors_over);
}

/* One without a name is asked for by sensor= alone. */
static struct slice sensor_of(const struct request *r)
{
    struct slice name = request_text(r, PARAM_sensor);
    return !request_has(r, PARAM_sensor) ? (struct slice){0} : name.len ? name : slice_str("");
}

void handle_health(const struct request *r, struct answer *a)
{
    struct api_span span;
    struct health h;
    struct error err;
    if (!api_span(r, a, API_DAY, &span))
        return;
    int64_t since = span.since / API_SECOND, until = (span.until + API_SECOND - 1) / API_SECOND;
    if (health_fill(&h, r->reader, since, until, timeline_step(since, until), sensor_of(r), &err) < 0) {
        api_failed(a, &err);
        return;
    }
    if (request_number(r, PARAM_format, FORMAT_JSON) != FORMAT_JSON) {
        write_rows(r, a, &h);
        health_free(&h);
        return;
    }
    say_object(a);
    write_series(a, &h);
    write_shares(a, &h.sums);
    write_sensors(a, &h);
    int code = write_last(r, a, h.last, &err);
    code = code ? code : write_store(r, a, &err);
    api_searched(r, a);
    say_end(a);
    if (code < 0)
        api_failed(a, &err);
    health_free(&h);
}
