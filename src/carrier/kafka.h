/* Kafka, and what speaks its protocol. */
#ifndef CARRIER_KAFKA_H
#define CARRIER_KAFKA_H

#include "carrier/carrier.h"

/* kafka://broker[:9092][,broker...]/TOPIC, and kafka+tls:// for TLS. */
extern const struct carrier_ops carrier_kafka, carrier_kafka_tls;

#endif
