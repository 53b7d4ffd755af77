/* Is this connection SMTP, and which end is the client? Told by what both sides say, on any port. */
#ifndef MAIL_DETECT_H
#define MAIL_DETECT_H

#include "base/net.h"

enum detected {
    DETECT_MORE, /* not enough seen to say */
    DETECT_NO,
    DETECT_SMTP,
    DETECT_TLS, /* TLS from the first byte on */
};

struct detect_input {
    struct slice first[2]; /* the first bytes of either direction, so far */
    int client;    /* index of the direction that opened the connection; -1 where its SYN was not seen */
    int likely;    /* index of the direction to a port on which mail is usual; -1 for none */
    bool tls;      /* a port on which TLS from the first byte on is mail */
    bool holed[2]; /* bytes are missing before or amid them */
    bool over;     /* no more bytes will come: decide */
};

/* Pure. For DETECT_SMTP *ret_client is the index of the client's direction. A tunnel opened by HTTP CONNECT
 * shows as *ret_skip bytes of each direction to be left out before the dialogue. */
enum detected detect_smtp(const struct detect_input *in, int *ret_client, size_t ret_skip[2]);

#endif
