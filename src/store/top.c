/* top.c: sums by hour over many days.
 * In: rows of `hourly`. Out: sums. Owns: nothing. Limits: those of the table of keys. */
#include "store/top.h"

enum { HOUR = 3600 };
#define SECOND INT64_C(1000000)

static const char *const names[TOP_DIMENSIONS] = {"client",      "server", "sender", "recipient", "country",
                                                  "asn",         "reason", "list",   "note",      "agent",
                                                  "tls_version", "sensor", "relay"};

const char *top_by_name(enum top_by by)
{
    return names[by];
}

struct hours hours_around(int64_t since, int64_t until)
{
    struct hours h = {since - since % HOUR, until + (HOUR - until % HOUR) % HOUR};
    if (h.until <= h.since)
        h.until = h.since + HOUR;
    return h;
}

static int ask(struct reader *r, struct hours span, const char *text, const struct reader_value *values,
               size_t count, reader_row_fn *take, void *ctx, struct error *reterr)
{
    const struct reader_sql sql = {.text = text,
                                   .values = values,
                                   .value_count = count,
                                   .since = span.since * SECOND,
                                   .until = span.until * SECOND,
                                   .oldest_first = true};
    return reader_each_day(r, &sql, take, ctx, reterr);
}

static bool take_key(void *ctx, sqlite3_stmt *row)
{
    struct sums sums = sums_of_row(row, 1);
    const unsigned char *text = sqlite3_column_text(row, 0);
    keyed_add(ctx, (struct slice){text, (size_t)sqlite3_column_bytes(row, 0)}, &sums);
    return true;
}

int top_collect(struct reader *r, enum top_by by, struct hours span, struct keyed *keys, struct error *reterr)
{
    const struct reader_value values[] = {{.kind = READER_TEXT, .text = slice_str(names[by])},
                                          {.kind = READER_INTEGER, .integer = span.since / HOUR},
                                          {.kind = READER_INTEGER, .integer = span.until / HOUR}};
    return ask(r, span,
               "SELECT key, " SUMS_SQL " FROM hourly WHERE dimension = ?1 AND hour >= ?2 AND hour < ?3",
               values, 3, take_key, keys, reterr);
}

struct hourly {
    top_hour_fn *each;
    void *ctx;
};

static bool take_hour(void *ctx, sqlite3_stmt *row)
{
    const struct hourly *h = ctx;
    struct sums sums = sums_of_row(row, 1);
    h->each(h->ctx, sqlite3_column_int64(row, 0) * HOUR, &sums);
    return true;
}

/* The key's rows lie apart, one in each hour, so the hours that a day has are asked for one by one. */
int top_key_hours(struct reader *r, enum top_by by, struct slice key, struct hours span, top_hour_fn *each,
                  void *ctx, struct error *reterr)
{
    struct hourly h = {each, ctx};
    const struct reader_value values[] = {{.kind = READER_TEXT, .text = slice_str(names[by])},
                                          {.kind = READER_INTEGER, .integer = span.since / HOUR},
                                          {.kind = READER_INTEGER, .integer = span.until / HOUR},
                                          {.kind = READER_TEXT, .text = key}};
    return ask(r, span,
               "WITH RECURSIVE ends(first, last) AS (SELECT "
               "(SELECT min(hour) FROM hourly WHERE dimension = ?1 AND hour >= ?2), "
               "(SELECT max(hour) FROM hourly WHERE dimension = ?1 AND hour < ?3)), "
               "each(hour) AS (SELECT first FROM ends WHERE first <= last UNION ALL "
               "SELECT each.hour + 1 FROM each, ends WHERE each.hour < last) "
               "SELECT each.hour, " SUMS_SQL " FROM each CROSS JOIN hourly "
               "WHERE dimension = ?1 AND hourly.hour = each.hour AND key = ?4",
               values, 4, take_hour, &h, reterr);
}

bool edge_of_key(struct slice key, struct edge *ret)
{
    size_t tab = slice_index(key, '\t');
    if (tab == key.len)
        return false;
    *ret = (struct edge){slice_sub(key, 0, tab), slice_sub(key, tab + 1, key.len)};
    return true;
}
