/* One order out of several lanes, whatever comes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <poll.h>
#include "base/buf.h"
#include "merge.h"
#include "record/notice.h"

static void tell(struct lane *l, uint64_t number, uint64_t place, uint64_t first, const char *text)
{
    struct notice n = {.msg = slice_str(text)};
    lane_add(l, &(struct record){&stream_notice, &n, {1, 0}, NULL},
             (struct flow_order){number, place, first});
}

static void hear(void *ctx, struct record *rec)
{
    const struct notice *n = rec->body;
    buf_add(ctx, n->msg);
}

static void expect(struct merge *m, bool goes_on, const char *text)
{
    struct buf heard;
    buf_init(&heard, 10000);
    assert_int_equal(merge_take(m, hear, &heard), goes_on);
    buf_add_byte(&heard, '\0');
    assert_string_equal((const char *)heard.data, text);
    buf_free(&heard);
}

static bool is_readable(struct merge *m)
{
    struct pollfd fd = {merge_fd(m), POLLIN, 0};
    return poll(&fd, 1, 0) == 1;
}

static struct merge *new_merge(size_t lanes, size_t enough)
{
    struct merge *m = NULL;
    struct error err;
    assert_int_equal(merge_new(lanes, enough, &m, &err), 0);
    return m;
}

static void order(void **state)
{
    (void)state;
    struct merge *m = new_merge(3, 1);
    struct lane *a = merge_lane(m, 0), *b = merge_lane(m, 1), *c = merge_lane(m, 2);
    tell(a, 5, 0, 0, "e");
    tell(b, 2, 0, 0, "b");
    tell(b, 2, 1, 4, "d");
    tell(c, 2, 1, 3, "c");
    tell(c, 9, 0, 0, "h");
    expect(m, true, ""); /* nobody has published */
    lane_publish(a, 6);
    lane_publish(b, 7);
    assert_false(is_readable(m));
    expect(m, true, ""); /* the third lane may still tell of number 1 */
    lane_publish(c, 9);
    assert_true(is_readable(m));
    expect(m, true, "bcde");
    tell(a, 7, 0, 0, "f");
    tell(b, 8, 0, 0, "g");
    lane_publish(a, 9);
    expect(m, true, "f"); /* up to 7, as far as the second one is */
    lane_publish(b, 9);
    expect(m, true, "gh");
    assert_int_equal(merge_until(m), 9);
    tell(c, UINT64_MAX, 5, 1, "i");
    lane_publish(c, UINT64_MAX);
    lane_publish(a, UINT64_MAX);
    expect(m, true, "");
    lane_publish(b, UINT64_MAX);
    expect(m, false, "i");
    merge_free(&m);
}

/* What was never taken is freed; waiting ends at the limit. */
static void leftovers(void **state)
{
    (void)state;
    struct merge *m = new_merge(2, 1);
    tell(merge_lane(m, 0), 1, 0, 0, "x");
    lane_publish(merge_lane(m, 0), 1);
    tell(merge_lane(m, 0), 2, 0, 0, "y");
    assert_false(merge_is_behind(m, 1));
    assert_true(merge_is_behind(m, 0));
    lane_wait(merge_lane(m, 0), 1);
    lane_wait(merge_lane(m, 1), 0);
    merge_free(&m);
}

/* The back is left alone until it is worth its while. */
static void enough(void **state)
{
    (void)state;
    struct merge *m = new_merge(1, 3);
    struct lane *l = merge_lane(m, 0);
    tell(l, 1, 0, 0, "a");
    tell(l, 1, 0, 0, "b");
    lane_publish(l, 1);
    assert_false(is_readable(m));
    tell(l, 2, 0, 0, "c");
    lane_publish(l, 2);
    assert_true(is_readable(m));
    expect(m, true, "abc");
    lane_publish(l, UINT64_MAX);
    assert_true(is_readable(m));
    expect(m, false, "");
    merge_free(&m);
}

/* Records lie in pages; some are longer than a page, and many wait at once. */
static void pages(void **state)
{
    (void)state;
    enum { LONG = 100000, COUNT = 3000 };
    static char text[LONG + 1], one[COUNT + 1];
    struct merge *m = new_merge(1, 1);
    struct lane *l = merge_lane(m, 0);
    memset(text, 'x', LONG);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            char letter[2] = {(char)('a' + i % 26), '\0'};
            one[i] = letter[0];
            tell(l, 1, 0, 0, letter);
        }
        lane_publish(l, 1);
        expect(m, true, one);
        tell(l, 1, 0, 0, "(");
        tell(l, 1, 0, 0, text);
        tell(l, 1, 0, 0, ")");
        lane_publish(l, 1);
        struct buf heard;
        buf_init(&heard, LONG + 2);
        merge_take(m, hear, &heard);
        assert_int_equal(heard.len, LONG + 2);
        assert_memory_equal(heard.data, "(xxx", 4);
        assert_memory_equal(heard.data + LONG - 2, "xxx)", 4);
        buf_free(&heard);
    }
    merge_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(order), cmocka_unit_test(leftovers),
                                       cmocka_unit_test(enough), cmocka_unit_test(pages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
