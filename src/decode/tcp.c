/* tcp.c: the TCP header, and checksums.
 * In: bytes from the TCP header on. Out: struct segment, its payload inside of the input. Owns: nothing.
 * Limits: SEGMENT_MAX. Knowingly: a segment that the snap length cut has a checksum that cannot be verified,
 * and passes. Spec: RFC 9293 3.1, RFC 1071, RFC 7323 2.2, RFC 8200 8.1. */
#include "decode/layers.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_SCALE = 3, OPTION_MD5 = 19, OPTION_AO = 29 };

/* No host makes longer ones; beyond it the length is a lie, and sequence numbers would wrap. */
enum { SEGMENT_MAX = 16 << 20 };

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
    const uint8_t tail[6] = {(uint8_t)(bytes.len >> 24),
                             (uint8_t)(bytes.len >> 16),
                             (uint8_t)(bytes.len >> 8),
                             (uint8_t)bytes.len,
                             0,
                             6};
    sum = checksum_add(sum, (struct slice){tail, sizeof tail});
    return checksum_good(checksum_add(sum, bytes));
}

/* The option's value, without its kind and length; *ret_kind is 0 where there is none any more. */
static struct slice next_option(struct cursor *c, uint8_t *ret_kind)
{
    uint8_t len;
    do
        *ret_kind = cursor_u8(c);
    while (*ret_kind == OPTION_NOP);
    /* It may be the last byte, and tells something all the same. */
    if (*ret_kind == OPTION_END || (len = cursor_u8(c)) < 2)
        c->rest.len = 0;
    else
        return cursor_take(c, len - 2u);
    return (struct slice){0};
}

/* RFC 2385, RFC 5925: who expects no signature drops what has one. RFC 7323: no window is scaled by more. */
static void note_options(struct segment *seg, struct slice options)
{
    enum { SCALE_MOST = 14 };
    struct cursor c = cursor_of(options);
    while (c.rest.len) {
        uint8_t kind;
        struct slice value = next_option(&c, &kind);
        seg->is_signed |= kind == OPTION_MD5 || kind == OPTION_AO;
        if (kind == OPTION_SCALE && value.len == 1 && seg->flags & TCP_SYN)
            seg->scaling = 1 + (value.data[0] < SCALE_MOST ? value.data[0] : SCALE_MOST);
    }
}

/* Also without being asked to, of what was fragmented: no network card completes such a sum, and a fragment
 * too many makes it wrong. */
static bool wants_sum(const struct walk *w)
{
    return (w->dec->set.verify_checksums || w->reassembled) && !w->missing;
}

enum layer tcp_header(struct walk *w)
{
    struct slice bytes = w->bytes;
    if (bytes.len < 20)
        return walk_short(w);
    const uint8_t *h = bytes.data;
    size_t header = (size_t)(h[12] >> 4) * 4;
    if (header < 20 || bytes.len + (size_t)w->missing > SEGMENT_MAX)
        return walk_end(w, DECODED_BROKEN);
    if (header > bytes.len)
        return header <= bytes.len + (size_t)w->missing ? walk_short(w) : walk_end(w, DECODED_BROKEN);
    if (wants_sum(w) && !tcp_checksum_good(&w->src, &w->dst, bytes))
        return walk_end(w, DECODED_CHECKSUM);
    *w->ret = (struct segment){
        .ts = w->pkt->ts,
        .src = {w->src, (uint16_t)(h[0] << 8 | h[1])},
        .dst = {w->dst, (uint16_t)(h[2] << 8 | h[3])},
        .seq = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7],
        .ack = (uint32_t)h[8] << 24 | (uint32_t)h[9] << 16 | (uint32_t)h[10] << 8 | h[11],
        .flags = h[13] & 0x3f,
        .window = (uint16_t)(h[14] << 8 | h[15]),
        .ambiguous = w->ambiguous,
        .uncaptured = w->missing,
        .payload = {h + header, bytes.len - header},
    };
    note_options(w->ret, (struct slice){h + 20, header - 20});
    return walk_end(w, DECODED_TCP);
}
