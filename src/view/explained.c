/* explained.c: sentences out of the records' tables, for those who may not include what has these tables.
 * In: names. Out: sentences. Owns: nothing. */
#include "view/explained.h"

#include "record/record.h"

bool explained_anomaly_at(size_t i, const char **name, const char **sentence)
{
    if (i >= ANOMALY_COUNT)
        return false;
    *name = anomaly_name((enum anomaly)i);
    *sentence = anomaly_doc((enum anomaly)i);
    return true;
}

const char *explained_anomaly(struct slice name)
{
    const char *known, *sentence;
    for (size_t i = 0; explained_anomaly_at(i, &known, &sentence); i++)
        if (slice_eq(name, slice_str(known)))
            return sentence;
    return NULL;
}
