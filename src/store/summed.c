/* summed.c: sums by hour and minute over many days.
 * In: rows of `hourly` and `minute`. Out: sums, series. Owns: nothing. Limits: those of the table of keys.
 * Knowingly: a day's file is known by its place, size and time of change; one with a log beside it is being
 * written. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "store/walk.h"
#include "view/past.h"

enum { DAY = 86400, HOUR = 3600, MINUTE = 60 };
#define SECOND   INT64_C(1000000)
#define SUMS_SQL "mails, accepted, rejected, deferred, tls, recipients, bytes, delay, delays"

/* A count in a row; what a damaged file has below 0 counts as 0. */
static uint64_t sums_count(sqlite3_stmt *row, int at)
{
    sqlite3_int64 v = sqlite3_column_int64(row, at);
    return v < 0 ? 0 : (uint64_t)v;
}

/* The columns of SUMS_SQL, which stand from `first` on. */
static struct sums sums_of_row(sqlite3_stmt *row, int first)
{
    return (struct sums){.mails = sums_count(row, first),
                         .accepted = sums_count(row, first + 1),
                         .rejected = sums_count(row, first + 2),
                         .deferred = sums_count(row, first + 3),
                         .tls = sums_count(row, first + 4),
                         .recipients = sums_count(row, first + 5),
                         .bytes = sums_count(row, first + 6),
                         .delay = sqlite3_column_double(row, first + 7),
                         .delays = sums_count(row, first + 8)};
}

static int ask(struct reader *r, struct hours span, const char *text, const struct reader_value *values,
               size_t count, folder_row_fn *take, void *ctx, struct error *reterr)
{
    const struct folder_sql sql = {.text = text,
                                   .values = values,
                                   .value_count = count,
                                   .since = span.since * SECOND,
                                   .until = span.until * SECOND};
    return folder_each_day(folder_of(r), &sql, take, ctx, reterr);
}

static bool take_key(void *ctx, sqlite3_stmt *row)
{
    struct sums sums = sums_of_row(row, 1);
    const unsigned char *text = sqlite3_column_text(row, 0);
    keyed_add(ctx, (struct slice){text, (size_t)sqlite3_column_bytes(row, 0)}, &sums);
    return true;
}

static int sums_of(struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                   struct error *reterr)
{
    const struct reader_value values[] = {{.kind = READER_TEXT, .text = slice_str(top_by_name(by))},
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
int folder_key_hours(struct reader *r, enum top_by by, struct slice key, struct hours span, top_hour_fn *each,
                     void *ctx, struct error *reterr)
{
    struct hourly h = {each, ctx};
    const struct reader_value values[] = {{.kind = READER_TEXT, .text = slice_str(top_by_name(by))},
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

static bool take_minute(void *ctx, sqlite3_stmt *row)
{
    struct timeline *t = ctx;
    int64_t seconds = sqlite3_column_int64(row, 0);
    for (int i = 0; i < TIMELINE_SERIES; i++)
        timeline_add(t, (enum timeline_series)i, seconds, sums_count(row, i + 1));
    return true;
}

int folder_timeline(struct reader *r, struct timeline *t, const struct query *query, struct error *reterr)
{
    if (query)
        return -ENOTSUP;
    const struct reader_value values[] = {{.kind = READER_INTEGER, .integer = t->since / MINUTE},
                                          {.kind = READER_INTEGER, .integer = t->until / MINUTE}};
    const struct folder_sql sql = {
        .text = "SELECT minute * 60, mails, accepted, rejected, deferred, tls, notices, sessions, bytes "
                "FROM minute WHERE minute >= ?1 AND minute < ?2",
        .values = values,
        .value_count = 2,
        .since = t->since * SECOND,
        .until = t->until * SECOND};
    assert(t->step % MINUTE == 0);
    return folder_each_day(folder_of(r), &sql, take_minute, t, reterr);
}

static bool look(struct reader *r, enum top_by by, const struct past_piece *piece, struct past_stamp *ret)
{
    char path[DAY_PATH], log[DAY_PATH + 8];
    struct stat st, other;
    (void)by;
    if (!volumes_path(folder_of(r)->volumes, (int32_t)(piece->hours.since / DAY), path))
        return false;
    snprintf(log, sizeof log, "%s-wal", path);
    if (stat(path, &st) < 0 || (stat(log, &other) == 0 && other.st_size != 0))
        return false;
    *ret = (struct past_stamp){{st.st_dev, st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec,
                                (uint64_t)st.st_mtim.tv_nsec}};
    return true;
}

static int pieces_of(struct reader *r, enum top_by by, struct hours span, struct past_pieces *ret,
                     struct error *reterr)
{
    struct day_list days;
    *ret = (struct past_pieces){0};
    int err = volumes_list(folder_of(r)->volumes, &days, reterr);
    if (err)
        return err;
    ret->items = calloc(days.count + 1, sizeof *ret->items);
    memory_check(ret->items);
    for (size_t i = 0; i < days.count; i++) {
        const int64_t first = (int64_t)days.items[i] * DAY;
        struct past_piece *p = &ret->items[ret->count];
        if (first + DAY <= span.since || first >= span.until)
            continue;
        p->hours = (struct hours){first, first + DAY};
        p->over = look(r, by, p, &p->stamp);
        ret->count++;
    }
    free(days.items);
    return 0;
}

int folder_collect(struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                   struct error *reterr)
{
    static const struct past_kind kind = {.pieces = pieces_of, .look = look, .sums = sums_of};
    return past_collect(folder_of(r)->past, &kind, r, by, span, keys, reterr);
}
