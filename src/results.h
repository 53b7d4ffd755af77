/* Where records and events go. */
#ifndef RESULTS_H
#define RESULTS_H

#include "mail/smtp.h"
#include "mail/mime.h"
#include "record/stats.h"
#include "settings.h"
#include "sink/sink.h"

struct results_settings {
    const struct sink_ops *format;  /* NULL: text on a terminal, else json */
    const char *directory;          /* files there; NULL: standard output */
    bool events;                    /* events too; on standard output they take the place of the records */
    const struct settings *lasting; /* NULL: the first error of output ends it; else as sink_settings.lasting
                                       has it, with the limits in there */
};

struct results;

/* 0, or -errno: a file cannot be made. */
int results_open(const struct results_settings *set, struct results **ret, struct error *reterr);
/* Writes a record, which is borrowed. After a failure nothing is written any more. One thread at a time. */
void results_record(struct results *r, const struct record *rec);
/* True where events are wanted; then the next two take them. */
bool results_want_events(const struct results *r);
void results_event(struct results *r, struct slice uid, const struct smtp_event *ev);
void results_mime(struct results *r, struct slice uid, uint32_t mail, const struct mime_event *ev);
/* What was written so far arrives. Where it is lasting, at least once a second: see struct sink_ops. */
void results_tick(struct results *r, struct timespec now);
void results_reopen(struct results *r);
/* Something could not be written. From any thread. */
bool results_failed(const struct results *r);
/* Adds what it has counted. */
void results_count(const struct results *r, struct stats *ret);
/* What was written must have arrived: 0, or -errno with the first thing that went wrong. */
int results_close(struct results **r, struct error *reterr);

#endif
