/* One text that is kept and replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/text.h"

static void none_is_not_empty(void **state)
{
    (void)state;
    struct text *t = NULL;
    assert_null(text_slice(t).data);
    text_set(&t, (struct slice){0});
    assert_non_null(text_slice(t).data);
    assert_int_equal(text_slice(t).len, 0);
    text_free(&t);
    assert_null(t);
    text_free(&t);
}

/* Longer and shorter by turns, so that the memory is kept, grown and shrunk. */
static void replaced_at_every_length(void **state)
{
    (void)state;
    static uint8_t bytes[6000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    struct text *t = NULL;
    for (size_t i = 0; i < 3000; i++) {
        struct slice s = {bytes + i % 100, i * 1999 % 5801};
        text_set(&t, s);
        assert_true(slice_eq(text_slice(t), s));
    }
    text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_not_empty),
        cmocka_unit_test(replaced_at_every_length),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
