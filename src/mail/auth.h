/* Who logs in by AUTH (RFC 4954): one exchange, of which nothing but the name of the user is kept. */
#ifndef MAIL_AUTH_H
#define MAIL_AUTH_H

#include "base/slice.h"

enum auth_outcome { AUTH_UNKNOWN, AUTH_ACCEPTED, AUTH_REJECTED, AUTH_DEFERRED, AUTH_ABORTED };

struct auth_facts {
    struct slice mechanism; /* lives as long as the program; no data: not one that is known */
    struct slice user;      /* as sent, without control characters; no data: not known, or not asked for */
    enum auth_outcome outcome;
    unsigned code;         /* of the reply that ended it; 0: none was seen */
    struct slice enhanced; /* its enhanced status code, or none */
};

struct auth;

/* `mechanism` as secret_mechanism_name gives it. `users`: look for the user's name. Free with auth_free. */
struct auth *auth_new(struct slice mechanism, bool users);
/* What the server asks, behind 334; NULL does nothing. */
void auth_challenge(struct auth *a, struct slice text);
/* What the client answers, in base64: behind the mechanism, or in a line of its own; NULL does nothing. */
void auth_answer(struct auth *a, struct slice line);
/* The reply that ends it is here, with its text; `code` 0: there will be none, and `gave_up` tells whether
 * the client left. The facts live until the next call. */
struct auth_facts auth_end(struct auth *a, unsigned code, struct slice text, bool gave_up);
void auth_free(struct auth **a);
/* "accepted", ... */
const char *auth_outcome_name(enum auth_outcome outcome);

#endif
