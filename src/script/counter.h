/* Counters over hosts and the like: keys with a number each, forgotten a while after they were first seen.
 * One store serves all scripts of all workers; every function may be called from any thread. */
#ifndef SCRIPT_COUNTER_H
#define SCRIPT_COUNTER_H

#include <time.h>
#include "base/slice.h"

enum { COUNTER_NAME = 64, COUNTER_NAMES = 256, COUNTER_KEY = 256 };

struct counters;
struct counter; /* one name; lives as long as its store */

enum counter_fault { COUNTER_FINE, COUNTER_UNKNOWN, COUNTER_DIFFERS, COUNTER_FULL, COUNTER_BAD };

/* At most `keys` keys over all counters; the oldest goes. NULL: no memory. */
struct counters *counters_new(uint32_t keys);
void counters_free(struct counters **cs);
/* The counter of that name. `expire`, seconds: a key is forgotten so long after its first add; 0: it has to
 * be there already. COUNTER_DIFFERS: it is there with another time; COUNTER_FULL: too many names;
 * COUNTER_BAD: no such name or time can be. */
enum counter_fault counters_find(struct counters *cs, struct slice name, double expire, struct counter **ret);
/* Time goes on to `now`, never back. */
void counters_tick(struct counters *cs, struct timespec now);
/* Keys given up over the limit. */
uint64_t counters_shed(struct counters *cs);

/* Adds to the key's number, which stays within its type, and returns it. Keys are cut to COUNTER_KEY. */
int64_t counter_add(struct counter *c, struct timespec now, struct slice key, int64_t n);
int64_t counter_get(struct counter *c, struct timespec now, struct slice key);
void counter_reset(struct counter *c, struct slice key);

/* What stands in a copy of a counter: this, then the key's bytes, then filling up to a multiple of 8. */
struct counter_item {
    int64_t value;
    uint64_t key_len;
};
/* Bytes that a copy takes now. */
size_t counter_size(struct counter *c, struct timespec now);
/* Copies the oldest keys as far as they fit; returns the bytes written. */
size_t counter_copy(struct counter *c, struct timespec now, uint8_t *ret, size_t room);

#endif
