/* The detections: a file each, listed in one table. A rule hears replies as they come and records as they
 * end, and raises notices. */
#ifndef RULE_RULE_H
#define RULE_RULE_H

#include "base/buf.h"
#include "base/country.h"
#include "mail/smtp.h"
#include "record/notice.h"
#include "rule/blocklist.h"

struct networks {
    const struct network *items;
    size_t count;
};

struct rule_settings {
    struct networks local_nets;
    struct networks trusted_relays; /* whose Received lines are believed */
    struct networks origin_nets;    /* where it is suspicious for mail to originate */
    const char (*countries)[3];     /* the same, two capital letters each */
    size_t country_count;
    unsigned blocklist_kinds; /* a bit per enum blocklist_kind: of these a notice is raised */
};

/* What the rules work with; all of it is borrowed. One thread at a time. */
struct rules {
    const struct rule_settings *set;
    struct blocklists *lists;                   /* NULL: none */
    struct countries *countries;                /* NULL: none */
    void (*raise)(void *ctx, struct notice *n); /* the notice is borrowed for the call */
    void *ctx;
    struct buf text, clean, said; /* working room, from rules_init() */
};

struct rule {
    const char *name;
    const char *const *notes; /* the notices that it raises, with NULL at the end */
    /* A reply of the server; `mail` is the transaction that it belongs to, NULL for the session. */
    void (*reply)(struct rules *r, const struct connection *id, const struct transaction *mail,
                  const struct smtp_event *ev);
    /* A record that is complete. */
    void (*record)(struct rules *r, struct record *rec);
};

extern const struct rule rule_refusal, rule_origin, rule_smuggling;
extern const struct rule *const rule_table[]; /* ends with NULL */

/* Takes the members before `text` as they are. */
void rules_init(struct rules *r);
void rules_free(struct rules *r);
void rules_reply(struct rules *r, const struct connection *id, const struct transaction *mail,
                 const struct smtp_event *ev);
void rules_record(struct rules *r, struct record *rec);
bool networks_have(struct networks nets, const struct address *a);

#endif
