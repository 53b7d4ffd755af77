/* How well the traffic was seen: what sensors said of themselves in the stream stats. */
#ifndef VIEW_HEALTH_H
#define VIEW_HEALTH_H

#include "view/reader.h"

/* Counters of stats.def, by how much they rose in each step. */
enum health_series {
#define HEALTH(member) HEALTH_##member,
#include "view/health.def"
#undef HEALTH
    HEALTH_SERIES
};

struct health {
    int64_t since, until, step; /* seconds; the ends are multiples of the step */
    size_t count;
    uint64_t *series[HEALTH_SERIES];
    uint64_t sum[HEALTH_SERIES]; /* over all steps */
    /* Shares of 1; NAN where nothing was counted. Of the packets those that were dropped; of the bytes of
     * SMTP connections those not seen; of the connections those seen from one side. */
    double loss, gap_share, one_sided;
    uint64_t last; /* id of the last record for all workers; 0: none */
};

/* As in stats.def: a constant. */
const char *health_name(enum health_series s);
/* Makes and fills it; step > 0. A counter that fell tells of a process that began anew, from 0. 0 or -errno;
 * then health_free has nothing to do. */
int health_fill(struct health *h, struct reader *r, int64_t since, int64_t until, int64_t step,
                struct error *reterr);
void health_free(struct health *h);

#endif
