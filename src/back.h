/* Behind the record: one thread that takes the records in their order, lets rules and scripts look at them,
 * decides what becomes of notices, and hands all of it on. */
#ifndef BACK_H
#define BACK_H

#include "record/entry.h"
#include "record/notice.h"
#include "settings.h"

struct back_output {
    void (*record)(void *ctx, const struct record *rec); /* every record that is written */
    void *ctx;
};

struct back_counts {
    uint64_t notices; /* raised */
    uint64_t folded, dropped;
    uint64_t shed; /* told early over max_suppressed */
};

struct back;

/* `set` is borrowed and outlives it; `out` is copied. -errno: a country database cannot be read. */
int back_open(const struct settings *set, const struct back_output *out, struct back **ret,
              struct error *reterr);
/* Mails, sessions, and notices that a front raised. The record is borrowed for the call. */
void back_record(struct back *b, struct record *rec);
/* The input is over: what waits is told. */
void back_finish(struct back *b);
struct back_counts back_counts(const struct back *b);
void back_close(struct back **b);

#endif
