/* What carriers by libcurl have in common where they speak TLS. */
#ifndef CARRIER_TLS_H
#define CARRIER_TLS_H

#include <curl/curl.h>
#include "carrier/carrier.h"

/* TLS 1.2 at least; the other side's certificate and name are checked, ours is shown where there is one. The
 * settings are borrowed as long as the handle lives. */
void tls_set(CURL *easy, const struct carrier_settings *set);

#endif
