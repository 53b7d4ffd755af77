/* Sums over days, series, health: over day files that are filled by SQL, so that what should come out is
 * known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>
#include "store/day.h"
#include "view/health.h"
#include "view/timeline.h"
#include "store/open.h"
#include "view/past.h"

enum { FIRST_DAY = 20000, SECONDS = 86400, HOUR = 3600 };
static const int64_t begin = (int64_t)FIRST_DAY * SECONDS;

static char folder[64];
static struct error err;
static struct reader *reader;

static void fill(int32_t day, const char *sql)
{
    char path[DAY_PATH];
    sqlite3 *db;
    assert_true(day_path(folder, day, path));
    assert_int_equal(day_open(path, 1 << 20, &db, &err), 0);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(day_close(&db, &err), 0);
}

static void add_hour(int32_t day, const char *dimension, int64_t hour, const char *key, int mails,
                     int rejected, int bytes, double delay, int delays)
{
    char sql[512];
    snprintf(sql, sizeof sql, "INSERT INTO hourly VALUES('%s', %lld, '%s', %d, %d, %d, 0, 0, %d, %d, %f, %d)",
             dimension, (long long)hour, key, mails, mails - rejected, rejected, mails, bytes, delay, delays);
    fill(day, sql);
}

static void add_minute(int32_t day, int64_t minute, int mails)
{
    char sql[256];
    snprintf(sql, sizeof sql, "INSERT INTO minute VALUES(%lld, %d, %d, 0, 0, 0, 0, 0, %d, %d, 1, 2)",
             (long long)minute, mails, mails, mails, 100 * mails);
    fill(day, sql);
}

static int make(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/mailtap-summary-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    const int64_t hour = begin / HOUR, minute = begin / 60;
    add_hour(FIRST_DAY, "client", hour, "192.0.2.1", 5, 1, 100, 0, 0);
    add_hour(FIRST_DAY, "client", hour + 1, "192.0.2.1", 2, 2, 10, 0, 0);
    add_hour(FIRST_DAY, "client", hour + 23, "192.0.2.2", 4, 0, 1000, 0, 0);
    add_hour(FIRST_DAY, "server", hour, "192.0.2.1", 9, 0, 0, 0, 0);
    add_hour(FIRST_DAY + 1, "client", hour + 24, "192.0.2.1", 1, 0, 1, 0, 0);
    add_hour(FIRST_DAY + 1, "client", hour + 30, "192.0.2.3", 3, 3, 1, 0, 0);
    add_hour(FIRST_DAY + 1, "client", hour + 30, "", 7, 0, 1, 0, 0);
    add_hour(FIRST_DAY, "relay", hour, "a\tb", 2, 0, 0, 6.5, 2);
    add_minute(FIRST_DAY, minute, 1);
    add_minute(FIRST_DAY, minute + 59, 2);
    add_minute(FIRST_DAY, minute + 1439, 4);
    add_minute(FIRST_DAY + 1, minute + 1440, 8);
    return store_open(&(struct store_settings){.directory = folder}, &reader, &err);
}

static int drop(void **state)
{
    (void)state;
    reader_close(&reader);
    DIR *dir = opendir(folder);
    for (struct dirent *e; (e = readdir(dir));)
        if (*e->d_name != '.')
            unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
    return rmdir(folder);
}

static void timeline(void **state)
{
    (void)state;
    struct timeline t;
    assert_true(timeline_init(&t, begin + 1, begin + 86400 + 60, HOUR));
    assert_int_equal(t.since, begin);
    assert_int_equal(t.until, begin + 25 * HOUR);
    assert_int_equal(t.count, 25);
    assert_int_equal(timeline_fill(&t, reader, &err), 0);
    assert_int_equal(t.series[TIMELINE_MAILS][0], 3);
    assert_int_equal(t.series[TIMELINE_MAILS][1], 0);
    assert_int_equal(t.series[TIMELINE_MAILS][23], 4);
    assert_int_equal(t.series[TIMELINE_MAILS][24], 8);
    assert_int_equal(t.series[TIMELINE_BYTES][24], 800);
    assert_int_equal(t.series[TIMELINE_NOTICES][0], 4);
    assert_int_equal(t.series[TIMELINE_SESSIONS][0], 2);
    timeline_free(&t);
    assert_false(timeline_init(&t, begin, begin + (TIMELINE_MOST + 1) * INT64_C(60), 60));
}

static void steps(void **state)
{
    (void)state;
    for (int64_t span = 1; span < INT64_C(40000000000); span = span * 3 + 1) {
        int64_t step = timeline_step(begin, begin + span);
        assert_true(step % 60 == 0 && span / step < TIMELINE_POINTS);
        assert_true(step == 60 ||
                    span * 8 / step > TIMELINE_POINTS / 4); /* not much coarser than it need be */
    }
}

static void top(void **state)
{
    (void)state;
    struct keyed *k = keyed_new(100);
    struct hours span = hours_around(begin + 5, begin + 2 * SECONDS - 5);
    assert_int_equal(span.since, begin);
    assert_int_equal(span.until, begin + 2 * SECONDS);
    assert_int_equal(top_collect(reader, TOP_CLIENT, span, k, &err), 0);
    keyed_sort(k, KEYED_MAILS);
    assert_int_equal(keyed_count(k), 4);
    struct keyed_row first = keyed_row(k, 0), second = keyed_row(k, 1);
    assert_true(slice_eq(first.key, slice_str("192.0.2.1")));
    assert_int_equal(first.sums.mails, 8);
    assert_int_equal(first.sums.rejected, 3);
    assert_int_equal(first.sums.bytes, 111);
    assert_int_equal(second.key.len, 0);
    assert_int_equal(second.sums.mails, 7);
    keyed_sort(k, KEYED_BYTES);
    assert_true(slice_eq(keyed_row(k, 0).key, slice_str("192.0.2.2")));
    keyed_sort(k, KEYED_REJECTED); /* of one number: by key */
    assert_true(slice_eq(keyed_row(k, 0).key, slice_str("192.0.2.1")));
    assert_true(slice_eq(keyed_row(k, 1).key, slice_str("192.0.2.3")));
    keyed_free(&k);
}

/* The same as read, in any order of questions, and what is new in a file is seen. */
static void compare(struct past *p, enum top_by by, struct hours span)
{
    struct keyed *want = keyed_new(100), *got = keyed_new(100);
    struct reader *keeps;
    assert_int_equal(store_open(&(struct store_settings){.directory = folder, .past = p}, &keeps, &err), 0);
    assert_int_equal(top_collect(reader, by, span, want, &err), 0);
    assert_int_equal(top_collect(keeps, by, span, got, &err), 0);
    reader_close(&keeps);
    assert_int_equal(keyed_count(got), keyed_count(want));
    for (size_t i = 0; i < keyed_count(want); i++) {
        struct keyed_row row = keyed_row(want, i);
        const struct sums *s = keyed_find(got, row.key);
        assert_non_null(s);
        assert_memory_equal(s, &row.sums, sizeof *s);
    }
    keyed_free(&want);
    keyed_free(&got);
}

static void past(void **state)
{
    (void)state;
    const struct hours all = hours_around(begin, begin + 2 * SECONDS),
                       part = hours_around(begin + HOUR, begin + 2 * SECONDS),
                       day = hours_around(begin, begin + SECONDS);
    for (size_t most = 1 << 20; most; most /= 32) {
        struct past *p = past_new(most);
        for (int round = 0; round < 3; round++) {
            compare(p, TOP_CLIENT, all);
            compare(p, TOP_RELAY, all);
            compare(p, TOP_CLIENT, part);
            compare(p, TOP_SERVER, day);
            add_hour(FIRST_DAY, "client", begin / HOUR + 3 + round, most > 1000 ? "192.0.2.7" : "192.0.2.8",
                     300 + round, 1, 1 << 20, 0, 0);
            compare(p, TOP_CLIENT, all);
        }
        fill(FIRST_DAY, "DELETE FROM hourly WHERE mails >= 300");
        past_free(&p);
    }
    compare(NULL, TOP_CLIENT, all);
}

static void top_of_hours(void **state)
{
    (void)state;
    struct keyed *k = keyed_new(100);
    struct hours span = hours_around(begin + HOUR, begin + 2 * HOUR);
    assert_int_equal(top_collect(reader, TOP_CLIENT, span, k, &err), 0);
    assert_int_equal(keyed_count(k), 1);
    assert_int_equal(keyed_row(k, 0).sums.mails, 2);
    keyed_free(&k);
}

/* Over the limit all is counted, but not told apart. */
static void too_many(void **state)
{
    (void)state;
    struct keyed *k = keyed_new(1000);
    char key[32];
    const struct sums one = {.mails = 1, .bytes = 3};
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            snprintf(key, sizeof key, "key%d", i);
            keyed_add(k, slice_str(key), &one);
        }
    assert_int_equal(keyed_count(k), 1000);
    assert_int_equal(keyed_others(k)->mails, 8000);
    assert_int_equal(keyed_others(k)->bytes, 24000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(keyed_row(k, i).sums.mails, 2);
    assert_non_null(keyed_find(k, slice_str("key999")));
    assert_null(keyed_find(k, slice_str("key1000")));
    keyed_free(&k);
}

struct heard {
    size_t count;
    int64_t seconds[8];
    uint64_t mails[8];
};

static void hear(void *ctx, int64_t seconds, const struct sums *sums)
{
    struct heard *h = ctx;
    assert_true(h->count < 8);
    h->seconds[h->count] = seconds;
    h->mails[h->count++] = sums->mails;
}

static void one_key(void **state)
{
    (void)state;
    struct heard h = {0};
    struct hours span = hours_around(begin, begin + 2 * SECONDS);
    assert_int_equal(top_key_hours(reader, TOP_CLIENT, slice_str("192.0.2.1"), span, hear, &h, &err), 0);
    assert_int_equal(h.count, 3);
    assert_int_equal(h.seconds[0], begin);
    assert_int_equal(h.seconds[1], begin + HOUR);
    assert_int_equal(h.seconds[2], begin + SECONDS);
    assert_int_equal(h.mails[0] + h.mails[1] + h.mails[2], 8);
    h.count = 0;
    assert_int_equal(top_key_hours(reader, TOP_CLIENT, slice_str("192.0.2.9"), span, hear, &h, &err), 0);
    assert_int_equal(top_key_hours(reader, TOP_AGENT, slice_str("192.0.2.1"), span, hear, &h, &err), 0);
    assert_int_equal(h.count, 0);
}

static void edges(void **state)
{
    (void)state;
    struct edge e;
    assert_true(edge_of_key(slice_str("a.example\tb.example"), &e));
    assert_true(slice_eq(e.from, slice_str("a.example")) && slice_eq(e.by, slice_str("b.example")));
    assert_false(edge_of_key(slice_str("a.example"), &e));
    struct keyed *k = keyed_new(10);
    assert_int_equal(top_collect(reader, TOP_RELAY, hours_around(begin, begin + HOUR), k, &err), 0);
    assert_int_equal(keyed_row(k, 0).sums.delays, 2);
    assert_true(fabs(keyed_row(k, 0).sums.delay - 6.5) < 1e-9);
    keyed_free(&k);
}

static void add_stats(int64_t seconds, const char *worker, const char *sensor, long packets, long drops,
                      long gap, long stream)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "INSERT INTO stats(id, ts, worker, sensor, packets, kernel_drops, gap_bytes, stream_bytes) "
             "VALUES(%lld, %lld, %s, %s, %ld, %ld, %ld, %ld)",
             (long long)seconds * 1000000 + (worker ? 1 : 0) + (sensor ? 2 * sensor[1] : 0),
             (long long)seconds * 1000000, worker ? worker : "NULL", sensor ? sensor : "NULL", packets, drops,
             gap, stream);
    fill((int32_t)(seconds / SECONDS), sql);
}

static void health(void **state)
{
    (void)state;
    struct health h;
    add_stats(begin, NULL, NULL, 1000, 5, 0, 0); /* nobody knows since when */
    add_stats(begin + 60, NULL, NULL, 1900, 105, 10, 90);
    add_stats(begin + 60, "'0'", NULL, 777777, 0, 0, 0); /* of a worker */
    add_stats(begin + 120, NULL, NULL, 1900, 105, 10, 90);
    add_stats(begin + 180, NULL, NULL, 300, 0, 0, 0); /* a new process */
    assert_int_equal(health_fill(&h, reader, begin, begin + 300, 60, (struct slice){0}, &err), 0);
    assert_int_equal(h.count, 5);
    assert_int_equal(h.series[HEALTH_packets][0], 0);
    assert_int_equal(h.series[HEALTH_packets][1], 900);
    assert_int_equal(h.series[HEALTH_packets][2], 0);
    assert_int_equal(h.series[HEALTH_packets][3], 300);
    assert_int_equal(h.series[HEALTH_kernel_drops][1], 100);
    assert_true(fabs(h.sums.loss - 100.0 / 1300) < 1e-9);
    assert_true(fabs(h.sums.gap_share - 0.1) < 1e-9);
    assert_true(isnan(h.sums.one_sided));
    assert_int_equal(h.last, (uint64_t)(begin + 180) * 1000000);
    health_free(&h);
    assert_int_equal(health_fill(&h, reader, begin + 60, begin + 120, 60, (struct slice){0}, &err), 0);
    assert_int_equal(h.series[HEALTH_packets][0], 900); /* by the record before it */
    health_free(&h);
}

static const struct health_sensor *sensor_named(const struct health *h, const char *name)
{
    for (size_t i = 0; i < h->sensor_count; i++)
        if (strcmp(h->sensors[i].name ? h->sensors[i].name : "", name) == 0)
            return &h->sensors[i];
    return NULL;
}

/* Their counters have nothing to do with each other: a smaller number of another sensor is no new beginning.
 */
static void sensors(void **state)
{
    (void)state;
    struct health h;
    add_stats(begin - 7200, NULL, "'c'", 50, 0, 0, 0); /* silent since */
    add_stats(begin - 60, NULL, "'a'", 1000000, 0, 0, 0);
    add_stats(begin - 60, NULL, "'b'", 10, 0, 0, 0);
    add_stats(begin, NULL, "'a'", 1000100, 0, 0, 0);
    add_stats(begin, NULL, "'b'", 20, 5, 0, 0);
    add_stats(begin, NULL, NULL, 7, 0, 0, 0);
    add_stats(begin, "'0'", "'b'", 999, 999, 0, 0);
    add_stats(begin + 60, NULL, "'a'", 1000300, 0, 0, 0);
    add_stats(begin + 60, NULL, "'b'", 4, 1, 0, 0); /* a new process */
    add_stats(begin + 120, NULL, "'a'", 1000300, 0, 0, 0);
    assert_int_equal(health_fill(&h, reader, begin, begin + 180, 60, (struct slice){0}, &err), 0);
    assert_int_equal(h.series[HEALTH_packets][0], 110);
    assert_int_equal(h.series[HEALTH_packets][1], 204);
    assert_int_equal(h.sums.sum[HEALTH_kernel_drops], 6);
    assert_int_equal(h.last / 1000000, begin + 120);
    assert_int_equal(h.sensor_count, 4);
    assert_null(h.sensors[0].name);
    const struct health_sensor *a = sensor_named(&h, "a"), *b = sensor_named(&h, "b"),
                               *c = sensor_named(&h, "c");
    assert_int_equal(a->sums.sum[HEALTH_packets], 300);
    assert_true(a->sums.loss == 0 && a->every == 60000000 && a->last_micros / 1000000 == begin + 120);
    assert_int_equal(b->sums.sum[HEALTH_packets], 14);
    assert_true(fabs(b->sums.loss - 6.0 / 20) < 1e-9);
    assert_int_equal(b->last_micros / 1000000, begin + 60);
    assert_true(isnan(c->sums.loss) && !c->every && c->last_micros / 1000000 == begin - 7200);
    health_free(&h);
    assert_int_equal(health_fill(&h, reader, begin, begin + 180, 60, slice_str("B"), &err), 0);
    assert_int_equal(h.series[HEALTH_packets][0], 10);
    assert_int_equal(h.series[HEALTH_packets][1], 4);
    assert_int_equal(h.last / 1000000, begin + 60);
    assert_int_equal(h.sensor_count, 4);
    health_free(&h);
    assert_int_equal(health_fill(&h, reader, begin, begin + 180, 60, slice_str(""), &err), 0);
    assert_int_equal(h.sums.sum[HEALTH_packets], 0);
    assert_int_equal(h.last / 1000000, begin);
    health_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timeline, make, drop),
        cmocka_unit_test(steps),
        cmocka_unit_test_setup_teardown(top, make, drop),
        cmocka_unit_test_setup_teardown(top_of_hours, make, drop),
        cmocka_unit_test_setup_teardown(past, make, drop),
        cmocka_unit_test(too_many),
        cmocka_unit_test_setup_teardown(one_key, make, drop),
        cmocka_unit_test_setup_teardown(edges, make, drop),
        cmocka_unit_test_setup_teardown(health, make, drop),
        cmocka_unit_test_setup_teardown(sensors, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
