/* Link layers: every one that is known carries the same IP packet. */
#include "packet.h"

static void ethernet_and_its_trailer(void **state)
{
    (void)state;
    struct made *m = mail4("");
    ethernet(m, 0x0800);
    behind(m, "\0\0\0\0\0\0", 6); /* the padding of a short frame */
    check(ETHERNET, m, SEGMENT4(""));
    m = mail4("HELO");
    ethernet(m, 0x0800);
    behind(m, "trailer", 7);
    check(ETHERNET, m, SEGMENT4("HELO"));
    m = mail6("EHLO");
    ethernet(m, 0x86dd);
    behind(m, "fcs!", 4);
    check(ETHERNET, m, SEGMENT6("EHLO"));
    m = mail4("x");
    ethernet(m, 0x0806);
    check(ETHERNET, m, "other");
}

static void vlans_to_any_depth(void **state)
{
    static const uint16_t tags[] = {0x8100, 0x88a8, 0x9100, 0x9200};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct made *m = mail4("a");
        vlan(m, 0x0800);
        ethernet(m, tags[i]);
        check(ETHERNET, m, SEGMENT4("a"));
    }
    for (int depth = 1; depth <= 20; depth++) {
        struct made *m = mail4("a");
        for (int i = 0; i < depth; i++)
            vlan(m, i ? 0x8100 : 0x0800);
        ethernet(m, 0x88a8);
        check(ETHERNET, m, depth <= 14 ? SEGMENT4("a") : "other"); /* Ethernet and IP are two of the 16 */
    }
}

static void depth_costs_no_stack(void **state)
{
    (void)state;
    struct decode_settings set = usual;
    set.max_layers = UINT32_MAX;
    struct bench *b = bench_new(&set);
    struct made *m = mail4("deep");
    for (int i = 0; i < 90000; i++)
        vlan(m, i ? 0x8100 : 0x0800);
    ethernet(m, 0x8100);
    assert_string_equal(decode(b, ETHERNET, m), SEGMENT4("deep"));
    free(m);
    m = mail4("deep");
    for (int i = 0; i < 90000; i++)
        hex(m, i ? "00001000" : "00001100");
    ethernet(m, 0x8847);
    assert_string_equal(decode(b, ETHERNET, m), SEGMENT4("deep"));
    free(m);
    m = mail4("deep");
    for (int i = 0; i < 3000; i++)
        ip4(m, 4);
    assert_string_equal(decode(b, RAW, m), SEGMENT4("deep"));
    free(m);
    m = made_new();
    tcp(m, "deep");
    for (int i = 0; i < 8000; i++)
        hex(m, i ? "3c00010400000000" : "0600010400000000");
    ip6(m, 60);
    assert_string_equal(decode(b, RAW, m), SEGMENT6("deep"));
    free(m);
    assert_int_equal(decoder_stats(b->decoder)->too_deep, 0);
    bench_free(b);
}

static void going_over_max_layers_is_counted(void **state)
{
    (void)state;
    struct decode_settings set = usual;
    set.max_layers = 2;
    struct bench *b = bench_new(&set);
    struct made *m = mail4("a");
    ethernet(m, 0x0800);
    assert_string_equal(decode(b, ETHERNET, m), SEGMENT4("a"));
    free(m);
    m = mail4("a");
    vlan(m, 0x0800);
    ethernet(m, 0x8100);
    assert_string_equal(decode(b, ETHERNET, m), "other");
    free(m);
    assert_int_equal(decoder_stats(b->decoder)->too_deep, 1);
    assert_int_equal(decoder_stats(b->decoder)->other, 1);
    assert_int_equal(decoder_stats(b->decoder)->tcp, 1);
    bench_free(b);
}

static void llc_and_snap(void **state)
{
    (void)state;
    struct made *m = mail4("a");
    hex(m, "aaaa03 000000 0800");
    ethernet(m, (uint16_t)made_len(m));
    check(ETHERNET, m, SEGMENT4("a"));
    m = mail4("a");
    hex(m, "aaaa03 0000f8 0800");
    ethernet(m, (uint16_t)made_len(m));
    check(ETHERNET, m, SEGMENT4("a"));
    m = mail4("a");
    hex(m, "aaaa03 00000c 0800"); /* another organisation's number */
    ethernet(m, (uint16_t)made_len(m));
    check(ETHERNET, m, "other");
    m = mail4("a");
    hex(m, "424203"); /* spanning tree */
    ethernet(m, (uint16_t)made_len(m));
    check(ETHERNET, m, "other");
}

static struct made *labelled(struct made *m, const char *labels)
{
    hex(m, labels);
    ethernet(m, 0x8847);
    return m;
}

static void mpls(void **state)
{
    (void)state;
    check(ETHERNET, labelled(mail4("a"), "00010140"), SEGMENT4("a"));
    check(ETHERNET, labelled(mail6("a"), "00010040 00020040 00030140"), SEGMENT6("a"));
    struct made *m = mail4("a");
    ethernet(m, 0x0800);
    check(ETHERNET, labelled(m, "00010140"), SEGMENT4("a")); /* MAC address 02... */
    m = mail4("a");
    ethernet(m, 0x0800);
    hex(m, "00000001");
    check(ETHERNET, labelled(m, "00010140"), SEGMENT4("a")); /* a control word */
    m = mail4("a");
    ethernet(m, 0x0800);
    memcpy(m->at, "\x45\0\0\x63", 4); /* a MAC address that looks like IPv4, whose length does not fit */
    check(ETHERNET, labelled(m, "00010140"), SEGMENT4("a"));
    m = mail4("a");
    ethernet(m, 0x0800);
    memcpy(m->at, "\x60\0\0\0\xff\xff", 6);
    check(ETHERNET, labelled(m, "00010140"), SEGMENT4("a"));
    m = mail4("a");
    hex(m, "10000021"); /* an associated channel */
    check(ETHERNET, labelled(m, "00010140"), "other");
    check(ETHERNET, labelled(made_new(), "00010140"), "broken");
    check(ETHERNET, labelled(made_new(), "00010040"), "broken");
}

static struct made *ppp_in_ethernet(struct made *m, const char *session, int length)
{
    uint8_t field[2];
    put16(field, (size_t)length);
    before(m, field, 2);
    hex(m, session);
    ethernet(m, 0x8864);
    return m;
}

static void pppoe(void **state)
{
    (void)state;
    struct made *m = mail4("a");
    hex(m, "0021");
    check(ETHERNET, ppp_in_ethernet(m, "1100 0001", (int)made_len(m)), SEGMENT4("a"));
    m = mail6("a");
    hex(m, "57"); /* protocol field compressed to one byte */
    check(ETHERNET, ppp_in_ethernet(m, "1100 0001", (int)made_len(m)), SEGMENT6("a"));
    m = mail4("a");
    hex(m, "0021");
    check(ETHERNET, ppp_in_ethernet(m, "11a7 0001", (int)made_len(m)),
          "other"); /* discovery: the session ends */
    m = mail4("a");
    hex(m, "0021");
    check(ETHERNET, ppp_in_ethernet(m, "1100 0001", (int)made_len(m) + 1), "broken");
    m = mail4("a");
    hex(m, "0021");
    check(ETHERNET, ppp_in_ethernet(m, "1100 0001", (int)made_len(m) - 1),
          "broken"); /* IP says more than PPPoE has */
    m = mail4("a");
    hex(m, "c021");
    check(ETHERNET, ppp_in_ethernet(m, "1100 0001", (int)made_len(m)), "other"); /* LCP */
}

struct plain_link {
    uint16_t link;
    const char *header;
    bool six;
};

static void every_link_type(void **state)
{
    static const struct plain_link links[] = {
        {0, "02000000", false},
        {0, "00000002", false},
        {0, "1e000000", true},
        {0, "0000001c", true},
        {108, "00000002", false},
        {108, "00000018", true},
        {12, "", false},
        {14, "", false},
        {101, "", true},
        {228, "", false},
        {229, "", true},
        {9, "0021", false},
        {9, "ff03 0057", true},
        {9, "ff03 21", false},
        {50, "ff03 0021", false},
        {50, "0f00 0800", false},
        {50, "8f00 86dd", true},
        {9, "0281 00010140", false},
        {104, "0f00 0800", false},
        {113, "0000 0001 0006 0200000000010000 0800", false},
        {113, "0000 0001 0006 0200000000010000 8100 0064 86dd", true},
        {113, "0004 0001 0006 0200000000010000 88a8 0064 8100 0065 0800", false},
        {113, "0000 0001 0006 0200000000010000 0004 aaaa03 000000 0800", false},
        {276, "0800 0000 00000002 0001 00 06 0200000000010000", false},
        {276, "8100 0000 00000002 0001 00 06 0200000000010000 0064 86dd", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct made *m = links[i].six ? mail6("QUIT") : mail4("QUIT");
        hex(m, links[i].header);
        print_message("# link type %u, %s\n", links[i].link, links[i].header);
        check(links[i].link, m, links[i].six ? SEGMENT6("QUIT") : SEGMENT4("QUIT"));
    }
}

static void what_is_not_known_is_other(void **state)
{
    (void)state;
    check(105, mail4("a"), "other"); /* 802.11 */
    check(65535, mail4("a"), "other");
    struct made *m = mail4("a");
    hex(m, "00000007"); /* OSI */
    check(0, m, "other");
    m = made_new();
    hex(m, "5500001400000000");
    check(RAW, m, "other");
}

static void every_cut_ends_well(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    struct made *m = mail4("0123456789");
    vlan(m, 0x0800);
    hex(m, "00000001"); /* a control word's frame starts here */
    m->at += 4;
    ethernet(m, 0x8100);
    for (size_t len = 0; len < made_len(m); len++) {
        const char *got = decode_cut(b, ETHERNET, m, len);
        if (len < 58) {
            assert_string_equal(got, "cut");
        } else {
            char expected[200];
            snprintf(expected, sizeof expected, SEGMENT4("%.*s") " +%zu", (int)(len - 58), "0123456789",
                     68 - len);
            assert_string_equal(got, expected);
        }
        /* the same bytes where nothing was cut contradict themselves */
        assert_string_equal(decode_part(b, ETHERNET, m->at, len, len), "broken");
    }
    free(m);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ethernet_and_its_trailer),
        cmocka_unit_test(vlans_to_any_depth),
        cmocka_unit_test(depth_costs_no_stack),
        cmocka_unit_test(going_over_max_layers_is_counted),
        cmocka_unit_test(llc_and_snap),
        cmocka_unit_test(mpls),
        cmocka_unit_test(pppoe),
        cmocka_unit_test(every_link_type),
        cmocka_unit_test(what_is_not_known_is_other),
        cmocka_unit_test(every_cut_ends_well),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
