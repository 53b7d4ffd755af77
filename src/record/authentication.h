/* What a mail's header says of authentication, and what can be seen of it without asking anybody. */
#ifndef RECORD_AUTHENTICATION_H
#define RECORD_AUTHENTICATION_H

#include "record/headers.h"

enum auth_field { AUTH_RESULTS, AUTH_ARC_RESULTS, AUTH_ARC_SEAL, AUTH_ARC_SIGNATURE, AUTH_SPF, AUTH_DKIM };

/* Adds what the field `which` says, its unfolded value, to d->t.authentication, up to list_items of each
 * list. */
void authentication_take(struct draft *d, const struct builder_settings *set, enum auth_field which,
                         struct slice value, struct buf *scratch);
/* The mail is over: compares the domains. */
void authentication_end(struct draft *d);

#endif
