/* Groups of base64 digits and their number, by both ways, held to a third that takes one group at a time. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mail/base64.h"

enum { MOST = 700 };
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct result {
    size_t used, len;
    uint8_t bytes[MOST];
};

static int value(uint8_t c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static void by_hand(struct result *ret, const uint8_t *text, size_t len)
{
    *ret = (struct result){0};
    for (;;) {
        uint32_t group = 0;
        size_t i = 0;
        for (; i < 4 && ret->used + i < len && value(text[ret->used + i]) >= 0; i++)
            group = group << 6 | (uint32_t)value(text[ret->used + i]);
        if (i == 4) {
            for (int shift = 16; shift >= 0; shift -= 8)
                ret->bytes[ret->len++] = (uint8_t)(group >> shift);
            ret->used += 4;
        } else if (ret->used < len && text[ret->used] <= ' ') {
            ret->used++;
        } else {
            return;
        }
    }
}

/* As often as `room` bytes out are full. The memory that it may read and write is no larger than it is told.
 */
static void by(void (*groups)(struct base64_run *), struct result *ret, const uint8_t *text, size_t len,
               size_t room)
{
    uint8_t *in = malloc(len + !len), *out = malloc(room + BASE64_SPILL);
    memcpy(in, text, len);
    *ret = (struct result){0};
    struct base64_run r = {in, in + len, out, out + room};
    do {
        r.out = out;
        groups(&r);
        memcpy(ret->bytes + ret->len, out, (size_t)(r.out - out));
        ret->len += (size_t)(r.out - out);
    } while (r.out >= r.stop);
    ret->used = (size_t)(r.p - in);
    free(in);
    free(out);
}

static void check_count(const uint8_t *text, size_t len)
{
    size_t count = 0, lows = 0;
    uint8_t *in = malloc(len + !len);
    memcpy(in, text, len);
    for (size_t i = 0; i < len; i++) {
        count += value(text[i]) >= 0;
        lows += text[i] <= ' ';
    }
    for (int plainly = 0; plainly < 2; plainly++) {
        bool other = false;
        struct slice s = {in, len};
        size_t got = plainly ? base64_count_plainly(s, &other) : base64_count(s, &other);
        assert_int_equal(other, count + lows < len);
        if (!other)
            assert_int_equal(got, count);
    }
    free(in);
}

static void check(const uint8_t *text, size_t len)
{
    check_count(text, len);
    static const size_t rooms[] = {1, 57, 58, 100, MOST};
    struct result want, got;
    by_hand(&want, text, len);
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        for (int plainly = 0; plainly < 2; plainly++) {
            by(plainly ? base64_groups_plainly : base64_groups, &got, text, len, rooms[i]);
            assert_int_equal(got.used, want.used);
            assert_int_equal(got.len, want.len);
            assert_memory_equal(got.bytes, want.bytes, want.len);
        }
}

static void fill(uint8_t *text, size_t line, const char *end)
{
    size_t column = 0;
    for (size_t i = 0; i < MOST; i++) {
        bool ends = column >= line;
        text[i] = ends ? (uint8_t)end[column - line] : (uint8_t)digits[(unsigned)rand() % 64];
        column = ends && !end[column - line + 1] ? 0 : column + 1;
    }
}

static void lines(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 4, 30, 60, 64, 72, 75, 76, 77, 80, 1000};
    static const char *const ends[] = {"\r\n", "\n", "\r\r\n", " \r\n", "\n\r"};
    uint8_t text[MOST];
    srand(1);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
            fill(text, widths[w], ends[e]);
            for (size_t from = 0; from < 80; from++)
                check(text + from, MOST - 80);
            for (size_t len = 0; len < 300; len++)
                check(text, len);
        }
}

/* Each byte value, at each place of three lines. */
static void any_byte(void **state)
{
    (void)state;
    enum { LINES = 3 * 78 };
    uint8_t text[MOST];
    fill(text, 76, "\r\n");
    for (size_t at = 0; at < LINES; at++) {
        uint8_t was = text[at];
        for (int c = 0; c < 256; c++) {
            text[at] = (uint8_t)c;
            check(text, LINES + 10);
        }
        text[at] = was;
    }
}

/* More than a lane can count. */
static void much(void **state)
{
    (void)state;
    enum { MUCH = 70000 };
    static uint8_t text[MUCH];
    for (int odd = 0; odd < 2; odd++)
        for (size_t len = MUCH - 100; len <= MUCH; len++) {
            memset(text, odd ? ' ' : 'A', len);
            check_count(text, len);
            text[len / 2] = '=';
            check_count(text, len);
        }
}

static void table(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++)
        assert_int_equal(base64_kinds[c], value((uint8_t)c) >= 0 ? value((uint8_t)c)
                                          : c == '='             ? BASE64_PAD
                                                                 : BASE64_JUNK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(any_byte),
                                       cmocka_unit_test(much), cmocka_unit_test(table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
