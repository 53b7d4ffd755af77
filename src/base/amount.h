/* Counts, sizes and durations as a person writes them in settings. */
#ifndef BASE_AMOUNT_H
#define BASE_AMOUNT_H

#include "base/slice.h"

enum amount_kind { AMOUNT_COUNT, AMOUNT_SIZE, AMOUNT_DURATION };

/* "8", "1.5MiB", "250 ms": a whole number, bytes, seconds. False: it is none, *ret is untouched. */
bool amount_parse(enum amount_kind kind, struct slice text, double *ret);

#endif
