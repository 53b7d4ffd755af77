/* Lines that the other side may refuse together because of one of them: halves are tried until that one
 * stands alone. */
#ifndef CARRIER_HALVES_H
#define CARRIER_HALVES_H

#include "carrier/carrier.h"

enum { HALVES_ID = 80 }; /* with its end, of what batches are called before they are halved */

struct halves {
    /* As that of carrier_ops, but it tries as often as it likes; CARRY_AGAIN: it gives up. */
    enum carried (*send)(void *ctx, const struct carrier_batch *batch, struct error *reterr);
    /* That line, without LF, is refused. */
    void (*refuse)(void *ctx, struct slice line, const char *why);
    void *ctx;
};

/* Sends lines, each with LF, until each is carried or refused; false: it gave up, and what was not tried may
 * be sent again. The same piece of the same lines has the same id each time. */
bool halves_carry(const struct halves *h, const char *id, struct slice lines);
size_t halves_count(struct slice lines);

#endif
