/* Blocks: kept while somebody holds them, used again afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/block.h"

static void holding(void **state)
{
    (void)state;
    struct block *b = block_new(100), *other = b;
    assert_true(block_is_alone(b));
    block_hold(b);
    assert_false(block_is_alone(b));
    block_release(&b);
    assert_null(b);
    assert_true(block_is_alone(other));
    assert_true(block_has(other, (struct slice){other->bytes + 99, 1}));
    assert_false(block_has(other, (struct slice){other->bytes + 100, 1}));
    assert_false(block_has(other, (struct slice){(const uint8_t *)state, 1}));
    assert_int_equal((uintptr_t)other->bytes % 16, 0);
    block_release(&other);
    block_release(&other);
}

static void pooling(void **state)
{
    (void)state;
    struct block_pool p = {.size = 64};
    struct block *held[20], *b;
    for (int i = 0; i < 20; i++) {
        held[i] = block_pool_take(&p);
        assert_int_equal(held[i]->room, 64);
        block_hold(held[i]);
        block_pool_put(&p, held[i]);
    }
    assert_int_equal(p.count, 20);
    b = held[7];
    block_release(&held[7]);
    assert_ptr_equal(block_pool_take(&p), b); /* the only one that nobody holds */
    assert_int_equal(p.count, 19);
    struct block *more = block_pool_take(&p);
    for (int i = 0; i < 20; i++)
        assert_ptr_not_equal(more, held[i]);
    block_pool_put(&p, more);
    block_pool_put(&p, b);
    block_pool_put(&p, block_new(65)); /* not one of its blocks */
    assert_int_equal(p.count, 21);
    block_pool_free(&p); /* those that are held live on */
    for (int i = 0; i < 20; i++)
        if (held[i]) {
            held[i]->bytes[63] = 1;
            block_release(&held[i]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(holding), cmocka_unit_test(pooling)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
