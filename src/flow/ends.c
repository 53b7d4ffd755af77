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

/* Both ends of IPv4, each in one number. */
static uint64_t hash_of_short(const struct segment *seg, uint64_t seed)
{
    uint32_t src, dst;
    memcpy(&src, seg->src.addr.bytes, sizeof src);
    memcpy(&dst, seg->dst.addr.bytes, sizeof dst);
    uint64_t a = (uint64_t)src << 16 | seg->src.port, b = (uint64_t)dst << 16 | seg->dst.port;
    const uint64_t ends[2] = {a < b ? a : b, a < b ? b : a};
    return XXH3_64bits_withSeed(ends, sizeof ends, seed);
}

uint64_t ends_hash(const struct segment *seg, uint64_t seed)
{
    if (seg->src.addr.family == 4 && seg->dst.addr.family == 4)
        return hash_of_short(seg, seed);
    struct key a = key_of(&seg->src), b = key_of(&seg->dst);
    bool swap = is_less(&b, &a);
    const struct key ends[2] = {swap ? b : a, swap ? a : b};
    return XXH3_64bits_withSeed(ends, sizeof ends, seed);
}

bool ends_match(const struct flow_info *info, const struct segment *seg, int *ret_dir)
{
    for (int d = 0; d < 2; d++) {
        if (endpoint_eq(&info->end[d], &seg->src) && endpoint_eq(&info->end[!d], &seg->dst)) {
            *ret_dir = d;
            return true;
        }
    }
    return false;
}
