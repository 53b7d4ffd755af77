/* Parameters: RFC 2045, RFC 2231, and what mailers write. */
#include "charset_fixture.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "mail/header.h"

/* NULL: not there. */
static void name_is(const char *value, const char *want)
{
    struct buf out;
    buf_init(&out, 4096);
    bool found = header_param(cs, header_params(slice_str(value)).rest, "filename", &out);
    assert_true(utf8_valid(buf_slice(&out)));
    assert_int_equal(found, want != NULL);
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, want ? want : "");
    buf_free(&out);
}

static void raw_is(const char *value, const char *want)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(header_param_raw(header_params(slice_str(value)).rest, "boundary", &out), want != NULL);
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, want ? want : "");
    buf_free(&out);
}

static void value_is(const char *value, const char *want)
{
    assert_true(slice_eq(header_params(slice_str(value)).value, slice_str(want)));
}

static void values(void **state)
{
    (void)state;
    value_is("", "");
    value_is(" text/plain ", "text/plain");
    value_is("text/plain ; x=y", "text/plain");
    value_is("text/plain (a;b) ; x=y", "text/plain (a;b)");
    value_is("text/plain x=y", "text/plain");
    value_is("text/plain (no parameter)", "text/plain (no parameter)");
    value_is(";", "");
}

static void plain(void **state)
{
    (void)state;
    name_is("attachment", NULL);
    name_is("attachment;", NULL);
    name_is("attachment; filename", NULL);
    name_is("attachment; filename; x=y", NULL);
    name_is("attachment; filename=", "");
    name_is("attachment; filename=\"\"", "");
    name_is("attachment; filename=a.pdf", "a.pdf");
    name_is("attachment; FileName = \"a b.pdf\" ; size=3", "a b.pdf");
    name_is("attachment; filename=a b.pdf; size=3", "a b.pdf");
    name_is("attachment; x=\"a; filename=no\"; filename=\"b;c.pdf\"", "b;c.pdf");
    name_is("attachment; filename=\"a\\\"b\\\\c.pdf\"", "a\"b\\c.pdf");
    name_is("attachment; filename=\"C:\\temp\\a.pdf\"", "C:\\temp\\a.pdf");
    name_is("attachment; filename=\"a.pdf", "a.pdf");
    name_is("attachment; filename=\"a\\", "a\\");
    name_is("attachment; filename=\"", "");
    name_is("attachment; filename=\"a\" junk; filename=b", "a");
    name_is("attachment; x=\"y\" filename=\"a\"", "a");
    name_is("attachment filename=a", "a");
    name_is("attachment;; ;filename=a;;", "a");
    name_is("attachment; filename=a; filename=b", "a");
    name_is("attachment; (filename=c;) filename=a", "a");
    name_is("attachment (x; filename=c); filename=a (1).pdf", "a (1).pdf");
    name_is("attachment; xfilename=b; filename2=c", NULL);
    name_is("attachment; filename=\"\xc3\xa4\"", "ä");
    name_is("attachment; filename=\xe4", "ä");
}

static void encoded_words(void **state)
{
    (void)state;
    name_is("attachment; filename=\"=?utf-8?q?=c3=a4?=.pdf\"", "ä.pdf");
    name_is("attachment; filename==?utf-8?b?w6Q=?=", "ä");
    name_is("attachment; filename=\"=?utf-8?q?a?= =?utf-8?q?b?=\"", "ab");
    name_is("attachment; filename*0=\"=?utf-8?q?\"; filename*1=\"=c3=a4?=\"", "ä");
}

static void extended(void **state)
{
    (void)state;
    name_is("attachment; filename*=utf-8''%c3%A4%20b.pdf", "ä b.pdf");
    name_is("attachment; filename*=UTF-8'de'%c3%a4", "ä");
    name_is("attachment; filename*=\"iso-8859-1''%e4\"", "ä");
    name_is("attachment; filename*=gb2312''%D6%D0", "中");
    name_is("attachment; filename*=''%c3%a4", "ä");
    name_is("attachment; filename*=plain.pdf", "plain.pdf");
    name_is("attachment; filename*=utf-8''%", "%");
    name_is("attachment; filename*=utf-8''%4", "%4");
    name_is("attachment; filename*=utf-8''%zz%4g%41", "%zz%4gA");
    name_is("attachment; filename*=utf-8''%ff", "\xef\xbf\xbd");
    name_is("attachment; filename*=it's.pdf", "it's.pdf");
    /* It wins over the plain one, in either order. */
    name_is("attachment; filename=a; filename*=utf-8''b", "b");
    name_is("attachment; filename*=utf-8''b; filename=a", "b");
    name_is("attachment; filename*=utf-8''b; filename*0=a", "b");
}

static void continued(void **state)
{
    (void)state;
    name_is("attachment; filename*0=a; filename*1=\"b c\"; filename*2=d", "ab cd");
    name_is("attachment; filename*1=b; filename*0=a; filename*2=c", "abc");
    name_is("attachment; filename*0*=utf-8''%c3; filename*1*=%a4; filename*2=\"%41\"", "ä%41");
    name_is("attachment; filename*0=\"a\"; filename*1*=%c3%a4", "aä");
    name_is("attachment; filename*0*=koi8-r''%F0; filename*1*=%d2", "Пр");
    name_is("attachment; filename*0=a; filename*2=c", "ac"); /* a hole */
    name_is("attachment; filename*1=b", "b");
    name_is("attachment; filename=x; filename*0=a", "a");
    name_is("attachment; filename*0=a; filename*0=b", "a");
    name_is("attachment; filename*00=a; filename*01=b", "ab");
    name_is("attachment; filename*64=no", NULL);
    name_is("attachment; filename*4294967296=no", NULL);
    name_is("attachment; filename*63=yes", "yes");
}

static void boundaries(void **state)
{
    (void)state;
    raw_is("multipart/mixed", NULL);
    raw_is("multipart/mixed; boundary=a", "a");
    raw_is("multipart/mixed; boundary=\"a b\"", "a b");
    raw_is("multipart/mixed; boundary=a b", "a");
    raw_is("multipart/mixed; boundary=a\tb", "a");
    raw_is("multipart/mixed; boundary==_a=b", "=_a=b");
    raw_is("multipart/mixed; boundary*0=a; boundary*1=\"b c\"", "ab c");
    raw_is("multipart/mixed; boundary*=us-ascii''a", NULL);
    raw_is("multipart/mixed; boundary=\"=?utf-8?q?a?=\"", "=?utf-8?q?a?=");
}

static void cut_output(void **state)
{
    (void)state;
    struct buf out;
    for (size_t max = 0; max < 8; max++) {
        buf_init(&out, max);
        assert_true(header_param(cs, slice_str("; filename*=utf-8''%c3%a4%c3%a4%c3%a4"), "filename", &out));
        assert_true(utf8_valid(buf_slice(&out)));
        buf_free(&out);
    }
}

static void hostile(void **state)
{
    (void)state;
    static const char *const patterns[] = {";",
                                           "a;",
                                           "a=;",
                                           "=",
                                           "\"",
                                           "a=\";",
                                           "filename*1=x;",
                                           "filename=\"\\",
                                           "(",
                                           "(;",
                                           "\\",
                                           "filename*0*=%;",
                                           "filename*=x'",
                                           " ",
                                           "filename*",
                                           "*",
                                           "a b"};
    struct buf in, out;
    buf_init(&in, 1 << 21);
    buf_init(&out, 1 << 20);
    clock_t begin = clock();
    for (size_t i = 0; i < 2 * sizeof patterns / sizeof *patterns; i++) {
        buf_clear(&in);
        buf_clear(&out);
        buf_add_str(&in, i % 2 ? "attachment; filename=" : "");
        while (in.len < 1 << 20)
            buf_add_str(&in, patterns[i / 2]);
        struct header_params p = header_params(buf_slice(&in));
        header_param(cs, p.rest, "filename", &out);
        assert_true(utf8_valid(buf_slice(&out)));
        buf_clear(&out);
        header_param_raw(p.rest, "boundary", &out);
    }
    buf_clear(&in);
    buf_clear(&out);
    buf_add_str(&in, "attachment");
    while (in.len < 1 << 20)
        for (int n = 0; n < 64; n++)
            buf_printf(&in, "; filename*%d*=%%41", n);
    assert_true(header_param(cs, header_params(buf_slice(&in)).rest, "filename", &out));
    assert_int_equal(out.len, 64);
    assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
    buf_free(&in);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values),        cmocka_unit_test(plain),
                                       cmocka_unit_test(encoded_words), cmocka_unit_test(extended),
                                       cmocka_unit_test(continued),     cmocka_unit_test(boundaries),
                                       cmocka_unit_test(cut_output),    cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(tests, charsets_begin, charsets_end);
}
