/* Mail events to records: one builder per SMTP connection. */
#ifndef RECORD_BUILDER_H
#define RECORD_BUILDER_H

#include "mail/charset.h"
#include "mail/mime.h"
#include "mail/smtp.h"
#include "record/agents.h"
#include "record/digest.h"
#include "record/path.h"
#include "record/record.h"
#include "record/store.h"

struct builder_settings {
    struct path_settings path;
    struct mime_limits mime;
    size_t transaction_bytes; /* all texts of one record */
    size_t session_bytes;
    uint32_t list_items; /* recipients, To, Cc, files, path: each */
    uint32_t hop_items;
    uint32_t url_items, member_items; /* URLs of a mail; members of an archive */
    size_t url_bytes;
    enum hash_mode hash;            /* of parts */
    const struct part_store *store; /* where their bytes go; NULL: nowhere */
    const struct network *trusted_relays;
    size_t trusted_relay_count;
    uint32_t address_items; /* of each list of mailboxes */
    uint32_t header_items;
    bool all_headers;
    const struct slice *trusted_authserv; /* names; case does not matter */
    size_t trusted_authserv_count;
    const struct agents *agents; /* NULL: none is known */
};

/* Who hears what comes out. Records, events and their slices die on return. */
struct builder_listener {
    /* The builder's connection, the same each time. */
    struct connection (*id)(void *ctx);
    void (*record)(void *ctx, struct record *rec);
    void (*mime)(void *ctx, uint32_t mail,
                 const struct mime_event *ev); /* headers and parts of transaction `mail`; or NULL */
};

struct builder;
struct spares; /* spare.h */

/* `with`, `out` and `ctx` are borrowed and outlive it; one `with` serves many builders. */
struct builder *builder_new(struct spares *with, bool midstream, const struct builder_listener *out,
                            void *ctx);
void builder_smtp(struct builder *b, const struct smtp_event *ev);
/* The open mail of that number as far as it is known, or NULL; lives until the next call. */
const struct transaction *builder_mail(struct builder *b, uint32_t number);
/* Tags an open mail. False: there is none, or no room. */
bool builder_tag(struct builder *b, uint32_t number, struct slice tag);
/* What its open mails, and all later ones, say may not be what the receiver read. */
void builder_doubt(struct builder *b);
/* The connection is over: emits the session's record. `first` and `last` are the times of its packets, `end`
 * is one of the words of the field "end". */
void builder_finish(struct builder *b, struct timespec first, struct timespec last, bool one_sided,
                    const char *end);
void builder_free(struct builder **b);

#endif
