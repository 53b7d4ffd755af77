/* A loader: from a bus to where records are kept. What was taken is acknowledged once the other side has it
 * for good, or it was put aside; so what a loader held that dies comes again. */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <poll.h>
#include "load/counts.h"
#include "load/source.h"
#include "sink/line.h"

/* What the lines of a batch go through on their way. What it adds to `out` is sent until it has arrived. */
struct load_hook {
    /* Adds what of the lines goes on, and what it makes of them. */
    void (*pass)(void *ctx, struct slice lines, struct line *out);
    /* Adds lines whose time has come; `now` is now_monotonic(). Every second or so. */
    void (*tick)(void *ctx, double now, struct line *out);
    /* Nothing follows: adds what would have come later. */
    void (*finish)(void *ctx, struct line *out);
    /* All that it gave has arrived, and the bus is told next; `now`: nothing follows. 0; or -errno with a
     * text. */
    int (*save)(void *ctx, bool now, struct error *reterr);
    void *ctx;
};

enum { LOAD_SERVE_FDS = 16 };
/* Who asks how it goes; called by one thread, which is not the one of the hook. */
struct load_serve {
    /* What to poll for; how many. NULL: nobody asks. */
    size_t (*fds)(void *ctx, struct pollfd ret[static LOAD_SERVE_FDS]);
    /* Serves those that are ready; never waits. */
    void (*serve)(void *ctx, struct load_counts *counts);
    void *ctx;
};

struct load_settings {
    const struct source_ops *source;
    struct source_settings from;
    const struct carrier_ops *carrier;
    struct carrier_settings into; /* its outbox is a folder for what is refused, of outbox_bytes at most */
    uint64_t bytes;               /* of one batch */
    double wait;                  /* seconds until one goes, though it is not full */
    double tell_every;            /* seconds between lines that say how it goes */
    bool until_empty;             /* it ends when the bus has nothing left; or, where either side cannot be */
                                  /* reached, after into.wait_most */
    struct load_hook hook;
    struct load_serve serve;
    /* Called when files are open and passwords read, before there are threads: 0 or -errno. */
    int (*begin)(void *ctx, const struct load_settings *set, struct error *reterr);
    void *begin_ctx;
};

enum loaded {
    LOADED,        /* it was told to end, or nothing is left */
    LOADED_PARTLY, /* something is left, or was lost */
    LOADED_NOT,    /* it could not begin; *reterr says why */
};

/* Until a signal comes, or nothing is left. Says on standard error how it goes. *retended false: threads of
 * the bus still run, so the process has to end by _exit(). */
enum loaded load_run(const struct load_settings *set, bool *retended, struct error *reterr);

#endif
