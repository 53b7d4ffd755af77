/* link.c: link layers down to IP.
 * In: bytes from a link header on. Out: the next layer. Owns: nothing. Limits: max_layers.
 * Knowingly: MPLS does not say what it carries; IP, a pseudowire's control word and Ethernet are told apart
 * by what fits. Spec: IEEE 802.1Q, RFC 1042 (SNAP), RFC 3032, RFC 4385 (MPLS), RFC 2516 (PPPoE), RFC 1661,
 * RFC 1662 (PPP), RFC 1547 (Cisco HDLC), tcpdump.org/linktypes.html. */
#include "decode/layers.h"

enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW_A = 12,
    LINK_RAW_B = 14,
    LINK_PPP_HDLC = 50,
    LINK_PPPOE = 51,
    LINK_RAW = 101,
    LINK_CISCO_HDLC = 104,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_SLL2 = 276,
};

static enum layer layer_of_type(uint16_t type)
{
    switch (type) {
    case 0x0800:
    case 0x86dd:
        return LAYER_IP;
    case 0x8100:
    case 0x88a8:
    case 0x9100:
    case 0x9200:
        return LAYER_VLAN;
    case 0x8847:
    case 0x8848:
        return LAYER_MPLS;
    case 0x8864:
        return LAYER_PPPOE;
    case 0x880b:
        return LAYER_PPP; /* in GRE */
    default:
        return type < TYPE_LEAST ? LAYER_SNAP : LAYER_END;
    }
}

enum layer link_type(struct walk *w, uint16_t type, struct slice bytes)
{
    enum layer next = layer_of_type(type);
    return next == LAYER_END ? walk_end(w, DECODED_OTHER) : walk_to(w, next, bytes);
}

/* `before` bytes, an ethertype, `after` bytes. */
static enum layer typed(struct walk *w, size_t before, size_t after)
{
    struct cursor c = cursor_of(w->bytes);
    cursor_skip(&c, before);
    uint16_t type = cursor_u16(&c);
    cursor_skip(&c, after);
    return c.broken ? walk_short(w) : link_type(w, type, c.rest);
}

enum layer link_ethernet(struct walk *w)
{
    return typed(w, 12, 0);
}

enum layer link_vlan(struct walk *w)
{
    return typed(w, 2, 0);
}

enum layer link_snap(struct walk *w)
{
    struct cursor c = cursor_of(w->bytes);
    uint32_t llc = cursor_u32(&c), organisation = (llc & 0xff) << 16 | cursor_u16(&c);
    uint16_t type = cursor_u16(&c);
    /* 0000f8 is 802.1H's for what came over a bridge */
    if (c.broken || llc >> 8 != 0xaaaa03 || (organisation != 0 && organisation != 0x0000f8) ||
        type < TYPE_LEAST)
        return walk_end(w, DECODED_OTHER);
    return link_type(w, type, c.rest);
}

static bool frame_at(struct slice bytes, size_t at)
{
    struct cursor c = cursor_of(bytes);
    cursor_skip(&c, at + 12);
    enum layer next = layer_of_type(cursor_u16(&c));
    return !c.broken && next != LAYER_END && next != LAYER_SNAP;
}

static enum layer behind_labels(struct walk *w, struct slice bytes)
{
    if (!bytes.len)
        return walk_short(w);
    if (ip_plausible(w, bytes))
        return walk_to(w, LAYER_IP, bytes);
    uint8_t nibble = bytes.data[0] >> 4;
    if (nibble == 1)
        return walk_end(w, DECODED_OTHER); /* an associated channel: the operator's own talk */
    bool control = nibble == 0 && !frame_at(bytes, 0);
    return walk_to(w, LAYER_ETHERNET, slice_sub(bytes, control ? 4 : 0, bytes.len));
}

/* One label of the stack. */
enum layer link_mpls(struct walk *w)
{
    struct cursor c = cursor_of(w->bytes);
    uint32_t label = cursor_u32(&c);
    if (c.broken)
        return walk_short(w);
    return label & 0x100 ? behind_labels(w, c.rest) : walk_to(w, LAYER_MPLS, c.rest);
}

enum layer link_pppoe(struct walk *w)
{
    struct cursor c = cursor_of(w->bytes);
    uint16_t version_code = cursor_u16(&c);
    cursor_skip(&c, 2);
    uint16_t length = cursor_u16(&c);
    if (c.broken)
        return walk_short(w);
    if (version_code != 0x1100)
        return walk_end(w, DECODED_OTHER);
    return walk_promise(w, &c.rest, length) ? walk_to(w, LAYER_PPP, c.rest) : walk_end(w, DECODED_BROKEN);
}

enum layer link_ppp(struct walk *w)
{
    struct cursor c = cursor_of(w->bytes);
    if (w->bytes.len >= 2 && w->bytes.data[0] == 0xff && w->bytes.data[1] == 0x03)
        cursor_skip(&c, 2);
    uint16_t protocol = cursor_u8(&c);
    if (!(protocol & 1))
        protocol = (uint16_t)(protocol << 8 | cursor_u8(&c));
    if (c.broken)
        return walk_short(w);
    switch (protocol) {
    case 0x21:
    case 0x57:
        return walk_to(w, LAYER_IP, c.rest);
    case 0x281:
    case 0x283:
        return walk_to(w, LAYER_MPLS, c.rest);
    default:
        return walk_end(w, DECODED_OTHER);
    }
}

/* The family comes in the byte order of whatever host wrote it, and IPv6's number is another on every system:
 * 10 on Linux, 23 on Windows, 24, 28, 30 on the BSDs. The IP version decides. */
static enum layer null_loop(struct walk *w)
{
    struct cursor c = cursor_of(w->bytes);
    uint32_t family = cursor_u32(&c);
    if (c.broken)
        return walk_short(w);
    if (family > 0xff)
        family = __builtin_bswap32(family);
    if (family == 2 || family == 10 || family == 23 || family == 24 || family == 28 || family == 30)
        return walk_to(w, LAYER_IP, c.rest);
    return walk_end(w, DECODED_OTHER);
}

enum layer link_first(struct walk *w)
{
    switch (w->pkt->link_type) {
    case LINK_ETHERNET:
        return LAYER_ETHERNET;
    case LINK_NULL:
    case LINK_LOOP:
        return null_loop(w);
    case LINK_RAW_A:
    case LINK_RAW_B:
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        return LAYER_IP;
    case LINK_PPP_HDLC:
        /* Cisco's framing, under the same number */
        return w->bytes.len && (w->bytes.data[0] & 0x7f) == 0x0f ? typed(w, 2, 0) : LAYER_PPP;
    case LINK_PPP:
        return LAYER_PPP;
    case LINK_PPPOE:
        return LAYER_PPPOE;
    case LINK_CISCO_HDLC:
        return typed(w, 2, 0);
    case LINK_SLL:
        return typed(w, 14, 0);
    case LINK_SLL2:
        return typed(w, 0, 18);
    default:
        return walk_end(w, DECODED_OTHER);
    }
}
