/* decode.c: one packet to one TCP segment, with its counters.
 * In: struct packet. Out: struct segment. Owns: fragments. Limits: struct decode_settings. */
#include <assert.h>
#include <stdlib.h>
#include "decode/layers.h"

struct decoder *decoder_new(const struct decode_settings *set)
{
    struct decoder *dec = calloc(1, sizeof *dec);
    assert(dec);
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

enum decoded decode_packet(struct decoder *dec, const struct packet *pkt, struct segment *ret)
{
    fragments_release(dec->fragments);
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
    return w.verdict;
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
