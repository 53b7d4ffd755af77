/* The program on one page: packets to records. A value without global state. */
#ifndef PIPELINE_H
#define PIPELINE_H

#include "decode/decode.h"
#include "flow/table.h"
#include "mail/smtp.h"
#include "record/builder.h"
#include "rule/rule.h"
#include "script/script.h"
#include "settings.h"

struct pipeline_output {
    void (*record)(void *ctx, struct record *rec); /* every record, and every notice that a rule raised */
    /* Every event of the dialogue, and of the mails in it; or NULL. */
    void (*event)(void *ctx, struct slice uid, const struct smtp_event *ev);
    void (*mime)(void *ctx, struct slice uid, uint32_t mail, const struct mime_event *ev);
    void *ctx;
};

struct pipeline_stats {
    uint64_t sessions, mails;
    uint64_t ended, one_sided, truncated; /* sessions that are over; of them; records */
    struct blocklists_counts lists;
    struct script_counts scripts;
    struct flow_stats flow;
};

struct pipeline;

/* What a pipeline works with; one pipeline at a time may use each but the budget. */
struct pipeline_services {
    struct blocklists *lists;       /* NULL: none */
    struct scripts *scripts;        /* that hear single events; NULL: none */
    const struct part_store *store; /* see builder.h */
    bool count_scripts;             /* in pipeline_stats; nobody else does */
    struct flow_budget *budget;     /* that it shares with others; NULL: it has its own */
    void (*release)(
        void *owner); /* called when nothing of this, nor the settings, is used any more; or NULL */
    void *owner;
};

/* `set` and the services are borrowed and outlive it; `out` is copied. */
struct pipeline *pipeline_new(const struct settings *set, const struct pipeline_services *services,
                              const struct pipeline_output *out);
/* Other settings and services for connections that begin from now on; those that are there keep their own.
 * The limits on connections change for all. */
void pipeline_renew(struct pipeline *p, const struct settings *set, const struct pipeline_services *services);
/* What flow_table_take takes. */
void pipeline_take(struct pipeline *p, struct parcel *parcels, size_t count);
/* A decoder as the settings want it. */
struct decoder *pipeline_decoder(const struct settings *set);
/* While a record is told: its place among all, see flow_table_order. */
struct flow_order pipeline_order(const struct pipeline *p);
/* The input is over: every connection is closed and recorded. */
void pipeline_finish(struct pipeline *p);
struct pipeline_stats pipeline_stats(const struct pipeline *p);
void pipeline_free(struct pipeline **p);

#endif
