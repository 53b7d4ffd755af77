/* Who sends, takes and refuses most: the sums by hour, put together. */
#ifndef VIEW_TOP_H
#define VIEW_TOP_H

#include "view/reader.h"
#include "view/sums.h"

/* The dimensions of the table `hourly`. */
enum top_by {
    TOP_CLIENT,
    TOP_SERVER,
    TOP_SENDER,
    TOP_RECIPIENT,
    TOP_COUNTRY,
    TOP_ASN,
    TOP_REASON,
    TOP_LIST,
    TOP_NOTE,
    TOP_AGENT,
    TOP_TLS_VERSION,
    TOP_SENSOR,
    TOP_RELAY,
    TOP_DIMENSIONS
};
const char *top_by_name(enum top_by by);

/* Whole hours: [since, until) in seconds since the epoch. */
struct hours {
    int64_t since, until;
};
/* The hours that have anything of it; `until` is behind `since`. */
struct hours hours_around(int64_t since, int64_t until);

/* Adds the sums of all keys of one dimension. What a writer had no room for comes with the key ''. 0 or
 * -errno.
 */
int top_collect(struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                struct error *reterr);
/* One key by hour, oldest first: the hour's first second, and its sums. */
typedef void top_hour_fn(void *ctx, int64_t seconds, const struct sums *sums);
int top_key_hours(struct reader *r, enum top_by by, struct slice key, struct hours span, top_hour_fn *each,
                  void *ctx, struct error *reterr);

/* An edge of the relay dimension. */
struct edge {
    struct slice from, by;
};
/* False: the key is none. */
bool edge_of_key(struct slice key, struct edge *ret);

#endif
