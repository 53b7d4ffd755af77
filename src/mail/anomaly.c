/* anomaly.c: the table of anomalies. In: numbers. Out: names. Owns: nothing. */
#include "mail/anomaly.h"

#include <assert.h>

/* The sentences are for the page that is made of the table. */
static const char *const names[] = {
#define ANOMALY(name, doc) #name,
#include "mail/anomaly.def"
#undef ANOMALY
};

const char *anomaly_name(enum anomaly a)
{
    assert(a < ANOMALY_COUNT);
    return names[a];
}
