/* timeline.c: sums as series.
 * In: numbers with times. Out: series. Owns: their numbers. Limits: TIMELINE_MOST points. */
#include "view/timeline.h"

#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"

static const char *const names[TIMELINE_SERIES] = {"mails", "accepted", "rejected", "deferred",
                                                   "tls",   "notices",  "sessions", "bytes"};
static const int64_t steps[] = {60,   120,   300,   600,   900,   1800,   3600,
                                7200, 10800, 21600, 43200, 86400, 172800, 604800};

const char *timeline_name(enum timeline_series s)
{
    return names[s];
}

int64_t timeline_step(int64_t since, int64_t until)
{
    size_t i = 0;
    while (i + 1 < sizeof steps / sizeof *steps &&
           (until - since + steps[i] - 1) / steps[i] >= TIMELINE_POINTS)
        i++;
    int64_t step = steps[i];
    while ((until - since) / step >= TIMELINE_POINTS)
        step *= 2;
    return step;
}

bool timeline_init(struct timeline *t, int64_t since, int64_t until, int64_t step)
{
    assert(step > 0 && since >= 0 && since < until);
    *t = (struct timeline){.since = since - since % step, .step = step};
    t->until = until + (step - until % step) % step;
    if ((t->until - t->since) / step > TIMELINE_MOST)
        return false;
    t->count = (size_t)((t->until - t->since) / step);
    for (size_t i = 0; i < TIMELINE_SERIES; i++) {
        t->series[i] = calloc(t->count, sizeof *t->series[i]);
        memory_check(t->series[i]);
    }
    return true;
}

void timeline_free(struct timeline *t)
{
    for (size_t i = 0; i < TIMELINE_SERIES; i++)
        free(t->series[i]);
    *t = (struct timeline){0};
}

void timeline_add(struct timeline *t, enum timeline_series s, int64_t seconds, uint64_t n)
{
    if (seconds >= t->since && seconds < t->until)
        t->series[s][(seconds - t->since) / t->step] += n;
}
