/* decode.c: one packet to one TCP segment, with its counters.
 * In: struct packet. Out: struct segment. Owns: fragments. Limits: struct decode_settings. */
#include <stdlib.h>
#include "decode/layers.h"

#include "base/memory.h"

struct decoder *decoder_new(const struct decode_settings *set)
{
    struct decoder *dec = calloc(1, sizeof *dec);
    memory_check(dec);
    dec->set = *set;
    dec->fragments = fragments_new(&dec->set, &dec->stats);
    return dec;
}

static enum layer go(struct walk *w, enum layer layer)
{
    switch (layer) {
    case LAYER_ETHERNET:
        return link_ethernet(w);
    case LAYER_VLAN:
        return link_vlan(w);
    case LAYER_SNAP:
        return link_snap(w);
    case LAYER_MPLS:
        return link_mpls(w);
    case LAYER_PPPOE:
        return link_pppoe(w);
    case LAYER_PPP:
        return link_ppp(w);
    case LAYER_IP:
        return ip_header(w);
    case LAYER_EXTENSION:
        return ip_extension(w);
    case LAYER_FRAGMENT:
        return ip_fragment(w);
    case LAYER_GRE:
        return tunnel_gre(w);
    case LAYER_UDP:
        return tunnel_udp(w);
    case LAYER_TCP:
        return tcp_header(w);
    case LAYER_END:
        break;
    }
    return LAYER_END;
}

static uint32_t get32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* No options, or a time stamp, as nearly all segments of a connection have it. */
static bool has_usual_options(const uint8_t *tcp, size_t header)
{
    return header == 20 || (header == 32 && get32(tcp + 20) == 0x0101080a);
}

/* Nearly every packet: a whole Ethernet frame with IPv4 and TCP, without anything that wants a second look.
 * The layers come to the same verdict on it. */
static bool is_usual(const struct decoder *dec, const struct packet *pkt, struct segment *ret)
{
    enum { ETHERNET = 1, IP = 14, TCP = IP + 20, LAYERS = 2 };
    const uint8_t *b = pkt->bytes.data;
    if (pkt->link_type != ETHERNET || pkt->bytes.len < TCP + 20 || pkt->wire_len != pkt->bytes.len ||
        dec->set.verify_checksums || dec->set.max_layers < LAYERS)
        return false;
    size_t end = IP + (size_t)(b[IP + 2] << 8 | b[IP + 3]), header = (size_t)(b[TCP + 12] >> 4) * 4;
    bool ipv4 = get32(b + 12) >> 8 == 0x080045, whole_tcp = (get32(b + IP + 6) & 0x3fff00ff) == 6;
    if (!ipv4 || !whole_tcp || TCP + header > end || end > pkt->bytes.len ||
        !has_usual_options(b + TCP, header))
        return false;
    /* Field by field: to clear the whole of it first takes longer than all else here, and so does to copy at
     * once what was just written in parts. */
    ret->ts.tv_sec = pkt->ts.tv_sec;
    ret->ts.tv_nsec = pkt->ts.tv_nsec;
    ret->src.addr = (struct address){.family = 4};
    ret->dst.addr = (struct address){.family = 4};
    memcpy(ret->src.addr.bytes, b + IP + 12, 4);
    memcpy(ret->dst.addr.bytes, b + IP + 16, 4);
    ret->src.port = (uint16_t)(b[TCP] << 8 | b[TCP + 1]);
    ret->dst.port = (uint16_t)(b[TCP + 2] << 8 | b[TCP + 3]);
    ret->seq = get32(b + TCP + 4);
    ret->ack = get32(b + TCP + 8);
    ret->flags = b[TCP + 13] & 0x3f;
    ret->is_signed = ret->ambiguous = false;
    ret->scaling = 0;
    ret->window = (uint16_t)(b[TCP + 14] << 8 | b[TCP + 15]);
    ret->uncaptured = 0;
    ret->payload = (struct slice){b + TCP + header, end - TCP - header};
    return true;
}

/* All that there is. What few packets need must not make the way of the others longer. */
__attribute__((noinline)) static enum decoded decode_any(struct decoder *dec, const struct packet *pkt,
                                                         struct segment *ret)
{
    struct walk w = {.dec = dec, .pkt = pkt, .ret = ret, .bytes = pkt->bytes, .verdict = DECODED_OTHER};
    w.missing = pkt->wire_len > pkt->bytes.len ? pkt->wire_len - (uint32_t)pkt->bytes.len : 0;
    enum layer layer = link_first(&w);
    while (layer != LAYER_END) {
        if (layer != LAYER_TCP && ++w.layers > dec->set.max_layers) {
            dec->stats.too_deep++;
            w.verdict = DECODED_OTHER;
            break;
        }
        layer = go(&w, layer);
    }
    uint64_t *const counts[] = {
        [DECODED_TCP] = &dec->stats.tcp,       [DECODED_HELD] = &dec->stats.held,
        [DECODED_OTHER] = &dec->stats.other,   [DECODED_CUT] = &dec->stats.cut,
        [DECODED_BROKEN] = &dec->stats.broken, [DECODED_CHECKSUM] = &dec->stats.checksum,
    };
    ++*counts[w.verdict];
    dec->lends = w.reassembled;
    return w.verdict;
}

enum decoded decode_packet(struct decoder *dec, const struct packet *pkt, struct segment *ret)
{
    if (dec->lends) {
        fragments_release(dec->fragments);
        dec->lends = false;
    }
    if (!is_usual(dec, pkt, ret))
        return decode_any(dec, pkt, ret);
    dec->stats.tcp++;
    return DECODED_TCP;
}

const struct decode_stats *decoder_stats(const struct decoder *dec)
{
    return &dec->stats;
}

void decoder_free(struct decoder **pdec)
{
    struct decoder *dec = *pdec;
    *pdec = NULL;
    if (!dec)
        return;
    fragments_free(&dec->fragments);
    free(dec);
}
