/* top.c: what sums are by.
 * In: names, times. Out: dimensions, whole hours, edges. Owns: nothing. */
#include "view/top.h"

enum { HOUR = 3600 };

static const char *const names[TOP_DIMENSIONS] = {"client",      "server", "sender", "recipient", "country",
                                                  "asn",         "reason", "list",   "note",      "agent",
                                                  "tls_version", "sensor", "relay"};

const char *top_by_name(enum top_by by)
{
    return names[by];
}

struct hours hours_around(int64_t since, int64_t until)
{
    struct hours h = {since - since % HOUR, until + (HOUR - until % HOUR) % HOUR};
    if (h.until <= h.since)
        h.until = h.since + HOUR;
    return h;
}

bool edge_of_key(struct slice key, struct edge *ret)
{
    size_t tab = slice_index(key, '\t');
    if (tab == key.len)
        return false;
    *ret = (struct edge){slice_sub(key, 0, tab), slice_sub(key, tab + 1, key.len)};
    return true;
}
