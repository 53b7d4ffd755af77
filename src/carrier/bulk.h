/* Records into indexes of Elasticsearch and OpenSearch; see docs/elasticsearch.md. */
#ifndef CARRIER_BULK_H
#define CARRIER_BULK_H

#include "carrier/carrier.h"

extern const struct carrier_ops carrier_elasticsearch, carrier_elasticsearchs, carrier_opensearch,
    carrier_opensearchs;

#endif
