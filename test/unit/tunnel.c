/* Tunnels, and damage to every kind of packet. */
#include "packet.h"

struct wrapping {
    const char *name, *header; /* what stands before the inner packet */
    char inner;                /* e: Ethernet, 4, 6: IP */
    bool known;
};

static struct made *inner_of(char kind)
{
    struct made *m = kind == '6' ? mail6("MAIL") : mail4("MAIL");
    if (kind == 'e')
        ethernet(m, 0x0800);
    return m;
}

static const char *expected_of(const struct wrapping *w)
{
    if (!w->known)
        return "other";
    return w->inner == '6' ? SEGMENT6("MAIL") : SEGMENT4("MAIL");
}

static const struct wrapping gre[] = {
    {"plain", "0000 0800", '4', true},
    {"IPv6", "0000 86dd", '6', true},
    {"checksum", "8000 0800 00000000", '4', true},
    {"key", "2000 0800 00000001", '4', true},
    {"sequence", "1000 0800 00000001", '4', true},
    {"all three", "b000 0800 00000000 00000001 00000002", '4', true},
    {"NVGRE", "2000 6558 00006401", 'e', true},
    {"bridged", "0000 6558", 'e', true},
    {"VLAN", "0000 8100 0064 0800", '4', true},
    {"MPLS", "0000 8847 00010140", '4', true},
    {"PPP", "0000 880b ff03 0021", '4', true},
    {"ERSPAN I", "0000 88be", 'e', true},
    {"ERSPAN II", "1000 88be 00000001 10640001 00000000", 'e', true},
    {"ERSPAN III", "1000 22eb 00000001 20640001 00000000 0000 0000", 'e', true},
    {"ERSPAN III with platform part", "1000 22eb 00000001 20640001 00000000 0000 0001 0000000000000000", 'e',
     true},
    {"ERSPAN III with IP", "1000 22eb 00000001 20640001 00000000 0000 0800", '4', true},
    {"ERSPAN III with who knows what", "1000 22eb 00000001 20640001 00000000 0000 0400", '4', false},
    {"version 1 (PPTP)", "3001 880b 00000001 00000001", '4', false},
    {"source routes, without their end", "4000 0800 00000000", '4', false},
    {"source routes", "4000 0800 00000000 00000000", '4', false},
    {"a length for a type", "0000 0040 aaaa03 000000 0800", '4', false},
    {"keepalive", "0000 0000", '4', false},
};

enum { GRES = sizeof gre / sizeof *gre };

static void over_gre(void **state)
{
    (void)state;
    for (size_t i = 0; i < GRES; i++) {
        print_message("# GRE, %s\n", gre[i].name);
        struct made *m = inner_of(gre[i].inner);
        hex(m, gre[i].header);
        ip4(m, 47);
        check(RAW, m, expected_of(&gre[i]));
        m = inner_of(gre[i].inner);
        hex(m, gre[i].header);
        ip6(m, 47);
        check(RAW, m, expected_of(&gre[i]));
    }
}

struct udp_wrapping {
    uint16_t port;
    struct wrapping w;
};

static const struct udp_wrapping udps[] = {
    {4789, {"VXLAN", "08000000 00006400", 'e', true}},
    {4789, {"VXLAN with a group policy", "88000001 00006400", 'e', true}},
    {4789, {"VXLAN without its flag", "00000000 00006400", 'e', false}},
    {8472, {"VXLAN on the old port", "08000000 00006400", 'e', true}},
    {4790, {"VXLAN-GPE, IPv4", "0c000001 00006400", '4', true}},
    {4790, {"VXLAN-GPE, IPv6", "0c000002 00006400", '6', true}},
    {4790, {"VXLAN-GPE, Ethernet", "0c000003 00006400", 'e', true}},
    {4790, {"VXLAN-GPE, MPLS", "0c000005 00006400 00010140", '4', true}},
    {4790, {"VXLAN-GPE, no next protocol", "08000000 00006400", 'e', true}},
    {4790, {"VXLAN-GPE, NSH", "0c000004 00006400", 'e', false}},
    {4790, {"VXLAN-GPE, protocol 0", "0c000000 00006400", 'e', false}},
    {4790, {"VXLAN-GPE, protocol 255", "0c0000ff 00006400", 'e', false}},
    {4790, {"VXLAN-GPE, version 1", "1c000001 00006400", '4', false}},
    {4790, {"VXLAN-GPE, control", "0d000001 00006400", '4', false}},
    {6081, {"Geneve, Ethernet", "0000 6558 00006400", 'e', true}},
    {6081, {"Geneve, IPv4", "0000 0800 00006400", '4', true}},
    {6081, {"Geneve, two words of options", "0240 6558 00006400 01028001 00000000", 'e', true}},
    {6081, {"Geneve, version 1", "4000 6558 00006400", 'e', false}},
    {6081, {"Geneve, control", "0080 6558 00006400", 'e', false}},
    {6635, {"MPLS", "00010040 00020140", '4', true}},
    {4791, {"another port", "08000000 00006400", 'e', false}},
    {53, {"another port", "0000 6558 00006400", 'e', false}},
};

enum { UDPS = sizeof udps / sizeof *udps };

static void over_udp(void **state)
{
    (void)state;
    for (size_t i = 0; i < UDPS; i++) {
        print_message("# UDP port %u, %s\n", udps[i].port, udps[i].w.name);
        struct made *m = inner_of(udps[i].w.inner);
        hex(m, udps[i].w.header);
        udp(m, udps[i].port);
        ip4(m, 17);
        check(RAW, m, expected_of(&udps[i].w));
    }
    struct made *m = inner_of('e');
    hex(m, "08000000 00006400");
    udp(m, 53);
    put16(m->at, 4789); /* the source port does not count */
    ip4(m, 17);
    check(RAW, m, "other");
}

static struct made *vxlan(void)
{
    struct made *m = mail4("0123456789");
    ethernet(m, 0x0800);
    hex(m, "08000000 00006400");
    udp(m, 4789);
    return m;
}

static void lengths_of_udp(void **state)
{
    (void)state;
    struct made *m = vxlan();
    put16(m->at + 4, 0); /* left to the hardware */
    ip4(m, 17);
    check(RAW, m, SEGMENT4("0123456789"));
    m = vxlan();
    put16(m->at + 4, 60000);
    ip4(m, 17);
    check(RAW, m, SEGMENT4("0123456789"));
    m = vxlan();
    put16(m->at + 4, made_len(m) - 1); /* the inner packet is longer than the outer one */
    ip4(m, 17);
    check(RAW, m, "broken");
    m = vxlan();
    put16(m->at + 4, 12);
    ip4(m, 17);
    check(RAW, m, "broken");
}

static void padding_inside(void **state)
{
    (void)state;
    struct made *m = mail4("");
    ethernet(m, 0x0800);
    behind(m, "\0\0\0\0\0\0", 6);
    hex(m, "08000000 00006400");
    udp(m, 4789);
    ip4(m, 17);
    ethernet(m, 0x0800);
    check(ETHERNET, m, SEGMENT4(""));
}

static void cuts_inside(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    struct made *m = mail4("0123456789");
    ethernet(m, 0x0800);
    behind(m, "\0\0\0\0", 4); /* padding of the inner frame */
    hex(m, "08000000 00006400");
    udp(m, 4789);
    ip4(m, 17);
    vlan(m, 0x0800);
    ethernet(m, 0x8100);
    behind(m, "fcs!", 4);
    size_t headers = 14 + 4 + 20 + 8 + 8 + 14 + 40;
    for (size_t len = 0; len < made_len(m); len++) {
        size_t payload = len < headers ? 0 : len - headers;
        payload = payload > 10 ? 10 : payload;
        char expected[200];
        int n = snprintf(expected, sizeof expected, SEGMENT4("%.*s"), (int)payload, "0123456789");
        if (payload < 10)
            snprintf(expected + n, sizeof expected - (size_t)n, " +%zu", 10 - payload);
        assert_string_equal(decode_cut(b, ETHERNET, m, len), len < headers ? "cut" : expected);
    }
    free(m);
    bench_free(b);
}

static void a_mirror_that_cuts(void **state)
{
    (void)state;
    struct made *m = mail4("0123456789");
    ethernet(m, 0x0800);
    m->end -= 4;
    hex(m, "1000 88be 00000001 10640401 00000000"); /* ERSPAN II with the bit that says so */
    ip4(m, 47);
    check(RAW, m, SEGMENT4("012345") " +4");
    m = mail4("0123456789");
    ethernet(m, 0x0800);
    m->end -= 4;
    hex(m, "1000 88be 00000001 10640001 00000000");
    ip4(m, 47);
    check(RAW, m, "broken");
    m = mail4("0123456789");
    put16(m->at + 2, 0);
    ethernet(m, 0x0800);
    hex(m, "1000 88be 00000001 10640401 00000000");
    ip4(m, 47);
    check(RAW, m, "broken"); /* cut nobody knows where, of a packet of nobody knows what length */
}

static uint32_t dice(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void damage(struct made *m, uint32_t *seed)
{
    for (uint32_t n = dice(seed) % 4; n; n--) {
        uint8_t *at = m->at + dice(seed) % made_len(m);
        *at = dice(seed) % 2 ? (uint8_t)dice(seed) : (uint8_t)(*at ^ 1 << dice(seed) % 8);
    }
}

/* Nothing to compare with here but the sanitizers, and that each packet is counted once. */
static void damaged_packets(void **state)
{
    (void)state;
    struct decode_settings set = usual;
    set.fragment_bytes = 200000;
    uint32_t seed = 1;
    uint64_t runs = 0;
    struct bench *b = bench_new(&set);
    for (int round = 0; round < 400; round++) {
        for (size_t i = 0; i < GRES + UDPS; i++) {
            const struct udp_wrapping *over = i < GRES ? NULL : &udps[i - GRES];
            const struct wrapping *w = over ? &over->w : &gre[i];
            uint8_t protocol = over ? 17 : 47;
            struct made *m = inner_of(w->inner);
            hex(m, w->header);
            if (over)
                udp(m, over->port);
            dice(&seed) % 2 ? ip4(m, protocol) : ip6(m, protocol);
            if (dice(&seed) % 4 == 0)
                ip4_full(m, 4, (uint16_t)(dice(&seed) % 8),
                         (uint16_t)(dice(&seed) % 3 | 0x2000 * (dice(&seed) % 2)), NULL, 0);
            ethernet(m, m->at[0] >> 4 == 4 ? 0x0800 : 0x86dd);
            damage(m, &seed);
            size_t len = made_len(m), captured = dice(&seed) % 3 ? len : dice(&seed) % (len + 1);
            b->now.tv_sec += dice(&seed) % 2;
            decode_part(b, ETHERNET, m->at, captured, dice(&seed) % 8 ? len : dice(&seed));
            runs++;
            free(m);
        }
    }
    const struct decode_stats *st = decoder_stats(b->decoder);
    assert_int_equal(st->tcp + st->held + st->other + st->cut + st->broken + st->checksum, runs);
    assert_true(st->tcp && st->held && st->other && st->cut && st->broken);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_gre),        cmocka_unit_test(over_udp),
        cmocka_unit_test(lengths_of_udp),  cmocka_unit_test(padding_inside),
        cmocka_unit_test(cuts_inside),     cmocka_unit_test(a_mirror_that_cuts),
        cmocka_unit_test(damaged_packets),
    };
    return cmocka_run_group_tests_name("tunnel", tests, NULL, NULL);
}
