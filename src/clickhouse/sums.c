/* sums.c: sums by key and by time, of what tables of ClickHouse have.
 * In: spans of time, keys. Out: sums, series. Owns: nothing. Limits: as many keys as a table of sums holds,
 * those with the most mails; the rest counts as others. The deadline: the newest days are asked first, and
 * what was answered by then counts. Knowingly: all is asked with FINAL, so that a row that was sent twice
 * counts once. A day is over for us an hour after its end, and is known by how many rows it has and the last
 * one's id. Spec: store/rollup.c, whose keys and numbers these are. */
#include "clickhouse/sums.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "clickhouse/literal.h"
#include "clickhouse/reader.h"
#include "clickhouse/select.h"
#include "view/past.h"

enum { DAY = 86400, HOUR = 3600, ROW_MOST = 4096, LATE = HOUR };
/* Of an answer; a server that is none may send them without end. */
enum { DAYS_MOST = 1 << 16, HOURS_MOST = 24 * DAYS_MOST };
enum { KEY_AND_SUMS = 10, TIMES = 9 };
#define SECOND   INT64_C(1000000)
#define LAST_DAY INT64_C(65535) /* of the server's type */

#define TEXT_OF(column) "lower(substring(" column ", 1, 255))"
/* Bounded, so that sums stay within 64 bits. */
#define BYTES "least(message_bytes, 274877906944)"

/* Sums where a mail has one key, where it has several, and of what is no mail. */
#define ONE_KEY                                                                                              \
    "count() AS c, sum(disposition = 'accepted'), sum(disposition = 'rejected'), "                           \
    "sum(disposition = 'deferred'), sum(tls), sum(length(rcptto)), sum(" BYTES                               \
    "), toFloat64(0), toUInt64(0)"
#define MANY_KEYS(recipients, delay, delays)                                                                 \
    "sum(n = 1) AS c, sum(n = 1 AND disposition = 'accepted'), sum(n = 1 AND disposition = 'rejected'), "    \
    "sum(n = 1 AND disposition = 'deferred'), sum(n = 1 AND tls), " recipients ", sumIf(" BYTES              \
    ", n = 1), " delay ", " delays
#define NO_MAIL                                                                                              \
    "count() AS c, toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), "           \
    "toFloat64(0), toUInt64(0)"

/* Where a dimension's keys are. An empty one is none. */
struct dimension {
    enum stream_index stream;
    const char *key, *sums;
    const char *join;  /* keys of one mail, and the number of each among its likes; "": it has one */
    const char *where; /* "": all */
};
static const struct dimension dimensions[TOP_DIMENSIONS] = {
    [TOP_CLIENT] = {STREAM_SMTP, TEXT_OF("id_orig_h"), ONE_KEY, "", ""},
    [TOP_SERVER] = {STREAM_SMTP, TEXT_OF("id_resp_h"), ONE_KEY, "", ""},
    [TOP_SENDER] = {STREAM_SMTP, "sender_key", ONE_KEY, "", ""},
    [TOP_RECIPIENT] = {STREAM_SMTP, "k", MANY_KEYS("count()", "toFloat64(0)", "toUInt64(0)"),
                       " ARRAY JOIN recipient_keys AS k, arrayEnumerateUniq(recipient_keys) AS n", ""},
    [TOP_COUNTRY] = {STREAM_SMTP, TEXT_OF("origin_country"), ONE_KEY, "", ""},
    [TOP_ASN] = {STREAM_SMTP, "toString(origin_asn)", ONE_KEY, "", " AND origin_asn != 0"},
    [TOP_REASON] = {STREAM_SMTP, "reason_key", ONE_KEY, "", ""},
    [TOP_LIST] = {STREAM_NOTICE, TEXT_OF("list"), NO_MAIL, "", ""},
    [TOP_NOTE] = {STREAM_NOTICE, TEXT_OF("note"), NO_MAIL, "", ""},
    [TOP_AGENT] = {STREAM_SMTP, "agent_key", ONE_KEY, "", ""},
    [TOP_TLS_VERSION] = {STREAM_SESSION,
                         "if(ssl_version != '', " TEXT_OF("ssl_version") ", if(tls, 'unknown', 'none'))",
                         NO_MAIL, "", ""},
    [TOP_SENSOR] = {STREAM_SMTP, TEXT_OF("sensor"), ONE_KEY, "", ""},
    [TOP_RELAY] = {STREAM_SMTP, "k",
                   MANY_KEYS("sumIf(length(rcptto), n = 1)", "sumIf(d, d >= 0)", "countIf(d >= 0)"),
                   " ARRAY JOIN relays AS k, relay_delays AS d, arrayEnumerateUniq(relays) AS n", ""},
};

static void add_from(struct line *sql, const struct dimension *d, int64_t since, int64_t until)
{
    until = until < LAST_DAY * DAY ? until : LAST_DAY * DAY;
    since = since < until ? since : until;
    line_printf(sql, " FROM `%s` FINAL", stream_table[d->stream]->path);
    line_str(sql, d->join);
    line_printf(sql, " WHERE day >= toDate(%lld) AND day <= toDate(%lld) AND id >= %llu AND id < %llu",
                (long long)(since / DAY), (long long)((until - 1) / DAY),
                (unsigned long long)chreader_first_id(since * SECOND),
                (unsigned long long)chreader_first_id(until * SECOND));
    line_str(sql, d->where);
}

/* The step of time that an id falls into, as column `name`. */
static void add_step(struct line *sql, const char *name, int64_t seconds)
{
    line_printf(sql, "toUInt32(intDiv(bitShiftRight(id, 10), %lld)) AS %s, ", (long long)(seconds * SECOND),
                name);
}

/* Asks for whole answers. A deadline that ends it is noted, and is no error. */
static int ask(struct reader *r, const enum binary_kind *kinds, size_t count, binary_row_fn *row, void *ctx,
               const struct line *sql, int64_t until, struct error *reterr)
{
    const struct select select = {.server = chreader_of(r)->server,
                                  .until = r->deadline,
                                  .kinds = kinds,
                                  .count = count,
                                  .row_most = ROW_MOST,
                                  .whole = true,
                                  .row = row,
                                  .ctx = ctx};
    int err = select_run(&select, line_slice(sql), reterr);
    if (err != -ETIMEDOUT)
        return err;
    reader_stopped(r, chreader_first_id(until * SECOND), false);
    return 0;
}

/* The columns of sums, which stand from `v` on. */
static struct sums sums_of(const struct binary_value *v)
{
    return (struct sums){.mails = v[0].number,
                         .accepted = v[1].number,
                         .rejected = v[2].number,
                         .deferred = v[3].number,
                         .tls = v[4].number,
                         .recipients = v[5].number,
                         .bytes = v[6].number,
                         .delay = v[7].real,
                         .delays = v[8].number};
}

static const enum binary_kind key_kinds[KEY_AND_SUMS] = {BINARY_TEXT, BINARY_U64, BINARY_U64, BINARY_U64,
                                                         BINARY_U64,  BINARY_U64, BINARY_U64, BINARY_U64,
                                                         BINARY_F64,  BINARY_U64};

struct collecting {
    enum top_by by;
    struct keyed *keys;
    struct sums given;
    uint64_t rows;
};

static bool take_key(void *ctx, const struct binary_value *values)
{
    struct collecting *c = ctx;
    struct sums sums = sums_of(values + 1);
    keyed_add(c->keys, values->text, &sums);
    sums_add(&c->given, &sums);
    c->rows++;
    return true;
}

static bool take_total(void *ctx, const struct binary_value *values)
{
    struct collecting *c = ctx;
    struct sums all = sums_of(values + 1);
    const struct sums *given = &c->given;
    /* Rows may have come, or gone, in between. */
#define REST(member) .member = all.member > given->member ? all.member - given->member : 0
    keyed_add_others(c->keys,
                     &(struct sums){REST(mails), REST(accepted), REST(rejected), REST(deferred), REST(tls),
                                    REST(recipients), REST(bytes), REST(delay), REST(delays)});
#undef REST
    return false;
}

/* Asks for spans, the newest first, each four times as long as the one before it, so that a deadline leaves
 * what is newest. */
struct spans {
    struct reader *reader;
    int (*ask)(struct spans *s, int64_t since, int64_t until, struct error *reterr);
    void *ctx;
};

static int ask_spans(struct spans *s, struct hours all, struct error *reterr)
{
    const uint64_t before = s->reader->searched_to;
    int64_t to = all.until, len = DAY;
    int err = 0;
    for (; to > all.since && !err && s->reader->searched_to == before; len *= 4) {
        int64_t from = to - all.since > len ? to - len : all.since;
        err = s->ask(s, from, to, reterr);
        to = from;
    }
    return err;
}

static int collect_span(struct spans *s, int64_t since, int64_t until, struct error *reterr)
{
    struct collecting *all = s->ctx, c = {.by = all->by, .keys = all->keys};
    const struct dimension *d = &dimensions[c.by];
    const size_t most = keyed_most(c.keys);
    struct line sql = {0};
    line_str(&sql, "SELECT ");
    line_str(&sql, d->key);
    line_str(&sql, " AS key, ");
    line_str(&sql, d->sums);
    add_from(&sql, d, since, until);
    line_printf(&sql, " AND key != '' GROUP BY key ORDER BY c DESC, key LIMIT %zu", most);
    int err = ask(s->reader, key_kinds, KEY_AND_SUMS, take_key, &c, &sql, until, reterr);
    if (!err && c.rows == most) {
        line_clear(&sql);
        line_str(&sql, "SELECT '', ");
        line_str(&sql, d->sums);
        add_from(&sql, d, since, until);
        line_str(&sql, " AND ");
        line_str(&sql, d->key);
        line_str(&sql, " != ''");
        err = ask(s->reader, key_kinds, KEY_AND_SUMS, take_total, &c, &sql, until, reterr);
    }
    line_free(&sql);
    return err;
}

static int sums_between(struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                        struct error *reterr)
{
    struct collecting all = {.by = by, .keys = keys};
    struct spans spans = {.reader = r, .ask = collect_span, .ctx = &all};
    return ask_spans(&spans, span, reterr);
}

struct days {
    struct past_days *list;
    int64_t now;
};

static bool take_day(void *ctx, const struct binary_value *values)
{
    const struct days *d = ctx;
    struct past_days *list = d->list;
    const int32_t day = (int32_t)values[0].number;
    if (list->count == DAYS_MOST)
        return false;
    list->items = reallocarray(list->items, list->count + 1, sizeof *list->items);
    memory_check(list->items);
    list->items[list->count++] = (struct past_day){.day = day,
                                                   .over = ((int64_t)day + 1) * DAY + LATE <= d->now,
                                                   .stamp = {{values[1].number, values[2].number}}};
    return true;
}

static int days_of(struct reader *r, enum top_by by, struct hours span, struct past_days *ret,
                   struct error *reterr)
{
    static const enum binary_kind kinds[] = {BINARY_U16, BINARY_U64, BINARY_U64};
    struct days days = {ret, now_wall().tv_sec};
    struct line sql = {0};
    *ret = (struct past_days){0};
    line_printf(&sql,
                "SELECT toUInt16(day) AS d, count(), max(id) FROM `%s` WHERE day >= toDate(%lld) AND "
                "day <= toDate(%lld) GROUP BY d ORDER BY d DESC",
                stream_table[dimensions[by].stream]->path, (long long)(span.since / DAY),
                (long long)((span.until - 1) / DAY));
    int err = ask(r, kinds, 3, take_day, &days, &sql, span.until, reterr);
    line_free(&sql);
    return err;
}

int chsums_collect(struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                   struct error *reterr)
{
    static const struct past_kind kind = {.days = days_of, .sums = sums_between};
    return past_collect(chreader_of(r)->past, &kind, r, by, span, keys, reterr);
}

/* Hours of one key, the newest first. */
struct hourly {
    enum top_by by;
    struct slice key;
    size_t count;
    struct hour {
        int64_t seconds;
        struct sums sums;
    } * items;
};

static bool take_hour(void *ctx, const struct binary_value *values)
{
    struct hourly *h = ctx;
    if (h->count == HOURS_MOST)
        return false;
    h->items = reallocarray(h->items, h->count + 1, sizeof *h->items);
    memory_check(h->items);
    h->items[h->count++] = (struct hour){(int64_t)values[0].number * HOUR, sums_of(values + 1)};
    return true;
}

static int hours_span(struct spans *s, int64_t since, int64_t until, struct error *reterr)
{
    static const enum binary_kind kinds[KEY_AND_SUMS] = {BINARY_U32, BINARY_U64, BINARY_U64, BINARY_U64,
                                                         BINARY_U64, BINARY_U64, BINARY_U64, BINARY_U64,
                                                         BINARY_F64, BINARY_U64};
    struct hourly *h = s->ctx;
    const struct dimension *d = &dimensions[h->by];
    struct line sql = {0};
    line_str(&sql, "SELECT ");
    add_step(&sql, "hour", HOUR);
    line_str(&sql, d->sums);
    add_from(&sql, d, since, until);
    line_str(&sql, " AND ");
    line_str(&sql, d->key);
    line_str(&sql, " = ");
    literal_text(&sql, h->key);
    line_str(&sql, " GROUP BY hour ORDER BY hour DESC");
    int err = ask(s->reader, kinds, KEY_AND_SUMS, take_hour, h, &sql, until, reterr);
    line_free(&sql);
    return err;
}

int chsums_key_hours(struct reader *r, enum top_by by, struct slice key, struct hours span, top_hour_fn *each,
                     void *ctx, struct error *reterr)
{
    struct hourly h = {.by = by, .key = key};
    struct spans spans = {.reader = r, .ask = hours_span, .ctx = &h};
    int err = ask_spans(&spans, span, reterr);
    for (size_t i = h.count; i-- > 0 && !err;)
        each(ctx, h.items[i].seconds, &h.items[i].sums);
    free(h.items);
    return err;
}

/* The series that stand in its columns from the third on; the second says of which stream they are. */
static bool take_step(void *ctx, const struct binary_value *v)
{
    static const enum timeline_series series[] = {TIMELINE_MAILS,    TIMELINE_ACCEPTED, TIMELINE_REJECTED,
                                                  TIMELINE_DEFERRED, TIMELINE_TLS,      TIMELINE_BYTES,
                                                  TIMELINE_SESSIONS, TIMELINE_NOTICES};
    struct timeline *t = ctx;
    for (size_t i = 0; i < sizeof series / sizeof *series; i++)
        timeline_add(t, series[i], (int64_t)v[0].number * t->step, v[1 + i].number);
    return true;
}

static int steps_span(struct spans *s, int64_t since, int64_t until, struct error *reterr)
{
    static const enum binary_kind kinds[TIMES] = {BINARY_U32, BINARY_U64, BINARY_U64, BINARY_U64, BINARY_U64,
                                                  BINARY_U64, BINARY_U64, BINARY_U64, BINARY_U64};
    static const struct dimension parts[] = {
        {STREAM_SMTP, "",
         "count(), sum(disposition = 'accepted'), sum(disposition = 'rejected'), "
         "sum(disposition = 'deferred'), sum(tls), sum(" BYTES "), toUInt64(0), toUInt64(0)",
         "", ""},
        {STREAM_SESSION, "",
         "toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), count(), toUInt64(0)",
         "", ""},
        {STREAM_NOTICE, "",
         "toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), count()",
         "", ""}};
    struct timeline *t = s->ctx;
    struct line sql = {0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        line_str(&sql, i ? " UNION ALL SELECT " : "SELECT ");
        add_step(&sql, "step", t->step);
        line_str(&sql, parts[i].sums);
        add_from(&sql, &parts[i], since, until);
        line_str(&sql, " GROUP BY step");
    }
    int err = ask(s->reader, kinds, TIMES, take_step, t, &sql, until, reterr);
    line_free(&sql);
    return err;
}

int chsums_timeline(struct reader *r, struct timeline *t, struct error *reterr)
{
    struct spans spans = {.reader = r, .ask = steps_span, .ctx = t};
    return ask_spans(&spans, (struct hours){t->since, t->until}, reterr);
}
