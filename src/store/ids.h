/* Which id a record gets in the file of its day: its time, or the next microsecond that is free. An id is
 * there once over all tables of the store. */
#ifndef STORE_IDS_H
#define STORE_IDS_H

#include <sqlite3.h>
#include "base/error.h"
#include "sink/line.h"
#include "view/columns.h"

enum ids_place {
    IDS_FREE,
    IDS_KNOWN,  /* the same record has it: it was read before */
    IDS_BEYOND, /* none is free before the day ends */
};

struct ids;

/* `columns` are of all streams before STREAM_ENTRY, borrowed; `end` is the first id of the next day. 0, or
 * -errno; in any case ids_free, before the file is closed. */
int ids_open(sqlite3 *db, const struct columns *columns, int64_t end, struct ids **ret, struct error *reterr);
/* The place of a record from `*id` on, which gets its id. Where that is free it counts as taken at once. An
 * enum ids_place, or -errno. */
int ids_place(struct ids *ids, const struct record *rec, int64_t *id, struct error *reterr);
/* The rows that it told to be free are not there, or others have written to the file: it looks anew. */
int ids_forget(struct ids *ids, struct error *reterr);
void ids_free(struct ids **ids);

#endif
