/* ends.c: the key of a connection. In: a segment. Out: a seeded hash; a comparison. Owns: nothing. */
#include "flow/ends.h"

#include <xxhash.h>

enum { END_BYTES = 18 };

static void put_end(uint8_t ret[static END_BYTES], const struct endpoint *e)
{
    memcpy(ret, e->addr.bytes, 16);
    ret[16] = (uint8_t)(e->port >> 8);
    ret[17] = (uint8_t)e->port;
}

uint64_t ends_hash(const struct segment *seg, uint64_t seed)
{
    uint8_t key[2][END_BYTES];
    put_end(key[0], &seg->src);
    put_end(key[1], &seg->dst);
    if (memcmp(key[0], key[1], END_BYTES) > 0) {
        put_end(key[0], &seg->dst);
        put_end(key[1], &seg->src);
    }
    return XXH3_64bits_withSeed(key, sizeof key, seed);
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
