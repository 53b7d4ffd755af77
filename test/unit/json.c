/* JSON: whatever the wire held, a record is one line, valid JSON and valid UTF-8, and reads back as what went
 * in. */
#include "sinks.h"
#include "sink/json.h"

static void line_of(const struct record *rec, struct buf *ret)
{
    buf_init(ret, 64 << 20);
    json_line(rec, ret);
}

static void whole_record(void **state)
{
    struct mail m;
    struct buf out;
    (void)state;
    mail_init(&m);
    line_of(&m.rec, &out);
    assert_slice(
        buf_slice(&out),
        "{\"_path\":\"smtp\",\"ts\":1257170000.012345,\"uid\":\"C0123456789abcdefg\",\"id.orig_h\":\"198.51."
        "100.7\","
        "\"id.orig_p\":40000,\"id.resp_h\":\"203.0.113.25\",\"id.resp_p\":25,\"trans_depth\":2,"
        "\"helo\":\"client.example.org\",\"mailfrom\":\"alice@example.org\","
        "\"rcptto\":[\"bob@example.net\",\"carol@example.net\"],\"date\":\"Mon, 2 Nov 2009 13:38:23 -0500\","
        "\"from\":\"Alice <alice@example.org>\",\"to\":[\"Bob <bob@example.net>\",\"\\\"C, D\\\" "
        "<carol@example.net>\"],"
        "\"cc\":[\"dave@example.net\"],\"reply_to\":\"replies@example.org\",\"msg_id\":\"<m1@example.org>\","
        "\"in_reply_to\":\"<m0@example.net>\",\"subject\":\"hello\",\"x_originating_ip\":\"192.0.2.9\","
        "\"first_received\":\"from a by b\",\"second_received\":\"from b by c\",\"last_reply\":\"250 2.0.0 "
        "Ok\","
        "\"last_error\":\"450 4.2.0 "
        "later\",\"path\":[\"203.0.113.25\",\"198.51.100.7\",\"192.0.2.4\",\"2001:db8::1\"],"
        "\"received_from_originating_ip\":\"2001:db8::1\",\"user_agent\":\"Mailer 1.0\",\"tls\":false,"
        "\"is_webmail\":true,\"files\":[{\"name\":\"a "
        "b.pdf\",\"type\":\"application/pdf\",\"size\":2048,\"part\":0,\"depth\":0},"
        "{\"name\":\"c.txt\",\"type\":\"text/"
        "plain\",\"size\":7,\"part\":0,\"depth\":0}],\"flags\":{\"gap\":true,\"truncated\":true}}\n");
    buf_free(&out);
}

static void absent_fields_are_left_out(void **state)
{
    struct transaction t = {.id = {slice_str("C"), {v4(0, 0, 0, 0), 0}, {v4(255, 255, 255, 255), 65535}},
                            .trans_depth = UINT64_MAX,
                            .subject = slice_str("")};
    struct record rec = {&stream_smtp, &t};
    struct buf out;
    (void)state;
    line_of(&rec, &out);
    assert_slice(
        buf_slice(&out),
        "{\"_path\":\"smtp\",\"ts\":0.000000,\"uid\":\"C\",\"id.orig_h\":\"0.0.0.0\",\"id.orig_p\":0,"
        "\"id.resp_h\":\"255.255.255.255\",\"id.resp_p\":65535,\"trans_depth\":18446744073709551615,"
        "\"subject\":\"\",\"tls\":false,\"is_webmail\":false}\n");
    buf_free(&out);
}

/* Texts of every length up to a few steps of sixteen, with one byte at every place that needs care, or none.
 */
static void short_texts(void **state)
{
    static const struct {
        char c;
        const char *shown;
    } odd[] = {{'x', "x"},
               {' ', " "},
               {'~', "~"},
               {'"', "\\\""},
               {'\\', "\\\\"},
               {'\n', "\\n"},
               {31, "\\u001f"},
               {127, "\\u007f"},
               {'\x80', "\xef\xbf\xbd"},
               {'\xff', "\xef\xbf\xbd"}};
    (void)state;
    for (size_t len = 1; len <= 50; len++)
        for (size_t i = 0; i < len * (sizeof odd / sizeof *odd); i++) {
            size_t at = i % len, which = i / len;
            char *text = malloc(len); /* of its size, so that a sanitizer sees what is read beyond it */
            char want[80];
            assert_non_null(text);
            for (size_t j = 0; j < len; j++)
                text[j] = (char)('a' + j % 26);
            snprintf(want, sizeof want, "\"subject\":\"%.*s%s%.*s\",", (int)at, text, odd[which].shown,
                     (int)(len - at - 1), text + at + 1);
            text[at] = odd[which].c;
            struct transaction t = {.subject = {(const uint8_t *)text, len}};
            struct record rec = {&stream_smtp, &t};
            struct buf out;
            line_of(&rec, &out);
            assert_true(slice_find(buf_slice(&out), want) < out.len);
            buf_free(&out);
            free(text);
        }
}

static void session_record(void **state)
{
    struct slice keywords[] = {slice_str("SIZE 1"), slice_str("8BITMIME")};
    struct session s = {.ts = {1, 999999999},
                        .id = {slice_str("C"), {v4(1, 2, 3, 4), 5}, {v4(6, 7, 8, 9), 10}},
                        .duration = 1.5,
                        .banner = slice_str("hi"),
                        .ehlo_keywords = {keywords, 2, 2},
                        .tls = true,
                        .tls_start = slice_str("starttls"),
                        .end = slice_str("fin")};
    struct record rec = {&stream_session, &s};
    struct buf out;
    (void)state;
    line_of(&rec, &out);
    assert_slice(
        buf_slice(&out),
        "{\"_path\":\"smtp_session\",\"ts\":1.999999,\"uid\":\"C\",\"id.orig_h\":\"1.2.3.4\",\"id.orig_p\":5,"
        "\"id.resp_h\":\"6.7.8.9\",\"id.resp_p\":10,\"duration\":1.500000,\"banner\":\"hi\","
        "\"ehlo_keywords\":[\"SIZE 1\",\"8BITMIME\"],\"tls\":true,\"tls_start\":\"starttls\","
        "\"mails\":0,\"end\":\"fin\"}\n");
    buf_free(&out);
    s.duration = 0.0 / 0.0;
    line_of(&rec, &out);
    assert_true(slice_find(buf_slice(&out), "\"duration\":0.000000,") < out.len);
    buf_free(&out);
}

/* The text of a one-field record between its quotes. */
static void subject_is(struct slice subject, const char *wanted)
{
    struct transaction t = {.id.uid = slice_str("C"), .subject = subject};
    struct record rec = {&stream_smtp, &t};
    struct buf out;
    line_of(&rec, &out);
    size_t from = slice_find(buf_slice(&out), "\"subject\":\"") + 11;
    size_t to = slice_find(buf_slice(&out), "\",\"tls\":");
    assert_slice(slice_sub(buf_slice(&out), from, to), wanted);
    buf_free(&out);
}
#define BYTES(text) ((struct slice){(const uint8_t *)(text), sizeof(text) - 1})

static void escapes(void **state)
{
    (void)state;
    subject_is(BYTES("a\"b\\c/d"), "a\\\"b\\\\c/d");
    subject_is(BYTES("\b\f\n\r\t\0\x1f"), "\\b\\f\\n\\r\\t\\u0000\\u001f");
    subject_is(BYTES("12345678\n12345678"), "12345678\\n12345678");
    subject_is(BYTES("\x7f\x1b[31m"), "\\u007f\\u001b[31m");
    subject_is(BYTES("\xc2\x9b"
                     "31m \xc2\xa0"),
               "\\u009b31m \xc2\xa0");
    subject_is(BYTES("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
               "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
}

static void invalid_utf8(void **state)
{
    (void)state;
#define FFFD "\xef\xbf\xbd"
    subject_is(BYTES("\xff"), FFFD);
    subject_is(BYTES("\xc0\xaf"), FFFD FFFD);
    subject_is(BYTES("\xc3"), FFFD);
    subject_is(BYTES("\xe2\x82"), FFFD FFFD);
    subject_is(BYTES("\xe0\x80\xaf"), FFFD FFFD FFFD);
    subject_is(BYTES("\xed\xa0\x80"), FFFD FFFD FFFD);
    subject_is(BYTES("\xf0\x8f\xbf\xbf"), FFFD FFFD FFFD FFFD);
    subject_is(BYTES("\xf4\x90\x80\x80"), FFFD FFFD FFFD FFFD);
    subject_is(BYTES("\xf5\x80\x80\x80"), FFFD FFFD FFFD FFFD);
    subject_is(BYTES("\x80"), FFFD);
    subject_is(BYTES("\xc3\"x"), FFFD "\\\"x");
}

/* What stands between the quotes, read by the letter of RFC 8259. */
static void assert_string_body(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        assert_true(c >= 32 && c != '"' && c != 127);
        if (c != '\\')
            continue;
        c = s.data[++i];
        assert_true(i < s.len && strchr("\"\\/bfnrtu", c));
        for (size_t k = 0; c == 'u' && k < 4; k++)
            assert_true(++i < s.len && strchr("0123456789abcdef", s.data[i]));
    }
}

static void any_bytes(void **state)
{
    uint64_t seed = 1;
    uint8_t room[64];
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct transaction t = {.id.uid = slice_str("C"), .subject = random_text(&seed, room, sizeof room)};
        struct record rec = {&stream_smtp, &t};
        struct buf out;
        line_of(&rec, &out);
        struct slice all = buf_slice(&out);
        assert_int_equal(slice_index(all, '\n'), all.len - 1);
        size_t from = slice_find(all, "\"subject\":\"") + 11;
        const uint8_t *tail = memmem(all.data, all.len, "\",\"tls\":false,\"is_webmail\":false}\n", 34);
        assert_non_null(tail);
        assert_string_body(slice_sub(all, from, (size_t)(tail - all.data)));
        buf_free(&out);
    }
}

/* Every byte takes its longest form, and the line is still whole. */
static void giant(void **state)
{
    size_t len = 3 << 20;
    uint8_t *bytes = calloc(1, len);
    struct transaction t = {.id.uid = slice_str("C"), .subject = {bytes, len}};
    struct record rec = {&stream_smtp, &t};
    struct buf out;
    (void)state;
    assert_non_null(bytes);
    line_of(&rec, &out);
    assert_true(out.len > 6 * len);
    assert_memory_equal(out.data + out.len - 2, "}\n", 2);
    buf_free(&out);
    buf_init(&out, 64 << 20);
    struct mail m;
    mail_init(&m);
    sink_run(&sink_json, (struct record[]){rec, m.rec}, 2, false, &out);
    assert_true(line_from_end(buf_slice(&out), 2).len > 6 * len);
    assert_int_equal(line_from_end(buf_slice(&out), 1).data[0], '{');
    buf_free(&out);
    free(bytes);
}

static void streams_go_to_their_files(void **state)
{
    struct mail m;
    struct session s = {.id.uid = slice_str("C"), .end = slice_str("fin")};
    struct buf out;
    (void)state;
    mail_init(&m);
    buf_init(&out, 1 << 20);
    sink_run(&sink_json, (struct record[]){m.rec, {&stream_session, &s}, m.rec}, 3, false, &out);
    /* smtp.log, then smtp_session.log */
    assert_true(slice_find(line_from_end(buf_slice(&out), 1), "\"_path\":\"smtp_session\"") == 1);
    assert_true(slice_find(line_from_end(buf_slice(&out), 2), "\"_path\":\"smtp\"") == 1);
    assert_true(slice_find(line_from_end(buf_slice(&out), 3), "\"_path\":\"smtp\"") == 1);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_record),
        cmocka_unit_test(absent_fields_are_left_out),
        cmocka_unit_test(short_texts),
        cmocka_unit_test(session_record),
        cmocka_unit_test(escapes),
        cmocka_unit_test(invalid_utf8),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(giant),
        cmocka_unit_test(streams_go_to_their_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
