/* A carrier as a sink: records as JSON lines into its outbox. */
#ifndef CARRIER_FEED_H
#define CARRIER_FEED_H

#include "carrier/carrier.h"
#include "sink/sink.h"

/* Its settings name the carrier, which outlives it. */
extern const struct sink_ops sink_carried;

#endif
