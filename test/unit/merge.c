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
    buf_init(&heard, 1000);
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

static void order(void **state)
{
    (void)state;
    struct merge *m = merge_new(3);
    struct lane *a = merge_lane(m, 0), *b = merge_lane(m, 1), *c = merge_lane(m, 2);
    tell(a, 5, 0, 0, "e");
    tell(b, 2, 0, 0, "b");
    tell(b, 2, 1, 4, "d");
    tell(c, 2, 1, 3, "c");
    tell(c, 9, 0, 0, "h");
    expect(m, true, ""); /* nobody has published */
    lane_publish(a, 6);
    lane_publish(b, 7);
    assert_true(is_readable(m));
    expect(m, true, ""); /* the third lane may still tell of number 1 */
    assert_false(is_readable(m));
    lane_publish(c, 9);
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
    struct merge *m = merge_new(2);
    tell(merge_lane(m, 0), 1, 0, 0, "x");
    lane_publish(merge_lane(m, 0), 1);
    tell(merge_lane(m, 0), 2, 0, 0, "y");
    merge_wait(m, 1);
    lane_wait(merge_lane(m, 0), 1);
    lane_wait(merge_lane(m, 1), 0);
    merge_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(order), cmocka_unit_test(leftovers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
