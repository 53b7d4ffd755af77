/* api_host.c: /hosts/HOST: what is known of an address or a domain.
 * In: requests. Out: answers. Owns: nothing. Limits: PEERS of each kind, of the newest LOOKED_AT mails;
 * NOTICES, SOFTWARE. Knowingly: sums are of whole hours. A domain's sums are by the envelope; peers and
 * notices are found by queries, which look at the header's addresses too. */
#include <math.h>
#include "view/top.h"
#include "web/api_rows.h"
#include "web/say.h"
#include "web/route.h"

enum { PEERS = 20, LOOKED_AT = 2000, NOTICES = 50, SOFTWARE = 20, HOST_BYTES = 255, HOUR = 3600 };

struct host {
    bool is_address;
    struct slice name; /* in small letters, addresses in their usual form */
    char text[HOST_BYTES + 1];
    struct hours hours;
    struct sums out, in;
    struct timeline t; /* MAILS: out; ACCEPTED: in; REJECTED: of both */
    struct sums *sums; /* those that are filled now */
    enum timeline_series series;
};

static bool read_host(const struct request *r, struct answer *a, struct host *h)
{
    struct address address;
    struct slice given = request_text(r, PARAM_host);
    if (!given.len || given.len > HOST_BYTES) {
        answer_error(a, 400, "a host is an address or a domain of up to %d bytes", HOST_BYTES);
        return false;
    }
    h->is_address = address_parse(given, &address);
    size_t len = given.len;
    if (h->is_address)
        len = address_text(&address, h->text);
    else
        for (size_t i = 0; i < len; i++)
            h->text[i] = (char)byte_lower(given.data[i]);
    h->name = (struct slice){(const uint8_t *)h->text, len};
    bool good = true;
    for (size_t i = 0; i < len && !h->is_address; i++) {
        uint8_t c = h->name.data[i];
        good = good && (c >= 0x80 || byte_is_digit(c) || (c >= 'a' && c <= 'z') || strchr("-._", c));
    }
    if (!good) {
        answer_error(a, 400, "a host is an address as 192.0.2.1, or a domain as example.com");
        return false;
    }
    return true;
}

static void take_hour(void *ctx, int64_t seconds, const struct sums *sums)
{
    struct host *h = ctx;
    sums_add(h->sums, sums);
    timeline_add(&h->t, h->series, seconds, sums->mails);
    timeline_add(&h->t, TIMELINE_REJECTED, seconds, sums->rejected);
}

static int sum_up(const struct request *r, struct host *h, struct error *reterr)
{
    h->sums = &h->out;
    h->series = TIMELINE_MAILS;
    int err = top_key_hours(r->reader, h->is_address ? TOP_CLIENT : TOP_SENDER, h->name, h->hours, take_hour,
                            h, reterr);
    h->sums = &h->in;
    h->series = TIMELINE_ACCEPTED;
    return err ? err
               : top_key_hours(r->reader, h->is_address ? TOP_SERVER : TOP_RECIPIENT, h->name, h->hours,
                               take_hour, h, reterr);
}

static void write_sums(struct answer *a, const char *name, const struct sums *s)
{
    say_key(a, name);
    say_object(a);
    api_sums(a, s);
    say_end(a);
}

static void write_series(struct answer *a, const struct timeline *t)
{
    static const struct {
        const char *name;
        enum timeline_series series;
    } all[] = {{"out", TIMELINE_MAILS}, {"in", TIMELINE_ACCEPTED}, {"rejected", TIMELINE_REJECTED}};
    say_key(a, "timeline");
    say_object(a);
    api_times(a, t);
    for (size_t s = 0; s < sizeof all / sizeof *all; s++) {
        api_series(a, t, all[s].name, all[s].series);
    }
    say_end(a);
    say_end(a);
}

/* Mails that it sent, or those that were for it: the caller frees it. */
static struct query *mails_of(const struct host *h, bool out)
{
    struct buf text;
    buf_init(&text, QUERY_BYTES);
    if (h->is_address) {
        api_term(&text, out ? "ip" : "server", h->name);
    } else {
        buf_add_str(&text, out ? "from:*@" : "rcpt:*@");
        buf_add(&text, h->name);
    }
    struct query *q = api_ask(&text);
    buf_free(&text);
    return q;
}

static void bound(const struct host *h, struct reader_question *q)
{
    q->since = h->hours.since * API_SECOND;
    q->until = h->hours.until * API_SECOND;
}

/* Keys with how many mails each, most first. */
struct peers {
    struct keyed *out, *in, *countries;
    struct keyed *fill[2]; /* for the fields that are counted now */
    size_t at;
};

static int take_facet(void *ctx, const struct reader_facet *f)
{
    struct peers *p = ctx;
    for (size_t i = 0; i < f->count; i++)
        keyed_add(p->fill[p->at], f->values[i].value, &(struct sums){.mails = f->values[i].count});
    p->at++;
    return 0;
}

/* Counts values among the newest mails of a direction. */
static int count_peers(const struct request *r, const struct host *h, bool out, struct peers *p,
                       struct error *reterr)
{
    const enum query_field_index fields[] = {out == h->is_address ? QUERY_FIELD_SERVER : QUERY_FIELD_IP,
                                             QUERY_FIELD_COUNTRY};
    struct query *query = mails_of(h, out);
    struct reader_result result;
    struct reader_question q = {.stream = STREAM_SMTP, .query = query, .limit = LOOKED_AT};
    bound(h, &q);
    p->at = 0;
    p->fill[0] = out ? p->out : p->in;
    p->fill[1] = p->countries;
    int err = reader_facets(r->reader, &q, fields, out ? 2 : 1, PEERS, take_facet, p, &result, reterr);
    query_free(&query);
    return err;
}

static void write_keys(struct answer *a, const struct keyed *keys, const char *direction)
{
    for (size_t i = 0; i < keyed_count(keys); i++) {
        struct keyed_row row = keyed_row(keys, i);
        say_object(a);
        say_key(a, "key");
        say_text(a, row.key);
        say_key(a, "mails");
        say_count(a, row.sums.mails);
        if (direction) {
            say_key(a, "direction");
            say_str(a, direction);
        }
        say_end(a);
    }
}

static int write_peers(const struct request *r, struct answer *a, const struct host *h, struct error *reterr)
{
    struct peers p = {.out = keyed_new(PEERS), .in = keyed_new(PEERS), .countries = keyed_new(PEERS)};
    int err = h->out.mails ? count_peers(r, h, true, &p, reterr) : 0;
    if (!err && h->in.mails)
        err = count_peers(r, h, false, &p, reterr);
    say_key(a, "peers");
    say_list(a);
    write_keys(a, p.out, "out");
    write_keys(a, p.in, "in");
    say_end(a);
    say_key(a, "countries");
    say_list(a);
    write_keys(a, p.countries, NULL);
    say_end(a);
    keyed_free(&p.out);
    keyed_free(&p.in);
    keyed_free(&p.countries);
    return err;
}

struct records {
    struct answer *a;
    const char *stream;
};

static int write_record(void *ctx, const struct reader_row *row)
{
    const struct records *to = ctx;
    struct buf line;
    buf_init(&line, API_LINE);
    reader_row_line(row, &line);
    say_record(to->a, to->stream, reader_row_id(row), buf_slice(&line));
    buf_free(&line);
    return 0;
}

/* Records of another stream that speak of it. */
static int write_records(const struct request *r, struct answer *a, const struct host *h, const char *key,
                         enum stream_index stream, const char *path, const char *field, uint64_t most,
                         struct error *reterr)
{
    struct records to = {a, path};
    struct reader_result result;
    struct buf text;
    buf_init(&text, QUERY_BYTES);
    if (h->is_address) {
        api_term(&text, field, h->name);
    } else {
        buf_add_str(&text, "from:*@");
        buf_add(&text, h->name);
    }
    struct query *query = api_ask(&text);
    buf_free(&text);
    struct reader_question q = {.stream = stream, .query = query, .limit = most};
    bound(h, &q);
    say_key(a, key);
    say_list(a);
    int err = reader_find(r->reader, &q, write_record, &to, &result, reterr);
    say_end(a);
    query_free(&query);
    return err;
}

static int take_time(void *ctx, const struct reader_row *row)
{
    *(double *)ctx = (double)reader_row_micros(row) * 1e-6;
    return 0;
}

/* The first and last hour in which it sent or took a mail, in all of the store; -1: none. */
struct seen {
    int64_t first, last;
};

static void take_seen(void *ctx, int64_t seconds, const struct sums *sums)
{
    struct seen *s = ctx;
    (void)sums;
    if (s->first < 0 || seconds < s->first)
        s->first = seconds;
    if (seconds > s->last)
        s->last = seconds;
}

/* Its first or last mail in that hour; the hour, where none is found by a query. */
static int write_seen(const struct request *r, struct answer *a, const struct host *h, const char *key,
                      int64_t hour, bool first, struct error *reterr)
{
    double best = hour < 0 ? NAN : (double)hour;
    bool any = false;
    int err = 0;
    for (int out = 0; out < 2 && !err && hour >= 0; out++) {
        double at = NAN;
        struct reader_result result;
        struct query *query = mails_of(h, out);
        const struct reader_question q = {.stream = STREAM_SMTP,
                                          .query = query,
                                          .oldest_first = first,
                                          .since = hour * API_SECOND,
                                          .until = (hour + HOUR) * API_SECOND,
                                          .limit = 1};
        err = reader_find(r->reader, &q, take_time, &at, &result, reterr);
        if (!isnan(at) && (!any || (first ? at < best : at > best)))
            best = at;
        any = any || !isnan(at);
        query_free(&query);
    }
    say_key(a, key);
    say_seconds(a, best);
    return err;
}

static int write_both_seen(const struct request *r, struct answer *a, const struct host *h,
                           struct error *reterr)
{
    struct reader_span all;
    struct seen s = {-1, -1};
    int err = reader_span(r->reader, &all, reterr);
    const struct hours whole = hours_around(all.first / API_SECOND, all.last / API_SECOND);
    const enum top_by by[] = {h->is_address ? TOP_CLIENT : TOP_SENDER,
                              h->is_address ? TOP_SERVER : TOP_RECIPIENT};
    for (size_t i = 0; i < 2 && !err; i++)
        err = top_key_hours(r->reader, by[i], h->name, whole, take_seen, &s, reterr);
    err = err ? err : write_seen(r, a, h, "first_seen", s.first, true, reterr);
    return err ? err : write_seen(r, a, h, "last_seen", s.last, false, reterr);
}

static int write_host(const struct request *r, struct answer *a, const struct host *h, struct error *reterr)
{
    say_object(a);
    say_key(a, "host");
    say_text(a, h->name);
    say_key(a, "kind");
    say_str(a, h->is_address ? "address" : "domain");
    api_key_seconds(a, "since", h->hours.since);
    api_key_seconds(a, "until", h->hours.until);
    write_sums(a, "out", &h->out);
    write_sums(a, "in", &h->in);
    write_series(a, &h->t);
    int err = write_peers(r, a, h, reterr);
    err = err ? err : write_records(r, a, h, "notices", STREAM_NOTICE, "notice", "host", NOTICES, reterr);
    if (!err && h->is_address) {
        err = write_records(r, a, h, "software", STREAM_SOFTWARE, "software", "ip", SOFTWARE, reterr);
    } else if (!err) {
        say_key(a, "software");
        say_list(a);
        say_end(a);
    }
    err = err ? err : write_both_seen(r, a, h, reterr);
    if (!err) {
        api_searched(r, a);
        say_end(a);
    }
    return err;
}

void handle_host(const struct request *r, struct answer *a)
{
    struct host h = {0};
    struct api_span span;
    struct error err;
    if (!read_host(r, a, &h) || !api_span(r, a, API_DAY, &span))
        return;
    h.hours = hours_around(span.since / API_SECOND, (span.until + API_SECOND - 1) / API_SECOND);
    int64_t step = timeline_step(h.hours.since, h.hours.until);
    step = step < HOUR ? HOUR : step;
    if (!timeline_init(&h.t, h.hours.since, h.hours.until, step))
        api_failed(a, &(struct error){"too long a time"});
    else if (sum_up(r, &h, &err) < 0 || write_host(r, a, &h, &err) < 0)
        api_failed(a, &err);
    timeline_free(&h.t);
}
