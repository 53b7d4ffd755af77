/* link.c: link layers down to IP.
 * In: a packet's bytes. Out: the IP layer's verdict. Owns: nothing. Limits: max_layers.
 * Spec: IEEE 802.1Q, RFC 3032 (MPLS), RFC 2516 (PPPoE), RFC 1662 (PPP), tcpdump.org/linktypes.html. */
#include "decode/layers.h"

enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_PPP_HDLC = 50,
    LINK_RAW_A = 12,
    LINK_RAW_B = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_SLL2 = 276,
};

/* MPLS says nothing of what it carries: IP shows by its version, anything else may be Ethernet behind a control word. */
static enum decoded mpls(struct walk *w, struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    uint32_t label;
    do {
        label = cursor_u32(&c);
        if (!walk_enter(w))
            return DECODED_OTHER;
    } while (!c.broken && !(label & 0x100));
    if (c.broken || !c.rest.len)
        return walk_short(w);
    uint8_t version = c.rest.data[0] >> 4;
    if (version == 4 || version == 6)
        return ip_decode(w, c.rest);
    if (version == 0)
        cursor_skip(&c, 4);
    return link_ethernet(w, c.rest);
}

static enum decoded ppp(struct walk *w, struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    if (bytes.len >= 2 && bytes.data[0] == 0xff && bytes.data[1] == 0x03)
        cursor_skip(&c, 2);
    uint16_t protocol = cursor_u8(&c);
    if (!(protocol & 1))
        protocol = (uint16_t)(protocol << 8 | cursor_u8(&c));
    if (c.broken)
        return walk_short(w);
    return protocol == 0x21 || protocol == 0x57 ? ip_decode(w, c.rest) : DECODED_OTHER;
}

static enum decoded pppoe(struct walk *w, struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    cursor_skip(&c, 6);
    return c.broken ? walk_short(w) : ppp(w, c.rest);
}

/* RFC 1042: a length instead of a type, then LLC and SNAP. */
static enum decoded snap(struct walk *w, struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    uint32_t llc = cursor_u32(&c) >> 8;
    cursor_skip(&c, 2);
    uint16_t type = cursor_u16(&c);
    return c.broken || llc != 0xaaaa03 ? DECODED_OTHER : link_ethertype(w, type, c.rest);
}

enum decoded link_ethertype(struct walk *w, uint16_t type, struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    if (!walk_enter(w))
        return DECODED_OTHER;
    switch (type) {
    case 0x0800:
    case 0x86dd:
        return ip_decode(w, bytes);
    case 0x8100:
    case 0x88a8:
    case 0x9100:
    case 0x9200:
        cursor_skip(&c, 2);
        type = cursor_u16(&c);
        return c.broken ? walk_short(w) : link_ethertype(w, type, c.rest);
    case 0x8847:
    case 0x8848:
        return mpls(w, bytes);
    case 0x8864:
        return pppoe(w, bytes);
    default:
        return type < 1536 ? snap(w, bytes) : DECODED_OTHER;
    }
}

enum decoded link_ethernet(struct walk *w, struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    cursor_skip(&c, 12);
    uint16_t type = cursor_u16(&c);
    return c.broken ? walk_short(w) : link_ethertype(w, type, c.rest);
}

static enum decoded sll(struct walk *w, struct slice bytes, size_t before_type, size_t after_type)
{
    struct cursor c = cursor_of(bytes);
    cursor_skip(&c, before_type);
    uint16_t type = cursor_u16(&c);
    cursor_skip(&c, after_type);
    return c.broken ? walk_short(w) : link_ethertype(w, type, c.rest);
}

/* The family comes in the byte order of whatever host wrote it, so the IP version decides. */
static enum decoded null_loop(struct walk *w, struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    uint32_t family = cursor_u32(&c);
    if (c.broken)
        return walk_short(w);
    if (family > 0xff && family & 0xffffff)
        return DECODED_OTHER;
    return ip_decode(w, c.rest);
}

enum decoded link_decode(struct walk *w, uint16_t link_type, struct slice bytes)
{
    switch (link_type) {
    case LINK_ETHERNET:
        return link_ethernet(w, bytes);
    case LINK_NULL:
    case LINK_LOOP:
        return null_loop(w, bytes);
    case LINK_RAW_A:
    case LINK_RAW_B:
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        return ip_decode(w, bytes);
    case LINK_PPP:
    case LINK_PPP_HDLC:
        return ppp(w, bytes);
    case LINK_SLL:
        return sll(w, bytes, 14, 0);
    case LINK_SLL2:
        return sll(w, bytes, 0, 18);
    default:
        return DECODED_OTHER;
    }
}
