/* health.c: records of stats as rises.
 * In: rows of `stats`. Out: series, shares, of all sensors and of each. Owns: the series' numbers, the
 * sensors. Limits: the caller's number of steps, HEALTH_SENSORS. Knowingly: what the first record of a sensor
 * counts is nobody's rise, as it is not known since when; neither is that of one without another in the
 * LOOK_BACK before it. A rise counts whole in the step of the record that shows it. A sensor that was silent
 * for more than SEEN_BACK before it all is not known. */
#include "view/health.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include "base/memory.h"
#include "record/record.h"

enum { LOOK_BACK = 3600, SEEN_BACK = 86400 };
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

/* What a sensor counted last; beside its row in `sensors`. */
struct before {
    bool any;
    uint64_t counts[HEALTH_SERIES];
};

struct taking {
    struct health *h;
    struct slice only;
    size_t fields[HEALTH_SERIES + 1]; /* of stats: the sensor, then those of the series */
    struct before *before;
    size_t room, at; /* the sensor of the row before */
    int64_t from;    /* rises are looked for from there on */
};

enum { FIELD_SENSOR, FIELD_SERIES };

static bool has_name(const struct health_sensor *s, struct slice name)
{
    return name.len ? s->name && slice_eq(slice_str(s->name), name) : !s->name;
}

/* Sensors tell of themselves in turn, so that the next one is looked at first. False: there are too many. */
static bool find_sensor(struct taking *t, struct slice name)
{
    struct health *h = t->h;
    for (size_t i = 0; i < h->sensor_count; i++) {
        t->at = t->at + 1 < h->sensor_count ? t->at + 1 : 0;
        if (has_name(&h->sensors[t->at], name))
            return true;
    }
    if (h->sensor_count == HEALTH_SENSORS)
        return false;
    if (h->sensor_count == t->room) {
        t->room = t->room ? 2 * t->room : 8;
        h->sensors = reallocarray(h->sensors, t->room, sizeof *h->sensors);
        memory_check(h->sensors);
        t->before = reallocarray(t->before, t->room, sizeof *t->before);
        memory_check(t->before);
    }
    t->at = h->sensor_count++;
    t->before[t->at] = (struct before){.any = false};
    h->sensors[t->at] =
        (struct health_sensor){.name = name.len ? strndup((const char *)name.data, name.len) : NULL};
    if (name.len)
        memory_check(h->sensors[t->at].name);
    return true;
}

static void add_rises(struct taking *t, struct health_sensor *s, int64_t seconds, const uint64_t *now)
{
    struct health *h = t->h;
    const struct before *b = &t->before[t->at];
    bool anew = false, counts = !t->only.data || slice_case_eq(slice_str(s->name ? s->name : ""), t->only);
    for (int i = 0; i < HEALTH_SERIES; i++)
        anew = anew || now[i] < b->counts[i];
    for (int i = 0; i < HEALTH_SERIES; i++) {
        uint64_t rise = anew ? now[i] : now[i] - b->counts[i];
        s->sums.sum[i] += rise;
        if (!counts)
            continue;
        h->series[i][(seconds - h->since) / h->step] += rise;
        h->sums.sum[i] += rise;
    }
}

static int take_row(void *ctx, const struct reader_row *row)
{
    struct taking *t = ctx;
    struct health *h = t->h;
    int64_t micros = reader_row_micros(row), seconds = micros / SECOND;
    uint64_t now[HEALTH_SERIES];
    if (!find_sensor(t, reader_row_value(row, t->fields[FIELD_SENSOR]).text)) {
        h->sensors_over++;
        return 0;
    }
    struct health_sensor *s = &h->sensors[t->at];
    s->every = s->last ? micros - s->last_micros : 0;
    s->last = reader_row_id(row);
    s->last_micros = micros;
    if (micros < t->from)
        return 0;
    for (int i = 0; i < HEALTH_SERIES; i++) {
        int64_t v = reader_row_value(row, t->fields[FIELD_SERIES + i]).integer;
        now[i] = v < 0 ? 0 : (uint64_t)v;
    }
    struct before *b = &t->before[t->at];
    if (b->any && seconds >= h->since && seconds < h->until)
        add_rises(t, s, seconds, now);
    memcpy(b->counts, now, sizeof now);
    b->any = true;
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

static void set_shares(struct health_sums *sums)
{
    const uint64_t *s = sums->sum;
    uint64_t dropped = s[HEALTH_kernel_drops] + s[HEALTH_interface_drops] + s[HEALTH_ring_drops];
    sums->loss = share(dropped, s[HEALTH_packets]);
    sums->gap_share = share(s[HEALTH_gap_bytes], s[HEALTH_stream_bytes]);
    sums->one_sided =
        s[HEALTH_sessions_ended] ? (double)s[HEALTH_one_sided] / (double)s[HEALTH_sessions_ended] : NAN;
}

/* Rows from `since` on, up to `until`: microseconds; of the long time before it all only who told them. */
static int look(struct taking *t, struct reader *r, int64_t since, int64_t until, size_t fields,
                struct error *reterr)
{
    struct reader_result result;
    struct query *query = NULL;
    struct query_error fault;
    /* Most records are of single workers. */
    int code = query_parse(slice_str("-has:worker"), &(struct query_options){.streams = QUERY_STATS}, &query,
                           &fault);
    assert(code == 0);
    const struct reader_question q = {.stream = STREAM_STATS,
                                      .query = query,
                                      .oldest_first = true,
                                      .since = since,
                                      .until = until,
                                      .fields = t->fields,
                                      .field_count = fields};
    int err = since < until ? reader_find(r, &q, take_row, t, &result, reterr) : 0;
    query_free(&query);
    return err;
}

static int by_name(const void *a, const void *b)
{
    const struct health_sensor *x = a, *y = b;
    return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

static void finish(struct health *h, struct slice only)
{
    int64_t last = -1;
    set_shares(&h->sums);
    for (size_t i = 0; i < h->sensor_count; i++) {
        const struct health_sensor *s = &h->sensors[i];
        set_shares(&h->sensors[i].sums);
        bool counts = !only.data || slice_case_eq(slice_str(s->name ? s->name : ""), only);
        if (!counts || s->last_micros < last)
            continue;
        last = s->last_micros;
        h->last = s->last;
    }
    if (h->sensor_count)
        qsort(h->sensors, h->sensor_count, sizeof *h->sensors, by_name);
}

int health_fill(struct health *h, struct reader *r, int64_t since, int64_t until, int64_t step,
                struct slice only, struct error *reterr)
{
    assert(step > 0 && since >= 0 && since < until);
    *h = (struct health){.since = since - since % step, .step = step};
    h->until = until + (step - until % step) % step;
    h->count = (size_t)((h->until - h->since) / step);
    for (size_t i = 0; i < HEALTH_SERIES; i++) {
        h->series[i] = calloc(h->count, sizeof *h->series[i]);
        memory_check(h->series[i]);
    }
    const int64_t from = h->since > LOOK_BACK ? h->since - LOOK_BACK : 0;
    const int64_t seen = h->since > SEEN_BACK ? h->since - SEEN_BACK : 0;
    struct taking t = {.h = h, .only = only, .from = from * SECOND};
    t.fields[FIELD_SENSOR] = field_of("sensor");
    for (size_t i = 0; i < HEALTH_SERIES; i++)
        t.fields[FIELD_SERIES + i] = field_of(names[i]);
    int err = look(&t, r, seen * SECOND, from * SECOND, FIELD_SERIES, reterr);
    err = err ? err : look(&t, r, from * SECOND, h->until * SECOND, FIELD_SERIES + HEALTH_SERIES, reterr);
    free(t.before);
    if (err)
        health_free(h);
    else
        finish(h, only);
    return err;
}

void health_free(struct health *h)
{
    for (size_t i = 0; i < HEALTH_SERIES; i++)
        free(h->series[i]);
    for (size_t i = 0; i < h->sensor_count; i++)
        free(h->sensors[i].name);
    free(h->sensors);
    *h = (struct health){0};
}
