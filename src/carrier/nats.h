/* NATS JetStream. */
#ifndef CARRIER_NATS_H
#define CARRIER_NATS_H

#include "carrier/carrier.h"

/* nats://host[:4222][,host...]/STREAM, and nats+tls:// for TLS. */
extern const struct carrier_ops carrier_nats, carrier_nats_tls;

#endif
