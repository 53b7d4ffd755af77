/* Which days stay in the store, and that those that are over are ended. */
#ifndef STORE_KEEP_H
#define STORE_KEEP_H

#include <stddef.h>
#include <stdint.h>

struct keep_limits {
    uint64_t days;  /* before today, and today; 0: all */
    uint64_t bytes; /* of all; 0: any */
};

/* Drops the files of the oldest days until the limits are kept, but never `today` or what is later, and says
 * so. Returns how many. */
size_t keep_days(const char *directory, const struct keep_limits *limits, int32_t today);
/* Ends the files of days before `before` that a writer has left as they were, see day_end. */
void keep_end(const char *directory, int32_t before);

#endif
