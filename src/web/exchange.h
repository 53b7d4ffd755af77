/* One request and its answer, from the first line read to the last byte sent. The folder's own. */
#ifndef WEB_EXCHANGE_H
#define WEB_EXCHANGE_H

#include <microhttpd.h>
#include <stdatomic.h>
#include "base/net.h"
#include "web/answer.h"
#include "web/door.h"
#include "web/request.h"

struct web;

struct exchange {
    struct web *web;
    atomic_int holders; /* the server, until the request has ended; a desk */
    struct MHD_Connection *connection;
    enum { EXCHANGE_NEW, EXCHANGE_READS, EXCHANGE_TAKES, EXCHANGE_WAITS, EXCHANGE_ANSWERED } state;
    struct buf uri;  /* as it came: path and parameters, undecoded */
    struct buf body; /* of the request */
    struct request request;
    struct answer answer;
    struct MHD_Response *response; /* once it is ANSWERED */
    unsigned status;
    bool gzip, has_body, is_api, pieces;
    struct visitor visitor;
    const char *method;
    double began;          /* on now_monotonic() */
    struct exchange *next; /* of its desk */
};

#endif
