/* The files of the store: one a day, by UTC, of the time at which its records were complete. */
#ifndef STORE_DAY_H
#define STORE_DAY_H

#include <sqlite3.h>
#include <time.h>
#include "base/error.h"
#include "base/slice.h"

enum { DAY_PATH = 512 };

/* A day is a count of days since the epoch. */

/* A record's place in the store: microseconds since the epoch, and so in the order of time; one apart where
 * several fall on one microsecond. Times before the epoch count as its beginning. */
int64_t day_id(struct timespec end);
int32_t day_of_id(int64_t id);
int64_t day_first_id(int32_t day);
/* DIR/2026-11-30.sqlite. False: that is too long. */
bool day_path(const char *directory, int32_t day, char ret[static DAY_PATH]);
/* Is that the name of a day's file? */
bool day_parse(const char *name, int32_t *ret);

/* Opens a day's file to write to, made where it is not there, with all tables and columns that this program
 * knows; what older programs have made gets the new columns. 0, or -errno with a text; -EPROTO: a newer
 * program's file, which is left alone; -EBADMSG: it is damaged. The caller closes it by day_close, or by
 * sqlite3_close, which leaves it in a state that another writer goes on from. */
int day_open(const char *path, uint64_t cache_bytes, sqlite3 **ret, struct error *reterr);
/* Ends writing: all of it goes into the one file, which then can be read without a right to write. Nulls *db.
 * 0, or -errno: others are reading, and it stays as it is. */
int day_close(sqlite3 **db, struct error *reterr);
/* Does day_close to a file that its writer left as it was. 0 or -errno. */
int day_end(const char *path, struct error *reterr);
/* Renames a damaged file, which nobody has open, with what is beside it, so that another can take its place.
 * *reterr says what is wrong with it, which is shown. 0 or -errno. */
int day_put_aside(const char *directory, int32_t day, struct error *reterr);
/* Opens it to read, never making or changing anything. */
int day_open_read(const char *path, sqlite3 **ret, struct error *reterr);
/* An error of SQLite's as -errno, with its text after `what`. */
int day_error(sqlite3 *db, int code, const char *what, struct error *reterr);

struct day_list {
    size_t count;
    int32_t *items; /* newest first; free() */
};
/* The days that a folder has. 0 or -errno. */
int day_list(const char *directory, struct day_list *ret, struct error *reterr);

#endif
