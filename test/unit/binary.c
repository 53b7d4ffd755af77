/* Answers in RowBinary: the same rows however they are cut, and nothing read that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/buf.h"
#include "clickhouse/binary.h"

enum { ROWS = 3, COLUMNS = 9, MOST = 4096 };
static const enum binary_kind kinds[COLUMNS] = {BINARY_U8,    BINARY_U16,   BINARY_U32,
                                                BINARY_U64,   BINARY_F64,   BINARY_TEXT,
                                                BINARY_TEXTS, BINARY_REALS, BINARY_MAYBE};

static void add_number(struct buf *b, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buf_add_byte(b, (uint8_t)(v >> (8 * i)));
}

static void add_length(struct buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_add_byte(b, (uint8_t)(v | 0x80));
    buf_add_byte(b, (uint8_t)v);
}

static void add_text(struct buf *b, size_t len, uint8_t c)
{
    add_length(b, len);
    for (size_t i = 0; i < len; i++)
        buf_add_byte(b, c);
}

static void add_real(struct buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    add_number(b, bits, sizeof bits);
}

static void add_row(struct buf *b, unsigned n)
{
    add_number(b, n, 1);
    add_number(b, 0x1234 + n, 2);
    add_number(b, 0xdeadbe00 + n, 4);
    add_number(b, UINT64_MAX - n, 8);
    add_real(b, 0.5 + n);
    add_text(b, 200 * n, 'a');
    add_length(b, n);
    for (unsigned i = 0; i < n; i++)
        add_text(b, i * 130, 'x');
    add_length(b, n);
    for (unsigned i = 0; i < n; i++)
        add_real(b, i);
    buf_add_byte(b, n == 1);
    if (n != 1)
        buf_add_byte(b, (uint8_t)n);
}

/* Rows come in order and are what add_row wrote. */
static bool check(void *ctx, const struct binary_value *v)
{
    unsigned *n = ctx, i;
    struct slice text;
    double real;
    assert_int_equal(v[0].number, *n);
    assert_int_equal(v[1].number, 0x1234 + *n);
    assert_int_equal(v[2].number, 0xdeadbe00 + *n);
    assert_true(v[3].number == UINT64_MAX - *n && v[4].real == 0.5 + *n);
    assert_int_equal(v[5].text.len, 200 * *n);
    for (i = 0; i < v[5].text.len; i++)
        assert_int_equal(v[5].text.data[i], 'a');
    struct binary_value texts = v[6], reals = v[7];
    assert_int_equal(texts.count, *n);
    for (i = 0; binary_next_text(&texts, &text); i++)
        assert_true(text.len == i * 130 && (!text.len || text.data[text.len - 1] == 'x'));
    assert_int_equal(i, *n);
    for (i = 0; binary_next_real(&reals, &real); i++)
        assert_true(real == i);
    assert_int_equal(i, *n);
    assert_true(v[8].null == (*n == 1) && v[8].number == (*n == 1 ? 0 : *n));
    return ++*n < 200;
}

static void fill(struct buf *b)
{
    buf_init(b, 1 << 20);
    for (unsigned i = 0; i < ROWS; i++)
        add_row(b, i);
}

/* From memory of its own size, so that a byte too far is seen. */
static bool feed(struct binary *b, struct slice piece)
{
    uint8_t *copy = malloc(piece.len ? piece.len : 1);
    memcpy(copy, piece.data, piece.len);
    bool more = binary_take(b, (struct slice){copy, piece.len});
    free(copy);
    return more;
}

static void cuts(void **state)
{
    struct buf all;
    struct error err;
    (void)state;
    fill(&all);
    for (size_t step = 1; step <= all.len; step = step < 64 ? step + 1 : step * 2) {
        unsigned n = 0;
        struct binary *b = binary_new(kinds, COLUMNS, MOST, check, &n);
        for (size_t at = 0; at < all.len; at += step)
            assert_true(feed(b, slice_sub(buf_slice(&all), at, at + step)));
        assert_int_equal(binary_end(b, &err), 0);
        assert_int_equal(n, ROWS);
        binary_free(&b);
    }
    buf_free(&all);
}

static void ends(void **state)
{
    struct buf all;
    struct error err;
    (void)state;
    fill(&all);
    unsigned goods = 0;
    for (size_t len = 0; len < all.len; len++) {
        unsigned n = 0;
        struct binary *b = binary_new(kinds, COLUMNS, MOST, check, &n);
        feed(b, slice_sub(buf_slice(&all), 0, len));
        int code = binary_end(b, &err);
        assert_true(code == 0 || n < ROWS);
        goods += code == 0;
        binary_free(&b);
    }
    assert_int_equal(goods, ROWS); /* before each row */
    buf_free(&all);
}

static bool stop(void *ctx, const struct binary_value *v)
{
    (void)v;
    return ++*(unsigned *)ctx < 2;
}

static void enough(void **state)
{
    struct buf all;
    struct error err;
    unsigned n = 0;
    (void)state;
    fill(&all);
    struct binary *b = binary_new(kinds, COLUMNS, MOST, stop, &n);
    assert_false(feed(b, buf_slice(&all)));
    assert_false(feed(b, buf_slice(&all)));
    assert_int_equal(binary_end(b, &err), 0);
    assert_int_equal(n, 2);
    binary_free(&b);
    buf_free(&all);
}

static bool any(void *ctx, const struct binary_value *v)
{
    (void)v;
    ++*(unsigned *)ctx;
    return true;
}

static int judge(enum binary_kind kind, struct slice bytes)
{
    unsigned n = 0;
    struct error err;
    struct binary *b = binary_new(&kind, 1, MOST, any, &n);
    for (size_t i = 0; i < bytes.len; i++)
        feed(b, slice_sub(bytes, i, i + 1));
    int code = binary_end(b, &err);
    binary_free(&b);
    return code;
}

#define BYTES(...)                                                                                           \
    (struct slice)                                                                                           \
    {                                                                                                        \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                               \
    }

/* Lengths that lie. */
static void lies(void **state)
{
    (void)state;
    const struct slice most = BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    const struct slice endless =
        BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01);
    for (enum binary_kind k = BINARY_TEXT; k <= BINARY_REALS; k++) {
        assert_int_equal(judge(k, BYTES(0)), 0);
        assert_true(judge(k, most) < 0);
        assert_true(judge(k, endless) < 0);
        assert_true(judge(k, BYTES(0x80, 0x80, 0x01, 'a')) < 0);
    }
    assert_true(judge(BINARY_TEXTS, BYTES(2, 1, 'a')) < 0);
    assert_true(judge(BINARY_TEXTS, BYTES(2, 1, 'a', 0)) == 0);
    assert_true(judge(BINARY_TEXT, slice_str("DB::Exception")) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cuts), cmocka_unit_test(ends),
                                       cmocka_unit_test(enough), cmocka_unit_test(lies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
