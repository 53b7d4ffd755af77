#include "rule/mention.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The addresses of a text, with blanks between. */
static void mentions(const char *text, const char *wanted)
{
    char all[512] = "", one[ADDRESS_TEXT];
    struct slice rest = slice_str(text);
    struct address a;
    while (mention_next(&rest, &a)) {
        address_text(&a, one);
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", used ? " " : "", one);
    }
    assert_string_equal(all, wanted);
    assert_int_equal(rest.len, 0);
}

static void four(void **state)
{
    (void)state;
    mentions("", "");
    mentions("blocked", "");
    mentions("192.0.2.1", "192.0.2.1");
    mentions("[192.0.2.1]", "192.0.2.1");
    mentions("ip=192.0.2.1, then (192.0.2.2).", "192.0.2.1 192.0.2.2");
    mentions("http://www.spamhaus.org/query/ip/192.0.2.1", "192.0.2.1");
    mentions("http://192.0.2.1:8080/", "192.0.2.1");
    mentions("client-192.0.2.1.example.net", "192.0.2.1");
    mentions("Listed: 192.0.2.1.", "192.0.2.1");
    mentions("...192.0.2.1...", "192.0.2.1");
    mentions("1192.0.2.1 192.0.2.1234 192.0.2.256", "");
    mentions("1.192.0.2.1 192.0.2.1.5", "");
    mentions("192.0.2 1.2.3", "");
    mentions("192.0.2.1 192.0.2.1", "192.0.2.1 192.0.2.1");
    mentions("x192.0.2.1x", "192.0.2.1");
}

static void six(void **state)
{
    (void)state;
    mentions("2001:db8::1", "2001:db8::1");
    mentions("[IPv6:2001:db8::1]", "2001:db8::1");
    mentions("ipv6:2001:db8::1.", "2001:db8::1");
    mentions("ip=2001:DB8::1;", "2001:db8::1");
    mentions("host fe80::1: refused", "fe80::1");
    mentions("::ffff:192.0.2.1", "192.0.2.1");
    mentions("see ::1", "::1");
    mentions("Client IP:192.0.2.25 blocked", "192.0.2.25");
    mentions("ip4:192.0.2.25 ip6:2001:db8::1", "192.0.2.25 2001:db8::1");
    mentions("see: ::1", "::1");
    mentions("deadbeef: no; Mail::Internet", "");
    mentions("at 12:30:45 on", "");
    mentions("cafe::1 abcd", "cafe::1");
    mentions("decaf::beefy", "");
}

/* Every start of a text is as safe as the whole. */
static void cuts(void **state)
{
    (void)state;
    static const char text[] = "IPv6:2001:db8::1 [192.0.2.1]:25 ::ffff:1.2.3.4 a::b:c 1.2.3.4.5 beef";
    for (size_t from = 0; from < sizeof text; from++)
        for (size_t to = from; to < sizeof text; to++) {
            struct slice rest = {(const uint8_t *)text + from, to - from};
            struct address a;
            size_t n = 0;
            while (mention_next(&rest, &a))
                assert_true(++n < 20);
            assert_int_equal(rest.len, 0);
        }
}

/* Whatever is repeated, time is linear. */
static void long_texts(void **state)
{
    static const char *const parts[] = {"1:", "1a ", "a1", "1.", "::", "g1a", "1:2.", "f:", "IPv6:"};
    const size_t len = 4 << 20;
    uint8_t *text = malloc(len);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t part = strlen(parts[i]);
        for (size_t k = 0; k < len; k++)
            text[k] = (uint8_t)parts[i][k % part];
        struct slice rest = {text, len};
        struct address a;
        size_t n = 0;
        clock_t begin = clock();
        while (mention_next(&rest, &a))
            assert_true(++n < 2); /* the last eight numbers of 1:1:1... are one */
        assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(four), cmocka_unit_test(six), cmocka_unit_test(cuts),
                                       cmocka_unit_test(long_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
