/* Growable bytes: the maximum holds, whatever is added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/buf.h"

static void assert_holds(const struct buf *b, const char *text)
{
    assert_true(slice_eq(buf_slice(b), slice_str(text)));
}

static void grows_to_its_maximum(void **state)
{
    (void)state;
    for (size_t max = 0; max < 300; max += 7) {
        struct buf b;
        buf_init(&b, max);
        for (size_t i = 0; i < 400; i++)
            assert_int_equal(buf_add_byte(&b, (uint8_t)i), i < max);
        assert_int_equal(b.len, max);
        assert_true(b.room <= max);
        for (size_t i = 0; i < max; i++)
            assert_int_equal(b.data[i], (uint8_t)i);
        buf_free(&b);
        assert_null(b.data);
        assert_int_equal(b.max, max);
    }
}

static void cuts_what_does_not_fit(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 5);
    assert_true(buf_add_str(&b, "abc"));
    assert_false(buf_add_str(&b, "defg"));
    assert_holds(&b, "abcde");
    assert_false(buf_add_str(&b, "x"));
    assert_true(buf_add_str(&b, ""));
    assert_true(buf_add(&b, (struct slice){NULL, 0}));
    buf_clear(&b);
    assert_true(buf_add_str(&b, "12345"));
    assert_holds(&b, "12345");
    buf_free(&b);
    assert_true(buf_add_str(&b, "again"));
    buf_free(&b);
}

static void consuming(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_consume(&b, 0);
    buf_add_str(&b, "abcdef");
    buf_consume(&b, 2);
    assert_holds(&b, "cdef");
    buf_consume(&b, 4);
    assert_holds(&b, "");
    buf_free(&b);
}

static void printing(void **state)
{
    (void)state;
    struct buf b;
    char longest[2000];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    for (size_t len = 500; len < 520; len++) { /* around the size up to which no memory is taken */
        buf_init(&b, 1800);
        assert_true(buf_printf(&b, "%d %.*s", 42, (int)len, longest));
        assert_int_equal(b.len, len + 3);
        assert_memory_equal(b.data, "42 xxx", 6);
        assert_int_equal(b.data[len + 2], 'x');
        buf_free(&b);
    }
    assert_false(buf_printf(&b, "%s", longest));
    assert_int_equal(b.len, 1800);
    buf_free(&b);
    buf_init(&b, 3);
    assert_false(buf_printf(&b, "%s", "abcd"));
    assert_holds(&b, "abc");
    buf_free(&b);
}

static void a_huge_maximum_is_fine(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    for (int i = 0; i < 100; i++)
        assert_true(buf_add_str(&b, "0123456789"));
    assert_int_equal(b.len, 1000);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_to_its_maximum),
        cmocka_unit_test(cuts_what_does_not_fit),
        cmocka_unit_test(consuming),
        cmocka_unit_test(printing),
        cmocka_unit_test(a_huge_maximum_is_fine),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
