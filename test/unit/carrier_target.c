/* Which ports an address means, and whether its hosts are names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "carrier_rights.h"

/* As "NAMED ANY: PORT PORT". */
static const char *of(const char *url, uint16_t port)
{
    static char text[512];
    struct carrier_target t = {.count = 0};
    carrier_target_add(&t, url, port);
    int len = snprintf(text, sizeof text, "%s%s:", t.named ? "named" : "numbers", t.any ? " any" : "");
    for (size_t i = 0; i < t.count && !t.any; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, " %u", t.ports[i]);
    return text;
}

static void is_taken_apart(void **state)
{
    (void)state;
    assert_string_equal(of("nats://192.0.2.1/MAILS", 4222), "numbers: 4222");
    assert_string_equal(of("nats://192.0.2.1:99/MAILS", 4222), "numbers: 99");
    assert_string_equal(of("nats://192.0.2.1:99,192.0.2.2,[2001:db8::1],[2001:db8::2]:5/MAILS", 4222),
                        "numbers: 99 4222 4222 5");
    assert_string_equal(of("nats://192.0.2.1,n2.example.org:7/MAILS", 4222), "named: 4222 7");
    assert_string_equal(of("clickhouse://[::1]:8124/db", 8123), "numbers: 8124");
    assert_string_equal(of("clickhouse://ch-1/db", 8123), "named: 8123");
    assert_string_equal(of("clickhouse://db1:8124", 8123), "named: 8124");
    assert_string_equal(of("kafka://192.0.2.1:9092/T", 0), "named any:");
}

/* What is no port opens all rather than none: whoever checks the address says what is wrong with it. */
static void odd_ones(void **state)
{
    (void)state;
    assert_string_equal(of("nats://192.0.2.1:99999/MAILS", 4222), "numbers any:");
    assert_string_equal(of("nats:///MAILS", 4222), "numbers:");
    assert_string_equal(of("nats://192.0.2.1:/MAILS", 4222), "named: 4222");
    assert_string_equal(of("", 4222), "numbers:");
}

static void many(void **state)
{
    (void)state;
    char url[2048] = "nats://";
    for (int i = 0; i < 100; i++)
        strcat(url, "192.0.2.1:1,");
    strcat(url, "192.0.2.1/M");
    assert_string_equal(of(url, 4222), "numbers any:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_taken_apart), cmocka_unit_test(odd_ones),
                                       cmocka_unit_test(many)};
    return cmocka_run_group_tests_name("carrier_target", tests, NULL, NULL);
}
