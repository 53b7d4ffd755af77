/* The headers below TCP, one function a layer. Each takes the bytes from its header on. */
#ifndef DECODE_LAYERS_H
#define DECODE_LAYERS_H

#include "base/cursor.h"
#include "decode/decode.h"
#include "decode/fragment.h"

struct decoder {
    struct decode_settings set;
    struct decode_stats stats;
    struct fragments *fragments;
};

/* One packet's way through the layers. */
struct walk {
    struct decoder *dec;
    const struct packet *pkt;
    struct segment *ret;
    uint32_t layers;
    bool cut; /* the capture holds less than the wire did */
};

/* Counts a header; false over max_layers. */
static inline bool walk_enter(struct walk *w)
{
    return ++w->layers <= w->dec->set.max_layers;
}

/* What a header that does not fit into the captured bytes means. */
static inline enum decoded walk_short(const struct walk *w)
{
    return w->cut ? DECODED_CUT : DECODED_BROKEN;
}

enum decoded link_decode(struct walk *w, uint16_t link_type, struct slice bytes);
enum decoded link_ethernet(struct walk *w, struct slice bytes);
enum decoded link_ethertype(struct walk *w, uint16_t type, struct slice bytes);
/* IPv4 or IPv6, told by the first nibble. */
enum decoded ip_decode(struct walk *w, struct slice bytes);
enum decoded ip_payload(struct walk *w, uint8_t protocol, const struct address *src, const struct address *dst,
                        struct slice bytes, uint32_t uncaptured);
enum decoded tunnel_gre(struct walk *w, struct slice bytes);
enum decoded tunnel_udp(struct walk *w, struct slice bytes);
enum decoded tcp_decode(struct walk *w, const struct address *src, const struct address *dst, struct slice bytes,
                        uint32_t uncaptured);
uint32_t checksum_add(uint32_t sum, struct slice bytes);
bool checksum_good(uint32_t sum);

#endif
