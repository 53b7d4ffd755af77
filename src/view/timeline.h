/* How much was when: steps of time with a number each. */
#ifndef VIEW_TIMELINE_H
#define VIEW_TIMELINE_H

#include "view/reader.h"

enum timeline_series {
    TIMELINE_MAILS,
    TIMELINE_ACCEPTED,
    TIMELINE_REJECTED,
    TIMELINE_DEFERRED,
    TIMELINE_TLS,
    TIMELINE_NOTICES,
    TIMELINE_SESSIONS,
    TIMELINE_BYTES,
    TIMELINE_SERIES
};
enum { TIMELINE_POINTS = 500 /* as many as a step is chosen for */, TIMELINE_MOST = 5000 };

struct timeline {
    int64_t since, until; /* seconds, multiples of step */
    int64_t step;         /* seconds */
    size_t count;
    uint64_t *series[TIMELINE_SERIES];
};

/* "mails" and so on: constants. */
const char *timeline_name(enum timeline_series s);
/* The shortest of the usual steps that gives no more than TIMELINE_POINTS. */
int64_t timeline_step(int64_t since, int64_t until);
/* Makes room for all series, all 0; since and until (seconds, since < until) become multiples of the step.
 * False: these would be more than TIMELINE_MOST points. */
bool timeline_init(struct timeline *t, int64_t since, int64_t until, int64_t step);
void timeline_free(struct timeline *t);
/* Counts in one series; a time outside counts nowhere. */
void timeline_add(struct timeline *t, enum timeline_series s, int64_t seconds, uint64_t n);
/* Fills it from the sums by minute; `step` is a multiple of 60. 0 or -errno. */
int timeline_fill(struct timeline *t, struct reader *r, struct error *reterr);
/* Counts the mails that a query finds: series mails, accepted, rejected, deferred. The same. */
int timeline_find(struct timeline *t, struct reader *r, const struct query *query, struct error *reterr);

#endif
