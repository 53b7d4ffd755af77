/* ends.c: the key of a connection. In: a segment. Out: a seeded hash; a comparison. Owns: nothing. */
#include "flow/ends.h"

#define XXH_INLINE_ALL /* of so few bytes that a call costs as much */
#include <xxhash.h>

struct key {
    uint64_t addr[2];
    uint64_t port;
};

static struct key key_of(const struct endpoint *e)
{
    struct key k = {.port = e->port};
    memcpy(k.addr, e->addr.bytes, sizeof k.addr);
    return k;
}

static bool is_less(const struct key *a, const struct key *b)
{
    if (a->addr[0] != b->addr[0])
        return a->addr[0] < b->addr[0];
    return a->addr[1] != b->addr[1] ? a->addr[1] < b->addr[1] : a->port < b->port;
}

uint64_t ends_hash(const struct segment *seg, uint64_t seed)
{
    struct key a = key_of(&seg->src), b = key_of(&seg->dst);
    bool swap = is_less(&b, &a);
    const struct key ends[2] = {swap ? b : a, swap ? a : b};
    return XXH3_64bits_withSeed(ends, sizeof ends, seed);
}

static bool same(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && address_eq(&a->addr, &b->addr);
}

bool ends_match(const struct flow_info *info, const struct segment *seg, int *ret_dir)
{
    for (int d = 0; d < 2; d++) {
        if (same(&info->end[d], &seg->src) && same(&info->end[!d], &seg->dst)) {
            *ret_dir = d;
            return true;
        }
    }
    return false;
}
