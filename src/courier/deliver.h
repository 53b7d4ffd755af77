/* The courier process. */
#ifndef COURIER_DELIVER_H
#define COURIER_DELIVER_H

#include "courier/courier.h"
#include "courier/own.h"
#include "courier/wire.h"

struct deliver_start {
    const struct courier_settings *set;
    const char *password; /* NULL: no user */
    const uint8_t *key;
    int socket;
    int directory; /* -1: none */
    struct wire_page *page;
};

/* Takes frames from the socket and delivers them, until the socket ends and what is left is delivered or the
 * time for it is over. Closes all descriptors but those and stderr. */
_Noreturn void deliver_run(const struct deliver_start *start);

#endif
