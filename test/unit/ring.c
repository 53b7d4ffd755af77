/* Rings: order, bounds, and two threads that go on when the other one has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include "base/ring.h"

static void bounds(void **state)
{
    (void)state;
    int items[5];
    struct ring *r = ring_new(4);
    assert_null(ring_try_pop(r));
    assert_true(ring_is_empty(r));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++)
            assert_true(ring_try_push(r, &items[i]));
        assert_false(ring_try_push(r, &items[4]));
        assert_false(ring_is_empty(r));
        for (int i = 0; i < 4; i++)
            assert_ptr_equal(ring_try_pop(r), &items[i]);
        assert_null(ring_try_pop(r));
    }
    ring_free(&r);
    assert_null(r);
}

enum { MANY = 300000 };

static void *send(void *arg)
{
    for (uintptr_t i = 1; i <= MANY; i++) {
        while (!ring_try_push(arg, (void *)i))
            sched_yield();
    }
    return NULL;
}

/* A small ring is full and empty often; an order that is not kept shows. */
static void threads(void **state)
{
    (void)state;
    for (size_t capacity = 1; capacity <= 8; capacity *= 2) {
        struct ring *r = ring_new(capacity);
        pthread_t sender;
        assert_int_equal(pthread_create(&sender, NULL, send, r), 0);
        for (uintptr_t i = 1; i <= MANY; i++) {
            void *item;
            while (!(item = ring_try_pop(r)))
                sched_yield();
            assert_int_equal((uintptr_t)item, i);
        }
        pthread_join(sender, NULL);
        assert_null(ring_try_pop(r));
        ring_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bounds), cmocka_unit_test(threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
