/* Versions in pieces, as Zeek has them. */
#ifndef SINK_VERSION_H
#define SINK_VERSION_H

#include "base/slice.h"

enum { VERSION_NUMBERS = 4 };

/* "8.15.2-p1": up to four numbers with points or the like between them, and what is behind them. */
struct version_parts {
    uint64_t numbers[VERSION_NUMBERS];
    size_t count;
    struct slice more; /* empty: nothing */
};
/* Cannot fail; linear. */
struct version_parts version_split(struct slice version);

#endif
