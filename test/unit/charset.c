/* Charsets: UTF-8 as RFC 3629 has it, names, odd ends. */
#include "charset_fixture.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void is(const char *name, const char *bytes, size_t len, const char *want)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    charset_to_utf8(cs, slice_str(name), (struct slice){(const uint8_t *)bytes, len}, &out);
    assert_true(utf8_valid(buf_slice(&out)));
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, want);
    buf_free(&out);
}

static void utf8(void **state)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2"
                                      "a",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xe1\x80",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x90\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xfe"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(utf8_valid(slice_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(utf8_valid(slice_str(bad[i])));
    is("utf-8",
       "a\xff"
       "b\xc3",
       4,
       "a\xef\xbf\xbd"
       "b\xef\xbf\xbd");
    is("UTF8", "\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void names(void **state)
{
    (void)state;
    is("KOI8-R", "\xf0", 1, "П");
    is("koi8-r", "\xf0", 1, "П");
    is("", "\xe4", 1, "ä");
    is("../../x", "\xe4", 1, "ä");
    is("ISO-8859-1,", "\xe4", 1, "ä");
    is("IBM1390", "\x42\x5d", 2, "B]"); /* no charset of mail: not looked for */
    is("this-name-is-longer-than-any-charset-that-there-is", "\xe4", 1, "ä");
    is("iso-8859-1", "\x80\xe4", 2, "€ä");
}

static void ends(void **state)
{
    (void)state;
    /* Half a character, and an escape that leads nowhere. */
    is("shift_jis", "\x93", 1, "\xef\xbf\xbd");
    is("gb18030", "\xd6\xd0\xd6", 3, "中\xef\xbf\xbd");
    is("utf-16be", "\0\xe4\0", 3, "ä\xef\xbf\xbd");
    is("utf-7", "+", 1, "\xef\xbf\xbd");
    is("utf-7", "+AOQ", 4, "ä");
    is("iso-2022-jp", "\x1b$B", 3, "");
    is("iso-2022-jp", "\x1b$BF|", 5, "日"); /* no way back to ASCII */
    is("iso-2022-jp", "abc", 3, "abc");     /* the state of the last one is forgotten */
    /* This converter holds a character back until the next one. */
    is("big5-hkscs", "\x88\x66", 2, "\xc3\x8a");
}

static void every_byte(void **state)
{
    static const char *const all[] = {
        "iso-8859-1",   "iso-8859-2",   "iso-8859-7",   "iso-8859-8",   "koi8-r",        "koi8-u",
        "windows-1250", "windows-1251", "windows-1252", "windows-1255", "windows-1256",  "windows-1258",
        "cp437",        "cp866",        "tis-620",      "gb2312",       "gb18030",       "big5",
        "euc-tw",       "euc-jp",       "shift_jis",    "iso-2022-jp",  "iso-2022-jp-3", "iso-2022-kr",
        "iso-2022-cn",  "euc-kr",       "johab",        "viscii",       "tcvn",          "utf-7",
        "utf-16",       "utf-16le",     "utf-16be",     "utf-32",       "macintosh",     "us-ascii",
        "nobody"};
    (void)state;
    unsigned seed = 7;
    struct buf out;
    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (int round = 0; round < 50; round++) {
            uint8_t bytes[700];
            size_t len = (size_t)rand_r(&seed) % sizeof bytes;
            for (size_t j = 0; j < len; j++)
                bytes[j] = rand_r(&seed) % 9 ? (uint8_t)rand_r(&seed) : 0x1b;
            buf_clear(&out);
            charset_to_utf8(cs, slice_str(all[i]), (struct slice){bytes, len}, &out);
            assert_true(utf8_valid(buf_slice(&out)));
        }
    buf_free(&out);
}

static void hostile(void **state)
{
    (void)state;
    static const char *const all[] = {"utf-8", "us-ascii", "utf-7", "iso-2022-jp", "gb18030", "utf-16"};
    struct buf in, out;
    buf_init(&in, 1 << 18);
    buf_init(&out, 1 << 22);
    while (buf_add_str(&in, "\xff\xf0\x90+\x1b$"))
        ;
    clock_t begin = clock();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        buf_clear(&out);
        charset_to_utf8(cs, slice_str(all[i]), buf_slice(&in), &out);
        assert_true(utf8_valid(buf_slice(&out)));
    }
    /* A charset for each word: nothing is opened more than once. */
    for (int i = 0; i < 5000; i++) {
        char name[16];
        snprintf(name, sizeof name, "CP%d", 400 + i % 900);
        buf_clear(&out);
        charset_to_utf8(cs, slice_str(name), slice_str("\xe4"), &out);
    }
    assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
    buf_free(&in);
    buf_free(&out);
}

static void reads(const char *bytes, const char *wanted)
{
    struct buf out;
    buf_init(&out, 1000);
    utf8_read(slice_str(bytes), &out);
    buf_add_byte(&out, 0);
    assert_string_equal((const char *)out.data, wanted);
    buf_free(&out);
}

/* What has no charset: UTF-8, UTF-8 that was cut, or windows-1252. */
static void without_charset(void **state)
{
    (void)state;
    reads("", "");
    reads("plain", "plain");
    reads("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
    reads("gr\xc3\xbc\xc3", "gr\xc3\xbc");
    reads("\xe2\x82\xac \xe2\x82", "\xe2\x82\xac ");
    reads("gr\xfc\xdf", "gr\xc3\xbc\xc3\x9f");
    reads("caf\xe9", "caf\xc3\xa9");
    reads("\x80 \x9f \x81", "\xe2\x82\xac \xc5\xb8 \xef\xbf\xbd");
    reads("a\xc3(", "a\xc3\x83(");
    struct buf out;
    for (uint32_t i = 0; i < 200000; i++) {
        uint8_t bytes[4] = {(uint8_t)i, (uint8_t)(i >> 5), (uint8_t)(i >> 9), (uint8_t)(i * 7)};
        buf_init(&out, i % 8);
        utf8_read((struct slice){bytes, 4}, &out);
        assert_true(utf8_valid(buf_slice(&out)));
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(utf8),    cmocka_unit_test(names),
                                       cmocka_unit_test(ends),    cmocka_unit_test(every_byte),
                                       cmocka_unit_test(hostile), cmocka_unit_test(without_charset)};
    return cmocka_run_group_tests(tests, charsets_begin, charsets_end);
}
