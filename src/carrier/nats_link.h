/* A connection to NATS as settings describe it: for who publishes, and for who takes. */
#ifndef CARRIER_NATS_LINK_H
#define CARRIER_NATS_LINK_H

#include <nats/nats.h>
#include "carrier/carrier.h"
#include "carrier/servers.h"

enum {
    NATS_LINK_PORT = 4222,
    NATS_LINK_NAME = 100,      /* characters of a stream's name */
    NATS_LINK_WAIT_MOST = 2000 /* milliseconds for one answer: a leader that fell never sends it */
};

/* Takes the URL apart: 0, or -EINVAL with what is wrong, which begins with `prefix`. */
int nats_link_check(const char *url, const char *prefix, struct servers *ret, struct error *reterr);
/* Milliseconds for one answer. */
int64_t nats_link_wait(const struct carrier_settings *set);
/* Options with servers, log-in and TLS of the settings, without reconnection. Destroy them in any case. */
natsStatus nats_link_options(const struct carrier_settings *set, const char *password,
                             const struct servers *servers, natsOptions **ret);
/* What failed, the library's text, what the server said last, and its code, where there is one. */
void nats_link_explain(const char *doing, natsStatus st, jsErrCode code, struct error *reterr);

#endif
