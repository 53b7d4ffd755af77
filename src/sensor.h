/* The process that has the packets: its parts, for the files that open and run them. */
#ifndef SENSOR_H
#define SENSOR_H

#include "era.h"
#include "merge.h"
#include "metrics.h"
#include "pulse.h"
#include "script/counter.h"
#include "services.h"
#include "tap.h"
#include "watch.h"

struct sensor {
    const struct watch_options *opt;
    const struct sensor_start *start;
    struct era *era;                           /* the newest */
    struct script_files scripts, back_scripts; /* of the fronts, and with the hooks of the back alone */
    struct counters *counters;
    struct services services;
    struct results_settings results_set; /* of the options, with the carriers */
    struct results *results;
    struct metrics *metrics; /* NULL: none */
    struct merge *merge;
    struct flow_budget budget;
    size_t workers;
    struct live *sockets[TAPS_MOST][TAP_INTERFACES];
    struct front *fronts[TAPS_MOST]; /* of the next taps; NULL once a tap has it */
    struct tap *taps[TAPS_MOST];
    struct troop *troop; /* of the taps' threads */
    struct pulse pulse;
    int signals; /* a signalfd */
    char user[64];
};

/* Opens all of it, gives up all rights that it does not need then, and starts the taps. `record` is called
 * for what goes to the results, on this thread. 0, or -errno with a text: -ENODEV and -ENETDOWN may pass. */
int sensor_open(struct sensor *s, void (*record)(void *ctx, const struct record *rec), struct error *reterr);
/* The settings as they are now in files and options. */
int sensor_settings(const struct sensor *s, struct era *e, struct error *reterr);
/* Opens the fronts of an era. All or none. */
int sensor_fronts(struct sensor *s, struct era *e, struct front *ret[static TAPS_MOST], struct error *reterr);
/* Closes what is open, in any state; the taps have ended. False: notices were lost. */
bool sensor_close(struct sensor *s);

#endif
