/* Slices: comparing, searching, trimming, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/slice.h"

static const struct slice none = {NULL, 0};

static void assert_slice(struct slice s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_true(slice_eq(s, slice_str(text)));
}

static void parts(void **state)
{
    (void)state;
    struct slice s = slice_str("abcdef");
    assert_slice(slice_sub(s, 2, 4), "cd");
    assert_slice(slice_sub(s, 0, SIZE_MAX), "abcdef");
    assert_slice(slice_sub(s, 4, 2), "");
    assert_slice(slice_sub(s, SIZE_MAX, SIZE_MAX), "");
    assert_null(slice_sub(none, 1, 2).data);
    assert_int_equal(slice_index(s, 'c'), 2);
    assert_int_equal(slice_index(s, 'z'), 6);
    assert_int_equal(slice_index(none, 'z'), 0);
}

static void comparing(void **state)
{
    (void)state;
    assert_true(slice_eq(none, slice_str("")));
    assert_false(slice_eq(slice_str("a"), slice_str("A")));
    assert_true(slice_case_eq(slice_str("Abc-[\xe4"), slice_str("aBC-[\xe4")));
    assert_false(slice_case_eq(slice_str("@"), slice_str("`"))); /* letters alone have a case */
    assert_false(slice_case_eq(slice_str("["), slice_str("{")));
    assert_false(slice_case_eq(slice_str("\xc4"), slice_str("\xe4")));
    assert_false(slice_case_eq(slice_str("ab"), slice_str("abc")));
    assert_true(slice_case_eq(none, none));
    assert_true(slice_case_starts(slice_str("Mail From"), "MAIL"));
    assert_false(slice_case_starts(slice_str("MAI"), "MAIL"));
    assert_true(slice_case_starts(none, ""));
}

/* Every byte against every other, at every place of texts of many lengths: eight at once must tell as one by
 * one. */
static void comparing_at_every_place(void **state)
{
    uint8_t a[24], b[24];
    (void)state;
    for (size_t len = 1; len <= sizeof a; len += len < 9 ? 1 : 5)
        for (size_t at = 0; at < len; at++)
            for (unsigned pair = 0; pair < 65536; pair++) {
                memset(a, 'x', sizeof a);
                memset(b, 'X', sizeof b);
                a[at] = (uint8_t)pair;
                b[at] = (uint8_t)(pair >> 8);
                bool same = slice_case_eq((struct slice){a, len}, (struct slice){b, len});
                assert_int_equal(same, byte_lower(a[at]) == byte_lower(b[at]));
            }
}

static void searching(void **state)
{
    (void)state;
    struct slice s = slice_str("one Two two");
    assert_int_equal(slice_find(s, "two"), 8);
    assert_int_equal(slice_case_find(s, "two"), 4);
    assert_int_equal(slice_find(s, "three"), s.len);
    assert_int_equal(slice_case_find(s, "THREE"), s.len);
    assert_int_equal(slice_case_find(slice_str("tw"), "two"), 2);
    assert_int_equal(slice_case_find(s, "o"), 0);
    assert_int_equal(slice_case_find(s, ""), 0);
    assert_int_equal(slice_find(none, "x"), 0);
    assert_int_equal(slice_case_find(none, "x"), 0);
    assert_int_equal(slice_find((struct slice){(const uint8_t *)"a\0b", 3}, "b"), 2);
}

static void trimming(void **state)
{
    (void)state;
    assert_slice(slice_trim(slice_str(" \t\r\n a b \r\n")), "a b");
    assert_slice(slice_trim_left(slice_str("  a ")), "a ");
    assert_slice(slice_trim(slice_str(" \t ")), "");
    assert_slice(slice_trim(none), "");
    assert_slice(slice_trim(slice_str("\va\f")), "\va\f");
}

static void numbers(void **state)
{
    (void)state;
    uint64_t n = 77;
    assert_int_equal(slice_number(slice_str("0012x"), &n), 4);
    assert_int_equal(n, 12);
    assert_int_equal(slice_number(slice_str("18446744073709551615"), &n), 20);
    assert_true(n == UINT64_MAX);
    n = 77;
    assert_int_equal(slice_number(slice_str("18446744073709551616"), &n), 0);
    assert_int_equal(slice_number(slice_str("99999999999999999999999"), &n), 0);
    assert_int_equal(slice_number(slice_str("-1"), &n), 0);
    assert_int_equal(slice_number(slice_str(""), &n), 0);
    assert_int_equal(n, 77);
    uint8_t *exact = malloc(2);
    memcpy(exact, "42", 2);
    assert_int_equal(slice_number((struct slice){exact, 2}, &n), 2);
    free(exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),     cmocka_unit_test(comparing), cmocka_unit_test(comparing_at_every_place),
        cmocka_unit_test(searching), cmocka_unit_test(trimming),  cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}
