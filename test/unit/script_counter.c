/* The store of counters: expiry, its bound, and several workers. */
#include "scripts.h"
#include <pthread.h>

static struct timespec at(int64_t seconds)
{
    return (struct timespec){seconds, 0};
}

static struct counter *counter_of(struct counters *cs, const char *name, double expire)
{
    struct counter *c = NULL;
    assert_int_equal(counters_find(cs, slice_str(name), expire, &c), COUNTER_FINE);
    return c;
}

static void expiry(void **state)
{
    struct counters *cs = counters_new(100);
    struct counter *a = counter_of(cs, "a", 10), *b = counter_of(cs, "b", 0.5);
    (void)state;
    assert_ptr_equal(counter_of(cs, "a", 0), a);
    assert_int_equal(counter_add(a, at(100), slice_str("k"), 1), 1);
    /* The window begins with the first add and no later one moves it. */
    assert_int_equal(counter_add(a, at(109), slice_str("k"), 2), 3);
    assert_int_equal(counter_get(a, at(109), slice_str("k")), 3);
    assert_int_equal(counter_get(a, at(110), slice_str("k")), 0);
    assert_int_equal(counter_add(a, at(110), slice_str("k"), 1), 1);
    /* Counters are apart. Time does not go back. */
    assert_int_equal(counter_add(b, at(90), slice_str("k"), 7), 7);
    assert_int_equal(counter_get(a, at(90), slice_str("k")), 1);
    assert_int_equal(counter_get(b, at(110), slice_str("k")), 7);
    assert_int_equal(counter_get(b, at(111), slice_str("k")), 0);
    counters_tick(cs, at(119));
    assert_true(counter_size(a, at(119)) > 0);
    counters_tick(cs, at(120));
    assert_int_equal(counter_size(a, at(0)), 0);
    counters_free(&cs);
    assert_null(cs);
}

/* Where things come late each counts at its own time, and a window is kept for so long. */
static void lateness(void **state)
{
    struct counters *cs = counters_new(100);
    (void)state;
    counters_lateness(cs, 60);
    struct counter *a = counter_of(cs, "a", 10);
    assert_int_equal(counter_add(a, at(100), slice_str("k"), 1), 1);
    assert_int_equal(counter_add(a, at(105), slice_str("k"), 1), 2);
    assert_int_equal(counter_add(a, at(95), slice_str("k"), 1), 3);
    assert_int_equal(counter_get(a, at(109), slice_str("k")), 3);
    assert_int_equal(counter_get(a, at(110), slice_str("k")), 0);
    /* Of a window long before: it is one by itself. */
    assert_int_equal(counter_add(a, at(90), slice_str("k"), 5), 5);
    assert_int_equal(counter_get(a, at(90), slice_str("k")), 0);
    assert_int_equal(counter_get(a, at(100), slice_str("k")), 3);
    /* The next window. */
    assert_int_equal(counter_add(a, at(111), slice_str("k"), 1), 1);
    assert_int_equal(counter_get(a, at(105), slice_str("k")), 1);
    counters_tick(cs, at(180));
    assert_int_equal(counter_get(a, at(111), slice_str("k")), 1);
    counters_tick(cs, at(181));
    assert_int_equal(counter_get(a, at(111), slice_str("k")), 0);
    counters_free(&cs);
}

static void carry(void *ctx, const struct counters_key *k)
{
    struct counters **to = ctx;
    bool known = counters_put(to[0], k);
    assert_int_equal(known, slice_eq(k->name, slice_str("a")));
}

/* Keys can be carried to another store, where their counter is. */
static void carried(void **state)
{
    struct counters *cs = counters_new(100), *to = counters_new(100);
    (void)state;
    counter_add(counter_of(cs, "a", 10), at(100), slice_str("k"), 7);
    counter_add(counter_of(cs, "b", 10), at(101), slice_str("k"), 1);
    counter_add(counter_of(cs, "c", 10), at(101), slice_str("k"), 1);
    struct counter *a = counter_of(to, "a", 10), *b = counter_of(to, "b", 20);
    counters_each(cs, carry, &to);
    assert_int_equal(counter_add(a, at(109), slice_str("k"), 1), 8);
    assert_int_equal(counter_get(b, at(109), slice_str("k")), 0);
    assert_int_equal(counter_get(a, at(110), slice_str("k")), 0);
    counters_free(&cs);
    counters_free(&to);
}

static void bound(void **state)
{
    struct counters *cs = counters_new(100);
    struct counter *a = counter_of(cs, "a", 1000), *b = counter_of(cs, "b", 1000);
    char key[20];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        counter_add(i % 2 ? a : b, at(i / 10), slice_str(key), i);
    }
    assert_int_equal(counters_shed(cs), 900);
    assert_int_equal(counter_get(a, at(100), slice_str("k899")), 0);
    assert_int_equal(counter_get(b, at(100), slice_str("k900")), 900);
    assert_int_equal(counter_get(a, at(100), slice_str("k999")), 999);
    counter_reset(a, slice_str("k999"));
    counter_reset(a, slice_str("nothing"));
    assert_int_equal(counter_get(a, at(100), slice_str("k999")), 0);
    counter_add(a, at(100), slice_str("new"), 1);
    assert_int_equal(counters_shed(cs), 900);
    counters_free(&cs);
}

static void numbers_and_keys(void **state)
{
    struct counters *cs = counters_new(10);
    struct counter *c = counter_of(cs, "a", 10);
    char longer[COUNTER_KEY + 10];
    (void)state;
    memset(longer, 'x', sizeof longer);
    counter_add(c, at(1), (struct slice){(uint8_t *)longer, COUNTER_KEY}, 4);
    assert_int_equal(counter_get(c, at(1), (struct slice){(uint8_t *)longer, sizeof longer}), 4);
    assert_int_equal(counter_add(c, at(1), slice_str(""), INT64_MAX), INT64_MAX);
    assert_int_equal(counter_add(c, at(1), slice_str(""), 1), INT64_MAX);
    assert_int_equal(counter_add(c, at(1), slice_str("n"), -5), -5);
    assert_int_equal(counter_add(c, at(1), slice_str("n"), INT64_MIN), INT64_MIN);
    /* A copy into less room than it takes has the oldest, whole. */
    uint8_t room[1000];
    size_t size = counter_size(c, at(1));
    assert_int_equal(counter_copy(c, at(1), room, size), size);
    assert_true(counter_copy(c, at(1), room, size - 1) < size);
    struct counter_item item;
    memcpy(&item, room, sizeof item);
    assert_int_equal(item.value, 4);
    assert_int_equal(item.key_len, COUNTER_KEY);
    counters_free(&cs);
}

static void names(void **state)
{
    struct counters *cs = counters_new(10);
    struct counter *c;
    (void)state;
    assert_int_equal(counters_find(cs, slice_str("x"), 0, &c), COUNTER_UNKNOWN);
    assert_int_equal(counters_find(cs, slice_str(""), 1, &c), COUNTER_BAD);
    assert_int_equal(counters_find(cs, (struct slice){(const uint8_t *)"a\0b", 3}, 1, &c), COUNTER_BAD);
    assert_int_equal(counters_find(cs, slice_str("x"), -1, &c), COUNTER_BAD);
    assert_int_equal(counters_find(cs, slice_str("x"), 1e300, &c), COUNTER_BAD);
    assert_int_equal(counters_find(cs, slice_str("x"), 5, &c), COUNTER_FINE);
    assert_int_equal(counters_find(cs, slice_str("x"), 6, &c), COUNTER_DIFFERS);
    counters_free(&cs);
}

/* A store of no keys counts nothing, and says so by the first number each time. */
static void nothing(void **state)
{
    struct counters *cs = counters_new(0);
    struct counter *c = counter_of(cs, "a", 10);
    (void)state;
    assert_int_equal(counter_add(c, at(1), slice_str("k"), 3), 3);
    assert_int_equal(counter_get(c, at(1), slice_str("k")), 0);
    counters_free(&cs);
}

enum { WORKERS = 4, ROUNDS = 3000 };

static void *work(void *arg)
{
    struct stage *st = arg;
    for (int i = 0; i < ROUNDS; i++)
        stage_mail(st);
    return NULL;
}

/* Workers have their own scripts and one store: no add is lost. */
static void workers(void **state)
{
    static const char *const text = "local c = counter('all', {expire = 1000})\n"
                                    "local mine = counter('mine', {expire = 1000})\n"
                                    "function on_mail(m) c:add('x') mine:add(c:get('x') % 50)\n"
                                    "for k, v in mine:each() do assert(v > 0) break end end";
    static struct stage st[WORKERS];
    struct error err = {""};
    struct counters *cs = counters_new(30);
    pthread_t threads[WORKERS];
    (void)state;
    for (int i = 0; i < WORKERS; i++) {
        stage_init(&st[i]);
        st[i].counters = cs;
        assert_int_equal(stage_try(&st[i], &text, 1, &err), 0);
    }
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &st[i]), 0);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    uint64_t shed = counters_shed(cs);
    assert_true(shed > 0);
    for (int i = 0; i < WORKERS; i++) {
        assert_said(&st[i].complaints, "");
        stage_close(&st[i]);
    }
    counters_free(&cs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expiry),  cmocka_unit_test(lateness),         cmocka_unit_test(carried),
        cmocka_unit_test(bound),   cmocka_unit_test(numbers_and_keys), cmocka_unit_test(names),
        cmocka_unit_test(nothing), cmocka_unit_test(workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
