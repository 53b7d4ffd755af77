/* One target of notices: what waits for it, when it is tried again, what is said of it. */
#ifndef COURIER_TARGET_H
#define COURIER_TARGET_H

#include "courier/check.h"
#include "courier/spool.h"
#include "courier/wire.h"

struct target {
    const char *name;
    char where[CHECK_WHERE];
    const struct courier_settings *set;
    struct wire_page *page;
    int index; /* into the page */
    struct spool spool;
    size_t flying; /* the first so many items are on their way */
    uint64_t taken, found, delivered, lost;
    double try_at, pause;
    unsigned refusals; /* of the first item */
    bool down, full;   /* said */
};

/* How a delivery ended. */
struct outcome {
    bool delivered;
    bool refused; /* for what was sent, not for what the target is */
    double after; /* seconds that the target asked us to wait, 0: none */
    char text[400];
};

/* Loads what the directory holds for it (-1: there is none). */
void target_init(struct target *t, const char *name, const char *url, int index, int directory,
                 const struct courier_settings *set, struct wire_page *page);
/* Into the spool, or counted as lost. */
void target_take(struct target *t, struct slice bytes);
/* When the first item may be tried; INFINITY: none waits, or one is on its way. */
double target_due(const struct target *t);
/* Ends the flight. */
void target_landed(struct target *t, const struct outcome *o, double now);
/* At the end of the process: what has no file is lost. Gives memory back. */
void target_end(struct target *t);

#endif
