/* ip.c: IPv4 and IPv6 down to TCP, a tunnel, or a fragment.
 * In: bytes from the IP header on. Out: the next layer. Owns: nothing. Limits: max_layers for headers and
 * tunnels together. Knowingly: a length of zero, as sending hosts with segmentation offload show it, is taken
 * for all that the frame holds, unless it is so short that a part may be padding; IPv4 source routes do not
 * change the destination. Encrypted payload (ESP) is not TCP. Spec: RFC 791, RFC 8200, RFC 2675 (jumbograms),
 * RFC 4302 (AH), RFC 5095 and RFC 8754 (routing headers), RFC 6946 (atomic fragments). */
#include "decode/layers.h"

enum {
    PROTO_HOP = 0,
    PROTO_IPIP = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_IPV6 = 41,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_GRE = 47,
    PROTO_AH = 51,
    PROTO_DEST = 60,
    PROTO_MPLS = 137
};
enum { DATAGRAM_MAX = 65535, PADDED_FRAME = 64 };

static enum layer layer_of_protocol(const struct walk *w, uint8_t protocol)
{
    switch (protocol) {
    case PROTO_TCP:
        return LAYER_TCP;
    case PROTO_UDP:
        return LAYER_UDP;
    case PROTO_IPIP:
    case PROTO_IPV6:
        return LAYER_IP;
    case PROTO_GRE:
        return LAYER_GRE;
    case PROTO_MPLS:
        return LAYER_MPLS;
    case PROTO_AH:
        return LAYER_EXTENSION;
    case PROTO_HOP:
    case PROTO_ROUTING:
    case PROTO_DEST:
        return w->src.family == 6 ? LAYER_EXTENSION : LAYER_END;
    case PROTO_FRAGMENT:
        return w->src.family == 6 ? LAYER_FRAGMENT : LAYER_END;
    default:
        return LAYER_END;
    }
}

static enum layer payload(struct walk *w, uint8_t protocol, struct slice bytes)
{
    enum layer next = layer_of_protocol(w, protocol);
    w->protocol = protocol;
    return next == LAYER_END ? walk_end(w, DECODED_OTHER) : walk_to(w, next, bytes);
}

static enum layer reassemble(struct walk *w, const struct fragment *frag)
{
    struct whole whole;
    if (w->missing)
        return walk_end(w, DECODED_CUT);
    if (frag->offset + frag->bytes.len > DATAGRAM_MAX || (frag->more && frag->bytes.len % 8) ||
        !frag->bytes.len)
        return walk_end(w, DECODED_BROKEN);
    if (!fragments_push(w->dec->fragments, w->pkt->ts, frag, &whole))
        return walk_end(w, DECODED_HELD);
    w->reassembled = true;
    w->ambiguous |= whole.ambiguous;
    return payload(w, whole.protocol, whole.payload);
}

/* All that there is where no length says how much. False: padding cannot be told from payload. */
static bool take_all(const struct walk *w)
{
    return w->missing != MISSING_UNKNOWN && w->pkt->wire_len > PADDED_FRAME;
}

static enum layer ipv4(struct walk *w)
{
    struct cursor c = cursor_of(w->bytes);
    size_t header = (size_t)(cursor_u8(&c) & 15) * 4;
    cursor_skip(&c, 1);
    size_t total = cursor_u16(&c);
    uint16_t id = cursor_u16(&c), offset = cursor_u16(&c);
    cursor_skip(&c, 1);
    uint8_t protocol = cursor_u8(&c);
    cursor_skip(&c, 2);
    struct slice s = cursor_take(&c, 4), d = cursor_take(&c, 4);
    if (c.broken)
        return walk_short(w);
    if (header < 20 || (total && total < header))
        return walk_end(w, DECODED_BROKEN);
    if (w->bytes.len < header)
        return walk_short(w);
    w->src = w->dst = (struct address){.family = 4};
    memcpy(w->src.bytes, s.data, 4);
    memcpy(w->dst.bytes, d.data, 4);
    if (w->dec->set.verify_checksums && !checksum_good(checksum_add(0, slice_sub(w->bytes, 0, header))))
        return walk_end(w, DECODED_CHECKSUM);
    bool in_parts = offset & 0x3fff;
    struct slice rest = slice_sub(w->bytes, header, w->bytes.len);
    if (total ? !walk_promise(w, &rest, total - header) : in_parts || !take_all(w))
        return walk_end(w, DECODED_BROKEN);
    if (!in_parts)
        return payload(w, protocol, rest);
    return reassemble(w, &(struct fragment){w->src, w->dst, id, protocol, (uint32_t)(offset & 0x1fff) * 8,
                                            offset & 0x2000, rest});
}

enum layer ip_fragment(struct walk *w)
{
    struct cursor c = cursor_of(w->bytes);
    uint8_t protocol = cursor_u8(&c);
    cursor_skip(&c, 1);
    uint16_t offset = cursor_u16(&c);
    uint32_t id = cursor_u32(&c);
    if (c.broken)
        return walk_short(w);
    if (!(offset & 0xfff9))
        return payload(w, protocol, c.rest); /* an atomic fragment */
    return reassemble(w,
                      &(struct fragment){w->src, w->dst, id, protocol, offset & 0xfff8, offset & 1, c.rest});
}

/* The length in the jumbo payload option of a hop-by-hop header, or 0. */
static size_t jumbo_length(struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    cursor_skip(&c, 1);
    size_t units = cursor_u8(&c);
    struct cursor options = cursor_of(cursor_take(&c, units * 8 + 6));
    while (options.rest.len) {
        uint8_t type = cursor_u8(&options);
        if (type == 0)
            continue; /* one byte of padding */
        size_t len = cursor_u8(&options);
        if (type == 0xc2 && len == 4)
            return cursor_u32(&options);
        cursor_skip(&options, len);
        if (options.broken)
            break;
    }
    return 0;
}

static enum layer ipv6(struct walk *w)
{
    struct cursor c = cursor_of(w->bytes);
    cursor_skip(&c, 4);
    size_t length = cursor_u16(&c);
    uint8_t next = cursor_u8(&c);
    cursor_skip(&c, 1);
    struct slice s = cursor_take(&c, 16), d = cursor_take(&c, 16);
    if (c.broken)
        return walk_short(w);
    w->src = w->dst = (struct address){.family = 6};
    memcpy(w->src.bytes, s.data, 16);
    memcpy(w->dst.bytes, d.data, 16);
    if (!length && next == PROTO_HOP)
        length = jumbo_length(c.rest);
    if ((length || !take_all(w)) && !walk_promise(w, &c.rest, length))
        return walk_end(w, DECODED_BROKEN);
    return payload(w, next, c.rest);
}

/* While segments are left, the header's destination is the next stop only; the last one is in here, and TCP's
 * checksum is over it. */
static void route_end(struct walk *w, struct slice header)
{
    struct cursor c = cursor_of(header);
    cursor_skip(&c, 2);
    uint8_t type = cursor_u8(&c), left = cursor_u8(&c);
    cursor_skip(&c, 4);
    size_t stops = c.rest.len / 16;
    if (c.broken || !left || !stops || (type != 0 && type != 2 && type != 4))
        return;
    size_t at = type == 4 ? 0 : stops - 1; /* segment routing lists them backward */
    memcpy(w->dst.bytes, c.rest.data + at * 16, 16);
}

enum layer ip_extension(struct walk *w)
{
    struct cursor c = cursor_of(w->bytes);
    uint8_t next = cursor_u8(&c);
    size_t units = cursor_u8(&c), len = w->protocol == PROTO_AH ? (units + 2) * 4 : (units + 1) * 8;
    c = cursor_of(w->bytes);
    struct slice header = cursor_take(&c, len);
    if (c.broken)
        return walk_short(w);
    if (w->protocol == PROTO_ROUTING)
        route_end(w, header);
    return payload(w, next, c.rest);
}

bool ip_plausible(const struct walk *w, struct slice bytes)
{
    uint8_t version = bytes.len ? bytes.data[0] >> 4 : 0;
    struct cursor c = cursor_of(bytes);
    size_t header = version == 4 ? (size_t)(cursor_u8(&c) & 15) * 4 : 40;
    cursor_skip(&c, version == 4 ? 1 : 4);
    size_t length = cursor_u16(&c), there = bytes.len + (size_t)w->missing;
    if (version != 4 && version != 6)
        return false;
    if (c.broken || !length)
        return true;
    if (version == 6)
        return header + length <= there;
    return header >= 20 && header <= length && length <= there;
}

enum layer ip_header(struct walk *w)
{
    if (!w->bytes.len)
        return walk_short(w);
    switch (w->bytes.data[0] >> 4) {
    case 4:
        return ipv4(w);
    case 6:
        return ipv6(w);
    default:
        return walk_end(w, DECODED_OTHER);
    }
}
