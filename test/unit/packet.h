/* Packets for the tests of the decoder: each function puts one header before what is there already, so that a
 * packet is written from the inside out. `decode` runs one through a decoder, from memory of exactly its
 * size, and says in one line what came of it. */
#ifndef TEST_PACKET_H
#define TEST_PACKET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "decode/decode.h"
#include "decode/layers.h"

enum { ROOM = 480000, BEHIND = 80000, ETHERNET = 1, RAW = 101 };

struct made {
    uint8_t room[ROOM], *at; /* the packet is [at, end) */
    uint8_t *end;
};

static inline struct made *made_new(void)
{
    struct made *m = malloc(sizeof *m);
    assert_non_null(m);
    m->at = m->end = m->room + ROOM - BEHIND;
    return m;
}

static inline size_t made_len(const struct made *m)
{
    return (size_t)(m->end - m->at);
}

static inline void before(struct made *m, const void *bytes, size_t len)
{
    assert_true((size_t)(m->at - m->room) >= len);
    m->at -= len;
    memcpy(m->at, bytes, len);
}

static inline void behind(struct made *m, const void *bytes, size_t len)
{
    assert_true((size_t)(m->room + ROOM - m->end) >= len);
    memcpy(m->end, bytes, len);
    m->end += len;
}

/* Bytes written as hexadecimal digits; blanks between them are fine. */
static inline void hex(struct made *m, const char *digits)
{
    uint8_t bytes[512];
    size_t len = 0;
    unsigned value;
    int used;
    while (sscanf(digits, " %2x%n", &value, &used) == 1) {
        bytes[len++] = (uint8_t)value;
        digits += used;
    }
    before(m, bytes, len);
}

static inline void put16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, size_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static inline uint32_t sum_of(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* From port 1000 to port 25, seq 1, ack 2, PUSH and ACK; the checksum is for 10.0.0.1 to 10.0.0.2 until it is
 * corrected by `tcp_sum`. */
enum { MADE_WINDOW = 0x2000 };

static inline void tcp(struct made *m, const char *payload)
{
    uint8_t h[20] = {0x03, 0xe8, 0, 25, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 0x20, 0};
    behind(m, payload, strlen(payload));
    before(m, h, sizeof h);
}

/* Makes the checksum of the segment right, before an IP header goes around it. Addresses are 4 or 16 bytes
 * each. */
static inline void tcp_sum(struct made *m, const uint8_t *src, const uint8_t *dst, size_t len)
{
    uint8_t tail[8] = {0};
    put32(tail, made_len(m));
    tail[7] = 6;
    put16(m->at + 16, 0);
    uint32_t sum = sum_of(sum_of(sum_of(0, src, len), dst, len), tail, 8);
    put16(m->at + 16, (uint16_t)~sum_of(sum, m->at, made_len(m)));
}

static const uint8_t four_a[4] = {10, 0, 0, 1}, four_b[4] = {10, 0, 0, 2};
static const uint8_t six_a[16] = {0x20, 1, 0xd, 0xb8, [15] = 1}, six_b[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};

/* `offset` is the whole field: flags and eighths. `options` is empty or a multiple of 4 long. */
static inline void ip4_full(struct made *m, uint8_t protocol, uint16_t id, uint16_t offset,
                            const void *options, size_t options_len)
{
    uint8_t h[60] = {0};
    size_t len = 20 + options_len;
    h[0] = (uint8_t)(0x40 | len / 4);
    put16(h + 2, len + made_len(m));
    put16(h + 4, id);
    put16(h + 6, offset);
    h[8] = 64;
    h[9] = protocol;
    memcpy(h + 12, four_a, 4);
    memcpy(h + 16, four_b, 4);
    if (options_len)
        memcpy(h + 20, options, options_len);
    put16(h + 10, (uint16_t)~sum_of(0, h, len));
    before(m, h, len);
}

static inline void ip4(struct made *m, uint8_t protocol)
{
    ip4_full(m, protocol, 7, 0, NULL, 0);
}

static inline void ip6(struct made *m, uint8_t next)
{
    uint8_t h[40] = {0x60};
    put16(h + 4, made_len(m));
    h[6] = next;
    h[7] = 64;
    memcpy(h + 8, six_a, 16);
    memcpy(h + 24, six_b, 16);
    before(m, h, sizeof h);
}

static inline void type(struct made *m, uint16_t ethertype)
{
    uint8_t h[2];
    put16(h, ethertype);
    before(m, h, 2);
}

static inline void ethernet(struct made *m, uint16_t ethertype)
{
    type(m, ethertype);
    hex(m, "020000000002 020000000001");
}

static inline void vlan(struct made *m, uint16_t ethertype)
{
    type(m, ethertype);
    hex(m, "0064");
}

static inline void udp(struct made *m, uint16_t to)
{
    uint8_t h[8] = {0xc0, 0};
    put16(h + 2, to);
    put16(h + 4, 8 + made_len(m));
    before(m, h, sizeof h);
}

/* IPv4 with a segment that says `payload`. */
static inline struct made *mail4(const char *payload)
{
    struct made *m = made_new();
    tcp(m, payload);
    tcp_sum(m, four_a, four_b, 4);
    ip4(m, 6);
    return m;
}

static inline struct made *mail6(const char *payload)
{
    struct made *m = made_new();
    tcp(m, payload);
    tcp_sum(m, six_a, six_b, 16);
    ip6(m, 6);
    return m;
}

static const struct decode_settings usual = {
    .max_layers = 16, .fragment_datagrams = 64, .fragment_bytes = 1 << 20, .fragment_timeout_s = 30};

struct bench {
    struct decoder *decoder;
    struct timespec now;
    char text[4096];
};

static inline struct bench *bench_new(const struct decode_settings *set)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->decoder = decoder_new(set);
    b->now.tv_sec = 1000;
    return b;
}

static inline void bench_free(struct bench *b)
{
    decoder_free(&b->decoder);
    assert_null(b->decoder);
    free(b);
}

static inline void say_segment(struct bench *b, const struct segment *seg)
{
    char from[ADDRESS_TEXT], to[ADDRESS_TEXT];
    address_text(&seg->src.addr, from);
    address_text(&seg->dst.addr, to);
    int n = snprintf(b->text, sizeof b->text, "%s %u %s %u seq %u ack %u flags %02x '%.*s'", from,
                     seg->src.port, to, seg->dst.port, seg->seq, seg->ack, seg->flags, (int)seg->payload.len,
                     (const char *)seg->payload.data);
    if (seg->uncaptured)
        n += snprintf(b->text + n, sizeof b->text - (size_t)n, " +%u", seg->uncaptured);
    if (seg->ambiguous)
        n += snprintf(b->text + n, sizeof b->text - (size_t)n, " ambiguous");
    if (seg->is_signed)
        n += snprintf(b->text + n, sizeof b->text - (size_t)n, " signed");
    if (seg->scaling)
        n += snprintf(b->text + n, sizeof b->text - (size_t)n, " scaling %u", seg->scaling);
    if (seg->window != MADE_WINDOW)
        snprintf(b->text + n, sizeof b->text - (size_t)n, " window %u", seg->window);
}

/* Decodes the first `captured` bytes of a packet that had `wire` of them. */
static inline const char *decode_part(struct bench *b, uint16_t link, const uint8_t *bytes, size_t captured,
                                      size_t wire)
{
    static const char *const names[] = {
        [DECODED_TCP] = "tcp", [DECODED_HELD] = "held",     [DECODED_OTHER] = "other",
        [DECODED_CUT] = "cut", [DECODED_BROKEN] = "broken", [DECODED_CHECKSUM] = "checksum"};
    struct segment seg;
    uint8_t *exact = malloc(captured ? captured : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, captured);
    struct packet pkt = {b->now, {exact, captured}, NULL, (uint32_t)wire, link};
    memset(&seg, 0xee, sizeof seg);
    enum decoded got = decode_packet(b->decoder, &pkt, &seg);
    snprintf(b->text, sizeof b->text, "%s", names[got]);
    if (got == DECODED_TCP)
        say_segment(b, &seg);
    free(exact);
    return b->text;
}

static inline const char *decode_cut(struct bench *b, uint16_t link, const struct made *m, size_t captured)
{
    return decode_part(b, link, m->at, captured, made_len(m));
}

static inline const char *decode(struct bench *b, uint16_t link, const struct made *m)
{
    return decode_cut(b, link, m, made_len(m));
}

/* The same in a decoder of its own, and the packet is freed. */
static inline void check(uint16_t link, struct made *m, const char *expected)
{
    struct bench *b = bench_new(&usual);
    assert_string_equal(decode(b, link, m), expected);
    bench_free(b);
    free(m);
}

#define SEGMENT4(payload) "10.0.0.1 1000 10.0.0.2 25 seq 1 ack 2 flags 18 '" payload "'"
#define SEGMENT6(payload) "2001:db8::1 1000 2001:db8::2 25 seq 1 ack 2 flags 18 '" payload "'"

#endif
