/* ip.c: IPv4 and IPv6 down to TCP, a tunnel, or a fragment.
 * In: bytes from the IP header on. Out: what the inner layer says. Owns: nothing.
 * Limits: max_layers for headers and tunnels together. Knowingly: a total length of zero, as sending hosts with segmentation offload show
 * it, is taken for all that was captured. Spec: RFC 791, RFC 8200, RFC 4302 (AH). */
#include "decode/layers.h"

enum { PROTO_HOP = 0, PROTO_IPIP = 4, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_IPV6 = 41, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44,
       PROTO_GRE = 47, PROTO_AH = 51, PROTO_DEST = 60 };

enum decoded ip_payload(struct walk *w, uint8_t protocol, const struct address *src, const struct address *dst,
                        struct slice bytes, uint32_t uncaptured)
{
    switch (protocol) {
    case PROTO_TCP:
        return tcp_decode(w, src, dst, bytes, uncaptured);
    case PROTO_IPIP:
    case PROTO_IPV6:
        return ip_decode(w, bytes);
    case PROTO_GRE:
        return tunnel_gre(w, bytes);
    case PROTO_UDP:
        return tunnel_udp(w, bytes);
    default:
        return DECODED_OTHER;
    }
}

static enum decoded reassemble(struct walk *w, struct fragment *frag, uint32_t uncaptured)
{
    struct slice whole;
    if (uncaptured)
        return DECODED_CUT;
    if (frag->offset + frag->bytes.len > 65535 || (frag->more && frag->bytes.len % 8) || !frag->bytes.len)
        return DECODED_BROKEN;
    if (!fragments_push(w->dec->fragments, w->pkt->ts, frag, &whole))
        return DECODED_HELD;
    return ip_payload(w, frag->protocol, &frag->src, &frag->dst, whole, 0);
}

/* The payload that the length field promises, out of what was captured. False: it promises more than there was. */
static bool take_payload(const struct walk *w, struct slice *rest, size_t promised, uint32_t *ret_uncaptured)
{
    *ret_uncaptured = 0;
    if (promised <= rest->len) {
        rest->len = promised;
        return true;
    }
    *ret_uncaptured = (uint32_t)(promised - rest->len);
    return w->cut;
}

static enum decoded ipv4(struct walk *w, struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    uint8_t first = cursor_u8(&c);
    size_t header = (size_t)(first & 15) * 4;
    cursor_skip(&c, 1);
    size_t total = cursor_u16(&c);
    uint16_t id = cursor_u16(&c), offset = cursor_u16(&c);
    cursor_skip(&c, 1);
    uint8_t protocol = cursor_u8(&c);
    cursor_skip(&c, 2);
    struct address src = {.family = 4}, dst = {.family = 4};
    struct slice s = cursor_take(&c, 4), d = cursor_take(&c, 4);
    if (c.broken || bytes.len < header)
        return walk_short(w);
    if (header < 20 || (total && total < header))
        return DECODED_BROKEN;
    memcpy(src.bytes, s.data, 4);
    memcpy(dst.bytes, d.data, 4);
    if (w->dec->set.verify_checksums && !checksum_good(checksum_add(0, slice_sub(bytes, 0, header))))
        return DECODED_CHECKSUM;
    struct slice rest = slice_sub(bytes, header, bytes.len);
    uint32_t uncaptured;
    if (!take_payload(w, &rest, total ? total - header : rest.len, &uncaptured))
        return DECODED_BROKEN;
    if (!(offset & 0x3fff))
        return ip_payload(w, protocol, &src, &dst, rest, uncaptured);
    struct fragment frag = {src, dst, id, protocol, (uint32_t)(offset & 0x1fff) * 8, offset & 0x2000, rest};
    return reassemble(w, &frag, uncaptured);
}

static enum decoded ipv6_fragment(struct walk *w, struct cursor c, const struct address *src, const struct address *dst,
                                  uint32_t uncaptured)
{
    uint8_t protocol = cursor_u8(&c);
    cursor_skip(&c, 1);
    uint16_t offset = cursor_u16(&c);
    uint32_t id = cursor_u32(&c);
    if (c.broken)
        return walk_short(w);
    if (!(offset & 0xfff9))
        return ip_payload(w, protocol, src, dst, c.rest, uncaptured); /* an atomic fragment, RFC 6946 */
    struct fragment frag = {*src, *dst, id, protocol, offset & 0xfff8, offset & 1, c.rest};
    return reassemble(w, &frag, uncaptured);
}

static enum decoded ipv6(struct walk *w, struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    cursor_skip(&c, 4);
    size_t length = cursor_u16(&c);
    uint8_t next = cursor_u8(&c);
    cursor_skip(&c, 1);
    struct slice s = cursor_take(&c, 16), d = cursor_take(&c, 16);
    if (c.broken)
        return walk_short(w);
    struct address src = {.family = 6}, dst = {.family = 6};
    memcpy(src.bytes, s.data, 16);
    memcpy(dst.bytes, d.data, 16);
    uint32_t uncaptured;
    if (!take_payload(w, &c.rest, length ? length : c.rest.len, &uncaptured))
        return DECODED_BROKEN;
    while (next == PROTO_HOP || next == PROTO_ROUTING || next == PROTO_DEST || next == PROTO_AH) {
        struct cursor header = c;
        bool ah = next == PROTO_AH;
        next = cursor_u8(&header);
        size_t units = cursor_u8(&header);
        cursor_skip(&c, ah ? (units + 2) * 4 : (units + 1) * 8);
        if (c.broken)
            return walk_short(w);
        if (!walk_enter(w))
            return DECODED_OTHER;
    }
    if (next == PROTO_FRAGMENT)
        return ipv6_fragment(w, c, &src, &dst, uncaptured);
    return ip_payload(w, next, &src, &dst, c.rest, uncaptured);
}

enum decoded ip_decode(struct walk *w, struct slice bytes)
{
    if (!walk_enter(w))
        return DECODED_OTHER;
    if (!bytes.len)
        return walk_short(w);
    if (bytes.data[0] >> 4 == 4)
        return ipv4(w, bytes);
    return bytes.data[0] >> 4 == 6 ? ipv6(w, bytes) : DECODED_OTHER;
}
