/* What is counted, for Prometheus: text over HTTP. */
#ifndef METRICS_H
#define METRICS_H

#include <poll.h>
#include "base/buf.h"
#include "base/error.h"
#include "record/stats.h"

struct metrics;

enum { METRICS_CLIENTS = 8, METRICS_FDS = METRICS_CLIENTS + 1 };

/* Listens on "ADDRESS:PORT"; an IPv6 address stands in brackets. 0, or -errno with a text. */
int metrics_open(const char *address, struct metrics **ret, struct error *reterr);
/* What to poll for; returns how many. */
size_t metrics_fds(const struct metrics *m, struct pollfd ret[static METRICS_FDS]);
/* Serves those that are ready; never waits. `write_page` adds the page to what it is given. */
void metrics_serve(struct metrics *m, void (*write_page)(void *ctx, struct buf *out), void *ctx);
void metrics_close(struct metrics **m);

/* The page: `fronts` one a worker, `all` for what is counted once. Exposition format 0.0.4. */
void metrics_page(const struct stats *all, const struct stats *fronts, size_t front_count, struct buf *out);

#endif
