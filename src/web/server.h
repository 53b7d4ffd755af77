/* The server's insides, for the folder's own files. */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include <microhttpd.h>
#include <stdatomic.h>
#include "web/desk.h"
#include "web/exchange.h"
#include "web/audit.h"
#include "web/door.h"
#include "web/guard.h"
#include "web/page.h"
#include "web/route.h"
#include "web/slow.h"

struct web {
    struct web_settings set;
    struct endpoint at;
    int listener;
    struct buf certificate, key; /* PEM, each with a NUL behind it */
    struct guard guard;
    struct page *page;
    struct desk *desks[DESKS];
    struct MHD_Daemon *daemon;
    atomic_bool ending;
    atomic_size_t open; /* exchanges */
    struct door *door;
    struct slow *slow;
    struct audit *audit; /* NULL: none */
};

/* libmicrohttpd's callbacks, in exchange.c; `web` is the struct web. */
void *exchange_begin(void *web, const char *uri, struct MHD_Connection *connection);
enum MHD_Result exchange_take(void *web, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *len,
                              void **exchange);
void exchange_end(void *web, struct MHD_Connection *connection, void **exchange,
                  enum MHD_RequestTerminationCode how);
/* The server is done with it; of one that was never told to end, as its connection is closed. */
void exchange_left(struct exchange *e);
/* Of desks. */
void exchange_serve(struct exchange *e, struct reader *r);
void exchange_refuse(struct exchange *e);

#endif
