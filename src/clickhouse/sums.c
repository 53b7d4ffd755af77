/* sums.c: sums by key and by time, of what tables of ClickHouse have.
 * In: spans of time, keys. Out: sums, series. Owns: nothing. Limits: as many keys as a table of sums holds,
 * those with the most mails; the rest counts as others. The deadline: the newest days are asked first, and
 * what was answered by then counts. Knowingly: all is asked with FINAL, so that a row that was sent twice
 * counts once. A day or an hour is over for us an hour after its end, and is known by how many rows it has
 * and the last one's id. Spec: store/rollup.c, whose keys and numbers these are. */
#include "clickhouse/sums.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "clickhouse/literal.h"
#include "clickhouse/reader.h"
#include "clickhouse/select.h"
#include "clickhouse/table.h"
#include "view/past.h"

enum { DAY = 86400, HOUR = 3600, ROW_MOST = 4096, LATE = HOUR };
/* Of an answer; a server that means harm sends them without end. */
enum { HOURS_MOST = 24 << 16 };
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
    const char *list; /* of the keys of one mail; NULL: it has one */
    const char *join; /* these keys, and the number of each among its likes */
};
#define EACH(list) " ARRAY JOIN " list " AS k, arrayEnumerateUniq(" list ") AS n"
static const struct dimension dimensions[TOP_DIMENSIONS] = {
    [TOP_CLIENT] = {STREAM_SMTP, "id_orig_h", ONE_KEY, NULL, ""},
    [TOP_SERVER] = {STREAM_SMTP, "id_resp_h", ONE_KEY, NULL, ""},
    [TOP_SENDER] = {STREAM_SMTP, "sender_key", ONE_KEY, NULL, ""},
    [TOP_RECIPIENT] = {STREAM_SMTP, "k", MANY_KEYS("count()", "toFloat64(0)", "toUInt64(0)"),
                       "recipient_keys", EACH("recipient_keys")},
    [TOP_COUNTRY] = {STREAM_SMTP, TEXT_OF("origin_country"), ONE_KEY, NULL, ""},
    [TOP_ASN] = {STREAM_SMTP, "if(origin_asn = 0, '', toString(origin_asn))", ONE_KEY, NULL, ""},
    [TOP_REASON] = {STREAM_SMTP, "reason_key", ONE_KEY, NULL, ""},
    [TOP_LIST] = {STREAM_NOTICE, TEXT_OF("list"), NO_MAIL, NULL, ""},
    [TOP_NOTE] = {STREAM_NOTICE, TEXT_OF("note"), NO_MAIL, NULL, ""},
    [TOP_AGENT] = {STREAM_SMTP, "agent_key", ONE_KEY, NULL, ""},
    [TOP_TLS_VERSION] = {STREAM_SESSION,
                         "if(ssl_version != '', " TEXT_OF("ssl_version") ", if(tls, 'unknown', 'none'))",
                         NO_MAIL, NULL, ""},
    [TOP_SENSOR] = {STREAM_SMTP, TEXT_OF("sensor"), ONE_KEY, NULL, ""},
    [TOP_RELAY] = {STREAM_SMTP, "k",
                   MANY_KEYS("sumIf(length(rcptto), n = 1)", "sumIf(d, d >= 0)", "countIf(d >= 0)"), "relays",
                   EACH("relays") ", relay_delays AS d"},
};

/* Of a table the rows of a span; with FINAL, where there is a `join` (which may be ""). What follows in the
 * same condition is looked at before rows are held to each other, which is right as those of one id and hash
 * are the same in all columns. */
static void add_from(struct line *sql, enum stream_index stream, const char *join, int64_t since,
                     int64_t until)
{
    until = until < LAST_DAY * DAY ? until : LAST_DAY * DAY;
    since = since < until ? since : until;
    line_printf(sql, " FROM `%s`", chtable_of(stream)->name);
    line_str(sql, join ? " FINAL" : "");
    line_str(sql, join ? join : "");
    line_printf(sql, " PREWHERE day >= toDate(%lld) AND day <= toDate(%lld) AND id >= %llu AND id < %llu",
                (long long)(since / DAY), (long long)((until - 1) / DAY),
                (unsigned long long)chreader_first_id(since * SECOND),
                (unsigned long long)chreader_first_id(until * SECOND));
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

/* Learns which tables there are. `ret`: there is that one, and time left to ask it. */
static int get_ready(struct reader *r, enum stream_index stream, struct hours span, bool *ret,
                     struct error *reterr)
{
    struct chreader *c = chreader_of(r);
    int err = tables_refresh(c->tables, c->server, chreader_until(c), reterr);
    *ret = !err && tables_has(c->tables, stream);
    if (err != -ETIMEDOUT || !reader_over(r))
        return err;
    reader_stopped(r, chreader_first_id(span.until * SECOND), false);
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
    add_from(&sql, d->stream, d->join, since, until);
    line_printf(&sql, " WHERE key != '' GROUP BY key ORDER BY c DESC, key LIMIT %zu", most);
    int err = ask(s->reader, key_kinds, KEY_AND_SUMS, take_key, &c, &sql, until, reterr);
    if (!err && c.rows == most) {
        line_clear(&sql);
        line_str(&sql, "SELECT '', ");
        line_str(&sql, d->sums);
        add_from(&sql, d->stream, d->join, since, until);
        line_str(&sql, " WHERE ");
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

/* Days that are over and lie in the span as a whole are pieces; of the others each hour is. */
struct pieces {
    struct past_pieces *list;
    int64_t first_day, last_day; /* those days: first <= day < last */
    int64_t now;
};

static bool take_piece(void *ctx, const struct binary_value *values)
{
    const struct pieces *p = ctx;
    struct past_pieces *list = p->list;
    if (list->count == HOURS_MOST)
        return false;
    const int64_t since = (int64_t)values[0].number * HOUR, day = since / DAY;
    const int64_t until = since + (day >= p->first_day && day < p->last_day ? DAY : HOUR);
    list->items = reallocarray(list->items, list->count + 1, sizeof *list->items);
    memory_check(list->items);
    list->items[list->count++] = (struct past_piece){.hours = {since, until},
                                                     .over = until + LATE <= p->now,
                                                     .stamp = {{values[1].number, values[2].number}}};
    return true;
}

static int pieces_of(struct reader *r, enum top_by by, struct hours span, struct past_pieces *ret,
                     struct error *reterr)
{
    static const enum binary_kind kinds[] = {BINARY_U32, BINARY_U64, BINARY_U64};
    const int64_t now = now_wall().tv_sec, end = span.until < now - LATE ? span.until : now - LATE;
    struct pieces p = {ret, (span.since + DAY - 1) / DAY, end > 0 ? end / DAY : 0, now};
    struct line sql = {0};
    *ret = (struct past_pieces){0};
    line_printf(
        &sql,
        "SELECT toUInt32(if(day >= toDate(%lld) AND day < toDate(%lld), toUInt64(toUInt16(day)) * 24, "
        "intDiv(bitShiftRight(id, 10), %lld))) AS hour, count(), max(id)",
        (long long)(p.first_day < LAST_DAY ? p.first_day : LAST_DAY), (long long)p.last_day,
        (long long)(HOUR * SECOND));
    add_from(&sql, dimensions[by].stream, NULL, span.since, span.until);
    line_str(&sql, " GROUP BY hour ORDER BY hour DESC");
    int err = ask(r, kinds, 3, take_piece, &p, &sql, span.until, reterr);
    line_free(&sql);
    return err;
}

int chsums_collect(struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                   struct error *reterr)
{
    static const struct past_kind kind = {.pieces = pieces_of, .sums = sums_between};
    bool there = false;
    int err = get_ready(r, dimensions[by].stream, span, &there, reterr);
    return err || !there ? err : past_collect(chreader_of(r)->past, &kind, r, by, span, keys, reterr);
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
    add_from(&sql, d->stream, d->join, since, until);
    line_str(&sql, d->list ? " AND has(" : " AND ");
    line_str(&sql, d->list ? d->list : d->key);
    line_str(&sql, d->list ? ", " : " = ");
    literal_text(&sql, h->key);
    if (d->list) {
        line_str(&sql, ") WHERE k = ");
        literal_text(&sql, h->key);
    }
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
    bool there = false;
    int err = get_ready(r, dimensions[by].stream, span, &there, reterr);
    if (!err && there)
        err = ask_spans(&spans, span, reterr);
    for (size_t i = h.count; i-- > 0 && !err;)
        each(ctx, h.items[i].seconds, &h.items[i].sums);
    free(h.items);
    return err;
}

/* A timeline, of all or of the mails that a query finds. */
struct stepping {
    struct timeline *timeline;
    const struct query *query; /* NULL: of all */
    struct chask ask;
    struct line where;
};

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

static void add_condition(struct line *sql, struct stepping *s, int64_t since, int64_t until)
{
    chask_begin(&s->ask);
    s->ask.first_day = (int32_t)(since / DAY);
    s->ask.last_day = (int32_t)((until - 1) / DAY);
    line_clear(&s->where);
    chask_where(&s->ask, s->query->root, &s->where);
    line_add(sql, line_slice(&s->ask.with));
}

static int steps_span(struct spans *spans, int64_t since, int64_t until, struct error *reterr)
{
    static const enum binary_kind kinds[TIMES] = {BINARY_U32, BINARY_U64, BINARY_U64, BINARY_U64, BINARY_U64,
                                                  BINARY_U64, BINARY_U64, BINARY_U64, BINARY_U64};
    static const struct {
        enum stream_index stream;
        const char *sums;
    } parts[] = {
        {STREAM_SMTP, "count(), sum(disposition = 'accepted'), sum(disposition = 'rejected'), "
                      "sum(disposition = 'deferred'), sum(tls), sum(" BYTES "), toUInt64(0), toUInt64(0)"},
        {STREAM_SESSION, "toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), "
                         "count(), toUInt64(0)"},
        {STREAM_NOTICE, "toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), "
                        "toUInt64(0), count()"}};
    struct stepping *s = spans->ctx;
    const size_t count = s->query ? 1 : sizeof parts / sizeof *parts;
    struct line sql = {0};
    if (s->query)
        add_condition(&sql, s, since, until);
    const char *between = "SELECT ";
    for (size_t i = 0; i < count; i++) {
        if (!tables_has(chreader_of(spans->reader)->tables, parts[i].stream))
            continue;
        line_str(&sql, between);
        between = " UNION ALL SELECT ";
        add_step(&sql, "step", s->timeline->step);
        line_str(&sql, parts[i].sums);
        add_from(&sql, parts[i].stream, "", since, until);
        if (s->query) {
            line_str(&sql, " AND ");
            line_add(&sql, line_slice(&s->where));
        }
        line_str(&sql, " GROUP BY step");
    }
    int err = ask(spans->reader, kinds, TIMES, take_step, s->timeline, &sql, until, reterr);
    line_free(&sql);
    return err;
}

int chsums_timeline(struct reader *reader, struct timeline *t, const struct query *query,
                    struct error *reterr)
{
    struct chreader *r = chreader_of(reader);
    const struct hours span = {t->since, t->until};
    bool there = false;
    int err = get_ready(reader, STREAM_SMTP, span, &there, reterr);
    if (!err && there && query && !r->folds && chask_has_words(query->root))
        err = folds_new(&r->folds, reterr);
    struct stepping s = {.timeline = t,
                         .query = query,
                         .ask = {.stream = STREAM_SMTP, .tables = r->tables, .folds = r->folds}};
    struct spans spans = {.reader = reader, .ask = steps_span, .ctx = &s};
    if (!err && there)
        err = ask_spans(&spans, span, reterr);
    chask_free(&s.ask);
    line_free(&s.where);
    return err;
}
