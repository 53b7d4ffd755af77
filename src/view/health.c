/* health.c: records of stats as rises.
 * In: rows of `stats`. Out: series, shares. Owns: the series' numbers. Limits: the caller's number of steps.
 * Knowingly: what the first record of a store counts is nobody's rise, as it is not known since when; neither
 * is that of one without another in the LOOK_BACK before it. A rise counts whole in the step of the record
 * that shows it. */
#include "view/health.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include "base/memory.h"
#include "record/record.h"

enum { LOOK_BACK = 3600 };
#define SECOND INT64_C(1000000)

static const char *const names[HEALTH_SERIES] = {
#define HEALTH(member) #member,
#include "view/health.def"
#undef HEALTH
};

const char *health_name(enum health_series s)
{
    return names[s];
}

struct taking {
    struct health *h;
    size_t fields[HEALTH_SERIES + 1]; /* of stats: those of the series, then the worker */
    bool any;
    uint64_t before[HEALTH_SERIES];
};

static int take_row(void *ctx, const struct reader_row *row)
{
    struct taking *t = ctx;
    struct health *h = t->h;
    int64_t seconds = reader_row_micros(row) / SECOND;
    uint64_t now[HEALTH_SERIES];
    bool anew = false;
    if (reader_row_value(row, t->fields[HEALTH_SERIES]).kind != READER_ABSENT)
        return 0;
    for (int i = 0; i < HEALTH_SERIES; i++) {
        int64_t v = reader_row_value(row, t->fields[i]).integer;
        now[i] = v < 0 ? 0 : (uint64_t)v;
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
    h->last = reader_row_id(row);
    return 0;
}

static size_t field_of(const char *name)
{
    size_t i = 0;
    while (strcmp(stream_stats.fields[i].name, name) != 0)
        i++;
    return i;
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
    struct reader_result result;
    for (size_t i = 0; i < HEALTH_SERIES; i++)
        t.fields[i] = field_of(names[i]);
    t.fields[HEALTH_SERIES] = field_of("worker");
    const struct reader_question q = {.stream = STREAM_STATS,
                                      .oldest_first = true,
                                      .since = from * SECOND,
                                      .until = h->until * SECOND,
                                      .fields = t.fields,
                                      .field_count = HEALTH_SERIES + 1};
    int err = reader_find(r, &q, take_row, &t, &result, reterr);
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
