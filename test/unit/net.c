/* Addresses and networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/net.h"

static struct address address(const char *text)
{
    struct address a = {0};
    if (!address_parse(slice_str(text), &a))
        fail_msg("%s is no address", text);
    return a;
}

static void addresses_there_and_back(void **state)
{
    static const char *const pairs[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"192.000.002.001", "192.0.2.1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::FFFF:c000:201", "192.0.2.1"},
        {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[ADDRESS_TEXT];
        struct address a = address(pairs[i][0]), again;
        assert_int_equal(address_text(&a, text), strlen(pairs[i][1]));
        assert_string_equal(text, pairs[i][1]);
        again = address(text);
        assert_true(address_eq(&a, &again));
    }
    struct address no = {0};
    char text[ADDRESS_TEXT] = "x";
    assert_int_equal(address_text(&no, text), 0);
    assert_string_equal(text, "");
}

static void what_is_no_address(void **state)
{
    static const char *const no[] = {"",
                                     "1",
                                     "1.2.3",
                                     "1.2.3.4.5",
                                     "1.2.3.256",
                                     "1.2.3.4 ",
                                     " 1.2.3.4",
                                     "1.2.3.",
                                     ".1.2.3",
                                     "1..2.3",
                                     "0001.2.3.4",
                                     "1.2.3.-4",
                                     "[::1]",
                                     "::1%eth0",
                                     ":::",
                                     "1::2::3",
                                     "12345::",
                                     "1:2:3:4:5:6:7",
                                     "host",
                                     "1.2.3.4\n",
                                     "1.2.3.4:25",
                                     "0x7f.0.0.1",
                                     "::ffff:1.2.3.4.5",
                                     "1.2.3.4/8",
                                     "1:2:3:4:5:6:7:8:9",
                                     "99999999999999999999.1.1.1",
                                     ":",
                                     "2001:db8::1 "};
    (void)state;
    struct address a = {.family = 77};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        if (address_parse(slice_str(no[i]), &a))
            fail_msg("'%s' was taken for an address", no[i]);
        assert_int_equal(a.family, 77);
    }
    assert_false(address_parse((struct slice){(const uint8_t *)"::1\0", 4}, &a));
    char longest[200];
    memset(longest, ':', sizeof longest);
    assert_false(address_parse((struct slice){(const uint8_t *)longest, sizeof longest}, &a));
    assert_false(address_parse((struct slice){NULL, 0}, &a));
}

static bool has(const char *net, const char *text)
{
    struct network n;
    struct address a = address(text);
    if (!network_parse(slice_str(net), &n))
        fail_msg("%s is no network", net);
    return network_has(&n, &a);
}

static void networks(void **state)
{
    (void)state;
    assert_true(has("10.0.0.0/8", "10.255.255.255"));
    assert_false(has("10.0.0.0/8", "11.0.0.0"));
    assert_true(has("10.9.8.7/8", "10.1.1.1")); /* bits behind the prefix do not count */
    assert_true(has("172.16.0.0/12", "172.31.255.255"));
    assert_false(has("172.16.0.0/12", "172.32.0.0"));
    assert_true(has("192.0.2.1", "192.0.2.1"));
    assert_false(has("192.0.2.1", "192.0.2.0"));
    assert_true(has("192.0.2.0/31", "192.0.2.1"));
    assert_true(has("0.0.0.0/0", "8.8.8.8"));
    assert_false(has("0.0.0.0/0", "::1"));
    assert_true(has("::/0", "2001:db8::1"));
    assert_false(has("::/0", "8.8.8.8"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("2001:db8::1/128", "2001:db8::1"));
    assert_true(has("10.0.0.0/8", "::ffff:10.1.1.1"));
    assert_true(has("::ffff:10.0.0.0/104", "10.1.1.1"));
    assert_false(has("::ffff:10.0.0.0/104", "11.1.1.1"));
    assert_true(has("::ffff:10.0.0.1", "10.0.0.1"));
    static const char *const no[] = {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",  "10.0.0.0/8x",        "/8",
                                     "::/129",      "10/8",      "10.0.0.0/8/8", "::ffff:10.0.0.0/95", ""};
    struct network n = {.prefix = 77};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        if (network_parse(slice_str(no[i]), &n))
            fail_msg("'%s' was taken for a network", no[i]);
        assert_int_equal(n.prefix, 77);
    }
}

static void private_and_loopback(void **state)
{
    static const char *const private[] = {"10.0.0.0",    "10.255.255.255",  "172.16.0.0", "172.31.255.255",
                                          "192.168.0.0", "192.168.255.255", "127.0.0.1",  "127.255.0.1",
                                          "fc00::",      "fdff::1",         "fe80::",     "febf::1",
                                          "::1",         "::ffff:10.0.0.1"};
    static const char *const public[] = {"9.255.255.255",
                                         "11.0.0.0",
                                         "172.15.255.255",
                                         "172.32.0.0",
                                         "192.167.255.255",
                                         "192.169.0.0",
                                         "128.0.0.0",
                                         "fbff::",
                                         "fe00::",
                                         "fec0::",
                                         "::",
                                         "::2"};
    (void)state;
    for (size_t i = 0; i < sizeof private / sizeof *private; i++) {
        struct address a = address(private[i]);
        assert_true(address_is_private(&a));
    }
    for (size_t i = 0; i < sizeof public / sizeof *public; i++) {
        struct address a = address(public[i]);
        assert_false(address_is_private(&a));
    }
    struct address a = address("127.1.2.3"), b = address("::1"), c = address("10.0.0.1"),
                   d = address("::ffff:127.0.0.1"), none = {0};
    assert_true(address_is_loopback(&a));
    assert_true(address_is_loopback(&b));
    assert_false(address_is_loopback(&c));
    assert_true(address_is_loopback(&d));
    assert_false(address_is_loopback(&none));
    assert_false(address_is_private(&none));
    assert_false(address_is_public(&none));
}

static void public(void **state)
{
    static const char *const is[] = {"8.8.8.8",     "100.63.255.255",  "100.128.0.0",
                                     "169.253.0.1", "223.255.255.255", "2001:db8::1"};
    static const char *const is_not[] = {"0.1.2.3",         "10.0.0.1",    "100.64.0.0",  "100.127.255.255",
                                         "127.0.0.1",       "169.254.1.1", "192.168.0.1", "224.0.0.1",
                                         "255.255.255.255", "::",          "::1",         "fe80::1",
                                         "fd00::1",         "ff02::1"};
    (void)state;
    for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
        struct address a = address(is[i]);
        assert_true(address_is_public(&a));
    }
    for (size_t i = 0; i < sizeof is_not / sizeof *is_not; i++) {
        struct address a = address(is_not[i]);
        assert_false(address_is_public(&a));
    }
}

/* Connection `i` of one of the patterns that mail shows. */
static void connection(int pattern, uint32_t i, struct endpoint *a, struct endpoint *b)
{
    *a = (struct endpoint){address(pattern == 2 ? "2001:db8:1::25" : "192.0.2.25"), 25};
    *b = (struct endpoint){address(pattern == 2 ? "2001:db8:2::1" : "198.51.0.1"), 40000};
    switch (pattern) {
    case 0: /* one client, port after port */
        b->port = (uint16_t)(32768 + i % 28000);
        break;
    case 1: /* many clients of one port */
        b->addr.bytes[2] = (uint8_t)(i >> 8);
        b->addr.bytes[3] = (uint8_t)i;
        break;
    case 2: /* a client of many addresses; only even ports, as Linux takes them first */
        b->addr.bytes[13] = (uint8_t)(i >> 8);
        b->addr.bytes[14] = (uint8_t)i;
        b->port = (uint16_t)(32768 + i * 2 % 28000);
        break;
    default: /* many of each */
        a->addr.bytes[3] = (uint8_t)(i % 16 * 16);
        b->addr.bytes[3] = (uint8_t)(i / 16 % 16);
        b->port = (uint16_t)(50000 + i / 256);
    }
}

static void hash_of_ends_spreads(void **state)
{
    enum { CONNECTIONS = 16000 };
    (void)state;
    for (int pattern = 0; pattern < 4; pattern++) {
        for (uint32_t n = 2; n <= 17; n++) {
            uint32_t counts[17] = {0};
            double chi = 0, mean = (double)CONNECTIONS / n;
            for (uint32_t i = 0; i < CONNECTIONS; i++) {
                struct endpoint a, b;
                connection(pattern, i, &a, &b);
                uint32_t h = endpoints_hash(&a, &b);
                assert_int_equal(h, endpoints_hash(&b, &a));
                counts[h % n]++;
            }
            for (uint32_t k = 0; k < n; k++)
                chi += (counts[k] - mean) * (counts[k] - mean) / mean;
            /* chance itself comes to n - 1, and to more than this once in thousands of times */
            if (chi > n - 1 + 6 * n)
                fail_msg("pattern %d over %u: chi-square %.1f", pattern, n, chi);
        }
    }
}

static void hash_of_ends_stays(void **state)
{
    struct endpoint a = {address("192.0.2.1"), 25}, b = {address("198.51.100.7"), 41234};
    struct endpoint c = {address("2001:db8::1"), 25}, d = {address("2001:db8:ffff::2"), 41234};
    (void)state;
    assert_int_equal(endpoints_hash(&a, &b), 0xbe4cf694);
    assert_int_equal(endpoints_hash(&c, &d), 0x5d59d527);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_there_and_back),
        cmocka_unit_test(what_is_no_address),
        cmocka_unit_test(networks),
        cmocka_unit_test(private_and_loopback),
        cmocka_unit_test(public),
        cmocka_unit_test(hash_of_ends_spreads),
        cmocka_unit_test(hash_of_ends_stays),
    };
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
