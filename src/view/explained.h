/* What words in records mean, for people. */
#ifndef VIEW_EXPLAINED_H
#define VIEW_EXPLAINED_H

#include "base/slice.h"

/* The sentence of anomaly.def of that name; NULL: there is none. */
const char *explained_anomaly(struct slice name);
/* All of them, from 0 on: name and sentence, constants. False: behind the last. */
bool explained_anomaly_at(size_t i, const char **name, const char **sentence);

#endif
