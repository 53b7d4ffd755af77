#include "rule/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

struct told {
    char text[4096];
    uint64_t repeats;
};

static void on_fold(void *ctx, struct notice *n, unsigned actions)
{
    assert_int_equal(actions, ACTION_LOG);
    struct told *told = ctx;
    size_t used = strlen(told->text);
    snprintf(told->text + used, sizeof told->text - used, "%.*s*%llu@%lld ", (int)n->identifier.len,
             (const char *)n->identifier.data, (unsigned long long)n->folded, (long long)n->ts.tv_sec);
    told->repeats += n->folded;
}

static bool take(struct fold_table *f, const char *note, const char *identifier, time_t at, double window)
{
    return fold_take(f,
                     &(struct notice){.ts = {at, 0},
                                      .note = slice_str(note),
                                      .identifier = slice_str(identifier),
                                      .suppress_for = window},
                     ACTION_LOG);
}

static void windows(void **state)
{
    (void)state;
    struct told told = {{0}};
    struct fold_table *f = fold_table_new(100, on_fold, &told);
    assert_true(take(f, "A", "x", 0, 10));
    assert_false(take(f, "A", "x", 3, 10));
    assert_false(take(f, "A", "x", 9, 10));
    assert_true(take(f, "A", "y", 9, 10));
    assert_true(take(f, "B", "x", 9, 10));
    fold_advance(f, (struct timespec){9, 999999999});
    assert_string_equal(told.text, "");
    fold_advance(f, (struct timespec){10, 0});
    assert_string_equal(told.text, "x*2@9 ");
    assert_true(take(f, "A", "x", 10, 10));
    assert_false(take(f, "B", "x", 15, 10));
    /* A window that ended is told by who comes after it, too. */
    assert_true(take(f, "B", "x", 30, 10));
    assert_string_equal(told.text, "x*2@9 x*1@15 ");
    assert_true(take(f, "A", "x", 100, 0));
    assert_true(take(f, "A", "x", 100, 0));
    fold_finish(f);
    assert_string_equal(told.text, "x*2@9 x*1@15 ");
    fold_table_free(&f);
    assert_null(f);
}

/* A note and an identifier are two texts, wherever they meet; long ones count by their beginning. */
static void keys(void **state)
{
    (void)state;
    struct told told = {{0}};
    struct fold_table *f = fold_table_new(100, on_fold, &told);
    assert_true(take(f, "AB", "C", 0, 10));
    assert_true(take(f, "A", "BC", 0, 10));
    assert_true(take(f, "ABC", "", 0, 10));
    static char huge[100000];
    memset(huge, 'z', sizeof huge - 1);
    assert_true(take(f, "A", huge, 0, 10));
    assert_false(take(f, "A", huge, 1, 10));
    fold_finish(f);
    assert_int_equal(told.repeats, 1);
    fold_table_free(&f);
}

/* Over the limit the one that ends first is told early; of all that came none is lost, in any order. */
static void crowds(void **state)
{
    (void)state;
    struct told told = {{0}};
    uint64_t out = 0, came = 0, random = 1;
    struct fold_table *f = fold_table_new(16, on_fold, &told);
    for (time_t now = 0; now < 20000; now++) {
        char id[16];
        random = random * 6364136223846793005u + 1442695040888963407u;
        snprintf(id, sizeof id, "%u", (unsigned)(random >> 33) % 40);
        told.text[0] = '\0';
        out += take(f, "A", id, now, (double)((random >> 40) % 50));
        came++;
        if (random >> 60 == 1)
            fold_advance(f, (struct timespec){now, 0});
    }
    told.text[0] = '\0';
    fold_finish(f);
    assert_int_equal(out + told.repeats, came);
    assert_true(told.repeats > 100 && fold_shed(f) > 100);
    fold_table_free(&f);
}

/* What is decided about it is part of it, and what lies far before is no repeat. */
static void differences(void **state)
{
    (void)state;
    struct told told = {{0}};
    struct fold_table *f = fold_table_new(100, on_fold, &told);
    assert_true(take(f, "A", "x", 1000, 10));
    assert_true(fold_take(
        f,
        &(struct notice){
            .ts = {1001, 0}, .note = slice_str("A"), .identifier = slice_str("x"), .suppress_for = 10},
        ACTION_LOG | ACTION_EMAIL));
    assert_false(take(f, "A", "x", 995, 10));
    assert_true(take(f, "A", "x", 900, 10));
    fold_finish(f);
    assert_string_equal(told.text, "x*1@995 ");
    fold_table_free(&f);
}

static void keep(void *ctx, const struct fold_entry *e)
{
    fold_put(ctx, e);
}

/* What is remembered can be carried to another table; what stands for repeats already counts as these. */
static void carried(void **state)
{
    (void)state;
    struct told told = {{0}};
    struct notice many = {.ts = {1004, 0},
                          .note = slice_str("A"),
                          .identifier = slice_str("x"),
                          .suppress_for = 10,
                          .folded = 40};
    struct fold_table *a = fold_table_new(100, on_fold, &told), *b = fold_table_new(100, on_fold, &told);
    assert_true(take(a, "A", "x", 1000, 10));
    assert_false(take(a, "A", "x", 1003, 10));
    assert_false(fold_take(a, &many, ACTION_LOG));
    assert_true(take(a, "A", "y", 1003, 10));
    assert_true(take(b, "A", "y", 900, 10));
    fold_each(a, keep, b);
    fold_table_free(&a);
    assert_string_equal(told.text, "");
    assert_false(take(b, "A", "x", 1005, 10));
    /* It knew this one by itself. */
    assert_true(take(b, "A", "y", 1009, 10));
    many.folded = UINT64_MAX;
    assert_false(fold_take(b, &many, ACTION_LOG));
    fold_advance(b, (struct timespec){1010, 0});
    assert_string_equal(told.text, "x*9223372036854775807@1004 ");
    fold_table_free(&b);
}

static void copies(void **state)
{
    (void)state;
    struct notice n = {.note = slice_str("A"), .msg = slice_str("gr\xc3\xbc\xc3\x9f"), .code = 554};
    struct notice *copy = notice_copy(&n, 3);
    assert_int_equal(copy->msg.len, 2);
    assert_memory_equal(copy->msg.data, "gr", 2);
    assert_int_equal(copy->code, 554);
    assert_null(copy->sub.data);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(windows), cmocka_unit_test(keys),
                                       cmocka_unit_test(crowds),  cmocka_unit_test(differences),
                                       cmocka_unit_test(carried), cmocka_unit_test(copies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
