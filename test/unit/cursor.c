/* The cursor: what it reads, and that it never reads past the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/cursor.h"

static void reads_big_endian(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 0xff, 0xfe, 0xfd, 0xfc, 9, 10};
    struct cursor c = cursor_of((struct slice){bytes, sizeof bytes});
    assert_int_equal(cursor_u8(&c), 1);
    assert_int_equal(cursor_u16(&c), 0x0203);
    assert_int_equal(cursor_u32(&c), 0xfffefdfc);
    struct slice s = cursor_take(&c, 2);
    assert_ptr_equal(s.data, bytes + 7);
    assert_int_equal(s.len, 2);
    assert_int_equal(c.rest.len, 0);
    assert_false(c.broken);
}

static void past_the_end_it_stays_broken(void **state)
{
    (void)state;
    for (size_t len = 0; len < 4; len++) {
        uint8_t *exact = calloc(1, len ? len : 1);
        struct cursor c = cursor_of((struct slice){exact, len});
        assert_int_equal(cursor_u32(&c) & 0xffff, 0);
        assert_true(c.broken);
        assert_int_equal(cursor_u8(&c), 0); /* also where one byte would be left */
        assert_int_equal(cursor_take(&c, 0).len, 0);
        assert_null(cursor_take(&c, 0).data);
        assert_true(c.broken);
        free(exact);
    }
    struct cursor c = cursor_of((struct slice){(const uint8_t *)"ab", 2});
    cursor_skip(&c, SIZE_MAX);
    assert_true(c.broken);
}

static void nothing_from_nothing(void **state)
{
    (void)state;
    struct cursor c = cursor_of((struct slice){NULL, 0});
    cursor_skip(&c, 0);
    assert_false(c.broken);
    cursor_skip(&c, 1);
    assert_true(c.broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_big_endian),
        cmocka_unit_test(past_the_end_it_stays_broken),
        cmocka_unit_test(nothing_from_nothing),
    };
    return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
