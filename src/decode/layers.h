/* The headers below TCP, one function a layer. A layer reads the header that w->bytes starts with and says
 * which comes next; the loop in decode_packet goes there. So depth costs no stack, however a packet is nested
 * and whatever max_layers says. */
#ifndef DECODE_LAYERS_H
#define DECODE_LAYERS_H

#include "base/cursor.h"
#include "decode/decode.h"
#include "decode/fragment.h"

enum layer {
    LAYER_END, /* w->verdict says how it went */
    LAYER_ETHERNET,
    LAYER_VLAN,
    LAYER_SNAP,
    LAYER_MPLS,
    LAYER_PPPOE,
    LAYER_PPP,
    LAYER_IP,
    LAYER_EXTENSION, /* of IPv6, and AH of both */
    LAYER_FRAGMENT,  /* of IPv6 */
    LAYER_GRE,
    LAYER_UDP,
    LAYER_TCP,
};

/* A tunnel says that it cut what it carries, and not by how much. */
#define MISSING_UNKNOWN UINT32_MAX

enum { TYPE_LEAST = 1536 }; /* of an EtherType; what is below it is a length */

struct decoder {
    struct decode_settings set;
    struct decode_stats stats;
    struct fragments *fragments;
    bool lends; /* the last segment lies in a reassembled datagram */
};

/* One packet's way through the layers. */
struct walk {
    struct decoder *dec;
    const struct packet *pkt;
    struct segment *ret;
    enum decoded verdict;
    uint32_t layers;
    struct slice bytes;      /* from the next header on; ends where the innermost length field says */
    uint32_t missing;        /* bytes behind them that were on the wire and are not in the capture */
    struct address src, dst; /* of the innermost IP header */
    uint8_t protocol;        /* what IP, or an extension header, says comes next */
    bool reassembled;        /* out of fragments */
    bool ambiguous;          /* which contradicted each other */
};

static inline enum layer walk_to(struct walk *w, enum layer next, struct slice bytes)
{
    w->bytes = bytes;
    return next;
}

static inline enum layer walk_end(struct walk *w, enum decoded verdict)
{
    w->verdict = verdict;
    return LAYER_END;
}

/* A header does not fit into the bytes that are there. */
static inline enum layer walk_short(struct walk *w)
{
    return walk_end(w, w->missing ? DECODED_CUT : DECODED_BROKEN);
}

/* Takes from *rest what a length field promises; what lies behind is padding or a trailer. False: it promises
 * more than there was. */
static inline bool walk_promise(struct walk *w, struct slice *rest, size_t promised)
{
    if (promised <= rest->len) {
        rest->len = promised;
        w->missing = 0;
        return true;
    }
    if (promised - rest->len > w->missing)
        return false;
    w->missing = (uint32_t)(promised - rest->len);
    return true;
}

enum layer link_first(struct walk *w);
enum layer link_ethernet(struct walk *w);
enum layer link_vlan(struct walk *w);
enum layer link_snap(struct walk *w);
enum layer link_mpls(struct walk *w);
enum layer link_pppoe(struct walk *w);
enum layer link_ppp(struct walk *w);
/* The layer that an ethertype names; a length, below 1536, stands for LLC. */
enum layer link_type(struct walk *w, uint16_t type, struct slice bytes);
enum layer ip_header(struct walk *w);
enum layer ip_extension(struct walk *w);
enum layer ip_fragment(struct walk *w);
/* Whether `bytes`, of which nothing but the first nibble says so, can be an IP packet. */
bool ip_plausible(const struct walk *w, struct slice bytes);
enum layer tunnel_gre(struct walk *w);
enum layer tunnel_udp(struct walk *w);
enum layer tcp_header(struct walk *w);
uint32_t checksum_add(uint32_t sum, struct slice bytes);
bool checksum_good(uint32_t sum);

#endif
