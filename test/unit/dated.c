/* Bytes that wait: all of them come back, in order, under the time of their packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mail/dated.h"

enum { PACKETS = 30, MAX = 1000 };

static struct timespec at(size_t packet)
{
    return (struct timespec){(time_t)packet, 0};
}

static void none(void **state)
{
    (void)state;
    struct dated *d = NULL;
    struct slice piece;
    struct timespec ts;
    assert_int_equal(dated_rest(d).len, 0);
    assert_false(dated_next(d, &ts, &piece));
    dated_free(&d);
}

/* Packet i brings i % 5 + 1 bytes of value i. `step` bytes are passed at a time, between the packets. */
static void passed_by(size_t step)
{
    struct dated *d = NULL;
    size_t value = 0, seen = 0;
    for (size_t i = 0; i < PACKETS; i++) {
        uint8_t bytes[5];
        memset(bytes, (int)i, sizeof bytes);
        assert_int_equal(dated_add(&d, MAX, at(i), (struct slice){bytes, i % 5 + 1}), i % 5 + 1);
        for (size_t k = 0; k < step && dated_rest(d).len; k++) {
            assert_int_equal(dated_rest(d).data[0], value);
            assert_int_equal(dated_time(d).tv_sec, value);
            dated_pass(d, 1);
            if (++seen == value % 5 + 1)
                seen = 0, value++;
        }
        if (dated_is_half_passed(d))
            dated_compact(d);
    }
    struct slice piece;
    struct timespec ts;
    for (; dated_next(d, &ts, &piece); seen = 0, value++) {
        assert_int_equal(ts.tv_sec, value);
        assert_int_equal(piece.len, value % 5 + 1 - seen);
        assert_int_equal(piece.data[0], value);
    }
    assert_int_equal(value, PACKETS);
    dated_free(&d);
    assert_null(d);
}

static void room_is_for_the_rest(void **state)
{
    (void)state;
    static const uint8_t bytes[MAX];
    struct dated *d = NULL;
    assert_int_equal(dated_add(&d, MAX, at(0), (struct slice){bytes, MAX}), MAX);
    for (size_t i = 1; i < 3 * MAX; i++) {
        assert_int_equal(dated_add(&d, MAX, at(i), (struct slice){bytes, 1}), 0);
        dated_pass(d, 1);
        assert_int_equal(dated_add(&d, MAX, at(i), (struct slice){bytes, MAX}), 1);
        assert_int_equal(dated_rest(d).len, MAX);
    }
    dated_free(&d);
}

static void times_stay_with_their_bytes(void **state)
{
    (void)state;
    for (size_t step = 0; step < 7; step++)
        passed_by(step);
}

/* More packets than are told apart: their bytes come with the last time that is. */
static void many_packets(void **state)
{
    (void)state;
    struct dated *d = NULL;
    struct slice piece;
    struct timespec ts;
    size_t sum = 0;
    for (size_t i = 0; i < 100; i++)
        dated_add(&d, MAX, at(i), slice_str("x"));
    while (dated_next(d, &ts, &piece))
        sum += piece.len;
    assert_int_equal(sum, 100);
    dated_free(&d);
}

static void the_maximum_holds(void **state)
{
    (void)state;
    struct dated *d = NULL;
    assert_int_equal(dated_add(&d, 5, at(1), slice_str("abc")), 3);
    assert_int_equal(dated_add(&d, 5, at(2), slice_str("defg")), 2);
    dated_pass(d, 4);
    assert_int_equal(dated_add(&d, 5, at(3), slice_str("hijkl")), 4);
    assert_true(slice_eq(dated_rest(d), slice_str("ehijk")));
    assert_int_equal(dated_time(d).tv_sec, 2);
    dated_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none),
        cmocka_unit_test(room_is_for_the_rest),
        cmocka_unit_test(times_stay_with_their_bytes),
        cmocka_unit_test(many_packets),
        cmocka_unit_test(the_maximum_holds),
    };
    return cmocka_run_group_tests_name("dated", tests, NULL, NULL);
}
