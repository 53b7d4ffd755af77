/* Counts, sizes and durations as a person writes them in settings. */
#ifndef BASE_AMOUNT_H
#define BASE_AMOUNT_H

#include "base/slice.h"

enum amount_kind { AMOUNT_COUNT, AMOUNT_SIZE, AMOUNT_DURATION, AMOUNT_SHARE };

/* "8", "1.5MiB", "250 ms", "2.5%": a whole number, bytes, seconds, a share of 1. False: it is none, *ret is
 * untouched. */
bool amount_parse(enum amount_kind kind, struct slice text, double *ret);

#endif
