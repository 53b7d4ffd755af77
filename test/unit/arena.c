/* Bump memory: zeroed, aligned, inside of its budget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/arena.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 9000; size += 97) {
            uint8_t *p = arena_alloc(&a, size);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xff, size);
        }
        arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    arena_free(&a);
    assert_null(a.blocks);
}

static void pieces_do_not_overlap(void **state)
{
    (void)state;
    struct arena a;
    uint8_t *pieces[200];
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = arena_alloc(&a, i * 13 % 6000 + 1);
        memset(pieces[i], (int)i, i * 13 % 6000 + 1);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k < i * 13 % 6000 + 1; k++)
            assert_int_equal(pieces[i][k], (uint8_t)i);
    arena_free(&a);
}

static void over_the_budget(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100);
    assert_non_null(arena_alloc(&a, 96));
    assert_false(a.over);
    assert_null(arena_alloc(&a, 1)); /* a piece takes 16 bytes at least */
    assert_true(a.over);
    assert_int_equal(a.used, 96);
    arena_reset(&a);
    assert_false(a.over);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 15));
    assert_null(arena_alloc(&a, 101));
    assert_int_equal(a.used, 0);
    assert_non_null(arena_alloc(&a, 0));
    arena_free(&a);
    arena_init(&a, SIZE_MAX);
    assert_non_null(arena_alloc(&a, 10));
    assert_null(arena_alloc(&a, SIZE_MAX - 4)); /* rounded up it would be small again */
    arena_free(&a);
    arena_init(&a, 0);
    assert_null(arena_alloc(&a, 1));
    arena_free(&a);
}

static void copies_are_cut(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 40);
    struct slice s = arena_copy(&a, slice_str("0123456789"));
    assert_true(slice_eq(s, slice_str("0123456789")));
    assert_false(a.over);
    s = arena_copy(&a, slice_str("abcdefghijklmnopqrstuvwxyz"));
    assert_true(slice_eq(s, slice_str("abcdefghijklmnop")));
    assert_true(a.over);
    s = arena_copy(&a, slice_str("x"));
    assert_non_null(s.data);
    assert_int_equal(s.len, 0);
    s = arena_copy(&a, (struct slice){NULL, 0});
    assert_non_null(s.data);
    arena_free(&a);
}

static void ascii_is_copied(void **state)
{
    (void)state;
    struct arena a;
    struct slice copy;
    char text[101];
    memset(text, 'x', sizeof text);
    arena_init(&a, 4096);
    assert_false(arena_copy_ascii(&a, slice_str("no block yet"), &copy));
    for (size_t len = 1; len < sizeof text; len++) {
        /* Of its own size, so that a look behind it is seen. */
        uint8_t *s = malloc(len);
        assert_non_null(s);
        memset(s, 'x', len);
        arena_reset(&a);
        arena_alloc(&a, 16);
        assert_true(arena_copy_ascii(&a, (struct slice){s, len}, &copy));
        assert_int_equal(copy.len, len);
        assert_memory_equal(copy.data, text, len);
        size_t used = a.used;
        for (size_t i = 0; i < len; i++) {
            s[i] = 0x80;
            assert_false(arena_copy_ascii(&a, (struct slice){s, len}, &copy));
            s[i] = 'x';
        }
        assert_int_equal(a.used, used);
        free(s);
    }
    arena_free(&a);
    arena_init(&a, 64);
    arena_alloc(&a, 32);
    assert_false(arena_copy_ascii(&a, slice_str("over what is left of the budget of it"), &copy));
    assert_false(a.over); /* that is for arena_copy to say, which cuts */
    assert_false(arena_copy_ascii(&a, (struct slice){NULL, 0}, &copy));
    assert_true(arena_copy_ascii(&a, slice_str("this has enough"), &copy));
    arena_free(&a);
}

static void a_reset_keeps_one_block(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    arena_alloc(&a, 10);
    for (int i = 0; i < 50; i++)
        arena_alloc(&a, 3000);
    arena_alloc(&a, 100000);
    arena_reset(&a);
    uint8_t *first = arena_alloc(&a, 16);
    for (uint8_t *p = first; p < first + 4096 - 16; p += 16)
        assert_ptr_equal(arena_alloc(&a, 16), p + 16); /* the largest of those that are kept */
    arena_free(&a);
    arena_alloc(&a, 100000);
    arena_reset(&a);
    assert_null(a.blocks); /* a large one is not worth keeping */
    arena_free(&a);
}

static void pieces_grow(void **state)
{
    (void)state;
    struct arena a;
    uint8_t *other, *p = NULL;
    size_t len = 0;
    arena_init(&a, 64 * 1024);
    /* Alone at the end of its block it takes the difference; its bytes stay, new ones are zeroed. */
    for (size_t more = 16; more <= 32 * 1024; more *= 2) {
        p = arena_grow(&a, p, len, more);
        assert_non_null(p);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(p[i], 7);
        for (size_t i = len; i < more; i++)
            assert_int_equal(p[i], 0);
        memset(p, 7, more);
        len = more;
        assert_true(a.used <=
                    more + 512); /* a step from one block to a larger one may lose the old piece once */
    }
    /* What another piece stands behind is copied. */
    other = arena_alloc(&a, 16);
    size_t used = a.used;
    uint8_t *q = arena_grow(&a, arena_alloc(&a, 32), 32, 48);
    assert_int_equal(a.used, used + 48);
    memset(q, 9, 48);
    assert_int_equal(other[0], 0);
    p = arena_grow(&a, other, 16, 64);
    assert_ptr_not_equal(p, other);
    /* Over the budget nothing changes. */
    used = a.used;
    assert_null(arena_grow(&a, q, 48, 64 * 1024));
    assert_true(a.over);
    assert_int_equal(a.used, used);
    assert_int_equal(q[47], 9);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(over_the_budget),
        cmocka_unit_test(copies_are_cut),
        cmocka_unit_test(ascii_is_copied),
        cmocka_unit_test(a_reset_keeps_one_block),
        cmocka_unit_test(pieces_grow),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
