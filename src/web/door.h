/* Who somebody is: users, sessions, tries. */
#ifndef WEB_DOOR_H
#define WEB_DOOR_H

#include "web/heads.h"
#include "web/sessions.h"
#include "web/throttle.h"
#include "web/web.h"

struct door;

/* What the door knows of a request. */
struct visitor {
    char user[USER_NAME]; /* "": nobody */
    enum role role;
    char csrf[TOKEN_TEXT]; /* what X-CSRF-Token must be */
    bool by_token;         /* no browser sends that by itself, so no X-CSRF-Token is asked for */
};

/* Reads the users, where the settings name a file. 0, or -errno with a text. */
int door_open(const struct web_settings *set, struct door **ret, struct error *reterr);
void door_close(struct door *d); /* NULL is fine */
/* Who sends this. Where nobody logs in: somebody who may see all. */
void door_visitor(struct door *d, const struct heads *h, struct visitor *ret);
/* 0: a try to log in may go on; else after so many seconds. */
unsigned door_try(struct door *d, const struct address *from, struct slice user);
/* Takes as long as scrypt does. True: retcookie is the value of a new session's cookie. */
bool door_log_in(struct door *d, const struct address *from, struct slice user, struct slice password,
                 char retcookie[static TOKEN_TEXT]);
void door_log_out(struct door *d, struct slice cookie);
/* Reads the users again; says what is wrong with them and keeps the old ones. Sessions of users who are gone
 * or have changed end. */
void door_reload(struct door *d);
/* Name of the cookie. */
const char *door_cookie(const struct door *d);

#endif
