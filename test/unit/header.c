/* Encoded words, address lists. */
#include "charset_fixture.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "mail/header.h"
#include "mail/heading.h"

static void text_is(const char *value, const char *want)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    header_text(cs, slice_str(value), &out);
    assert_true(utf8_valid(buf_slice(&out)));
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, want);
    buf_free(&out);
}

static void words(void **state)
{
    (void)state;
    text_is("", "");
    text_is("plain", "plain");
    text_is("=?utf-8?q?x=c3=A4_y?=", "xä y");
    text_is("=?UTF-8?B?w6Q=?=", "ä");
    text_is("=?utf-8?b?w6Q?=", "ä"); /* no padding */
    text_is("=?iso-8859-1?Q?=E4?=", "ä");
    text_is("=?iso-8859-1*de?Q?=E4?=", "ä");
    text_is("a =?utf-8?q?b?= c", "a b c");
    text_is("=?utf-8?q?a?= =?utf-8?q?b?=", "ab");
    text_is("=?utf-8?q?a?=  \t =?utf-8?q?b?= c", "ab c");
    text_is("=?utf-8?q?a?==?utf-8?q?b?=", "ab");
    text_is("=?utf-8?q?a?=,=?utf-8?q?b?=", "a,b");
    text_is("\"=?utf-8?q?a?=\" <x@y>", "\"a\" <x@y>");
    text_is("=?utf-8?q?"
            "?=",
            "");
    text_is("=?utf-8?q?a b?=", "a b");
    text_is("x=?utf-8?q?=20y?=z", "x yz");
}

/* A character cut in two by the end of a word. */
static void split_characters(void **state)
{
    (void)state;
    text_is("=?utf-8?q?=c3?= =?utf-8?q?=a4?=", "ä");
    text_is("=?utf-8?b?ww==?= =?UTF-8?b?pA==?=", "ä");
    text_is("=?utf-8?b?ww==?= =?utf-8?q?=a4?=", "ä");
    text_is("=?utf-8?q?=c3?= =?utf-8*en?q?=a4?=", "ä");
    text_is("=?utf-8?q?=c3?= x =?utf-8?q?=a4?=", "\xef\xbf\xbd x \xef\xbf\xbd");
    text_is("=?utf-8?q?=c3?= =?iso-8859-1?q?=a4?=", "\xef\xbf\xbd¤");
}

static void charset_names(void **state)
{
    (void)state;
    text_is("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本");
    text_is("=?gb2312?B?1tC5+g==?=", "中国");
    text_is("=?GBK?B?1tC5+g==?=", "中国");
    text_is("=?big5?B?pKSw6g==?=", "中國");
    text_is("=?euc-kr?B?x9GxuQ==?=", "한국");
    text_is("=?ks_c_5601-1987?B?x9GxuQ==?=", "한국");
    text_is("=?shift_jis?B?k/qWew==?=", "日本");
    text_is("=?koi8-r?B?8NLJ18XU?=", "Привет");
    text_is("=?windows-1251?Q?=CF=F0=E8=E2=E5=F2?=", "Привет");
    text_is("=?windows-1252?Q?=80?=", "€");
    text_is("=?iso-8859-1?Q?=80?=", "€");
    text_is("=?iso-8859-15?Q?=A4?=", "€");
    text_is("=?windows-1250?Q?=9A?=", "š");
    text_is("=?windows-1255?Q?=F9?=", "ש");
    text_is("=?iso-8859-8-i?Q?=F9?=", "ש");
    text_is("=?iso-8859-9?Q?=FE?=", "ş");
    text_is("=?utf-7?Q?+AOQ-?=", "ä");
    text_is("=?unicode-1-1-utf-7?Q?+AOQ-?=", "ä");
    text_is("=?utf-16be?B?AOQ=?=", "ä");
    text_is("=?us-ascii?Q?=C3=A4_=E4?=", "Ã¤ ä"); /* not valid as UTF-8, so all of it is windows-1252 */
    text_is("=?us-ascii?Q?=C3=A4?=", "ä");
    text_is("=?x-nobody-knows?Q?=C3=A4?=", "ä");
    text_is("=?x-nobody-knows?Q?=E4?=", "ä");
    text_is("=?utf-8//IGNORE?Q?=E4?=", "ä");
    text_is("=?utf-8?Q?=E4?=", "\xef\xbf\xbd");
}

static void malformed(void **state)
{
    (void)state;
    text_is("=?utf-8?q?a", "=?utf-8?q?a");
    text_is("=?utf-8?q?a?", "=?utf-8?q?a?");
    text_is("=?utf-8?x?a?=", "=?utf-8?x?a?=");
    text_is("=?utf-8?qq?a?=", "=?utf-8?qq?a?=");
    text_is("=??q?a?=", "=??q?a?=");
    text_is("=?utf-8?a?=", "=?utf-8?a?=");
    text_is("=?=", "=?=");
    text_is("=?utf-8?q?a =?utf-8?q?b?=", "=?utf-8?q?a b"); /* the first is never ended */
    text_is("a ?= =?utf-8?q?b?=", "a ?= b");
    text_is("=?utf-8?q?=?=", "=");
    text_is("=?utf-8?q?=4?=", "=4");
    text_is("=?utf-8?q?=zz?=", "=zz");
    text_is("=?utf-8?b?"
            "?"
            "?"
            "?"
            "?=",
            "");
    text_is("=?utf-8?b?Y*Q=?=", "a");
}

static void raw_bytes(void **state)
{
    (void)state;
    text_is("ä", "ä");
    text_is("\xe4", "ä");
    text_is("\xe4 =?utf-8?q?=c3=a4?= ä", "ä ä ä");
    text_is("\xed\xa0\x80", "í\xc2\xa0€"); /* a surrogate is no character */
    text_is("\x81", "\xef\xbf\xbd");
}

/* What does not fit is cut between characters. */
static void cut_output(void **state)
{
    (void)state;
    static const char *const values[] = {"ääää", "\xe4\xe4\xe4\xe4", "=?utf-8?q?=c3=a4=c3=a4=c3=a4?=",
                                         "=?koi8-r?B?8NLJ18XU?=", "=?utf-8?q?=ff=ff=ff?="};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (size_t max = 0; max < 12; max++) {
            struct buf out;
            buf_init(&out, max);
            header_text(cs, slice_str(values[i]), &out);
            assert_true(utf8_valid(buf_slice(&out)));
            buf_free(&out);
        }
}

/* The elements, each followed by '|', then their bare addresses. */

static void hostile(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(",
                                           "\"",
                                           "<",
                                           ",",
                                           "\\",
                                           ":",
                                           ")",
                                           "(,",
                                           "\",",
                                           "<,",
                                           "()",
                                           "((((((((((((((((((((((((((((((((((((((((((((),",
                                           "\"\\\",",
                                           "(\\),",
                                           "<\\>,",
                                           "=?",
                                           "=?a?q?",
                                           "=?a?q? ",
                                           "=?utf-8?q?x?=",
                                           "=?utf-8?q?x?= ",
                                           "=?x",
                                           "=",
                                           "?=",
                                           "=?a?q?x?",
                                           "=?koi8-r?q?x?= =?koi8-u?q?x?= =?big5?q?x?= =?xx?q?x?= ",
                                           "\xe4"};
    struct buf in, out;
    buf_init(&in, 1 << 21);
    buf_init(&out, 1 << 22);
    clock_t begin = clock();
    for (size_t i = 0; i < 2 * sizeof patterns / sizeof *patterns; i++) {
        buf_clear(&in);
        while (in.len < 1 << 20)
            buf_add_str(&in, patterns[i / 2]);
        buf_add_str(&in, i % 2 ? "?=)\">" : "");
        buf_clear(&out);
        header_text(cs, buf_slice(&in), &out);
        assert_true(utf8_valid(buf_slice(&out)));
    }
    assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
    buf_free(&in);
    buf_free(&out);
}

/* A row of the table that stands in the wrong place, or a length without its first, would never be found. */
static void headings(void **state)
{
    (void)state;
    static const char *const all[] = {
#define HEADING(name, text) [HEADING_##name] = text,
#include "mail/heading.def"
#undef HEADING
    };
    for (int h = HEADING_other + 1; h < HEADING_COUNT; h++) {
        char upper[64];
        size_t len = strlen(all[h]);
        for (size_t i = 0; i <= len; i++)
            upper[i] = all[h][i] >= 'a' ? (char)(all[h][i] - 32) : all[h][i];
        assert_int_equal(heading_of(slice_str(all[h])), h);
        assert_int_equal(heading_of(slice_str(upper)), h);
        assert_int_not_equal(heading_of(slice_sub(slice_str(all[h]), 0, len - 1)), h);
        upper[len - 1] ^= 1;
        assert_int_equal(heading_of(slice_str(upper)), HEADING_other);
    }
    assert_int_equal(heading_of(slice_str("")), HEADING_other);
    assert_int_equal(heading_of(slice_str("x")), HEADING_other);
    assert_int_equal(heading_of(slice_str("arc-authentication-results-of-others")), HEADING_other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words),         cmocka_unit_test(split_characters),
                                       cmocka_unit_test(charset_names), cmocka_unit_test(malformed),
                                       cmocka_unit_test(raw_bytes),     cmocka_unit_test(cut_output),
                                       cmocka_unit_test(hostile),       cmocka_unit_test(headings)};
    return cmocka_run_group_tests(tests, charsets_begin, charsets_end);
}
