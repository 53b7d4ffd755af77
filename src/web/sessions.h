/* Who has logged in: cookies, of which hashes are kept, in memory alone. Safe from several threads. */
#ifndef WEB_SESSIONS_H
#define WEB_SESSIONS_H

#include "web/users.h"

enum { SESSIONS_MOST = 1024 };

struct sessions;

/* What a cookie stands for. */
struct session {
    char user[USER_NAME];
    uint8_t mark[TOKEN_HASH]; /* of the user, when the session began */
    char csrf[TOKEN_TEXT];
};

/* Seconds: without a request, and in all. */
struct sessions *sessions_new(double idle, double most);
void sessions_free(struct sessions *s); /* NULL is fine */
/* Begins one, and gives the cookie. Over SESSIONS_MOST the one goes that was not used for longest. */
void sessions_begin(struct sessions *s, const struct user *user, double now,
                    char retcookie[static TOKEN_TEXT]);
/* False: there is none, or it has ended. `now` is on a clock that only goes on. */
bool sessions_find(struct sessions *s, struct slice cookie, double now, struct session *ret);
void sessions_end(struct sessions *s, struct slice cookie);

#endif
