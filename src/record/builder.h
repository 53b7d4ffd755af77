/* Mail events to records: one builder per SMTP connection. */
#ifndef RECORD_BUILDER_H
#define RECORD_BUILDER_H

#include "mail/charset.h"
#include "mail/mime.h"
#include "mail/smtp.h"
#include "record/path.h"
#include "record/record.h"

struct builder_settings {
    struct path_settings path;
    struct mime_limits mime;
    size_t transaction_bytes; /* all texts of one record */
    size_t session_bytes;
    uint32_t list_items; /* recipients, To, Cc, files, hops: each */
};

typedef void record_fn(void *ctx, const struct record *rec);

struct builder;

/* `set` and `cs` are borrowed and outlive it; `id`'s uid is copied. Records go to `fn`, and die on its return. */
struct builder *builder_new(const struct builder_settings *set, struct charsets *cs, const struct connection *id,
                            struct timespec first, bool midstream, record_fn *fn, void *ctx);
void builder_smtp(struct builder *b, const struct smtp_event *ev);
/* TLS from the first byte on. */
void builder_implicit_tls(struct builder *b);
/* The connection is over: emits the session's record. `end` is one of the words of the field "end". */
void builder_finish(struct builder *b, struct timespec last, bool one_sided, const char *end);
void builder_free(struct builder **b);

#endif
