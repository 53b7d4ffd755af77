/* What a loader knows over a restart, as a file. */
#ifndef OVER_STATE_H
#define OVER_STATE_H

#include <time.h>
#include "base/error.h"
#include "over_seen.h"
#include "rule/fold.h"
#include "script/counter.h"

/* All of it is somebody else's. */
struct over_state {
    struct timespec *clock;
    uint64_t *seed; /* of the hashes in `seen` */
    struct fold_table *folds;
    struct counters *counters;
    struct over_seen *seen;
};

/* Written beside it and moved there, so that it is whole or the one before. -errno: it could not be. */
int over_state_write(const char *path, const struct over_state *state, struct error *reterr);
/* Adds what the file has to *state. 0; 1: there is none; -errno: it cannot be read; -EBADMSG: it is none, and
 * a part of it was added. *ret_lost: keys of counters that no script has now. */
int over_state_read(const char *path, const struct over_state *state, uint64_t *ret_lost,
                    struct error *reterr);

#endif
