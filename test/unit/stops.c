/* Where a text stops being words: byte by byte, the same is found. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mail/stops.h"

static bool is_stop(uint8_t c)
{
    return c < 128 && !memchr("-./_`{|}~\x7f", c, 10) && !byte_is_digit(c) &&
           !(byte_lower(c) >= 'a' && byte_lower(c) <= 'z');
}

static size_t next(struct slice s, size_t from)
{
    while (from < s.len && !is_stop(s.data[from]))
        from++;
    return from;
}

/* In memory of its own, so that a look behind it is seen. */
static void same(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    struct slice s = {copy, len};
    struct stops st;
    stops_begin(&st, s);
    for (size_t i = 0; i <= len; i++)
        assert_int_equal(stops_next(&st, i), next(s, i));
    for (size_t i = len + 1; i-- > 0;)
        assert_int_equal(stops_next(&st, i), next(s, i));
    free(copy);
}

static void all_bytes(void **state)
{
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    for (size_t from = 0; from < sizeof bytes; from++)
        same(bytes + from, sizeof bytes - from);
    (void)state;
}

static void lengths(void **state)
{
    uint8_t bytes[3 * STOPS_SEEN];
    for (size_t len = 0; len < sizeof bytes; len++) {
        memset(bytes, 'x', len);
        same(bytes, len);
        if (len)
            bytes[len - 1] = ' ';
        same(bytes, len);
    }
    (void)state;
}

static void kinds_of_stops(void **state)
{
    static const uint8_t kinds[256] = {[' '] = 1, ['('] = 2};
    struct stops st;
    struct slice s = slice_str("one (two) three");
    stops_begin(&st, s);
    assert_int_equal(stops_find(&st, 0, s.len, kinds, 1), 3);
    assert_int_equal(stops_find(&st, 0, s.len, kinds, 2), 4);
    assert_int_equal(stops_find(&st, 5, s.len, kinds, 2), s.len);
    assert_int_equal(stops_find(&st, 5, 9, kinds, 1), 9);
    assert_int_equal(stops_find(&st, s.len + 1, s.len, kinds, 1), s.len);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_bytes),
        cmocka_unit_test(lengths),
        cmocka_unit_test(kinds_of_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
