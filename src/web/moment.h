/* Points in time as a person writes them. */
#ifndef WEB_MOMENT_H
#define WEB_MOMENT_H

#include "base/slice.h"

/* "1764484200.5" seconds since the epoch; RFC 3339, as "2026-11-30T06:30:00Z", or the date alone, in UTC;
 * "7d", "24h", "30m", "2w", "90s": so long before `now`. False: it is none, or beyond the years 1970 to 9999;
 * *ret untouched. */
bool moment_parse(struct slice text, double now, double *ret);

#endif
