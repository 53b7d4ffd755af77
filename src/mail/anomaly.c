/* anomaly.c: the table of anomalies. In: numbers. Out: names, sentences. Owns: nothing. */
#include "mail/anomaly.h"

#include <assert.h>

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

const char *anomaly_doc(enum anomaly a)
{
    static const char *const docs[] = {
#define ANOMALY(name, doc) doc,
#include "mail/anomaly.def"
#undef ANOMALY
    };
    assert(a < ANOMALY_COUNT);
    return docs[a];
}
