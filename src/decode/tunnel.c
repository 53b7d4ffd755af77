/* tunnel.c: packets inside of packets.
 * In: bytes from the tunnel's header on. Out: the inner layer's verdict. Owns: nothing. Limits: max_layers.
 * Knowingly: VXLAN and Geneve are told by their registered UDP ports (and 8472, which old Linux used) alone.
 * Spec: RFC 2784, RFC 2890 (GRE), RFC 7348 (VXLAN), RFC 8926 (Geneve), draft-foschiano-erspan. */
#include "decode/layers.h"

enum { PORT_VXLAN = 4789, PORT_VXLAN_OLD = 8472, PORT_GENEVE = 6081 };
enum { TYPE_TEB = 0x6558, TYPE_ERSPAN = 0x88be, TYPE_ERSPAN3 = 0x22eb };

static enum decoded erspan3(struct walk *w, struct cursor c)
{
    cursor_skip(&c, 11);
    uint8_t flags = cursor_u8(&c);
    if (flags & 1)
        cursor_skip(&c, 8); /* the optional platform header */
    return c.broken ? walk_short(w) : link_ethernet(w, c.rest);
}

enum decoded tunnel_gre(struct walk *w, struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    uint16_t flags = cursor_u16(&c), type = cursor_u16(&c);
    if (flags & 7)
        return DECODED_OTHER; /* version 1 is PPTP's */
    if (flags & 0xc000)
        cursor_skip(&c, 4);
    if (flags & 0x2000)
        cursor_skip(&c, 4);
    if (flags & 0x1000)
        cursor_skip(&c, 4);
    if (c.broken)
        return walk_short(w);
    if (!walk_enter(w))
        return DECODED_OTHER;
    if (type == TYPE_TEB)
        return link_ethernet(w, c.rest);
    if (type == TYPE_ERSPAN3)
        return erspan3(w, c);
    if (type != TYPE_ERSPAN)
        return link_ethertype(w, type, c.rest);
    if (flags & 0x1000)
        cursor_skip(&c, 8); /* type II: a sequence number in GRE says that its header follows */
    return c.broken ? walk_short(w) : link_ethernet(w, c.rest);
}

static enum decoded geneve(struct walk *w, struct cursor c)
{
    uint8_t first = cursor_u8(&c);
    cursor_skip(&c, 1);
    uint16_t type = cursor_u16(&c);
    cursor_skip(&c, 4 + (size_t)(first & 0x3f) * 4);
    if (c.broken)
        return walk_short(w);
    if (first >> 6)
        return DECODED_OTHER;
    return type == TYPE_TEB ? link_ethernet(w, c.rest) : link_ethertype(w, type, c.rest);
}

enum decoded tunnel_udp(struct walk *w, struct slice bytes)
{
    struct cursor c = cursor_of(bytes);
    cursor_skip(&c, 2);
    uint16_t port = cursor_u16(&c);
    cursor_skip(&c, 4);
    if (c.broken)
        return walk_short(w);
    if (port != PORT_VXLAN && port != PORT_VXLAN_OLD && port != PORT_GENEVE)
        return DECODED_OTHER;
    if (!walk_enter(w))
        return DECODED_OTHER;
    if (port == PORT_GENEVE)
        return geneve(w, c);
    uint8_t flags = cursor_u8(&c);
    cursor_skip(&c, 7);
    if (c.broken)
        return walk_short(w);
    return flags & 8 ? link_ethernet(w, c.rest) : DECODED_OTHER;
}
