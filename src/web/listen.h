/* The socket on which the server waits. */
#ifndef WEB_LISTEN_H
#define WEB_LISTEN_H

#include "base/error.h"
#include "base/net.h"

/* Binds and listens; *at gets the port that the system chose where it is 0. A descriptor, or -errno with a
 * text. */
int listen_on(struct endpoint *at, struct error *reterr);
/* "127.0.0.1:8025", "[::1]:8025". Returns ret->text. */
struct listen_text {
    char text[ADDRESS_TEXT + 10];
};
struct listen_text listen_text(const struct endpoint *at);

#endif
