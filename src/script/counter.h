/* Counters over hosts and the like: keys with a number each, forgotten a while after they were first seen.
 * One store serves all scripts of all workers; every function may be called from any thread. */
#ifndef SCRIPT_COUNTER_H
#define SCRIPT_COUNTER_H

#include <stdbool.h>
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
/* From now on what is told may be so many seconds older than what was told before, and counts at its own
 * time; keys are kept so much longer. Before the first add, and by one thread. */
void counters_lateness(struct counters *cs, double seconds);
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

/* A key with its counter, for who keeps them longer than a process lives. */
struct counters_key {
    struct slice name; /* of the counter */
    double expire;
    struct slice key;
    int64_t first; /* nanoseconds */
    int64_t value;
};
typedef void counters_each_fn(void *ctx, const struct counters_key *k);
/* All keys, the oldest first; borrowed for the call, in which no other function may be called. */
void counters_each(struct counters *cs, counters_each_fn *take, void *ctx);
/* Puts one back. False: no counter of that name and time is there. */
bool counters_put(struct counters *cs, const struct counters_key *k);

#endif
