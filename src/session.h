/* One connection's way from ordered bytes to records: is it SMTP, who is the client, and then the parsers. */
#ifndef SESSION_H
#define SESSION_H

#include "flow/flow.h"
#include "mail/smtp.h"
#include "record/builder.h"
#include "record/spare.h"
#include "rule/rule.h"
#include "script/script.h"
#include "settings.h"

struct session_shared {
    const struct settings *set;
    const struct smtp_limits *smtp;
    struct spares *spares;
    struct rules *rules;
    struct scripts *scripts; /* NULL: none of them hears events */
    void (*record)(void *ctx, struct record *rec);
    void (*event)(void *ctx, struct slice uid, const struct smtp_event *ev);               /* or NULL */
    void (*mime)(void *ctx, struct slice uid, uint32_t mail, const struct mime_event *ev); /* or NULL */
    void *ctx;
    uint64_t sessions, mails, ended, one_sided, truncated; /* counted here */
    uint64_t alive;                                        /* those that use it now */
};

struct smtp_session;

struct smtp_session *session_new(struct session_shared *shared, const struct flow_info *info);
/* Both return how much of the rest is of interest. */
enum flow_want session_data(struct smtp_session *s, const struct flow_info *info, int dir, struct timespec ts,
                            struct slice bytes);
enum flow_want session_gap(struct smtp_session *s, const struct flow_info *info, int dir, struct timespec ts,
                           uint64_t len);
/* Ends and frees it. */
void session_end(struct smtp_session **s, const struct flow_info *info, enum flow_end how);

#endif
