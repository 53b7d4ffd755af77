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

enum decoded decode_packet(struct decoder *dec, const struct packet *pkt, struct segment *ret)
{
    struct walk w = {.dec = dec, .pkt = pkt, .ret = ret, .cut = pkt->wire_len > pkt->bytes.len};
    enum decoded got = link_decode(&w, pkt->link_type, pkt->bytes);
    uint64_t *const counts[] = {
        [DECODED_TCP] = &dec->stats.tcp, [DECODED_HELD] = &dec->stats.held,     [DECODED_OTHER] = &dec->stats.other,
        [DECODED_CUT] = &dec->stats.cut, [DECODED_BROKEN] = &dec->stats.broken, [DECODED_CHECKSUM] = &dec->stats.checksum,
    };
    ++*counts[got];
    return got;
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
