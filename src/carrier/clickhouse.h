/* Batches into tables of ClickHouse. */
#ifndef CARRIER_CLICKHOUSE_H
#define CARRIER_CLICKHOUSE_H

#include "carrier/carrier.h"

extern const struct carrier_ops carrier_clickhouse, carrier_clickhouses;

#endif
