/* What needs the view of all sensors, over the lines that come from a bus: notices that several of them raise
 * are folded into one, scripts count over the records of all. One thread, lines in the order in which the bus
 * gives them.
 *
 * Who loads lines calls, for each batch: over_take; sends what that gave until the other side has it;
 * over_save; and only then tells the bus that it has the batch. Where it gives up in between it ends without
 * over_save, and the next run does the same again from what was saved before. */
#ifndef OVER_H
#define OVER_H

#include "base/buf.h"
#include "base/error.h"
#include "courier/courier.h"
#include "settings.h"
#include "sink/line.h"

/* Setting load_notices. */
enum load_notices {
    LOAD_FOLD,   /* it sees all lines, folds and counts */
    LOAD_PASS,   /* all lines go on as they are */
    LOAD_OTHERS, /* the same of all but notices: another loader has these */
    LOAD_ONLY    /* it folds and counts, and what goes on are notices, and lines of its scripts */
};

struct over_settings {
    const struct settings *set; /* borrowed, outlives it */
    struct courier *courier;    /* takes notices by email and webhook, borrowed; NULL: nobody does */
};

struct over_counts {
    uint64_t lines;  /* taken */
    uint64_t unread; /* no record, though they look like one: they went on */
    uint64_t again;  /* lines that came once more, and were not counted again */
    uint64_t late;   /* older than load_lateness allows */
    uint64_t ahead;  /* of a time that is not yet */
    uint64_t notices, folded, dropped, raised, left; /* of sensors; repeats, also of own ones; by the policy;
                                                      * by scripts here; for another loader */
    uint64_t made;                                   /* lines that were not among those taken */
    uint64_t shed, script_errors;
};

struct over;

/* Loads the scripts, and what an earlier run saved. -errno: a script fails to load, a country database cannot
 * be read, load_state is none and cannot be moved away. */
int over_new(const struct over_settings *set, struct over **ret, struct error *reterr);
/* Adds to *out the lines that are to be sent for these, and those that it made, each with its end. What is no
 * line of ours goes on as it is. */
void over_take(struct over *o, struct slice lines, struct line *out);
/* To be called about once a second: where no line comes for long, what waits is told; `now` by now_monotonic.
 * Adds to *out. */
void over_tick(struct over *o, double now, struct line *out);
/* No line follows in this run; adds to *out what is not kept in load_state for the next one. */
void over_finish(struct over *o, struct line *out);
/* All that was given is where it should be, so this is what the next run begins with. It writes each
 * load_save at most, or `now`. 0, or -errno: it could not be written, which the next call tries again. */
int over_save(struct over *o, bool now, struct error *reterr);
struct over_counts over_counts(const struct over *o);
/* Says on standard error what was counted, where anything was. */
void over_tell(const struct over *o);
/* Adds them for Prometheus: mailtap_over_... */
void over_page(const struct over_counts *counts, struct buf *out);
void over_free(struct over **o);

#endif
