/* A client of Kafka as settings describe it: for who produces, and for who consumes. */
#ifndef CARRIER_KAFKA_LINK_H
#define CARRIER_KAFKA_LINK_H

#include <librdkafka/rdkafka.h>
#include "carrier/carrier.h"
#include "carrier/servers.h"

enum { KAFKA_LINK_PORT = 9092 };

struct kafka_option {
    const char *name, *value; /* NULL: it is not set */
};

/* Whether address, user and password fit together: 0, or -EINVAL with what is wrong, which begins with
 * `prefix`. `login` and `secret` are the names of the settings for user and password. */
int kafka_link_check(const struct carrier_settings *set, const char *prefix, const char *login,
                     const char *secret, struct error *reterr);
/* Sets servers, log-in and TLS, and the caller's options; the library's words on standard error are kept
 * back. 0, or -EINVAL: no text has the password. */
int kafka_link_configure(const struct carrier_settings *set, const char *password,
                         const struct servers *servers, const struct kafka_option *options, size_t count,
                         rd_kafka_conf_t *conf, struct error *reterr);

#endif
