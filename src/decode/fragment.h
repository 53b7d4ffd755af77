/* IP datagrams put together from fragments (RFC 791 3.2, RFC 8200 4.5). */
#ifndef DECODE_FRAGMENT_H
#define DECODE_FRAGMENT_H

#include "decode/decode.h"

struct fragment {
    struct address src, dst;
    uint32_t id;
    uint8_t protocol;
    uint32_t offset; /* bytes */
    bool more;
    struct slice bytes; /* offset and length together at most 65535 */
};

struct fragments;

struct whole {
    struct slice payload; /* valid until fragments_release */
    uint8_t protocol;     /* as the first fragment names it */
    bool ambiguous;       /* copies of a byte, or of the length, differed */
};

/* `set` and `stats` are borrowed and outlive it. */
struct fragments *fragments_new(const struct decode_settings *set, struct decode_stats *stats);
/* True: the datagram is whole, *ret is set. Of bytes that came twice the first copy wins. `frag->bytes` may
 * lie in a datagram that an earlier call returned. */
bool fragments_push(struct fragments *f, struct timespec now, const struct fragment *frag, struct whole *ret);
/* Frees the datagrams that were whole. */
void fragments_release(struct fragments *f);
void fragments_free(struct fragments **f);

#endif
