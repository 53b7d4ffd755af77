/* Parameters of MAIL and RCPT, and the queue ids of servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "mail/command.h"
#include "mail/esmtp.h"

/* All parameters of a line, as "KEYWORD|value " each; "-" for no value. */
static const char *params(const char *line)
{
    static char shown[400];
    struct command cmd;
    struct slice keyword, value;
    size_t len = 0;
    shown[0] = 0;
    command_parse(slice_str(line), &cmd);
    for (struct slice rest = cmd.params; esmtp_param_next(&rest, &keyword, &value);)
        len += (size_t)snprintf(shown + len, sizeof shown - len, "%.*s|%.*s ", (int)keyword.len,
                                (const char *)keyword.data, value.data ? (int)value.len : 1,
                                value.data ? (const char *)value.data : "-");
    return shown;
}

static void takes_parameters_apart(void **state)
{
    (void)state;
    assert_string_equal(params("MAIL FROM:<a@b> SIZE=300 BODY=8BITMIME SMTPUTF8"),
                        "SIZE|300 BODY|8BITMIME SMTPUTF8|- ");
    assert_string_equal(params("MAIL FROM:<> RET=HDRS \t ENVID=a=b=c  "), "RET|HDRS ENVID|a=b=c ");
    assert_string_equal(params("MAIL FROM:<a@b>SIZE=1"), "SIZE|1 ");
    assert_string_equal(params("MAIL FROM:a@b SIZE= X"), "SIZE| X|- ");
    assert_string_equal(params("RCPT TO:<\"a> NOTIFY=NEVER\"@b> ORCPT=rfc822;x@y"), "ORCPT|rfc822;x@y ");
    assert_string_equal(params("MAIL FROM:<a@b"), "");
    assert_string_equal(params("MAIL FROM:<a@b>"), "");
    assert_string_equal(params("MAIL FROM:<a@b> =x"), "|x ");
    assert_string_equal(params("RCPT TO:<a@b>\\"), "\\|- ");
    assert_string_equal(params("NOOP SIZE=1"), "");
}

static void reads_xtext(void **state)
{
    static const char *const rows[][2] = {{"rfc822;a+2Bb@c", "rfc822;a+b@c"},
                                          {"+3C+3e", "<+3e"},
                                          {"a+", "a+"},
                                          {"a+2", "a+2"},
                                          {"+41", "A"},
                                          {"", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        buf_init(&out, 100);
        esmtp_xtext(slice_str(rows[i][0]), &out);
        assert_true(slice_eq(buf_slice(&out), slice_str(rows[i][1])));
        buf_free(&out);
    }
}

static void finds_queue_ids(void **state)
{
    static const char *const rows[][2] = {
        {"Ok: queued as 4jd4Ff1cyJz1cr5R", "4jd4Ff1cyJz1cr5R"},
        {"Ok: 3462 bytes queued as 077781CA025", "077781CA025"},
        {"Ok: queued as 5C19921E0D.", "5C19921E0D"},
        {"OK id=1uFz9Q-0007Xc-2d", "1uFz9Q-0007Xc-2d"},
        {"00M0P3Pn005268 Message accepted for delivery", "00M0P3Pn005268"},
        {"5a41ed8f Message accepted for delivery", "5a41ed8f"},
        {"<abc@mx.example.net> [InternalId=21474836481, Hostname=EX01.example.com] Queued mail for delivery",
         "21474836481"},
        {"OK  1795998312 d9443c01a7336-29bceb6b4e5sm10241205ad.34 - gsmtp",
         "d9443c01a7336-29bceb6b4e5sm10241205ad.34"},
        {"ok 1795998312 qp 25716", "25716"},
        {"Message Queued (8D1B9C3E-55A1-4B5A-A1B8-3C1A1B0C8B4D.1)", "8D1B9C3E-55A1-4B5A-A1B8-3C1A1B0C8B4D.1"},
        {"ok:  Message 87090557 accepted", "87090557"},
        {"Message 0MIjEq-1VEnJO3RVo-002UBE accepted by mreu2.kundenserver.de", "0MIjEq-1VEnJO3RVo-002UBE"},
        {"Message accepted 12", NULL},
        {"Message 12 was not accepted", NULL},
        {"Message body accepted", NULL},
        {"+OK message queued for delivery.", NULL},
        {"Message accepted for delivery", NULL},
        {"Thank you, Message accepted for delivery", NULL},
        {"Thanks Message accepted for delivery", NULL},
        {"Ok: queued as ", NULL},
        {"ok", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice id;
        bool found = esmtp_queue_id(slice_str(rows[i][0]), &id);
        if (found != !!rows[i][1] || (found && !slice_eq(id, slice_str(rows[i][1]))))
            fail_msg("'%s': %.*s", rows[i][0], found ? (int)id.len : 4,
                     found ? (const char *)id.data : "none");
    }
}

static void reads_offers(void **state)
{
    static const struct {
        const char *text;
        bool chunking, pipelining;
    } rows[] = {
        {"mx.example.com\nPIPELINING\nSIZE 1000\n chunking ", true, true},
        {"mx.example.com\nCHUNKING\nHELP", true, false},
        {"mx.example.com\nPIPELINING\nHELP", false, true},
        {"mx.example.com\nX-PIPELINING\nPIPELINING 1\nCHUNKIN", false, false},
        {"", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct esmtp_offers offers = esmtp_offers(slice_str(rows[i].text));
        if (offers.chunking != rows[i].chunking || offers.pipelining != rows[i].pipelining)
            fail_msg("'%s': %d %d", rows[i].text, offers.chunking, offers.pipelining);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_parameters_apart),
                                       cmocka_unit_test(reads_xtext), cmocka_unit_test(finds_queue_ids),
                                       cmocka_unit_test(reads_offers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
