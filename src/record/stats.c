/* stats.c: the table of what is counted, made out of stats.def.
 * In: counts. Out: sums. Owns: nothing. */
#include "record/stats.h"

const struct stats_row stat_table[STATS] = {
#define STAT(member, kind, where, phrase, doc)                                                               \
    {#member, STAT_##kind, STAT_OF_##where, phrase, doc, offsetof(struct stats, member)},
#include "record/stats.def"
#undef STAT
};

void stats_add(struct stats *s, const struct stats *more)
{
    for (size_t i = 0; i < STATS; i++)
        *(uint64_t *)((char *)s + stat_table[i].offset) += stats_value(more, &stat_table[i]);
}

void stats_subtract(struct stats *s, const struct stats *less)
{
    for (size_t i = 0; i < STATS; i++)
        *(uint64_t *)((char *)s + stat_table[i].offset) -= stats_value(less, &stat_table[i]);
}
