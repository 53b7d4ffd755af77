/* Names and versions in what programs say of themselves, without a table. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mail/product.h"

static void same(struct slice got, const char *want, const char *text)
{
    if (!slice_eq(got, slice_str(want)))
        fail_msg("'%s': got '%.*s', wanted '%s'", text, (int)got.len, (const char *)got.data, want);
}

/* A copy of its very length, so that a read beyond it is seen. */
static struct slice exact(const char *text)
{
    uint8_t *copy = malloc(strlen(text) + 1);
    assert_non_null(copy);
    uint8_t *tight = realloc(copy, strlen(text) + !*text);
    assert_non_null(tight);
    memcpy(tight, text, strlen(text));
    return (struct slice){tight, strlen(text)};
}

static void versions(void **state)
{
    static const struct {
        const char *behind, *version;
    } cases[] = {
        {"/1.4.11", "1.4.11"},
        {" v7.10.6-Rev78", "7.10.6-Rev78"},
        {", Version: 10.0.17763.1 ready", "10.0.17763.1"},
        {" (Release 8.5.3FP6 HF1944)", "8.5.3FP6"},
        {" [version 1.3.2]", "1.3.2"},
        {" ver. 2.75.03 [ja]", "2.75.03"},
        {" Ver2.85.7F", "2.85.7F"},
        {" (21E236)", "21E236"},
        {", Build 9.0.2416 (9.0.2910.0)", "9.0.2416"},
        {"/1.12.3--", "1.12.3"},
        {" 8.14.4/8.14.4; Thu", "8.14.4"},
        {" for Android 9", ""},
        {" Thu, 16 Nov 2017", ""},
        {"", ""},
        {" ", ""},
        {" v", ""},
        {" verse 9", ""},
        {" - - - - - - - - - - - - - - - 1.0", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice behind = exact(cases[i].behind);
        same(product_version(behind), cases[i].version, cases[i].behind);
        free((void *)behind.data);
    }
}

struct form {
    const char *text, *name, *version;
};

static void hold(bool (*read)(struct slice text, struct product *ret), const struct form *f)
{
    struct product p;
    struct slice text = exact(f->text);
    bool got = read(text, &p);
    same(p.name, f->name, f->text);
    same(p.version, f->version, f->text);
    assert_int_equal(got, *f->name != '\0');
    assert_int_equal(p.kind.len, 0);
    free((void *)text.data);
}

static void agents(void **state)
{
    static const struct form forms[] = {
        {"TestMailer/1.0", "TestMailer", "1.0"},
        {"PFL-Showcase/1", "PFL-Showcase", "1"},
        {"Foo Mail 3.2 (Linux; x86_64)", "Foo Mail", "3.2"},
        {"Foo (2.1; bar)", "Foo", "2.1"},
        {"Foo Mail, Build 12.0.1", "Foo Mail", "12.0.1"},
        {"Foo version 7", "Foo", "7"},
        {"Foo v2.0", "Foo", "2.0"},
        {"  My Own Mailer  ", "My Own Mailer", ""},
        {"My Mailer (https://example.com/2.0)", "My Mailer", ""},
        {"Win32Mailer", "Win32Mailer", ""},
        {"Zend\xc3\xa9/2.1", "Zend\xc3\xa9", "2.1"},
        {"1.0", "1.0", ""},
        {"/1.0", "", ""},
        {"", "", ""},
        {"(none)", "", ""},
        {"a word that goes on and on without an end, or with one that nobody will ever see",
         "a word that goes on and on without an end", ""},
        {"a word that goes on and on without an end and even then it still goes on and on", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        hold(product_of_agent, &forms[i]);
}

static void greetings(void **state)
{
    static const struct form forms[] = {
        {"mail.example.com ESMTP FooServer 2.1 ready", "FooServer", "2.1"},
        {"mail ESMTP FooServer/2 ready", "FooServer", "2"},
        {"mail.example.com (FooMTA v3.0.1) at your service", "FooMTA", "3.0.1"},
        {"mail.example.com Foo Suite, Version 4.2", "Foo Suite", "4.2"},
        {"mail.example.com ESMTP server (Foo Post 1.1) ready", "Foo Post", "1.1"},
        {"mail.example.com Foo Server 4.2", "", ""},
        {"mail.example.com ESMTP Thu, 30 Nov 2017 05:11:00 -0500", "", ""},
        {"mail.example.com ESMTP ready at 192.0.2.1", "", ""},
        {"mail.example.com ESMTP host/192.0.2.1", "", ""},
        {"mail-1.2.example.com ESMTP", "", ""},
        {"mail.example.com ESMTP service ready", "", ""},
        {"mail.example.com ESMTP 1.0", "", ""},
        {"mail.example.com", "", ""},
        {"", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        hold(product_of_greeting, &forms[i]);
}

/* Any bytes give slices of the text, at every cut. */
static void bytes(void **state)
{
    static const char text[] =
        "a.b ESMTP \0v(v(version version 1.2.3.4/x [Foo/ 9..8 Bar-v7_ \xff\xfe 10.0.0.1 Baz/3)";
    (void)state;
    for (size_t len = 0; len < sizeof text; len++) {
        for (size_t from = 0; from <= len; from++) {
            struct slice s = {(const uint8_t *)text + from, len - from};
            struct product p;
            product_of_agent(s, &p);
            assert_true(!p.name.len || (p.name.data >= s.data && p.name.data + p.name.len <= s.data + s.len));
            product_of_greeting(s, &p);
            assert_true(!p.name.len || (p.name.data >= s.data && p.name.data + p.name.len <= s.data + s.len));
            assert_true(!p.version.len ||
                        (p.version.data >= s.data && p.version.data + p.version.len <= s.data + s.len));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions),
        cmocka_unit_test(agents),
        cmocka_unit_test(greetings),
        cmocka_unit_test(bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
