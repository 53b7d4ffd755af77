/* Log files that are set aside: their names, their times, how many stay. */
#ifndef SINK_ROTATE_H
#define SINK_ROTATE_H

#include "base/error.h"
#include "base/slice.h"
#include <time.h>

enum { ROTATE_NAME = 128 };

/* In which interval a time is, all of them counted. They start at full ones in UTC: hours at the hour, days
 * at midnight, weeks on Monday. 0 for an interval of 0. */
int64_t rotate_period(time_t t, double interval);
/* The last name that was given: names are given in order, also where older ones are gone. */
struct rotated {
    time_t at;
    int suffix; /* of the next one in this second */
};

/* Renames name.log in the folder to name-YYYYmmddTHHMMSSZ.log, or with -1, -2, ... before the dot where that
 * is there; nothing is ever overwritten. 0, or -errno. */
int rotate_aside(int dir, const char *name, time_t now, struct rotated *last);
/* Removes the oldest such files of this name until `keep` are left. Files that somebody else made of them
 * (.gz) are not touched. 0, or -errno of what could not be removed. */
int rotate_prune(int dir, const char *name, uint64_t keep);

#endif
