/* health.c: records of stats as rises.
 * In: rows of `stats`. Out: series, shares. Owns: the series' numbers. Limits: the caller's number of steps.
 * Knowingly: what the first record of a store counts is nobody's rise, as it is not known since when; neither
 * is that of one without another in the LOOK_BACK before it. A rise counts whole in the step of the record
 * that shows it. */
#include "store/health.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include "base/memory.h"
#include "store/sums.h"

enum { LOOK_BACK = 3600 };
#define SECOND INT64_C(1000000)

static const char *const names[HEALTH_SERIES] = {
#define HEALTH(member) #member,
#include "store/health.def"
#undef HEALTH
};

const char *health_name(enum health_series s)
{
    return names[s];
}

struct taking {
    struct health *h;
    bool any;
    uint64_t before[HEALTH_SERIES];
};

static bool take_row(void *ctx, sqlite3_stmt *row)
{
    struct taking *t = ctx;
    struct health *h = t->h;
    int64_t id = sqlite3_column_int64(row, 0), seconds = id / SECOND;
    uint64_t now[HEALTH_SERIES];
    bool anew = false;
    for (int i = 0; i < HEALTH_SERIES; i++) {
        now[i] = sums_count(row, i + 1);
        anew = anew || now[i] < t->before[i];
    }
    if (t->any && seconds >= h->since && seconds < h->until)
        for (int i = 0; i < HEALTH_SERIES; i++) {
            uint64_t rise = anew ? now[i] : now[i] - t->before[i];
            h->series[i][(seconds - h->since) / h->step] += rise;
            h->sum[i] += rise;
        }
    memcpy(t->before, now, sizeof now);
    t->any = true;
    h->last = (uint64_t)id;
    return true;
}

static double share(uint64_t part, uint64_t rest)
{
    return part + rest ? (double)part / ((double)part + (double)rest) : NAN;
}

int health_fill(struct health *h, struct reader *r, int64_t since, int64_t until, int64_t step,
                struct error *reterr)
{
    assert(step > 0 && since >= 0 && since < until);
    *h = (struct health){.since = since - since % step, .step = step};
    h->until = until + (step - until % step) % step;
    h->count = (size_t)((h->until - h->since) / step);
    for (size_t i = 0; i < HEALTH_SERIES; i++) {
        h->series[i] = calloc(h->count, sizeof *h->series[i]);
        memory_check(h->series[i]);
    }
    struct taking t = {.h = h};
    const int64_t from = h->since > LOOK_BACK ? h->since - LOOK_BACK : 0;
    const struct reader_value values[] = {{.kind = READER_INTEGER, .integer = from * SECOND},
                                          {.kind = READER_INTEGER, .integer = h->until * SECOND}};
    const struct reader_sql sql = {
        .text = "SELECT id"
#define HEALTH(member) ", \"" #member "\""
#include "store/health.def"
#undef HEALTH
                " FROM stats WHERE id >= ?1 AND id < ?2 AND worker IS NULL ORDER BY id",
        .values = values,
        .value_count = 2,
        .since = from * SECOND,
        .until = h->until * SECOND,
        .oldest_first = true};
    int err = reader_each_day(r, &sql, take_row, &t, reterr);
    const uint64_t *s = h->sum;
    uint64_t dropped = s[HEALTH_kernel_drops] + s[HEALTH_interface_drops] + s[HEALTH_ring_drops];
    h->loss = share(dropped, s[HEALTH_packets]);
    h->gap_share = share(s[HEALTH_gap_bytes], s[HEALTH_stream_bytes]);
    h->one_sided =
        s[HEALTH_sessions_ended] ? (double)s[HEALTH_one_sided] / (double)s[HEALTH_sessions_ended] : NAN;
    if (err)
        health_free(h);
    return err;
}

void health_free(struct health *h)
{
    for (size_t i = 0; i < HEALTH_SERIES; i++)
        free(h->series[i]);
    *h = (struct health){0};
}
