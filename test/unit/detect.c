/* detect.c: what the first words of a connection make of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mail/detect.h"

enum { SYN_SEEN, MIDSTREAM };

struct row {
    const char *client, *server;
    enum detected on_port, elsewhere; /* to a port of mail; to any other one */
};

/* The client is direction 1, so that nothing is right by chance. */
static enum detected ask(const struct row *row, int start, bool hint, bool over)
{
    int client = -1;
    size_t skip[2];
    struct detect_input in = {.first = {slice_str(row->server), slice_str(row->client)},
                              .client = start == SYN_SEEN ? 1 : -1,
                              .likely = hint ? 1 : -1,
                              .tls = hint,
                              .over = over};
    enum detected got = detect_smtp(&in, &client, skip);
    if (got == DETECT_SMTP)
        assert_int_equal(client, 1);
    return got;
}

static void check(const struct row *rows, size_t count, int start, bool over)
{
    for (size_t i = 0; i < count; i++) {
        enum detected on_port = ask(&rows[i], start, true, over),
                      elsewhere = ask(&rows[i], start, false, over);
        if (on_port != rows[i].on_port || elsewhere != rows[i].elsewhere)
            print_message("# client '%s', server '%s': %d and %d\n", rows[i].client, rows[i].server, on_port,
                          elsewhere);
        assert_int_equal(on_port, rows[i].on_port);
        assert_int_equal(elsewhere, rows[i].elsewhere);
    }
}

#define CHECK(rows, start, over) check(rows, sizeof rows / sizeof *rows, start, over)

static void test_from_the_start(void **state)
{
    static const struct row rows[] = {
        {"", "", DETECT_MORE, DETECT_MORE},
        {"", "220 mx.example.com ESMTP\r\n", DETECT_MORE, DETECT_MORE},
        {"EHLO c\r\n", "220 mx ESMTP\r\n", DETECT_SMTP, DETECT_SMTP},
        {"EHLO c\r\n", "", DETECT_SMTP, DETECT_SMTP},
        {"helo c\n", "220 mx\r\n", DETECT_SMTP, DETECT_SMTP},
        {"LHLO c\r\n", "220 mx LMTP\r\n", DETECT_SMTP, DETECT_SMTP},
        {"EH", "220 mx ESMTP\r\n", DETECT_MORE, DETECT_MORE},
        {"MAIL FROM:<a@b>\r\n", "220 mx\r\n", DETECT_SMTP, DETECT_SMTP},
        {"QUIT\r\n", "220 mx ESMTP\r\n", DETECT_SMTP, DETECT_SMTP},
        {"QUIT\r\n", "220 mx\r\n", DETECT_SMTP, DETECT_MORE},
        {"EHLP c\r\n", "220 mx ESMTP\r\n", DETECT_SMTP, DETECT_SMTP},
        {"\r\n", "220 mx ESMTP\r\n", DETECT_SMTP, DETECT_SMTP},
        {"POST / HTTP/1.1\r\n", "220 mx ESMTP\r\n", DETECT_SMTP, DETECT_SMTP},
        {"\x16\x03\x01\x02", "220 mx ESMTP\r\n", DETECT_SMTP, DETECT_SMTP},
        {"EHLP c\r\n", "220 mx\r\n", DETECT_SMTP, DETECT_NO},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n", "", DETECT_MORE, DETECT_NO},
        {"EHLO c\r\n", "554 5.7.1 no\r\n", DETECT_SMTP, DETECT_SMTP},
        {"EHLO c\r\n", "HTTP/1.1 200 OK\r\n", DETECT_NO, DETECT_NO},
        {"USER anna\r\n", "220 FTP server ready\r\n", DETECT_SMTP, DETECT_NO},
        {"USER anna\r\n", "+OK POP3\r\n", DETECT_NO, DETECT_NO},
        {"GET / HTTP/1.1\r\n", "", DETECT_MORE, DETECT_NO},
        {"GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", DETECT_NO, DETECT_NO},
        {"\x16\x03\x01\x02", "", DETECT_TLS, DETECT_NO},
        {"SSH-2.0-x\r\n", "SSH-2.0-y\r\n", DETECT_NO, DETECT_NO},
    };
    (void)state;
    CHECK(rows, SYN_SEEN, false);
}

static void test_lone_sides_at_the_end(void **state)
{
    static const struct row rows[] = {
        {"", "220 mx ESMTP\r\n", DETECT_SMTP, DETECT_SMTP},
        {"", "220 mx\r\n", DETECT_SMTP, DETECT_NO},
        {"", "554 no\r\n", DETECT_SMTP, DETECT_NO},
        {"RSET\r\n", "", DETECT_SMTP, DETECT_NO},
        {"EHLO", "", DETECT_SMTP, DETECT_SMTP},
        {"AUTH LOGIN\r\nMAIL FROM:<a@b>\r\n", "", DETECT_SMTP, DETECT_SMTP},
        {"", "", DETECT_NO, DETECT_NO},
        {"hello\r\n", "", DETECT_NO, DETECT_NO},
    };
    (void)state;
    CHECK(rows, SYN_SEEN, true);
}

static void test_midstream(void **state)
{
    static const struct row rows[] = {
        {"RCPT TO:<a@b.example>\r\n", "", DETECT_SMTP, DETECT_SMTP},
        {"end of a line\r\nRCPT TO:<a@b.example>\r\n", "", DETECT_SMTP, DETECT_SMTP},
        {"some text of a mail\r\n", "", DETECT_MORE, DETECT_MORE},
        {"QUIT\r\n", "0 2.1.5 Ok\r\n250 2.0.0 Ok\r\n", DETECT_SMTP, DETECT_MORE},
        {"QUIT\r\n", "0 2.1.5 Ok\r\n354 go\r\n", DETECT_SMTP, DETECT_SMTP},
        {"\x01\x02\x03", "\x04\x05\x06", DETECT_NO, DETECT_NO},
    };
    static const struct row ended[] = {
        {"some text of a mail\r\n", "", DETECT_SMTP, DETECT_NO},
        {"", "gged.\r\n220-Rule 1\r\n220-Rule 2\r\n22", DETECT_SMTP, DETECT_NO},
        {"some text of a mail\r\n", "HTTP/1.1 200 OK\r\nServer: x\r\n", DETECT_NO, DETECT_NO},
    };
    (void)state;
    CHECK(rows, MIDSTREAM, false);
    CHECK(ended, MIDSTREAM, true);
}

static void test_tunnel(void **state)
{
    int client = -1;
    size_t skip[2];
    struct detect_input in = {.first = {slice_str("CONNECT mx:25 HTTP/1.1\r\n\r\nEHLO c\r\n"),
                                        slice_str("HTTP/1.1 200 OK\r\n\r\n220 mx ESMTP\r\n")},
                              .client = 0,
                              .likely = -1};
    (void)state;
    assert_int_equal(detect_smtp(&in, &client, skip), DETECT_SMTP);
    assert_int_equal(skip[0], 26);
    assert_int_equal(skip[1], 19);
    in.first[1] = slice_str("HTTP/1.1 200 OK\r\n");
    assert_int_equal(detect_smtp(&in, &client, skip), DETECT_MORE);
}

static void test_greeting_with_a_hole(void **state)
{
    int client = -1;
    size_t skip[2];
    struct detect_input in = {
        .first = {slice_str("EHLO c\r\n"), slice_str("d. All is logged\r\n220 ready\r\n")},
        .client = 0,
        .likely = -1,
        .holed = {false, true}};
    (void)state;
    assert_int_equal(detect_smtp(&in, &client, skip), DETECT_SMTP);
    in.holed[1] = false;
    assert_int_equal(detect_smtp(&in, &client, skip), DETECT_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_the_start),
        cmocka_unit_test(test_lone_sides_at_the_end),
        cmocka_unit_test(test_midstream),
        cmocka_unit_test(test_tunnel),
        cmocka_unit_test(test_greeting_with_a_hole),
    };
    return cmocka_run_group_tests_name("detect", tests, NULL, NULL);
}
