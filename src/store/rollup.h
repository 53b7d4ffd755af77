/* Sums by minute and by hour, in the file of a day, beside the rows that they are of. */
#ifndef STORE_ROLLUP_H
#define STORE_ROLLUP_H

#include <sqlite3.h>
#include "base/error.h"
#include "record/record.h"

/* What the table `hourly` has sums by. */
enum rollup_dimension {
#define DIMENSION(index, name, doc) ROLLUP_##index,
#include "store/dimensions.def"
#undef DIMENSION
    ROLLUP_DIMENSIONS
};
extern const char *const rollup_names[ROLLUP_DIMENSIONS];

struct rollup;

/* For an open file; `day` is its day, `keys` how many of one dimension an hour may have before the rest
 * counts under "". Its statements must be gone before the file is closed: rollup_free. 0 or -errno. */
int rollup_open(sqlite3 *db, int32_t day, uint64_t keys, struct rollup **ret, struct error *reterr);
/* Counts a record whose row has that id, which is of the day; in memory, until rollup_write. */
void rollup_add(struct rollup *r, const struct record *rec, int64_t id);
/* Adds what was counted to the tables, in the transaction that has the rows. 0, or -errno: then the
 * transaction is to be rolled back, and rollup_forget called. */
int rollup_write(struct rollup *r, struct error *reterr);
/* Nothing was written since the last rollup_write that was committed; or others have written to the file. */
void rollup_forget(struct rollup *r);
void rollup_free(struct rollup **r);

#endif
