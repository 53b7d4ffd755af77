/* The day files that a reader has open, so many at most. */
#ifndef STORE_VOLUMES_H
#define STORE_VOLUMES_H

#include <sys/types.h>
#include "store/ask.h"
#include "store/day.h"

/* A day's file, open to read. */
struct volume {
    int32_t day;
    sqlite3 *db;
    bool find, notices; /* it has that table */
    bool present[STREAM_ENTRY][COLUMNS_MOST];
    bool table[STREAMS]; /* it has that stream's */
    dev_t dev;
    ino_t ino;
    bool frozen;             /* opened as it was, without looking whether somebody writes */
    struct timespec changed; /* its last change, where it is frozen */
    uint64_t used;
};

struct volumes;

/* `files`, `cache_bytes`: as in struct reader_settings. 0 or -errno. */
int volumes_open(const char *directory, size_t files, size_t cache_bytes, struct volumes **ret,
                 struct error *reterr);
void volumes_close(struct volumes **v);
struct compare *volumes_compare(struct volumes *v);
/* All that is read through them from now on asks `over` now and then; true ends it with SQLITE_INTERRUPT. */
void volumes_watch(struct volumes *v, int (*over)(void *ctx), void *ctx);
const struct columns *volumes_columns(const struct volumes *v, enum stream_index stream);
/* The days that there are now. free() their items. */
int volumes_list(struct volumes *v, struct day_list *ret, struct error *reterr);
/* Where a day's file is. False: that is too long. */
bool volumes_path(const struct volumes *v, int32_t day, char ret[static DAY_PATH]);
/* A day's file, which is the callee's, until the next call of this. 0 or -errno with a text. */
int volumes_day(struct volumes *v, int32_t day, struct volume **ret, struct error *reterr);
/* Forgets a file that turned out to be damaged or gone. */
void volumes_drop(struct volumes *v, struct volume *volume);

#endif
