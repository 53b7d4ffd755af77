/* What a loader does with the records of all sensors on their way: a stub, until it does anything. */
#ifndef OVER_H
#define OVER_H

#include "services.h"
#include "sink/line.h"

struct over;

struct over_settings {
    const struct settings *set;
    struct courier *courier; /* NULL: nobody is mailed */
};

/* 0; or -errno: settings are wrong. */
int over_new(const struct over_settings *set, struct over **ret, struct error *reterr);
/* Adds to `out` the lines to send, each with LF. */
void over_take(struct over *o, struct slice lines, struct line *out);
/* About once a second, also when nothing comes; `now` is now_monotonic(). Adds to `out`. */
void over_tick(struct over *o, double now, struct line *out);
/* Before the orderly end: adds to `out` all that waits. */
void over_finish(struct over *o, struct line *out);
/* After the server has the lines of `out`, before they are acknowledged to the bus. 0 or -errno. */
int over_save(struct over *o, bool now, struct error *reterr);
void over_free(struct over **o);

#endif
