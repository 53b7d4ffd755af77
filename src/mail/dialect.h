/* A fingerprint of how a client speaks SMTP, see docs/dialect.md. Pure. */
#ifndef MAIL_DIALECT_H
#define MAIL_DIALECT_H

#include "mail/smtp.h"

struct dialect; /* NULL: nothing was said */

enum { DIALECT_TEXT = 72 };

/* Each command of the client, in order; allocates *pd with the first one. */
void dialect_command(struct dialect **pd, const struct smtp_event *command);
/* A field of mail `number`, its name as written; what counts is the first mail with a header. */
void dialect_header(struct dialect *d, uint32_t number, struct slice name);
/* The fingerprint so far, with a terminator; its length. 0: nothing was said. */
size_t dialect_text(const struct dialect *d, char ret[static DIALECT_TEXT]);
void dialect_free(struct dialect **d);

#endif
