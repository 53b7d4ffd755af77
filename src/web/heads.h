/* The header fields of a request that the server looks at. */
#ifndef WEB_HEADS_H
#define WEB_HEADS_H

#include <microhttpd.h>
#include "base/slice.h"

/* data is NULL where a field is not there. They live as long as the request. */
struct heads {
    struct slice host, origin, fetch_site, cookie, authorization, csrf, accept_encoding, if_none_match,
        content_type, content_length, transfer_encoding;
    bool odd; /* one of them is there twice, or has a NUL in it */
};

void heads_read(struct MHD_Connection *connection, struct heads *ret);
/* Accept-Encoding, by its grammar. */
bool heads_take_gzip(const struct heads *h);
/* The value of one cookie; data NULL: it is not there, or twice. */
struct slice heads_cookie(const struct heads *h, const char *name);

#endif
