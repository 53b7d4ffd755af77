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
    struct slice bytes;
};

struct fragments;

struct fragments *fragments_new(const struct decode_settings *set, struct decode_stats *stats);
/* True: the datagram is whole, *ret its payload, valid until the next call. Of bytes that came twice the first copy wins. */
bool fragments_push(struct fragments *f, struct timespec now, const struct fragment *frag, struct slice *ret);
void fragments_free(struct fragments **f);

#endif
