/* Mails out of notices, whatever is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "courier/clean.h"
#include "courier/compose.h"

enum { ITEMS = 8 };

static const char *const to[] = {"abuse@example.org", "noc@example.org"};
static struct spool spool;
static struct buf mail;

static int make(void **state)
{
    (void)state;
    spool_init(&spool, "email", -1, 1 << 26);
    buf_init(&mail, SIZE_MAX / 2);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    spool_free(&spool);
    buf_free(&mail);
    return 0;
}

static void add(struct slice item)
{
    assert_true(spool_add(&spool, item));
}

/* What every mail must keep to; the text stays in `mail`, with a terminator. */
static void composed(size_t count, const char *eol)
{
    struct compose_head head = {"mailtap@example.org", to, 2, "<id@example.org>", 1700000000, eol};
    compose(&mail, &head, spool.first, count);
    size_t line = 0, e = strlen(eol);
    bool body = false;
    for (size_t i = 0; i < mail.len; i++) {
        uint8_t c = mail.data[i];
        if (memcmp(mail.data + i, eol, i + e <= mail.len ? e : 1) == 0 && i + e <= mail.len) {
            body = body || line == 0;
            line = 0;
            i += e - 1;
            continue;
        }
        line++;
        if (c == '\r' || c == '\n' || c == 0 || c > 0x7e || (c < ' ' && c != '\t'))
            fail_msg("byte %u at %zu", c, i);
        if (line > 998)
            fail_msg("a line is longer than 998");
    }
    assert_true(body && line == 0);
    assert_true(mail.len > e && memcmp(mail.data + mail.len - e, eol, e) == 0);
    buf_add_byte(&mail, '\0');
}

static bool has(const char *text)
{
    return strstr((const char *)mail.data, text) != NULL;
}

/* Header names in front of the first empty line. */
static size_t header_lines(void)
{
    size_t n = 0;
    for (const char *p = (const char *)mail.data; *p != '\r'; p = strchr(p, '\n') + 1)
        n += *p != ' ';
    return n;
}

static void one(void **state)
{
    (void)state;
    add(slice_str("Spam from 192.0.2.1\nline one\n\n.dot\nlast"));
    composed(1, "\r\n");
    assert_string_equal((const char *)mail.data,
                        "From: mailtap@example.org\r\nTo: abuse@example.org,\r\n noc@example.org\r\n"
                        "Subject: [mailtap] Spam from 192.0.2.1\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
                        "Message-ID: <id@example.org>\r\nAuto-Submitted: auto-generated\r\n"
                        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: 7bit\r\n\r\nline one\r\n\r\n.dot\r\nlast\r\n");
    composed(1, "\n");
    assert_true(has("7bit\n\nline one\n"));
}

static void digest(void **state)
{
    (void)state;
    add(slice_str("first\ntext 1\n"));
    add(slice_str("second\ntext 2\n"));
    add(slice_str("third\ntext 3\n"));
    assert_int_equal(compose_fits(spool.first), 3);
    composed(3, "\r\n");
    assert_true(has("Subject: [mailtap] 3 notices\r\n"));
    assert_true(
        has("\r\n\r\n[1/3] first\r\n\r\ntext 1\r\n\r\n[2/3] second\r\n\r\ntext 2\r\n\r\n[3/3] third\r\n"));
}

static void hostile(void **state)
{
    (void)state;
    add(slice_str("x\r\tBcc: evil@example.net\rSubject: y\ntext\r\nBcc: in the body\r\n\x01\x7f\x1b[31m\n"));
    composed(1, "\r\n");
    assert_int_equal(header_lines(), 9);
    assert_true(has("Subject: [mailtap] x  Bcc: evil@example.net Subject: y\r\n"));
    assert_true(has("\r\n\r\ntext\r\nBcc: in the body\r\n   [31m\r\n"));

    spool_drop(&spool);
    add(slice_str("=?utf-8?q?=0aBcc:_x?=\nt\n")); /* no reader may decode what the spammer encoded */
    composed(1, "\r\n");
    assert_true(has("Subject: =?utf-8?B?W21haWx0YXBdID0/dXRmLTg/cT89MGFCY2M6X3g/PQ==?=\r\n"));

    spool_drop(&spool);
    add(slice_str("b\xc3\xa4r\n\xff\xc3 \xe2\x80\xae"
                  "cba gr\xc3\xbc\xc3\x9f"
                  "e = \nend "));
    composed(1, "\r\n");
    assert_true(has("Subject: =?utf-8?B?W21haWx0YXBdIGLDpHI=?=\r\n"));
    assert_true(
        has("quoted-printable\r\n\r\n=EF=BF=BD=EF=BF=BD =EF=BF=BDcba gr=C3=BC=C3=9Fe =3D=20\r\nend=20\r\n"));
}

/* Decodes the subject's encoded words: each is whole UTF-8 by itself, each line at most 76 long. */
static void long_subject(void **state)
{
    char subject[2000] = "";
    (void)state;
    for (int i = 0; i < 200; i++)
        strcat(subject, i % 3 ? "\xe2\x82\xac" : "\xc3\xa4");
    strcat(subject, "\nt");
    add(slice_str(subject));
    composed(1, "\r\n");
    const char *p = strstr((const char *)mail.data, "Subject: ");
    const char *end = strstr(p, "\r\nDate:");
    size_t words = 0;
    for (const char *line = p; line < end; line = strstr(line, "\r\n") + 2) {
        assert_true(strstr(line, "\r\n") - line <= 76);
        assert_non_null(strstr(line, "=?utf-8?B?"));
        words++;
    }
    assert_true(words > 4 && words < 8);
}

static void long_lines(void **state)
{
    static char text[5000];
    (void)state;
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "s\n", 2);
    add(slice_str(text));
    composed(1, "\r\n");
    assert_true(has("quoted-printable") && has("aaa=\r\n"));
    spool_drop(&spool);
    memset(text, 's', sizeof text - 1);
    add(slice_str(text)); /* a subject without end and without a text */
    composed(1, "\r\n");
}

static void bounds(void **state)
{
    static char text[300 * 1024];
    (void)state;
    memset(text, '\n', sizeof text - 1);
    for (int i = 0; i < ITEMS; i++)
        add(slice_str(text));
    assert_int_equal(compose_fits(spool.first), 2);
    composed(2, "\r\n");
    while (spool.count)
        spool_drop(&spool);
    for (int i = 0; i < 1500; i++)
        add(slice_str("s\nt\n"));
    assert_int_equal(compose_fits(spool.first), 1000);
}

/* Random bytes keep to the form too. */
static void anything(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 300; seed++) {
        uint8_t bytes[700];
        srand(seed);
        for (int item = 0; item < 1 + (int)(seed % 3); item++) {
            size_t len = (size_t)rand() % sizeof bytes;
            for (size_t i = 0; i < len; i++)
                bytes[i] = (uint8_t)(rand() % 4 ? rand() : "\r\n.=? \t\xc3"[rand() % 8]);
            add((struct slice){bytes, len});
        }
        composed(spool.count, seed % 2 ? "\r\n" : "\n");
        while (spool.count)
            spool_drop(&spool);
    }
}

static void characters(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {{"a", 1},
                 {"\xc3\xa4", 2},
                 {"\xe2\x82\xac", 3},
                 {"\xf0\x9f\x98\x80", 4},
                 {"\xc3", 0},
                 {"\xc0\x80", 0},
                 {"\xe0\x80\x80", 0},
                 {"\xed\xa0\x80", 0},
                 {"\xff", 0},
                 {"\x80", 0},
                 {"\xf4\x90\x80\x80", 0},
                 {"\xf0\x80\x80\x80", 0},
                 {"\xe2\x82", 0},
                 {"\xc3"
                  "a",
                  0},
                 {"\xe2\x82"
                  "a",
                  0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(clean_char(slice_str(cases[i].text)), cases[i].len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one, make, unmake),
        cmocka_unit_test_setup_teardown(digest, make, unmake),
        cmocka_unit_test_setup_teardown(hostile, make, unmake),
        cmocka_unit_test_setup_teardown(long_subject, make, unmake),
        cmocka_unit_test_setup_teardown(long_lines, make, unmake),
        cmocka_unit_test_setup_teardown(bounds, make, unmake),
        cmocka_unit_test_setup_teardown(anything, make, unmake),
        cmocka_unit_test(characters),
    };
    return cmocka_run_group_tests_name("compose", tests, NULL, NULL);
}
