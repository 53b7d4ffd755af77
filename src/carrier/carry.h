/* The carrier's process. */
#ifndef CARRIER_CARRY_H
#define CARRIER_CARRY_H

#include "carrier/carrier.h"

struct carry_start {
    const struct carrier_ops *ops;
    const struct carrier_settings *set;
    const char *password; /* NULL: none */
    int folder;           /* the outbox */
    int wake;             /* a byte for each batch; its end: the sensor closes */
    struct carrier_page *page;
};

/* Carries batches until the sensor has ended and nothing is left, or its time is over. */
_Noreturn void carry_run(const struct carry_start *start);

#endif
