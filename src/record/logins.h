/* Who logged in on a connection, for its record. */
#ifndef RECORD_LOGINS_H
#define RECORD_LOGINS_H

#include "mail/auth.h"
#include "record/envelope.h"

/* One AUTH exchange. */
struct login {
    struct slice mechanism, user;
    struct slice outcome; /* "accepted", "rejected", "deferred", "aborted", "unknown" */
    uint64_t code;
    struct slice enhanced;
};

struct login_list {
    struct login *items;
    size_t len, room;
};

struct logins; /* NULL: none */
struct spares;

/* Takes down one; false where a limit cuts it, or leaves it out. */
bool logins_add(struct logins **pl, struct spares *with, const struct auth_facts *facts);
/* Valid until the next call; empty for NULL. */
struct login_list logins_list(const struct logins *l);
void logins_free(struct logins **l);

#endif
