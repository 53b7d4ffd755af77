/* At most so many mails an hour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "courier/rate.h"

static void no_limit(void **state)
{
    struct rate r;
    (void)state;
    rate_init(&r, 0, 3600);
    for (int i = 0; i < 1000; i++) {
        assert_true(rate_free_at(&r, false) == 0);
        rate_add(&r, i);
    }
    rate_free(&r);
    rate_init(&r, UINT64_MAX, 3600);
    rate_add(&r, 1);
    assert_true(rate_free_at(&r, false) == 0);
    rate_free(&r);
}

/* Whatever is asked, no hour has more than its number, and the last of it is there for the end. */
static void no_hour_has_more(void **state)
{
    (void)state;
    for (uint64_t most = 1; most < 6; most++) {
        struct rate r;
        double sent[64], now = 100;
        rate_init(&r, most, 3600);
        for (size_t i = 0; i < 64; i++) {
            double free_at = rate_free_at(&r, i % 7 == 6);
            if (free_at > now)
                now = free_at;
            sent[i] = now;
            rate_add(&r, now);
            if (i >= most)
                assert_true(sent[i] - sent[i - most] >= 3600);
            now += i % 5;
        }
        rate_free(&r);
    }
}

static void last_is_kept(void **state)
{
    struct rate r;
    (void)state;
    rate_init(&r, 3, 3600);
    rate_add(&r, 10);
    assert_true(rate_free_at(&r, false) == 0);
    rate_add(&r, 20);
    assert_true(rate_free_at(&r, false) == 3610);
    assert_true(rate_free_at(&r, true) == 0);
    rate_add(&r, 30);
    assert_true(rate_free_at(&r, true) == 3610);
    assert_true(rate_free_at(&r, false) == 3620);
    rate_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_limit),
        cmocka_unit_test(no_hour_has_more),
        cmocka_unit_test(last_is_kept),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
