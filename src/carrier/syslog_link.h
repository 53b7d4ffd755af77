/* A way to a receiver of syslog: datagrams, a connection, or one with TLS. */
#ifndef CARRIER_SYSLOG_LINK_H
#define CARRIER_SYSLOG_LINK_H

#include "base/error.h"
#include "base/slice.h"
#include "carrier/carrier.h"
#include "carrier/servers.h"

enum syslog_way { SYSLOG_UDP, SYSLOG_TCP, SYSLOG_TLS };

struct syslog_link;

/* Nothing is connected yet. What is given is borrowed. */
struct syslog_link *syslog_link_new(enum syslog_way way, const struct servers *servers,
                                    const struct carrier_settings *set);
void syslog_link_free(struct syslog_link **link);
/* `until` is of now_monotonic. All of these return 0 or -errno, after which the link is closed, and the next
 * syslog_link_open tries the next server. */
/* Is there, and the other side has not closed it: one that it has is opened anew; *retnew: it is another one
 * than before. */
int syslog_link_open(struct syslog_link *l, double until, bool *retnew, struct error *reterr);
/* All of it; by UDP it is one datagram. */
int syslog_link_send(struct syslog_link *l, struct slice bytes, double until, struct error *reterr);
/* Waits until the other side's kernel has acknowledged all that was sent; by UDP, for a moment, whether it
 * says that nobody listens. */
int syslog_link_settle(struct syslog_link *l, double until, struct error *reterr);

#endif
