/* What keeps other people's pages from using a reader's browser: names that we are called by, and where a
 * request comes from. */
#ifndef WEB_GUARD_H
#define WEB_GUARD_H

#include "web/heads.h"
#include "web/web.h"

enum { GUARD_NAMES = 128, GUARD_NAME = 256 };

struct guard {
    size_t count, own;                   /* the first ones are our own, the others those of the settings */
    char names[GUARD_NAMES][GUARD_NAME]; /* lower case; "name", "name:port", "*.example.com:port" */
    uint16_t port;
    bool secure;
};

/* The names of the settings, of the certificate (PEM; empty: none), and of the address that it listens on. On
 * loopback those of loopback alone and those of the settings. */
void guard_init(struct guard *g, const struct web_settings *set, const struct endpoint *at,
                struct slice certificate);
/* Whether a Host header is one of ours: the port must be the one that it listens on, but for names of the
 * settings, which a proxy may give another one. */
bool guard_host(const struct guard *g, struct slice host);
/* Whether a browser says that another site asks: then nothing but the page itself is answered. A program that
 * says nothing is none. */
bool guard_is_foreign(const struct heads *h);
/* Whether a token is the right one, in a time that says nothing of where it is not. */
bool guard_same(struct slice given, const char *right);
/* Whether Origin, where there is one, is our own. */
bool guard_origin(const struct guard *g, const struct heads *h);

#endif
