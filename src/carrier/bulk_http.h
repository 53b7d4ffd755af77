/* One request after the other to a server of several, by HTTP. */
#ifndef CARRIER_BULK_HTTP_H
#define CARRIER_BULK_HTTP_H

#include "base/error.h"
#include "base/slice.h"
#include "carrier/carrier.h"
#include "carrier/servers.h"

struct bulk_http_settings {
    const struct servers *servers; /* borrowed, as the texts are */
    bool tls;
    const struct carrier_settings *set;
    /* Basic, where a user is set; alone it is an API key, "id:key" or that in Base64; or NULL. */
    const char *password;
};

struct bulk_http;

struct bulk_http *bulk_http_new(const struct bulk_http_settings *set);
void bulk_http_free(struct bulk_http **http);
/* Posts lines of JSON to `path`; `until` is of now_monotonic. 0, with the status of HTTP and an answer that
 * lives until the next call; or -errno: there was none, and the next call asks the next server. */
int bulk_http_post(struct bulk_http *http, const char *path, struct slice lines, double until,
                   long *retstatus, struct slice *retanswer, struct error *reterr);
/* The next call asks the next server. */
void bulk_http_move(struct bulk_http *http);

#endif
