/* Segments from one worker to another: what a receiver that is late misses, and what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "passage.h"

static void add(struct passage *p, uint32_t seq)
{
    const struct segment seg = {.seq = seq, .payload = {(const uint8_t *)&seq, sizeof seq}};
    passage_add(p, &seg);
}

/* Takes all that is on the way; it comes in order, from `next` on. */
static uint32_t take(struct passage *p, uint32_t next)
{
    struct batch *b;
    while ((b = passage_next(p))) {
        for (size_t i = 0; i < b->count; i++) {
            assert_int_equal(b->parcels[i].seg.seq, next);
            assert_memory_equal(b->parcels[i].seg.payload.data, &next, sizeof next);
            next++;
        }
        passage_done(p, b);
    }
    return next;
}

static void small_batches(void **state)
{
    (void)state;
    struct passage p;
    int wake = eventfd(0, EFD_NONBLOCK);
    uint32_t seq = 0, next = 0;
    passage_init(&p, wake);
    /* A receiver that does not run for a while: many turns of a few segments each are no loss. */
    for (int round = 0; round < 5; round++) {
        for (int turn = 0; turn < 200; turn++) {
            add(&p, seq++);
            passage_send(&p);
        }
        next = take(&p, next);
        assert_true(passage_send(&p));
        next = take(&p, next);
        assert_int_equal(next, seq);
    }
    assert_int_equal(p.dropped, 0);
    assert_int_equal(p.passed, seq);
    uint64_t woken = 0;
    assert_int_equal(read(wake, &woken, sizeof woken), sizeof woken);
    assert_true(woken > 0);
    passage_free(&p);
    close(wake);
}

static void too_many(void **state)
{
    (void)state;
    enum { MOST = 9 * BATCH_PARCELS, ADDED = 20000 };
    struct passage p;
    int wake = eventfd(0, EFD_NONBLOCK);
    passage_init(&p, wake);
    for (uint32_t i = 0; i < ADDED; i++)
        add(&p, i);
    assert_false(passage_send(&p));
    assert_int_equal(p.dropped, ADDED - MOST);
    uint32_t next = take(&p, 0);
    assert_true(passage_send(&p));
    assert_int_equal(take(&p, next), MOST);
    assert_int_equal(p.passed, MOST);
    /* What nobody will take is dropped too. */
    add(&p, 0);
    passage_end(&p);
    assert_int_equal(p.passed + p.dropped, ADDED + 1);
    assert_true(passage_send(&p));
    passage_free(&p);
    close(wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_batches), cmocka_unit_test(too_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
