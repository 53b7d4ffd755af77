/* mailtap watch: a live interface, for months. Three processes: a keeper, which has the rights; a sensor,
 * which has the packets; a courier, which has the network. */
#ifndef WATCH_H
#define WATCH_H

#include "read.h"

struct watch_options {
    struct results_settings results; /* `lasting` and `settings` are set by the sensor */
    struct settings_source source;   /* read again at SIGHUP */
    const char *const *scripts;
    size_t script_count;
    size_t workers;      /* 0: as many as there are cores, up to 8 */
    const char *metrics; /* ADDRESS:PORT; NULL: none */
    const char *user;    /* NULL: as the settings say */
    const char *const *interfaces;
    size_t interface_count;
};

/* Watches until it is told to end: SIGTERM, SIGINT. Both functions return an exit code. */
int keeper_run(const struct watch_options *opt);

enum {
    SENSOR_GONE = 10,    /* no interface is left */
    SENSOR_RESTART = 11, /* it ended badly; another try may help */
};

struct sensor_start {
    const char *const *interfaces; /* those that are there */
    size_t interface_count;
    int refusals; /* socket for confine_settings.refusals_to */
    pid_t keeper; /* our parent */
    bool again;   /* an earlier one has run with the same settings */
};
int sensor_run(const struct watch_options *opt, const struct sensor_start *start);

#endif
