/* How it goes: stream "stats". */
#ifndef RECORD_STATS_H
#define RECORD_STATS_H

#include "record/record.h"

struct stats {
    struct timespec ts; /* wall clock */
    struct slice worker, sensor;
#define STAT(member, kind, where, phrase, doc) uint64_t member;
#include "record/stats.def"
#undef STAT
};

enum stat_kind { STAT_COUNTER, STAT_GAUGE };
enum stat_place { STAT_OF_FRONT, STAT_OF_BACK };

struct stats_row {
    const char *name;
    enum stat_kind kind;
    enum stat_place place;
    const char *phrase; /* after the number, for a person; "": not told */
    const char *doc;
    size_t offset;
};

enum stat_index {
#define STAT(member, kind, where, phrase, doc) STAT_AT_##member,
#include "record/stats.def"
#undef STAT
    STATS
};
extern const struct stats_row stat_table[STATS];

static inline uint64_t stats_value(const struct stats *s, const struct stats_row *row)
{
    return *(const uint64_t *)((const char *)s + row->offset);
}
/* Adds every number of `more`. */
void stats_add(struct stats *s, const struct stats *more);
void stats_subtract(struct stats *s, const struct stats *less);

#endif
