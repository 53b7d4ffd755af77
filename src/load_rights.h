/* What mailtap load gives up before it talks to anybody. */
#ifndef LOAD_RIGHTS_H
#define LOAD_RIGHTS_H

#include <sys/types.h>
#include "load/load.h"

struct load_rights {
    const char *user;  /* whom it becomes; "": nobody else */
    const char *state; /* a file that is made anew beside itself; NULL or "": none */
    pid_t courier;     /* who may be ended; 0: nobody */
};

/* Becomes that user, and keeps: writing into.outbox and the folder of the state, reading certificates and
 * credentials anew, connections to the servers of both URLs. 0, or -errno with a text. */
int load_rights_drop(const struct load_settings *load, const struct load_rights *rights,
                     struct error *reterr);

#endif
