/* anomaly.c: the table of anomalies. In: numbers. Out: names. Owns: nothing. */
#include "mail/anomaly.h"

#include <assert.h>

static const struct {
    const char *name, *doc;
} rows[] = {
#define ANOMALY(name, doc) {#name, doc},
#include "mail/anomaly.def"
#undef ANOMALY
};

const char *anomaly_name(enum anomaly a)
{
    assert(a < ANOMALY_COUNT);
    return rows[a].name;
}

const char *anomaly_doc(enum anomaly a)
{
    assert(a < ANOMALY_COUNT);
    return rows[a].doc;
}
