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

/* What was counted, over all steps. Shares of 1; NAN where nothing was counted: of the packets those that
 * were dropped; of the bytes of SMTP connections those not seen; of the connections those seen from one side.
 */
struct health_sums {
    uint64_t sum[HEALTH_SERIES];
    double loss, gap_share, one_sided;
};

enum { HEALTH_SENSORS = 1000 };

/* One sensor; its workers are not told apart. */
struct health_sensor {
    char *name; /* NULL: without one */
    struct health_sums sums;
    uint64_t last;       /* id of its last record for all workers */
    int64_t last_micros; /* when that was */
    int64_t every;       /* microseconds between it and the one before; 0: there is none */
};

struct health {
    int64_t since, until, step; /* seconds; the ends are multiples of the step */
    size_t count;
    uint64_t *series[HEALTH_SERIES];
    struct health_sums sums; /* of the series */
    uint64_t last;           /* id of the last record for all workers of a sensor; 0: none */
    /* All that told of themselves between a day before `since` and `until`; in the order of their names. Over
     * HEALTH_SENSORS they are left out of all of it: `sensors_over` says how many records that were. */
    struct health_sensor *sensors;
    size_t sensor_count;
    uint64_t sensors_over;
};

/* As in stats.def: a constant. */
const char *health_name(enum health_series s);
/* Makes and fills it; step > 0. `only` is the sensor that series, sums and last are of, whatever the case of
 * its letters; empty: one without a name; data NULL: all of them. A counter that fell tells of a process that
 * began anew, from 0; each sensor's are compared with its own. 0 or -errno; then health_free has nothing to
 * do.
 */
int health_fill(struct health *h, struct reader *r, int64_t since, int64_t until, int64_t step,
                struct slice only, struct error *reterr);
void health_free(struct health *h);

#endif
