/* Names and types that pretend. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail/disguise.h"

#define EXE "application/vnd.microsoft.portable-executable"

static void extensions(void **state)
{
    (void)state;
    assert_true(disguise_extension(slice_str("invoice.pdf.exe")));
    assert_true(disguise_extension(slice_str("Invoice.PDF      .Scr ")));
    assert_true(disguise_extension(slice_str("a.b.docx.js")));
    assert_false(disguise_extension(slice_str("setup.exe")));
    assert_false(disguise_extension(slice_str("setup-1.2.exe")));
    assert_false(disguise_extension(slice_str("pdf.exe")));
    assert_false(disguise_extension(slice_str(".pdf.exe")));
    assert_false(disguise_extension(slice_str("invoice.exe.pdf")));
    assert_false(disguise_extension(slice_str("a.tar.gz")));
    assert_false(disguise_extension(slice_str("")));
    assert_false(disguise_extension(slice_str(".")));
}

static void paths(void **state)
{
    (void)state;
    assert_true(disguise_path(slice_str("../../etc/passwd")));
    assert_true(disguise_path(slice_str("C:\\TEMP\\a.png")));
    assert_true(disguise_path(slice_str("c:a.png")));
    assert_false(disguise_path(slice_str("ab: c.png")));
    assert_false(disguise_path(slice_str("a")));
    assert_false(disguise_path(slice_str("Re: plan.txt")));
}

static void types(void **state)
{
    (void)state;
    assert_true(disguise_type(slice_str("a.jpg"), slice_str("application/octet-stream"), EXE));
    assert_true(disguise_type(slice_str(""), slice_str("image/png"), EXE));
    assert_true(disguise_type(slice_str("a.exe"), slice_str("application/pdf"), EXE));
    assert_true(disguise_type(slice_str("a.docx"), slice_str("x/y"), "application/x-ms-shortcut"));
    assert_false(disguise_type(slice_str("a.exe"), slice_str("application/octet-stream"), EXE));
    assert_false(disguise_type(slice_str("a"), slice_str("text/plain"), "text/x-shellscript"));
    assert_false(disguise_type(slice_str("a.pdf"), slice_str("application/pdf"), "image/png"));
    assert_false(disguise_type(slice_str("a.pdf"), slice_str("application/pdf"), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(extensions), cmocka_unit_test(paths),
                                       cmocka_unit_test(types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
