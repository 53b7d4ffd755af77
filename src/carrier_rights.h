/* What the process of a carrier gives up before it talks to anybody. */
#ifndef CARRIER_RIGHTS_H
#define CARRIER_RIGHTS_H

#include "carrier/carrier.h"

/* As carrier_settings.confine: keeps writing the outbox, reading its certificates and credentials, and
 * connections to the servers of the URL. */
int carrier_rights_drop(const struct carrier_ops *ops, const struct carrier_settings *set,
                        struct error *reterr);

#endif
