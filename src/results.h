/* Where records and events go. */
#ifndef RESULTS_H
#define RESULTS_H

#include "carrier/carrier.h"
#include "mail/smtp.h"
#include "mail/mime.h"
#include "record/stats.h"
#include "settings.h"
#include "sink/sink.h"

enum { RESULTS_TARGETS = 8 };

/* Where records go to. */
struct results_target {
    const struct sink_ops *ops;       /* NULL: the format */
    const char *directory;            /* or the whole URL, of what is carried away */
    const struct carrier_ops *remote; /* NULL: it is a folder */
    struct carrier *carrier;          /* of it, set by services_start; borrowed */
};

struct results_settings {
    const struct sink_ops *format; /* NULL: text on a terminal, else json */
    struct results_target targets[RESULTS_TARGETS];
    size_t target_count; /* 0: standard output */
    bool events;         /* events too; on standard output they take the place of the records */
    bool lasting;        /* as sink_settings.lasting has it; else the first error of output ends it */
    const struct settings *settings; /* with the limits of outputs */
};

struct results;

/* Takes what -o is given: a folder, or sqlite:FOLDER. The text is borrowed. 0, or -EINVAL: it is none, or
 * there are too many. */
int results_add_target(struct results_settings *set, const char *text, struct error *reterr);

/* 0, or -errno: a file cannot be made. */
int results_open(const struct results_settings *set, struct results **ret, struct error *reterr);
/* Writes a record, which is borrowed. Where it is not lasting, nothing is written any more after a failure.
 * One thread at a time. */
void results_record(struct results *r, const struct record *rec);
/* True where events are wanted; then the next two take them. */
bool results_want_events(const struct results *r);
void results_event(struct results *r, struct slice uid, const struct smtp_event *ev);
void results_mime(struct results *r, struct slice uid, uint32_t mail, const struct mime_event *ev);
/* What was written so far arrives. Where it is lasting, at least once a second: see struct sink_ops. */
void results_tick(struct results *r, struct timespec now);
void results_reopen(struct results *r);
/* What was taken is written, or cannot be: before it is counted for the last time; no record may follow. */
void results_drain(struct results *r);
/* Something could not be written. From any thread. */
bool results_failed(const struct results *r);
/* Adds what it has counted. */
void results_count(const struct results *r, struct stats *ret);
/* What was written must have arrived: 0, or -errno with the first thing that went wrong. */
int results_close(struct results **r, struct error *reterr);

#endif
