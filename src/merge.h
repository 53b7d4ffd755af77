/* The records of several fronts in one order, which does not depend on their number, for the one back. */
#ifndef MERGE_H
#define MERGE_H

#include "base/error.h"
#include "flow/table.h"
#include "record/record.h"

struct merge;
struct lane; /* one front's way in; used by its thread alone */

/* `enough`: the back is told of records when so many are on their way, or a lane has ended; it looks itself
 * from time to time. 0, or -errno with a text. */
int merge_new(size_t lanes, size_t enough, struct merge **ret, struct error *reterr);
struct lane *merge_lane(struct merge *m, size_t i);
/* Copies the record; it stands at `order` among those of all lanes, and not before an earlier one of its
 * own. */
void lane_add(struct lane *l, const struct record *rec, struct flow_order order);
/* What was added can go, and nothing up to the number `until` will follow; UINT64_MAX: nothing at all. */
void lane_publish(struct lane *l, uint64_t until);
/* Waits while more than `most` records of this lane have not been taken. */
void lane_wait(struct lane *l, size_t most);
/* More than `most` records of all lanes have not been taken. */
bool merge_is_behind(struct merge *m, size_t most);

/* Readable when there may be something to take. */
int merge_fd(const struct merge *m);
/* Calls `take` with each record that is next in the order of all; the record lives until it returns. False:
 * all lanes have ended, and all was taken. */
bool merge_take(struct merge *m, void (*take)(void *ctx, struct record *rec), void *ctx);
/* Nothing up to this number will follow from any lane. */
uint64_t merge_until(const struct merge *m);
void merge_free(struct merge **m);

#endif
