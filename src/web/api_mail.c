/* api_mail.c: /mails/ID and /sessions/UID: one mail, one connection, and what belongs to them.
 * In: requests. Out: answers. Owns: nothing. Limits: NEAR mails and notices of each kind.
 * Knowingly: a connection's mails, notices and record are looked for within a day of the mail. */
#include "view/explained.h"
#include "web/api_rows.h"
#include "web/say.h"
#include "web/json_read.h"
#include "web/route.h"

enum { NEAR = 50, NEIGHBOURS = 5 };

/* What of the mail the rest is found by. */
struct found {
    uint64_t id;
    struct buf line, uid, sensor, client, anomalies;
};

static void found_init(struct found *f)
{
    *f = (struct found){0};
    buf_init(&f->line, API_LINE);
    buf_init(&f->uid, API_LINE);
    buf_init(&f->sensor, API_LINE);
    buf_init(&f->client, API_LINE);
    buf_init(&f->anomalies, API_LINE);
}

static void found_free(struct found *f)
{
    buf_free(&f->line);
    buf_free(&f->uid);
    buf_free(&f->sensor);
    buf_free(&f->client);
    buf_free(&f->anomalies);
}

static int take_mail(void *ctx, const struct reader_row *row)
{
    struct found *f = ctx;
    f->id = reader_row_id(row);
    reader_row_line(row, &f->line);
    buf_add(&f->uid, reader_row_value(row, api_field(STREAM_SMTP, "uid")).text);
    buf_add(&f->sensor, reader_row_value(row, api_field(STREAM_SMTP, "sensor")).text);
    buf_add(&f->client, reader_row_value(row, api_field(STREAM_SMTP, "id.orig_h")).text);
    buf_add(&f->anomalies, reader_row_value(row, api_field(STREAM_SMTP, "anomalies")).text);
    return 0;
}

static int find_mail(const struct request *r, uint64_t id, struct found *f, struct error *reterr)
{
    struct reader_result result;
    const struct reader_question q = {
        .stream = STREAM_SMTP, .before = id + 1, .after = id ? id - 1 : 0, .limit = 1};
    return id ? reader_find(r->reader, &q, take_mail, f, &result, reterr) : 0;
}

/* A query for a connection, as one sensor saw it where that has a name, within a day of an id; 0: at any
 * time.
 */
static struct query *near(const struct request *r, struct slice uid, struct slice sensor, uint64_t id,
                          struct reader_question *q)
{
    struct buf text;
    buf_init(&text, QUERY_BYTES);
    api_term(&text, "uid", uid);
    if (sensor.len)
        api_term(&text, "sensor", sensor);
    struct query *query = api_ask(&text);
    buf_free(&text);
    q->query = query;
    if (id) {
        const int64_t at = reader_micros(r->reader, id);
        q->since = at - API_DAY * API_SECOND;
        q->until = at + API_DAY * API_SECOND;
    }
    return query;
}

struct writing {
    struct answer *a;
    struct rows *rows;
    const char *stream, *relation;
    uint64_t but; /* an id that is left out */
    uint64_t count;
};

static int write_record(void *ctx, const struct reader_row *row)
{
    struct writing *w = ctx;
    struct buf line;
    buf_init(&line, API_LINE);
    reader_row_line(row, &line);
    say_record(w->a, w->stream, reader_row_id(row), buf_slice(&line));
    buf_free(&line);
    w->count++;
    return 0;
}

static int write_session(const struct request *r, struct answer *a, struct slice uid, struct slice sensor,
                         uint64_t id, uint64_t *count, struct error *reterr)
{
    struct writing w = {.a = a, .stream = "smtp_session"};
    struct reader_result result;
    struct reader_question q = {.stream = STREAM_SESSION, .limit = 1};
    struct query *query = near(r, uid, sensor, id, &q);
    say_key(a, "session");
    int err = reader_find(r->reader, &q, write_record, &w, &result, reterr);
    if (!err && !w.count)
        say_null(a);
    query_free(&query);
    *count = w.count;
    return err;
}

static int write_neighbour(void *ctx, const struct reader_row *row)
{
    struct writing *w = ctx;
    if (reader_row_id(row) == w->but)
        return 0;
    rows_object(w->rows, w->a, row);
    if (w->relation) {
        say_key(w->a, "relation");
        say_str(w->a, w->relation);
    }
    say_end(w->a);
    w->count++;
    return 0;
}

static int write_neighbours(const struct request *r, struct answer *a, struct rows *rows,
                            const struct found *f, struct error *reterr)
{
    struct writing w = {.a = a, .rows = rows, .relation = "session", .but = f->id};
    struct reader_result result;
    struct reader_question q = {.limit = NEAR};
    rows_ask(rows, &q);
    struct query *query = near(r, buf_slice(&f->uid), buf_slice(&f->sensor), f->id, &q);
    int err = reader_find(r->reader, &q, write_neighbour, &w, &result, reterr);
    query_free(&query);

    struct buf text;
    buf_init(&text, QUERY_BYTES);
    api_term(&text, "ip", buf_slice(&f->client));
    api_term(&text, "-uid", buf_slice(&f->uid));
    query = api_ask(&text);
    buf_free(&text);
    w.relation = "client";
    q.query = query;
    q.limit = NEIGHBOURS;
    q.oldest_first = false;
    q.before = f->id;
    q.after = 0;
    err = err ? err : reader_find(r->reader, &q, write_neighbour, &w, &result, reterr);
    q.oldest_first = true;
    q.before = 0;
    q.after = f->id;
    err = err ? err : reader_find(r->reader, &q, write_neighbour, &w, &result, reterr);
    query_free(&query);
    return err;
}

static int write_notices(const struct request *r, struct answer *a, const struct found *f,
                         struct error *reterr)
{
    struct writing w = {.a = a, .stream = "notice"};
    struct reader_result result;
    struct reader_question q = {.stream = STREAM_NOTICE, .limit = NEAR};
    struct query *query = near(r, buf_slice(&f->uid), buf_slice(&f->sensor), f->id, &q);
    int err = reader_find(r->reader, &q, write_record, &w, &result, reterr);
    query_free(&query);
    return err;
}

/* One object of the record's list, with why it is told. */
static bool write_anomaly(struct answer *a, struct json_reader *j)
{
    struct buf key, name;
    enum json_token t;
    buf_init(&key, 64);
    buf_init(&name, 64);
    say_object(a);
    while ((t = json_read(j)) == JSON_KEY) {
        struct slice field = j->raw;
        t = json_read(j);
        bool is_name = slice_eq(field, slice_str("name"));
        if (is_name && t == JSON_TEXT)
            buf_add(&name, j->raw);
        buf_clear(&key);
        if (t == JSON_TEXT && (is_name || slice_eq(field, slice_str("text")))) {
            struct buf quoted;
            buf_init(&quoted, API_LINE);
            buf_printf(&quoted, "\"");
            buf_add(&quoted, j->raw);
            buf_printf(&quoted, "\"");
            say_key(a, is_name ? "name" : "text");
            say_raw(a, "smtp", "anomalies.text", buf_slice(&quoted));
            buf_free(&quoted);
        } else if (t == JSON_NUMBER && slice_eq(field, slice_str("offset"))) {
            say_key(a, "offset");
            say_raw(a, NULL, NULL, j->raw);
        }
    }
    const char *why = explained_anomaly(buf_slice(&name));
    say_key(a, "explained");
    say_str(a, why ? why : "A newer or older mailtap knows what this is.");
    say_end(a);
    buf_free(&key);
    buf_free(&name);
    return t == JSON_CLOSE;
}

static void write_anomalies(struct answer *a, struct slice list)
{
    struct json_reader j = json_reader_of(list);
    say_key(a, "anomalies");
    say_list(a);
    if (list.len && json_read(&j) == JSON_LIST)
        while (json_read(&j) == JSON_OBJECT && write_anomaly(a, &j))
            ;
    say_end(a);
}

static int write_mail(const struct request *r, struct answer *a, struct rows *rows, const struct found *f,
                      struct error *reterr)
{
    uint64_t sessions;
    say_object(a);
    say_key(a, "id");
    say_id(a, f->id);
    say_key(a, "record");
    say_record(a, "smtp", 0, buf_slice(&f->line));
    int err = write_session(r, a, buf_slice(&f->uid), buf_slice(&f->sensor), f->id, &sessions, reterr);
    say_key(a, "neighbours");
    say_list(a);
    err = err ? err : write_neighbours(r, a, rows, f, reterr);
    say_end(a);
    say_key(a, "notices");
    say_list(a);
    err = err ? err : write_notices(r, a, f, reterr);
    say_end(a);
    write_anomalies(a, buf_slice(&f->anomalies));
    say_end(a);
    return err;
}

void handle_mail(const struct request *r, struct answer *a)
{
    struct found f;
    struct rows rows;
    struct error err;
    found_init(&f);
    int code = find_mail(r, request_number(r, PARAM_id, 0), &f, &err);
    bool good = rows_init(&rows, r, a, STREAM_SMTP, rows_mail);
    if (code < 0)
        api_failed(a, &err);
    else if (!f.id)
        answer_error(a, 404, "there is no mail %llu; it may be gone by retention",
                     (unsigned long long)request_number(r, PARAM_id, 0));
    else if (good && write_mail(r, a, &rows, &f, &err) < 0)
        api_failed(a, &err);
    rows_free(&rows);
    found_free(&f);
}

void handle_session(const struct request *r, struct answer *a)
{
    struct rows rows;
    struct error err;
    struct slice uid = request_text(r, PARAM_uid), sensor = request_text(r, PARAM_sensor);
    struct reader_question q = {.limit = NEAR, .oldest_first = true};
    uint64_t sessions = 0;
    if (!uid.len) {
        answer_error(a, 400, "the connection's uid is missing");
        return;
    }
    if (!rows_init(&rows, r, a, STREAM_SMTP, rows_mail)) {
        rows_free(&rows);
        return;
    }
    struct writing w = {.a = a, .rows = &rows};
    struct reader_result result;
    rows_ask(&rows, &q);
    struct query *query = near(r, uid, sensor, 0, &q);
    say_object(a);
    int code = write_session(r, a, uid, sensor, 0, &sessions, &err);
    say_key(a, "mails");
    say_list(a);
    code = code ? code : reader_find(r->reader, &q, write_neighbour, &w, &result, &err);
    say_end(a);
    api_searched(r, a);
    say_end(a);
    if (code < 0)
        api_failed(a, &err);
    else if (!sessions && !w.count)
        answer_error(a, 404, "there is no connection of that uid");
    query_free(&query);
    rows_free(&rows);
}
