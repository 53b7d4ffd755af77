/* Sizes after decoding. The counts were held against Python's binascii. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mail/transfer.h"

/* The text, line by line, in pieces of `step` bytes. */
static uint64_t count(enum transfer kind, struct slice text, size_t step)
{
    struct transfer_size t = {0};
    while (text.len) {
        size_t lf = slice_index(text, '\n'), end = 0;
        struct slice line = slice_sub(text, 0, lf);
        if (lf < text.len)
            end = transfer_line_end(line);
        line.len -= end ? end - 1 : 0;
        for (; line.len > step; line = slice_sub(line, step, line.len))
            transfer_count(&t, kind, slice_sub(line, 0, step), 0);
        transfer_count(&t, kind, line, end);
        text = slice_sub(text, lf + 1, text.len);
    }
    return transfer_total(&t);
}

static void sizes_are(enum transfer kind, struct slice text, uint64_t want)
{
    struct transfer_size t = {0};
    transfer_count_lines(&t, kind, text);
    assert_int_equal(transfer_total(&t), want);
    for (size_t step = 1; step <= text.len; step++)
        assert_int_equal(count(kind, text, step), want);
}

static void size_is(enum transfer kind, const char *text, uint64_t want)
{
    sizes_are(kind, slice_str(text), want);
}

static void base64(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
    } table[] = {
        {"", 0},
        {"Q", 0},
        {"QU", 1},
        {"QUI", 2},
        {"QUJD", 3},
        {"QUJD\r\nQUJD\r\n", 6},
        {"QQ==", 1},
        {"QUI=", 2},
        {"QUI=\r\n", 2},
        {"QQ==\r\nQUJD", 1},
        {"QQ=QUJD", 4},
        {"QQ\r\n=\r\n=QUJD", 1},
        {"=", 0},
        {"=QUJD", 3},
        {"Q=UJD", 3},
        {"QUJD=QUJD", 6},
        {"QUJD==", 3},
        {"Q U-J_D.", 3},
        {"QU\rJD", 3},
        {"Q\r\nU\nJ\r\r\nD", 3},
        {"+/+/", 3},
        {"\xff\x80QUJD\x01", 3},
        {"@AZ[`az{/09:*+,", 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        size_is(TRANSFER_BASE64, table[i].text, table[i].size);
}

/* Every byte at every place of blocks of every length: sixteen at once must count as one by one. */
static void base64_blocks(void **state)
{
    uint8_t bytes[400];
    unsigned seed = 3;
    (void)state;
    for (size_t round = 0; round < 3000; round++) {
        size_t len = round < sizeof bytes ? round : (size_t)rand_r(&seed) % sizeof bytes, digits = 0;
        for (size_t i = 0; i < len; i++) {
            uint8_t c = (uint8_t)(round % 2 ? rand_r(&seed) : "AZaz09+/\r\n-@[`{:"[rand_r(&seed) % 16]);
            bytes[i] = c == '=' ? '*' : c;
            digits += bytes[i] && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                                         bytes[i]) != NULL;
        }
        struct transfer_size t = {0};
        uint8_t *copy = malloc(len ? len : 1);
        assert_non_null(copy);
        memcpy(copy, bytes, len);
        transfer_count(&t, TRANSFER_BASE64, (struct slice){copy, len}, 0);
        free(copy);
        assert_int_equal(t.digits, digits);
    }
    struct transfer_size t = {0};
    uint8_t *many = malloc(100000);
    assert_non_null(many);
    memset(many, 'A', 100000);
    transfer_count(&t, TRANSFER_BASE64, (struct slice){many, 100000}, 0);
    assert_int_equal(transfer_total(&t), 75000);
    free(many);
}

static void quoted_printable(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
    } table[] = {
        {"", 0},        {"abc", 3},      {"abc\r\n", 5},    {"abc\n", 4},   {"abc\r\r\n", 6}, {"=3D=3d", 2},
        {"a=\r\nb", 2}, {"a=\nb", 2},    {"a= \t\r\nb", 2}, {"a \r\nb", 4}, {"a \t \r\n", 3}, {"a b\r\n", 5},
        {" \r\n", 2},   {"a =\r\nb", 3}, {"a=", 1},         {"a= ", 1},     {"=4", 2},        {"=4\r\n", 4},
        {"=4g", 3},     {"=g", 2},       {"= g", 3},        {"==", 1},      {"==41", 2},      {"=\r", 2},
        {"=4=41", 3},   {"a  =41", 4},   {"=20\r\n", 3},    {"=0D=0A", 2},  {"\xff\r\n", 3},  {"a ", 1},
        {"=  =41", 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        size_is(TRANSFER_QP, table[i].text, table[i].size);
}

static void ends(void **state)
{
    (void)state;
    struct transfer_size t = {0};
    transfer_count(&t, TRANSFER_QP, slice_str("abc"), 2);
    transfer_uncount_end(&t);
    assert_int_equal(transfer_total(&t), 3);
    transfer_uncount_end(&t);
    assert_int_equal(transfer_total(&t), 3);
    transfer_count(&t, TRANSFER_QP, slice_str("d="), 2); /* a soft break added nothing */
    transfer_uncount_end(&t);
    assert_int_equal(transfer_total(&t), 4);
    transfer_count(&t, TRANSFER_QP, slice_str("e=4"), 0);
    transfer_gap(&t, 0);
    transfer_count(&t, TRANSFER_QP, slice_str("1"), 0);
    assert_int_equal(transfer_total(&t), 6);
}

static void kinds(void **state)
{
    static const struct {
        const char *value;
        enum transfer kind;
    } table[] = {
        {"base64", TRANSFER_BASE64},
        {" BASE64 ", TRANSFER_BASE64},
        {"base64\t(c)", TRANSFER_BASE64},
        {"Base64(c)", TRANSFER_BASE64},
        {"base64; x=y", TRANSFER_BASE64},
        {"\"base64\"", TRANSFER_BASE64},
        {"base64x", TRANSFER_IDENTITY},
        {"x-base64", TRANSFER_IDENTITY},
        {"", TRANSFER_IDENTITY},
        {"\"", TRANSFER_IDENTITY},
        {"7bit", TRANSFER_IDENTITY},
        {"Quoted-Printable ", TRANSFER_QP},
        {"quoted-printable;", TRANSFER_QP},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bool known = false;
        assert_int_equal(transfer_of(slice_str(table[i].value), &known), table[i].kind);
        assert_int_equal(known, table[i].kind != TRANSFER_IDENTITY || strcmp(table[i].value, "7bit") == 0);
    }
}

static void words(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 100);
    transfer_base64(slice_str("QU J-D=QQ=="), &out);
    transfer_base64(slice_str("QQ==QUJD"), &out);
    transfer_q_word(slice_str("_=5F=5f=4=zz="), &out);
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, "ABCAA __=4=zz=");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64), cmocka_unit_test(base64_blocks), cmocka_unit_test(quoted_printable),
        cmocka_unit_test(ends),   cmocka_unit_test(kinds),         cmocka_unit_test(words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
