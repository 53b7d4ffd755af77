/* The line for the eye: what stands in it, how it is cut, and that nothing from the wire steers the terminal.
 */
#include "sinks.h"
#include "sink/cell.h"

static void lines_of(const struct record *recs, size_t count, bool color, struct buf *ret)
{
    buf_init(ret, 1 << 20);
    sink_run(&sink_text, recs, count, color, ret);
}

static void mail_is(const struct mail *m, const char *wanted)
{
    struct buf out;
    lines_of(&m->rec, 1, false, &out);
    assert_slice(buf_slice(&out), wanted);
    buf_free(&out);
}
#define FRONT(code)                                                                                          \
    "2009-11-02 13:53:20Z  " code                                                                            \
    "  198.51.100.7     -> 203.0.113.25     alice@example.org              -> bob@example.net"

static void accepted(void **state)
{
    struct mail m;
    (void)state;
    mail_init(&m);
    m.t.reply.code = 250;
    mail_is(
        &m,
        FRONT(
            "250") " +1                  \"hello\"  [a b.pdf 2.0 KiB, c.txt 7 B]  earlier: 450 4.2.0 later  "
                   "origin 192.0.2.9 by webmail  !gap !truncated\n");
    m.files[1].name = (struct slice){0};
    m.t.files.len = 1;
    m.t.parts = (struct file_list){m.files + 1, 1, 1}; /* a text */
    mail_is(&m, FRONT("250") " +1                  \"hello\"  [a b.pdf 2.0 KiB]  earlier: 450 4.2.0 later  "
                             "origin 192.0.2.9 by webmail  !gap !truncated\n");
    m.t.flags = (struct flags){.path_cut = true};
    m.t.last_error = m.t.x_originating_ip = m.t.received_from_originating_ip = (struct slice){0};
    m.t.is_webmail = false;
    m.t.files.len = 0;
    m.t.rcptto.len = 1;
    mail_is(&m, FRONT("250") "                     \"hello\"\n");
}

static void not_sent(void **state)
{
    struct mail m;
    (void)state;
    mail_init(&m);
    m.t.subject = m.t.last_error = m.t.x_originating_ip = m.t.received_from_originating_ip =
        (struct slice){0};
    m.t.is_webmail = false;
    m.t.files.len = 0;
    m.t.flags = (struct flags){0};
    m.t.rcptto.len = 1;
    mail_is(&m, FRONT("---") "                     not sent\n");
    m.t.last_reply = slice_str("354 go");
    m.t.message = true;
    mail_is(&m, FRONT("---") "                     no answer to the message\n");
}

static void refused(void **state)
{
    struct mail m;
    (void)state;
    mail_init(&m);
    m.t.reply.code = 554;
    m.t.reply.enhanced = slice_str("5.7.1");
    m.t.reply.text =
        slice_str("Service unavailable; Client host [198.51.100.7] blocked using zen.spamhaus.org; "
                  "https://www.spamhaus.org/query/ip/198.51.100.7");
    /* What decides is not always what comes last: the client may have asked on. */
    m.t.last_reply = slice_str("250 2.0.0 Ok");
    m.t.subject = m.t.x_originating_ip = m.t.received_from_originating_ip = (struct slice){0};
    m.t.is_webmail = false;
    m.t.files.len = 0;
    m.t.flags = (struct flags){0};
    m.t.rcptto.len = 1;
    mail_is(
        &m,
        FRONT(
            "554") "                     5.7.1 Service unavailable; Client host [198.51.100.7] blocked using "
                   "zen.spamhaus.org; https://www.spamhaus.org/query/ip/198.51.100.7\n");
}

static void nothing_known(void **state)
{
    struct mail m;
    (void)state;
    mail_init(&m);
    m.t = (struct transaction){
        .ts = {1257170000, 0}, .id = m.t.id, .flags = {.midstream = true, .one_sided = true}};
    mail_is(&m, "2009-11-02 13:53:20Z  ---  198.51.100.7     -> 203.0.113.25     (sender not seen)           "
                "   -> (no recipient)"
                "                      no answer seen  !one_sided !midstream\n");
    m.t.ts = (struct timespec){INT64_MAX, 0};
    struct buf out;
    lines_of(&m.rec, 1, false, &out);
    assert_true(slice_find(buf_slice(&out), "  ---  198.51.100.7 ") < out.len);
    buf_free(&out);
}

static void sessions(void **state)
{
    struct session s = {.ts = {1257170000, 0},
                        .id = {slice_str("C"), {v4(198, 51, 100, 7), 1}, {v4(203, 0, 113, 25), 25}},
                        .duration = 1.25,
                        .helo = slice_str("a.example"),
                        .tls = true,
                        .tls_start = slice_str("starttls"),
                        .last_reply = slice_str("220 go"),
                        .end = slice_str("fin")};
    struct session refused = s, silent = s, with_mail = s;
    struct buf out;
    (void)state;
    refused.tls = silent.tls = false;
    refused.last_error = slice_str("535 5.7.8 authentication failed");
    silent.helo = silent.last_reply = (struct slice){0};
    with_mail.mails = 1;
    lines_of((struct record[]){{&stream_session, &s},
                               {&stream_session, &refused},
                               {&stream_session, &silent},
                               {&stream_session, &with_mail}},
             4, false, &out);
    assert_slice(
        buf_slice(&out),
        "2009-11-02 13:53:20Z  TLS  198.51.100.7     -> 203.0.113.25     encrypted, by starttls, helo "
        "a.example, 1.2 s, ended by fin\n"
        "2009-11-02 13:53:20Z  535  198.51.100.7     -> 203.0.113.25     no mail, helo a.example, 1.2 s, "
        "ended by fin  "
        "5.7.8 authentication failed\n"
        "2009-11-02 13:53:20Z  ---  198.51.100.7     -> 203.0.113.25     no mail, 1.2 s, ended by fin\n");
    buf_free(&out);
}

static void colors_only_where_asked_for(void **state)
{
    struct mail m;
    struct buf out;
    (void)state;
    mail_init(&m);
    m.t.reply.code = 250;
    lines_of(&m.rec, 1, true, &out);
    assert_true(slice_find(buf_slice(&out), "\033[32m250\033[0m") < out.len);
    buf_free(&out);
    lines_of(&m.rec, 1, false, &out);
    assert_int_equal(slice_index(buf_slice(&out), 27), out.len);
    buf_free(&out);
}
#define BYTES(text) ((struct slice){(const uint8_t *)(text), sizeof(text) - 1})

static void cell_is(size_t (*cell)(struct line *, struct slice, size_t), struct slice text, size_t most,
                    const char *wanted, size_t columns)
{
    struct line line = {0};
    size_t got = cell(&line, text, most);
    line_byte(&line, 0);
    assert_string_equal((const char *)line.data, wanted);
    assert_int_equal(got, columns);
    line_free(&line);
}
#define DOTS "\xe2\x80\xa6"

static void cut_text(void **state)
{
    (void)state;
    cell_is(cell_text, BYTES(""), 5, "", 0);
    cell_is(cell_text, BYTES("hello"), 5, "hello", 5);
    cell_is(cell_text, BYTES("hello!"), 5, "hell" DOTS, 5);
    cell_is(cell_text, BYTES("h\xc3\xa4llo!"), 5, "h\xc3\xa4ll" DOTS, 5);
    /* Two columns each: the third does not fit. */
    cell_is(cell_text, BYTES("\xe4\xbd\xa0\xe5\xa5\xbd\xe5\x90\x97"), 6,
            "\xe4\xbd\xa0\xe5\xa5\xbd\xe5\x90\x97", 6);
    cell_is(cell_text, BYTES("\xe4\xbd\xa0\xe5\xa5\xbd\xe5\x90\x97"), 5, "\xe4\xbd\xa0\xe5\xa5\xbd" DOTS, 5);
    cell_is(cell_text, BYTES("\xe4\xbd\xa0\xe5\xa5\xbd\xe5\x90\x97"), 4, "\xe4\xbd\xa0" DOTS, 3);
    cell_is(cell_text, BYTES("\xf0\x9f\x98\x80!"), 3, "\xf0\x9f\x98\x80!", 3);
    /* A mark takes no column; of a heap of them two are left. */
    cell_is(cell_text, BYTES("e\xcc\x81x"), 2, "e\xcc\x81x", 2);
    cell_is(cell_text, BYTES("e\xcc\x81\xcc\x81\xcc\x81\xcc\x81x"), 2, "e\xcc\x81\xcc\x81x", 2);
}

static void cut_addresses(void **state)
{
    (void)state;
    cell_is(cell_address, BYTES("alice@example.org"), 17, "alice@example.org", 17);
    cell_is(cell_address, BYTES("alice.the.long@example.org"), 17, "alic" DOTS "@example.org", 17);
    cell_is(cell_address, BYTES("alice@a.very.long.domain.example"), 17, DOTS "g.domain.example", 17);
    cell_is(cell_address, BYTES("without.any.sign.in.it"), 17, DOTS "t.any.sign.in.it", 17);
}

static void nothing_steers_the_terminal(void **state)
{
    (void)state;
    cell_is(cell_text, BYTES("a\033[2Jb"), 20, "a?[2Jb", 6);
    cell_is(cell_text, BYTES("a\tb\nc\rd\0e\x7f"), 20, "a b c?d?e?", 10);
    cell_is(cell_text,
            BYTES("\xc2\x9b"
                  "2J"),
            20, "?2J", 3);
    cell_is(cell_text, BYTES("\xff\xc3"), 20, "??", 2);
    /* Turns of the direction, joiners without ink, tags, soft hyphen. */
    cell_is(cell_text, BYTES("x\xe2\x80\xaey"), 20, "x?y", 3);
    cell_is(cell_text, BYTES("x\xe2\x81\xa6y"), 20, "x?y", 3);
    cell_is(cell_text, BYTES("x\xe2\x80\x8by"), 20, "x?y", 3);
    cell_is(cell_text, BYTES("x\xc2\xady"), 20, "x?y", 3);
    cell_is(cell_text, BYTES("x\xef\xbb\xbfy"), 20, "x?y", 3);
    cell_is(cell_text, BYTES("x\xf3\xa0\x81\x81y"), 20, "x?y", 3);
    cell_is(cell_text, BYTES("\xd8\x9cx"), 20, "?x", 2);
    /* Dashes and quotes stand between them in the table, and are harmless. */
    cell_is(cell_text, BYTES("\xe2\x80\x93\xe2\x80\x9c\xe2\x80\xa6"), 20,
            "\xe2\x80\x93\xe2\x80\x9c\xe2\x80\xa6", 3);
}

static void sizes(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } table[] = {{0, "0 B"},
                 {999, "999 B"},
                 {1000, "1.0 KiB"},
                 {1024, "1.0 KiB"},
                 {10188, "9.9 KiB"},
                 {10189, "10 KiB"},
                 {1022975, "999 KiB"},
                 {1048576, "1.0 MiB"},
                 {123456789, "118 MiB"},
                 {UINT64_MAX, "16 EiB"}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct line line = {0};
        cell_size(&line, table[i].bytes);
        assert_slice(line_slice(&line), table[i].text);
        line_free(&line);
    }
}

static void any_bytes(void **state)
{
    uint64_t seed = 4;
    (void)state;
    for (int i = 0; i < 200; i++) {
        uint8_t rooms[16][300];
        struct transaction t[16];
        struct slice to[16];
        struct record recs[16];
        struct buf out;
        for (size_t k = 0; k < 16; k++) {
            struct slice text = random_text(&seed, rooms[k], sizeof rooms[k]);
            to[k] = text;
            t[k] = (struct transaction){.id.uid = slice_str("C"),
                                        .mailfrom = text,
                                        .rcptto = {&to[k], 1, 1},
                                        .subject = text,
                                        .reply = {.code = 554, .enhanced = text, .text = text},
                                        .last_error = text,
                                        .x_originating_ip = text};
            recs[k] = (struct record){&stream_smtp, &t[k]};
        }
        lines_of(recs, 16, false, &out);
        for (size_t k = 1; k <= 16; k++) {
            struct slice line = line_from_end(buf_slice(&out), k);
            for (size_t at = 0; at < line.len; at++) {
                assert_true(line.data[at] >= 32 && line.data[at] != 127);
                assert_false(line.data[at] == 0xc2 && line.data[at + 1] < 0xa0);
            }
            while (line.len) {
                size_t n = line_utf8(line);
                assert_true(n);
                line = slice_sub(line, n, line.len);
            }
        }
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(refused),
        cmocka_unit_test(not_sent),
        cmocka_unit_test(nothing_known),
        cmocka_unit_test(sessions),
        cmocka_unit_test(cut_text),
        cmocka_unit_test(cut_addresses),
        cmocka_unit_test(sizes),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(nothing_steers_the_terminal),
        cmocka_unit_test(colors_only_where_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
