/* scheme://host[:port][,host[:port]...]/NAME, as buses are written. */
#ifndef CARRIER_SERVERS_H
#define CARRIER_SERVERS_H

#include <stddef.h>
#include "base/error.h"

enum { SERVERS_MOST = 16, SERVERS_TEXT = 264, SERVERS_NAME = 250 };

struct servers {
    char items[SERVERS_MOST][SERVERS_TEXT]; /* host:port; of IPv6 [host]:port */
    size_t count;
    char name[SERVERS_NAME]; /* not empty; letters, digits, '-', '_', and '.' */
};

/* `port` is for those that have none. 0, or -EINVAL with what is wrong; `what` is what the name is called. */
int servers_parse(const char *url, const char *what, unsigned port, struct servers *ret,
                  struct error *reterr);

#endif
