/* scheme://host[:port][,host[:port]...][/NAME], as buses are written. */
#ifndef CARRIER_SERVERS_H
#define CARRIER_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

enum { SERVERS_MOST = 16, SERVERS_TEXT = 264, SERVERS_NAME = 250 };

struct servers {
    char items[SERVERS_MOST][SERVERS_TEXT]; /* host:port; of IPv6 [host]:port */
    size_t count;
    char name[SERVERS_NAME]; /* not empty where one is wanted; letters, digits, '-', '_', and '.' */
};

/* `port` is for those that have none. 0, or -EINVAL with what is wrong; `what` is what the name is called,
 * NULL: there is to be none. */
int servers_parse(const char *url, const char *what, unsigned port, struct servers *ret,
                  struct error *reterr);
/* Is one of its items this machine: localhost or an address of loopback? */
bool servers_is_here(const char *item);

#endif
