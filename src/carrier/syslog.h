/* Records as syslog messages; see docs/syslog.md. */
#ifndef CARRIER_SYSLOG_H
#define CARRIER_SYSLOG_H

#include "carrier/carrier.h"

extern const struct carrier_ops carrier_syslog, carrier_syslog_tcp, carrier_syslogs;

#endif
