/* IPv4 and IPv6: lengths that lie, options, extension headers, checksums. */
#include "packet.h"

static void lengths_that_lie(void **state)
{
    (void)state;
    struct made *m = mail4("HELO");
    put16(m->at + 2, 43); /* one byte less: what is behind belongs to nobody */
    check(RAW, m, SEGMENT4("HEL"));
    m = mail4("HELO");
    put16(m->at + 2, 45);
    check(RAW, m, "broken");
    m = mail4("HELO");
    put16(m->at + 2, 65535);
    check(RAW, m, "broken");
    m = mail4("HELO");
    put16(m->at + 2, 19);
    check(RAW, m, "broken");
    m = mail4("HELO");
    m->at[0] = 0x44; /* a header of 16 bytes */
    check(RAW, m, "broken");
    m = mail4("HELO");
    m->at[0] = 0x40; /* of none: read as TCP's, this one would pass */
    m->at[12] = 0x50;
    check(RAW, m, "broken");
    m = mail4("HELO");
    put16(m->at + 2, 39); /* inside of the TCP header */
    check(RAW, m, "broken");
    m = mail6("HELO");
    put16(m->at + 4, 23);
    check(RAW, m, SEGMENT6("HEL"));
    m = mail6("HELO");
    put16(m->at + 4, 25);
    check(RAW, m, "broken");
}

static void a_cut_does_not_excuse_every_lie(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    struct made *m = mail4("0123456789");
    assert_string_equal(decode_part(b, RAW, m->at, 45, 50), SEGMENT4("01234") " +5");
    put16(m->at + 2, 51); /* more than the wire had */
    assert_string_equal(decode_part(b, RAW, m->at, 45, 50), "broken");
    assert_string_equal(decode_part(b, RAW, m->at, 45, 51), SEGMENT4("01234") " +6");
    put16(m->at + 2, 44); /* the cut was in a trailer */
    assert_string_equal(decode_part(b, RAW, m->at, 45, 50), SEGMENT4("0123"));
    free(m);
    /* The outer length ends inside of what was captured: that the capture was cut behind it says nothing. */
    m = mail4("0123456789");
    ip4(m, 4);
    put16(m->at + 2, 65);
    assert_string_equal(decode_part(b, RAW, m->at, 68, 70), "broken");
    free(m);
    bench_free(b);
}

static void no_length_at_all(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    struct made *m = mail4("a segment that the card cuts up later, on its way out");
    put16(m->at + 2, 0);
    assert_string_equal(decode(b, RAW, m), SEGMENT4("a segment that the card cuts up later, on its way out"));
    assert_string_equal(decode_cut(b, RAW, m, 49), SEGMENT4("a segment") " +44");
    free(m);
    m = mail4(""); /* in a frame that short the rest may be padding */
    put16(m->at + 2, 0);
    ethernet(m, 0x0800);
    behind(m, "\0\0\0\0\0\0", 6);
    assert_string_equal(decode(b, ETHERNET, m), "broken");
    free(m);
    bench_free(b);
}

static void options_of_ipv4(void **state)
{
    (void)state;
    static const uint8_t options[40] = {1, 7, 3, 4, 0xff, 0xff, 0x83, 0};
    for (size_t len = 0; len <= 40; len += 4) {
        struct made *m = made_new();
        tcp(m, "NOOP");
        ip4_full(m, 6, 1, 0x4000, options, len);
        check(RAW, m, SEGMENT4("NOOP"));
    }
    struct bench *b = bench_new(&usual);
    struct made *m = made_new();
    ip4_full(m, 6, 1, 0, options, 40);
    assert_string_equal(decode_cut(b, RAW, m, 59), "cut");
    assert_string_equal(decode_part(b, RAW, m->at, 59, 59), "broken");
    free(m);
    bench_free(b);
}

static void extension_headers(void **state)
{
    (void)state;
    struct made *m = made_new();
    tcp(m, "EHLO");
    hex(m, "0601 0104000000000000 000000000000"); /* destination options, 16 bytes */
    hex(m, "3c00 010400000000");                  /* hop by hop */
    ip6(m, 0);
    check(RAW, m, SEGMENT6("EHLO"));
    m = made_new();
    tcp(m, "EHLO");
    hex(m, "06040000 00000001 00000002 000000000000000000000000"); /* AH: (4 + 2) * 4 bytes */
    ip6(m, 51);
    check(RAW, m, SEGMENT6("EHLO"));
    m = made_new();
    tcp(m, "EHLO");
    hex(m, "06040000 00000001 00000002 000000000000000000000000");
    ip4(m, 51);
    check(RAW, m, SEGMENT4("EHLO"));
    m = made_new();
    tcp(m, "EHLO");
    hex(m, "00000001 00000001"); /* ESP */
    ip4(m, 50);
    check(RAW, m, "other");
    m = made_new();
    ip6(m, 59); /* nothing follows */
    check(RAW, m, "other");
    m = made_new();
    hex(m, "06ff 010400000000"); /* longer than the packet */
    ip6(m, 60);
    check(RAW, m, "broken");
    m = made_new();
    hex(m, "06");
    ip6(m, 60);
    check(RAW, m, "broken");
    m = made_new();
    tcp(m, "x");
    hex(m, "0600 010400000000");
    ip4(m, 60); /* not in IPv4 */
    check(RAW, m, "other");
}

/* Runs a routing header with two stops, ...:8 and ...:9, before a segment whose checksum is for `dst`. */
static void route(const char *start, const char *last, bool good)
{
    struct decode_settings set = usual;
    set.verify_checksums = true;
    struct bench *b = bench_new(&set);
    struct made *m = made_new();
    uint8_t dst[16] = {0x20, 1, 0xd, 0xb8};
    dst[15] = (uint8_t)last[0] - '0';
    char expected[200];
    tcp(m, "a");
    tcp_sum(m, six_a, dst, 16);
    hex(m, "20010db8000000000000000000000008 20010db8000000000000000000000009");
    hex(m, start);
    ip6(m, 43);
    snprintf(expected, sizeof expected, "2001:db8::1 1000 2001:db8::%s 25 seq 1 ack 2 flags 18 'a'", last);
    assert_string_equal(decode(b, RAW, m), good ? expected : "checksum");
    free(m);
    bench_free(b);
}

static void routing_headers(void **state)
{
    (void)state;
    route("06040002 00000000", "9", true); /* type 0: the last of the list */
    route("06040000 00000000", "2", true); /* it has arrived */
    route("06040401 01000000", "8", true); /* segment routing: the first of the list */
    route("06040301 00000000", "2", true); /* RPL: not looked into */
    route("06040002 00000000", "2", false);
    struct made *m = made_new();
    tcp(m, "a");
    hex(m, "06000005 00000000"); /* stops left, and none there */
    ip6(m, 43);
    check(RAW, m, SEGMENT6("a"));
}

static void jumbograms(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    struct made *m = made_new();
    tcp(m, "start");
    uint8_t option[8] = {6, 0, 0xc2, 4};
    size_t len = made_len(m) + 8;
    put32(option + 4, len);
    before(m, option, 8);
    ip6(m, 0);
    put16(m->at + 4, 0);
    behind(m, "padding that is not payload", 27);
    assert_string_equal(decode(b, RAW, m), SEGMENT6("start"));
    put32(m->at + 44, 0xffffffff);
    assert_string_equal(decode(b, RAW, m), "broken");
    assert_string_equal(decode_part(b, RAW, m->at, made_len(m), 0xffffffff), "broken");
    put32(m->at + 44, 70000);
    assert_string_equal(decode_part(b, RAW, m->at, 40 + 8 + 20 + 3, 70040), SEGMENT6("sta") " +69969");
    m->at[43] = 3; /* an option of another length says nothing */
    assert_string_equal(decode(b, RAW, m), SEGMENT6("startpadding that is not payload"));
    m->at[42] = 0; /* padding bytes up to the end, then what does not fit */
    m->at[43] = 0;
    assert_string_equal(decode(b, RAW, m), SEGMENT6("startpadding that is not payload"));
    free(m);
    bench_free(b);
}

static void checksums_are_verified_on_request(void **state)
{
    (void)state;
    struct decode_settings set = usual;
    set.verify_checksums = true;
    struct bench *b = bench_new(&set);
    struct made *m = mail4("odd");
    assert_string_equal(decode(b, RAW, m), SEGMENT4("odd"));
    m->at[10] ^= 1;
    assert_string_equal(decode(b, RAW, m), "checksum");
    m->at[10] ^= 1;
    m->end[-1] ^= 1;
    assert_string_equal(decode(b, RAW, m), "checksum");
    assert_string_equal(decode_cut(b, RAW, m, 42), SEGMENT4("od") " +1"); /* cannot be told */
    m->end[-1] ^= 1;
    put16(m->at + 36, 0); /* as a host with offload shows it */
    assert_string_equal(decode(b, RAW, m), "checksum");
    free(m);
    m = mail6("even");
    assert_string_equal(decode(b, RAW, m), SEGMENT6("even"));
    m->at[23] ^= 2; /* the source is part of the sum */
    assert_string_equal(decode(b, RAW, m), "checksum");
    free(m);
    m = mail4("padded");
    ethernet(m, 0x0800);
    behind(m, "\xff\xff\xff", 3);
    assert_string_equal(decode(b, ETHERNET, m), SEGMENT4("padded"));
    free(m);
    static char longest[70001]; /* longer than 16 bits can say */
    memset(longest, 'x', sizeof longest - 1);
    m = made_new();
    tcp(m, longest);
    tcp_sum(m, six_a, six_b, 16);
    ip6(m, 6);
    put16(m->at + 4, 0);
    assert_memory_equal(decode(b, RAW, m), SEGMENT6("xxx"), sizeof SEGMENT6("xxx") - 2);
    free(m);
    assert_int_equal(decoder_stats(b->decoder)->checksum, 4);
    bench_free(b);
    m = mail4("x"); /* unasked, nothing is verified */
    m->at[10] ^= 1;
    m->end[-1] ^= 1;
    check(RAW, m, SEGMENT4("y"));
}

static void ip_in_ip(void **state)
{
    (void)state;
    struct made *m = mail6("a");
    ip4(m, 41);
    check(RAW, m, SEGMENT6("a"));
    m = mail4("a");
    ip6(m, 4);
    ethernet(m, 0x86dd);
    check(ETHERNET, m, SEGMENT4("a"));
    m = mail4("a");
    hex(m, "00010140");
    ip4(m, 137);
    check(RAW, m, SEGMENT4("a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_that_lie),  cmocka_unit_test(a_cut_does_not_excuse_every_lie),
        cmocka_unit_test(no_length_at_all),  cmocka_unit_test(options_of_ipv4),
        cmocka_unit_test(extension_headers), cmocka_unit_test(routing_headers),
        cmocka_unit_test(jumbograms),        cmocka_unit_test(checksums_are_verified_on_request),
        cmocka_unit_test(ip_in_ip),
    };
    return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
