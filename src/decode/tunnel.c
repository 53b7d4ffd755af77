/* tunnel.c: packets inside of packets.
 * In: bytes from the tunnel's header on. Out: the next layer. Owns: nothing. Limits: max_layers.
 * Knowingly: tunnels over UDP are told by their registered destination ports (and 8472, which old Linux used)
 * alone; PPTP's GRE and GRE with source routes are not looked into; a tunnel's own checksum is not verified.
 * Spec: RFC 2784, RFC 2890 (GRE), RFC 7637 (NVGRE), RFC 7348 (VXLAN), draft-ietf-nvo3-vxlan-gpe, RFC 8926
 * (Geneve), RFC 7510 (MPLS in UDP), draft-foschiano-erspan. */
#include "decode/layers.h"

enum {
    PORT_VXLAN = 4789,
    PORT_VXLAN_GPE = 4790,
    PORT_VXLAN_OLD = 8472,
    PORT_GENEVE = 6081,
    PORT_MPLS = 6635
};
enum { TYPE_TEB = 0x6558, TYPE_ERSPAN = 0x88be, TYPE_ERSPAN3 = 0x22eb };
enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_VERSION = 7
};

/* An ethertype, or a whole Ethernet frame; here nothing below 1536 is a length. */
static enum layer inner(struct walk *w, uint16_t type, struct slice bytes)
{
    if (type == TYPE_TEB)
        return walk_to(w, LAYER_ETHERNET, bytes);
    return type < TYPE_LEAST ? walk_end(w, DECODED_OTHER) : link_type(w, type, bytes);
}

/* Types II and III; type I has no header of its own. */
static enum layer erspan(struct walk *w, struct cursor c, bool third)
{
    cursor_skip(&c, 2);
    bool cut = cursor_u16(&c) & 0x0400;
    cursor_skip(&c, third ? 6 : 4);
    uint16_t flags = third ? cursor_u16(&c) : 0;
    if (flags & 1)
        cursor_skip(&c, 8); /* the platform's part */
    if (c.broken)
        return walk_short(w);
    if (cut)
        w->missing = MISSING_UNKNOWN;
    uint16_t kind = flags >> 10 & 31; /* P bit first, then 5 bits of frame type */
    if (kind != 0)
        return kind == 2 ? walk_to(w, LAYER_IP, c.rest) : walk_end(w, DECODED_OTHER);
    return walk_to(w, LAYER_ETHERNET, c.rest);
}

enum layer tunnel_gre(struct walk *w)
{
    struct cursor c = cursor_of(w->bytes);
    uint16_t flags = cursor_u16(&c), type = cursor_u16(&c);
    if (flags & (GRE_VERSION | GRE_ROUTING))
        return walk_end(w, DECODED_OTHER);
    for (unsigned flag = GRE_CHECKSUM; flag >= GRE_SEQUENCE; flag >>= 1)
        if (flags & flag)
            cursor_skip(&c, 4);
    if (c.broken)
        return walk_short(w);
    if (type == TYPE_ERSPAN3)
        return erspan(w, c, true);
    if (type != TYPE_ERSPAN)
        return inner(w, type, c.rest);
    /* A sequence number says that type II's header follows. */
    return flags & GRE_SEQUENCE ? erspan(w, c, false) : walk_to(w, LAYER_ETHERNET, c.rest);
}

static enum layer geneve(struct walk *w, struct cursor c)
{
    uint8_t first = cursor_u8(&c), flags = cursor_u8(&c);
    uint16_t type = cursor_u16(&c);
    cursor_skip(&c, 4 + (size_t)(first & 0x3f) * 4);
    if (c.broken)
        return walk_short(w);
    if (first >> 6 || flags & 0x80)
        return walk_end(w, DECODED_OTHER); /* another version; the tunnel's own control */
    return inner(w, type, c.rest);
}

static enum layer vxlan(struct walk *w, struct cursor c, bool generic)
{
    static const enum layer next_protocol[] = {LAYER_END,      LAYER_IP,  LAYER_IP,
                                               LAYER_ETHERNET, LAYER_END, LAYER_MPLS};
    uint8_t flags = cursor_u8(&c);
    cursor_skip(&c, 2);
    uint8_t protocol = cursor_u8(&c);
    cursor_skip(&c, 4);
    if (c.broken)
        return walk_short(w);
    if (!generic || !(flags & 4))
        return flags & 8 ? walk_to(w, LAYER_ETHERNET, c.rest) : walk_end(w, DECODED_OTHER);
    if (flags & 0x31 || protocol >= sizeof next_protocol / sizeof *next_protocol ||
        next_protocol[protocol] == LAYER_END)
        return walk_end(
            w, DECODED_OTHER); /* another version, the tunnel's own control, or a payload that is not known */
    return walk_to(w, next_protocol[protocol], c.rest);
}

enum layer tunnel_udp(struct walk *w)
{
    struct cursor c = cursor_of(w->bytes);
    cursor_skip(&c, 2);
    uint16_t port = cursor_u16(&c), length = cursor_u16(&c);
    cursor_skip(&c, 2);
    if (c.broken)
        return walk_short(w);
    /* 0 where the sending host's hardware fills it in; one that promises too much leaves IP's as the better
     * one */
    if (length >= 8 && (size_t)length - 8 <= c.rest.len)
        (void)walk_promise(w, &c.rest, (size_t)length - 8);
    switch (port) {
    case PORT_VXLAN:
    case PORT_VXLAN_OLD:
        return vxlan(w, c, false);
    case PORT_VXLAN_GPE:
        return vxlan(w, c, true);
    case PORT_GENEVE:
        return geneve(w, c);
    case PORT_MPLS:
        return walk_to(w, LAYER_MPLS, c.rest);
    default:
        return walk_end(w, DECODED_OTHER);
    }
}
