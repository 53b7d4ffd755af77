/* Behind the record: one thread that takes the records in their order, lets rules and scripts look at them,
 * decides what becomes of notices, and hands all of it on. */
#ifndef BACK_H
#define BACK_H

#include "back_parts.h"
#include "courier/courier.h"
#include "extract.h"
#include "record/entry.h"
#include "record/notice.h"
#include "script/script.h"
#include "settings.h"

struct back_output {
    void (*record)(void *ctx, const struct record *rec); /* every record that is written */
    struct extract *extract; /* keeps the files of records, borrowed; NULL: nobody does */
    struct courier *courier; /* takes notices by email and webhook, borrowed; NULL: nobody does */
    void *ctx;
};

struct back_counts {
    uint64_t notices; /* raised */
    uint64_t folded, dropped;
    uint64_t own;            /* about mail of our own, which nobody is mailed about */
    uint64_t shed;           /* told early over max_suppressed */
    uint64_t lookups_failed; /* in country databases */
    struct script_counts scripts;
    struct extract_counts files;
};

struct back;

/* `set` is borrowed and outlives it; `out` is copied. -errno: a country database cannot be read, a script
 * fails to load. */
int back_open(const struct settings *set, const struct script_files *scripts, const struct back_output *out,
              struct back **ret, struct error *reterr);
/* Goes on with other settings, databases and scripts; what may repeat and counters stay. -errno: it goes on
 * with those that it has. */
int back_renew(struct back *b, const struct settings *set, const struct script_files *scripts,
               struct error *reterr);
/* Time goes on to `now`, packet time, though nothing is recorded. */
void back_advance(struct back *b, struct timespec now);
/* The scripts that hear single events, for the front; NULL: there are none. They live as long as `b`. */
struct scripts *back_event_scripts(const struct back *b);
/* Mails, sessions, and notices that a front raised. The record is borrowed for the call. */
void back_record(struct back *b, struct record *rec);
/* The input is over: what waits is told. */
void back_finish(struct back *b);
struct back_counts back_counts(const struct back *b);
void back_close(struct back **b);

#endif
