/* tcp.c: the TCP header, and checksums.
 * In: bytes from the TCP header on. Out: struct segment, its payload inside of the input. Owns: nothing.
 * Spec: RFC 9293 3.1, RFC 1071. */
#include "decode/layers.h"

uint32_t checksum_add(uint32_t sum, struct slice bytes)
{
    uint64_t wide = sum;
    size_t i = 0;
    for (; i + 2 <= bytes.len; i += 2)
        wide += (uint32_t)(bytes.data[i] << 8 | bytes.data[i + 1]);
    if (i < bytes.len)
        wide += (uint32_t)(bytes.data[i] << 8);
    while (wide >> 16)
        wide = (wide & 0xffff) + (wide >> 16);
    return (uint32_t)wide;
}

bool checksum_good(uint32_t sum)
{
    return sum == 0xffff;
}

static bool tcp_checksum_good(const struct address *src, const struct address *dst, struct slice bytes)
{
    size_t len = src->family == 4 ? 4 : 16;
    uint32_t sum = checksum_add(0, (struct slice){src->bytes, len});
    sum = checksum_add(sum, (struct slice){dst->bytes, len});
    const uint8_t tail[4] = {0, 6, (uint8_t)(bytes.len >> 8), (uint8_t)bytes.len};
    sum = checksum_add(sum, (struct slice){tail, 4});
    return checksum_good(checksum_add(sum, bytes));
}

enum decoded tcp_decode(struct walk *w, const struct address *src, const struct address *dst, struct slice bytes,
                        uint32_t uncaptured)
{
    if (bytes.len < 20)
        return uncaptured ? DECODED_CUT : walk_short(w);
    const uint8_t *h = bytes.data;
    size_t header = (size_t)(h[12] >> 4) * 4;
    if (header < 20)
        return DECODED_BROKEN;
    if (header > bytes.len)
        return uncaptured ? DECODED_CUT : DECODED_BROKEN;
    if (w->dec->set.verify_checksums && !uncaptured && !tcp_checksum_good(src, dst, bytes))
        return DECODED_CHECKSUM;
    *w->ret = (struct segment){
        .ts = w->pkt->ts,
        .src = {*src, (uint16_t)(h[0] << 8 | h[1])},
        .dst = {*dst, (uint16_t)(h[2] << 8 | h[3])},
        .seq = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7],
        .ack = (uint32_t)h[8] << 24 | (uint32_t)h[9] << 16 | (uint32_t)h[10] << 8 | h[11],
        .flags = h[13] & 0x3f,
        .uncaptured = uncaptured,
        .payload = {h + header, bytes.len - header},
    };
    return DECODED_TCP;
}
