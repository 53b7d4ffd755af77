/* Addresses in header fields: elements of lists, names and addresses in them. */
#include <time.h>
#include "charset_fixture.h"
#include "mail/domain.h"
#include "mail/header.h"
#include "mail/mailbox.h"

#include <stdlib.h>

/* The elements, each followed by '|'. */
static void list_is(const char *value, const char *want)
{
    struct buf out;
    struct mailbox_reader r = {.rest = slice_str(value)};
    struct slice element;
    buf_init(&out, 1 << 16);
    while (mailbox_next(&r, &element)) {
        assert_true(element.len || r.group.len);
        if (!element.len)
            continue;
        buf_add(&out, element);
        buf_add_str(&out, "|");
    }
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, want);
    buf_free(&out);
}

static void elements(void **state)
{
    (void)state;
    list_is("", "");
    list_is(" , ,; ,", "");
    list_is("a@b", "a@b|");
    list_is("a@b, c@d;e@f ", "a@b|c@d|e@f|");
    list_is("\"B, A\" <a@b>, c@d (C, D; (E)), <e@f>", "\"B, A\" <a@b>|c@d (C, D; (E))|<e@f>|");
    list_is("<@x,@y:a@b>, c@d", "<@x,@y:a@b>|c@d|");
    list_is("Friends: a@b, C <c@d>; e@f", "a@b|C <c@d>|e@f|");
    list_is("undisclosed-recipients:;", "");
    list_is("A: ;, b@c", "b@c|");
    list_is("mailto:a@b", "a@b|");
    list_is("a@[IPv6:2001:db8::1], b@c", "a@[IPv6:2001:db8::1]|b@c|");
    list_is("\"a\\\",b\" <a@b>, c@d", "\"a\\\",b\" <a@b>|c@d|");
    list_is("(a\\), b) a@b, c@d", "(a\\), b) a@b|c@d|");
    list_is("A\\, B <a@b>", "A\\, B <a@b>|");
    list_is("\"a@b\" <c@d>, \"<e@f>\" <g@h>", "\"a@b\" <c@d>|\"<e@f>\" <g@h>|");
}

/* A group that never closes is none, so that it cannot hide who follows. */
static void unclosed(void **state)
{
    (void)state;
    list_is("\"A <a@b>, c@d", "\"A <a@b>|c@d|");
    list_is("(A <a@b>, c@d", "(A <a@b>|c@d|");
    list_is("((A) a@b, c@d", "((A) a@b|c@d|");
    list_is("A <a@b, c@d", "A <a@b|c@d|");
    list_is("A <a@b, C <c@d>", "A <a@b, C <c@d>|");
    list_is("(a\\), b@c", "(a\\)|b@c|");
    list_is("\"a\\\", b@c", "\"a\\\"|b@c|");
    list_is("a@b\\", "a@b\\|");
    list_is("\"", "\"|");
    list_is("(", "(|");
}

static void add_mailbox(struct slice element, struct slice group, struct buf *out)
{
    struct mailbox_parts parts;
    mailbox_parse(element, &parts);
    if (group.len) {
        mailbox_phrase(cs, group, out);
        buf_add_str(out, ": ");
    }
    if (parts.name.len) {
        mailbox_name(cs, &parts, out);
        buf_add_byte(out, ' ');
    }
    buf_add_byte(out, '<');
    mailbox_local(&parts, out);
    if (parts.domain.len) {
        buf_add_byte(out, '@');
        mailbox_domain(&parts, out);
    }
    buf_add_str(out, ">|");
}

/* Reads a copy of exactly its size, so that a sanitizer sees what is read beyond it. Each mailbox as
 * "group: name <address>|". */
static void says(const char *value, const char *want)
{
    size_t len = strlen(value);
    uint8_t *copy = malloc(len ? len : 1);
    struct buf out;
    buf_init(&out, 1 << 16);
    assert_non_null(copy);
    memcpy(copy, value, len);
    struct mailbox_reader r = {.rest = {copy, len}};
    struct slice element;
    while (mailbox_next(&r, &element))
        add_mailbox(element, r.group, &out);
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, want);
    buf_free(&out);
    free(copy);
}

static void usual(void **state)
{
    (void)state;
    says("a@b.org", "<a@b.org>|");
    says("Alice Example <alice@Example.ORG>", "Alice Example <alice@example.org>|");
    says("\"Example, Alice\" <alice@example.org>, bob@example.net",
         "Example, Alice <alice@example.org>|<bob@example.net>|");
    says("<A.B+c=d@example.org>", "<A.B+c=d@example.org>|");
    says("[List] Alice <a@b>", "[List] Alice <a@b>|");
    says("Al  ice <a@b>", "Al ice <a@b>|");
    says("Al\tice <a@b>", "Al ice <a@b>|");
    says("\"\" <a@b>", "<a@b>|");
    says("\" Alice \" <a@b>", "Alice <a@b>|");
    says("alice@example.org (Alice Example)", "Alice Example <alice@example.org>|");
    says("alice@example.org (Alice \"Al\" Example (home))",
         "Alice \"Al\" Example (home) <alice@example.org>|");
    says("Alice (home) Example (work) <a@b>", "Alice Example <a@b>|");
}

/* RFC 5322 appendix A. */
static void of_rfc(void **state)
{
    (void)state;
    says("\"Joe Q. Public\" <john.q.public@example.com>", "Joe Q. Public <john.q.public@example.com>|");
    says("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
         "Mary Smith <mary@x.test>|<jdoe@example.org>|Who? <one@y.test>|");
    says("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
         "<boss@nil.test>|Giant; \"Big\" Box <sysservices@example.net>|");
    says("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
         "A Group: Ed Jones <c@a.test>|A Group: <joe@where.test>|A Group: John <jdoe@one.test>|");
    says("Undisclosed recipients:;", "Undisclosed recipients: <>|");
    says("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "Pete <pete@silly.test>|");
    says("A Group(Some people):Chris Jones <c@(Chris's host.)public.example>, joe@example.org, John "
         "<jdoe@one.test> (my dear friend); (the end of the group)",
         "A Group: Chris Jones <c@public.example>|A Group: <joe@example.org>|A Group: John "
         "<jdoe@one.test>|<>|");
    says("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", "Hidden recipients: <>|");
    says("Joe Q. Public <john.q.public@example.com>", "Joe Q. Public <john.q.public@example.com>|");
    says("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
         "Mary Smith <mary@example.net>|<jdoe@test.example>|");
    says("<@a.test,@[192.0.2.1],@b:x@y.test>", "<x@y.test>|");
}

static void local_parts(void **state)
{
    (void)state;
    says("\"alice\"@example.org", "<alice@example.org>|");
    says("\"al ice\"@example.org", "<\"al ice\"@example.org>|");
    says("\"al\\\"i\\\\ce\"@example.org", "<\"al\\\"i\\\\ce\"@example.org>|");
    says("<\"a@b\"@example.org>", "<\"a@b\"@example.org>|");
    says("\"a\".b . \"c\"@example.org", "<a.b.c@example.org>|");
    says("<\"\"@example.org>", "<\"\"@example.org>|");
    says("\"<x@y>\"@example.org", "<\"<x@y>\"@example.org>|");
    says("a..b.@example.org", "<a..b.@example.org>|");
    says("j\xc3\xbcrgen@example.org", "<j\xc3\xbcrgen@example.org>|");
    says("J\xc3\xbcrgen <j\xc3\xbcrgen@b\xc3\xbc"
         "cher.Example>",
         "J\xc3\xbcrgen <j\xc3\xbcrgen@b\xc3\xbc"
         "cher.example>|");
    says("a@[192.0.2.1], b@[IPv6:2001:DB8::1]", "<a@[192.0.2.1]>|<b@[IPv6:2001:DB8::1]>|");
}

/* Not as any RFC has it, but as it comes. */
static void sloppy(void **state)
{
    (void)state;
    says("Alice Example alice@example.org", "Alice Example <alice@example.org>|");
    says("alice@example.org Alice Example", "Alice Example <alice@example.org>|");
    says("<alice@example.org> Alice", "Alice <alice@example.org>|");
    says("Alice <alice@example.org", "Alice <alice@example.org>|");
    says("Alice <<alice@example.org>>", "Alice < <alice@example.org>|");
    says("alice@example.org <bob@example.net>", "alice@example.org <bob@example.net>|");
    says("<alice@example.org> <bob@example.net>", "<alice@example.org> <bob@example.net>|");
    says("alice@example.org bob@example.net", "alice@example.org <bob@example.net>|");
    says("\"alice@example.org\" <bob@example.net>", "alice@example.org <bob@example.net>|");
    says("a@b@example.org", "<\"a@b\"@example.org>|");
    says("<john smith@example.org>", "<\"john smith\"@example.org>|");
    says("Alice <>", "Alice <>|");
    says("<>", "<>|");
    says("@", "<>|");
    says("a@", "<a>|");
    says("@example.org", "<@example.org>|");
    says("root", "<root>|");
    says("<root>", "<root>|");
    says("root (Charlie Root)", "Charlie Root <root>|");
    says("John Smith", "John Smith <>|");
    says("\"John\"", "John <>|");
    says("MAILER-DAEMON (Mail Delivery System)", "Mail Delivery System <MAILER-DAEMON>|");
    says("Alice <work> alice@example.org", "Alice <work> <alice@example.org>|");
    says("mailto:a@b", "<a@b>|");
    says("\"A <a@b>, c@d", "\"A <a@b>|<c@d>|");
    says("A: a@b, c@d; e@f", "A: <a@b>|A: <c@d>|<e@f>|");
    says("A: a@b; B: c@d;, e@f", "A: <a@b>|B: <c@d>|<e@f>|");
}

static void words(void **state)
{
    (void)state;
    says("=?utf-8?q?J=C3=BCrgen?= =?utf-8?q?_M?= <a@b>", "J\xc3\xbcrgen M <a@b>|");
    says("\"=?utf-8?q?J=C3=BCrgen?=\" <a@b>", "J\xc3\xbcrgen <a@b>|");
    says("a@b (=?iso-8859-1?q?J=FCrgen?=)", "J\xc3\xbcrgen <a@b>|");
    says("=?utf-8?q?Team_A=3B?=: a@b;", "Team A;: <a@b>|");
    says("J\xfcrgen <a@b>", "J\xc3\xbcrgen <a@b>|");
    /* What is encoded is no sign of the list, and no address. */
    says("=?utf-8?q?a=40b=2C_x?= <c@d>", "a@b, x <c@d>|");
    says("=?utf-8?q?Alice_=3Ca=40b=3E?=", "Alice <a@b> <>|");
    says("=?utf-8?q?alice?=@example.org", "<=?utf-8?q?alice?=@example.org>|");
}

static void domain_is(const char *domain, enum domain_kind kind, const char *want_ascii,
                      const char *want_unicode)
{
    struct buf ascii, unicode;
    buf_init(&ascii, 4096);
    buf_init(&unicode, 4096);
    assert_int_equal(domain_forms(slice_str(domain), &ascii, &unicode), kind);
    buf_add_byte(&ascii, 0);
    buf_add_byte(&unicode, 0);
    assert_string_equal((char *)ascii.data, want_ascii);
    assert_string_equal((char *)unicode.data, want_unicode);
    buf_free(&ascii);
    buf_free(&unicode);
}

static void domains(void **state)
{
    (void)state;
    domain_is("", DOMAIN_ASCII, "", "");
    domain_is("example.org", DOMAIN_ASCII, "", "");
    domain_is("r3---sn-a.example.org", DOMAIN_ASCII, "", "");
    domain_is("axn--bcher-kva.de", DOMAIN_ASCII, "", "");
    domain_is("b\xc3\xbc"
              "cher.de",
              DOMAIN_IDN, "xn--bcher-kva.de",
              "b\xc3\xbc"
              "cher.de");
    domain_is("B\xc3\x9c"
              "CHER.de",
              DOMAIN_IDN, "xn--bcher-kva.de",
              "b\xc3\xbc"
              "cher.de");
    domain_is("mail.xn--bcher-kva.de", DOMAIN_IDN, "mail.xn--bcher-kva.de",
              "mail.b\xc3\xbc"
              "cher.de");
    /* Non-transitional: the sharp s is a letter of its own. */
    domain_is("stra\xc3\x9f"
              "e.de",
              DOMAIN_IDN, "xn--strae-oqa.de",
              "stra\xc3\x9f"
              "e.de");
    domain_is("\xe4\xbe\x8b\xe3\x80\x82\xe4\xbe\x8b", DOMAIN_IDN, "xn--fsq.xn--fsq",
              "\xe4\xbe\x8b.\xe4\xbe\x8b");
    domain_is("xn--zzzzz---.com", DOMAIN_BROKEN, "", "");
    domain_is("xn--.com", DOMAIN_BROKEN, "", "");
    domain_is("i\xe2\x9d\xa4.ws", DOMAIN_BROKEN, "", "");
    domain_is("a\xff.de", DOMAIN_BROKEN, "", "");
    char longest[1100];
    memset(longest, 'a', sizeof longest - 1);
    memcpy(longest, "xn--", 4);
    longest[sizeof longest - 1] = '\0';
    domain_is(longest, DOMAIN_BROKEN, "", "");
}

static void together(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        enum domain_likeness is;
    } pairs[] = {
        {"example.org", "example.org", DOMAIN_SAME},
        {"Example.ORG.", "example.org", DOMAIN_SAME},
        {"mail.example.org", "example.org", DOMAIN_RELATED},
        {"a.example.org", "b.c.example.org", DOMAIN_RELATED},
        {"anexample.org", "example.org", DOMAIN_APART},
        {"example.org", "example.com", DOMAIN_APART},
        {"a.co.uk", "b.co.uk", DOMAIN_APART},
        {"x.a.co.uk", "a.co.uk", DOMAIN_RELATED},
        /* A private suffix: each name below it is somebody else's. */
        {"a.github.io", "b.github.io", DOMAIN_APART},
        {"a.github.io", "github.io", DOMAIN_APART},
        {"www.github.io", "x.www.github.io", DOMAIN_RELATED},
        {"xn--bcher-kva.example.org", "example.org", DOMAIN_RELATED},
        {"a.localhost", "b.localhost", DOMAIN_APART},
        {"localhost", "localhost", DOMAIN_SAME},
        {"a.b", "b", DOMAIN_APART},
        {"", "", DOMAIN_APART},
        {".", ".", DOMAIN_APART},
        {"..", "a..", DOMAIN_APART},
        {"[192.0.2.1]", "[192.0.2.1]", DOMAIN_SAME},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_int_equal(domain_compare(slice_str(pairs[i].a), slice_str(pairs[i].b)), pairs[i].is);
        assert_int_equal(domain_compare(slice_str(pairs[i].b), slice_str(pairs[i].a)), pairs[i].is);
    }
}

static void hostile(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(",
                                           "\"",
                                           "<",
                                           ",",
                                           "\\",
                                           ":",
                                           ";",
                                           ")",
                                           "(,",
                                           "\",",
                                           "<,",
                                           "()",
                                           "((((((((((((((((((((((((((((((((((((((((((((),",
                                           "\"\\\",",
                                           "(\\),",
                                           "<\\>,",
                                           "@",
                                           "a@",
                                           ".",
                                           "a ",
                                           "a@b ",
                                           "<a@b> ",
                                           "a:",
                                           "[",
                                           "@[",
                                           "<@",
                                           "<@a:",
                                           "=?a?q?",
                                           "\xe4"};
    struct buf in, out;
    buf_init(&in, 1 << 21);
    buf_init(&out, 1 << 24);
    clock_t begin = clock();
    for (size_t i = 0; i < 2 * sizeof patterns / sizeof *patterns; i++) {
        buf_clear(&in);
        while (in.len < 1 << 17)
            buf_add_str(&in, patterns[i / 2]);
        buf_add_str(&in, i % 2 ? "?=)\">@x" : "");
        buf_clear(&out);
        struct mailbox_reader r = {.rest = buf_slice(&in)};
        struct slice element;
        while (mailbox_next(&r, &element))
            add_mailbox(element, (struct slice){0}, &out);
    }
    assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
    buf_free(&in);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(elements),    cmocka_unit_test(unclosed),
                                       cmocka_unit_test(usual),       cmocka_unit_test(of_rfc),
                                       cmocka_unit_test(local_parts), cmocka_unit_test(sloppy),
                                       cmocka_unit_test(words),       cmocka_unit_test(domains),
                                       cmocka_unit_test(together),    cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(tests, charsets_begin, charsets_end);
}
