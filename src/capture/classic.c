/* classic.c: the packets of a pcap file of version 2.4, in the order and resolution that its magic says.
 * In: plain bytes. Out: packets, inside of the window. Owns: nothing. Limits: PACKET_MAX, as libpcap has.
 * The rare dialects, and links whose packets libpcap changes or lets be longer, stay with libpcap, as does
 * the judgement of a file's header: what is here is one loop that copies nothing. What it says of damage is
 * what libpcap says. Knowingly: seconds are taken for unsigned, hence right until 2106.
 * Spec: draft-ietf-opsawg-pcap. */
#include "capture/classic.h"

#include <errno.h>

enum { PACKET_HEADER = 16, PACKET_MAX = 262144 };

static uint32_t get32(const struct classic *c, const uint8_t *b)
{
    uint32_t v;
    memcpy(&v, b, 4);
    return c->swap ? __builtin_bswap32(v) : v;
}

/* Links that this program reads, all of them without oddities of their own. */
static bool is_plain_link(uint32_t network)
{
    static const uint16_t links[] = {0, 1, 9, 12, 14, 50, 51, 101, 104, 108, 113, 228, 229, 276};
    size_t i = 0, count = sizeof links / sizeof *links;
    while (i < count && links[i] != (network & 0x03ffffff)) /* above: the length of an FCS */
        i++;
    return i < count;
}

bool classic_is(struct slice first, struct classic *ret)
{
    *ret = (struct classic){0};
    if (first.len < CLASSIC_HEADER)
        return false;
    uint32_t magic = get32(ret, first.data), micro = 0xa1b2c3d4, nano = 0xa1b23c4d;
    ret->swap = magic == __builtin_bswap32(micro) || magic == __builtin_bswap32(nano);
    magic = get32(ret, first.data);
    ret->nano = magic == nano;
    uint32_t version = get32(ret, first.data + 4), expected = ret->swap ? 2 << 16 | 4 : 4 << 16 | 2;
    return (magic == micro || magic == nano) && version == expected &&
           is_plain_link(get32(ret, first.data + 20));
}

/* Writers exist that let the fraction reach a second, and a damaged file may hold anything. */
static struct timespec time_of(const struct classic *c, uint64_t seconds, uint64_t part)
{
    if (part > INT32_MAX)
        part = 0;
    if (!c->nano)
        part *= 1000;
    while (part >= 1000000000) {
        part -= 1000000000;
        seconds++;
    }
    return (struct timespec){(time_t)seconds, (long)part};
}

static int cut(struct classic *c, const char *what, size_t wanted, size_t there)
{
    snprintf(c->reason, sizeof c->reason, "truncated dump file; tried to read %zu %s bytes, only got %zu",
             wanted, what, there);
    return -EIO;
}

bool classic_is_ready(const struct classic *c)
{
    struct slice there = window_there(c->window);
    return there.len >= PACKET_HEADER && there.len - PACKET_HEADER >= get32(c, there.data + 8);
}

/* Reads until a packet is whole. */
static int fetch(struct classic *c)
{
    struct slice head = window_look(c->window, PACKET_HEADER);
    if (head.len < PACKET_HEADER)
        return head.len ? cut(c, "header", PACKET_HEADER, head.len) : 0;
    uint32_t len = get32(c, head.data + 8);
    if (len > PACKET_MAX) {
        bool over_snap = len > c->snap_len;
        snprintf(c->reason, sizeof c->reason, "invalid packet capture length %u, bigger than %s of %u", len,
                 over_snap ? "snaplen" : "maximum", over_snap ? c->snap_len : PACKET_MAX);
        return -EIO;
    }
    struct slice whole = window_look(c->window, PACKET_HEADER + len);
    if (whole.len < PACKET_HEADER + len)
        return cut(c, "captured", len, whole.len - PACKET_HEADER);
    return 1;
}

/* Those that were read as a whole. */
static int take_whole(struct classic *c, struct packet *ret, int most)
{
    struct slice there = window_there(c->window);
    struct block *block = window_lend(c->window);
    int count = 0;
    while (count < most && there.len >= PACKET_HEADER) {
        const uint8_t *b = there.data;
        uint32_t len = get32(c, b + 8), wire = get32(c, b + 12);
        if (len > PACKET_MAX || len > there.len - PACKET_HEADER)
            break;
        uint32_t kept = len < c->snap_len ? len : c->snap_len;
        ret[count++] = (struct packet){.bytes = {b + PACKET_HEADER, kept},
                                       .block = block,
                                       .wire_len = wire < kept ? kept : wire,
                                       .link_type = c->link_type,
                                       .ts = time_of(c, get32(c, b), get32(c, b + 4))};
        there = (struct slice){b + PACKET_HEADER + len, there.len - PACKET_HEADER - len};
    }
    window_pass(c->window, (size_t)(there.data - window_there(c->window).data));
    return count;
}

int classic_next(struct classic *c, struct packet *ret, int most)
{
    int got = take_whole(c, ret, most);
    if (!got && (got = fetch(c)) > 0)
        got = take_whole(c, ret, most);
    return got;
}
