/* What the process of a carrier gives up before it talks to anybody. */
#ifndef CARRIER_RIGHTS_H
#define CARRIER_RIGHTS_H

#include "carrier/carrier.h"

enum { CARRIER_PORTS = 64 };

/* Where connections go to; all 0 at first. */
struct carrier_target {
    uint16_t ports[CARRIER_PORTS];
    size_t count;
    bool any;   /* port */
    bool named; /* a host is no number */
};

/* Adds the servers of a URL; `port` is for those that have none, 0: they may send us to any. */
void carrier_target_add(struct carrier_target *ret, const char *url, uint16_t port);
/* As carrier_settings.confine: keeps writing the outbox, reading its certificates and credentials, and
 * connections to the servers of the URL. */
int carrier_rights_drop(const struct carrier_ops *ops, const struct carrier_settings *set,
                        struct error *reterr);

#endif
