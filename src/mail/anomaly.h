/* The names of what is odd in a dialogue or a mail. */
#ifndef MAIL_ANOMALY_H
#define MAIL_ANOMALY_H

#include <stdint.h>

enum anomaly {
#define ANOMALY(name, doc) ANOMALY_##name,
#include "mail/anomaly.def"
#undef ANOMALY
    ANOMALY_COUNT
};

/* A bit per anomaly, for who tells of each only once. */
typedef uint64_t anomaly_set;
_Static_assert(ANOMALY_COUNT <= 64, "a set has a bit for each");

static inline anomaly_set anomaly_bit(enum anomaly a)
{
    return (anomaly_set)1 << a;
}

/* Constants: its name, and the sentence that says what it is. */
const char *anomaly_name(enum anomaly a);
const char *anomaly_doc(enum anomaly a);

#endif
