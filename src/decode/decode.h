/* One packet to one TCP segment: link layers, tunnels, IP, fragments, TCP. */
#ifndef DECODE_DECODE_H
#define DECODE_DECODE_H

#include "base/net.h"
#include "capture/source.h"

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PUSH = 8, TCP_ACK = 16, TCP_URG = 32 };

struct segment {
    struct timespec ts;
    struct endpoint src, dst;
    uint32_t seq, ack;    /* host order */
    uint8_t flags;        /* enum tcp_flag */
    bool is_signed : 1;   /* it has an option of TCP that most receivers drop it for */
    bool ambiguous : 1;   /* its datagram's fragments contradicted each other */
    uint8_t scaling : 4;  /* of a SYN: it offers to scale windows by one power of two less; 0: it does not */
    uint16_t window;      /* as it stands there, unscaled */
    uint32_t uncaptured;  /* payload bytes that were on the wire and that the snap length cut */
    struct slice payload; /* inside the packet's bytes, or in the decoder for a reassembled datagram: valid
                             until the next call of decode_packet */
};

enum decoded {
    DECODED_TCP,      /* *ret is set */
    DECODED_HELD,     /* a fragment, kept until its datagram is whole */
    DECODED_OTHER,    /* well-formed and not TCP over IP, or a link type or tunnel that is not known, or over
                         max_layers */
    DECODED_CUT,      /* the snap length ended it before the TCP header did */
    DECODED_BROKEN,   /* a header contradicts itself or the packet's length */
    DECODED_CHECKSUM, /* dropped: one is wrong, and `verify_checksums` is on or the datagram came in fragments
                       */
};

struct decode_settings {
    bool verify_checksums;
    uint32_t max_layers;         /* headers below TCP, tunnels included */
    uint32_t fragment_datagrams; /* datagrams under reassembly at once */
    size_t fragment_bytes;       /* bytes of fragments held in all */
    double fragment_timeout_s;   /* packet time after which an unfinished datagram is dropped */
};

struct decode_stats {
    uint64_t tcp, held, other, cut, broken, checksum; /* one per enum decoded */
    uint64_t fragments_expired, fragments_shed;       /* datagrams given up: too old, over budget */
    uint64_t too_deep; /* packets with more than max_layers headers; in `other` too */
};

struct decoder;

/* `set` is copied. The decoder is the caller's until decoder_free. */
struct decoder *decoder_new(const struct decode_settings *set);
/* Understands Ethernet with LLC/SNAP, 802.1Q and QinQ, MPLS with and without a pseudowire, PPP and PPPoE,
 * Cisco HDLC, Linux SLL and SLL2, raw IP, BSD null/loop; GRE, NVGRE, IP in IP, VXLAN and VXLAN-GPE, Geneve,
 * MPLS in UDP, ERSPAN I to III; IPv4 (RFC 791), IPv6 with extension headers (RFC 8200), AH, fragments of both
 * (first copy of a byte wins); TCP (RFC 9293). Never reads outside pkt->bytes. *ret is set for DECODED_TCP
 * only. */
enum decoded decode_packet(struct decoder *dec, const struct packet *pkt, struct segment *ret);
const struct decode_stats *decoder_stats(const struct decoder *dec);
void decoder_free(struct decoder **dec);

#endif
