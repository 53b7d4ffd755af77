/* Zeek's smtp.log: its header, its escapes, and a row that no text can break. */
#include "sinks.h"

static const char names[] = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\ttrans_"
                            "depth\thelo\tmailfrom\trcptto\tdate\tfrom\tto\tcc\t"
                            "reply_to\tmsg_id\tin_reply_to\tsubject\tx_originating_ip\tfirst_"
                            "received\tsecond_received\tlast_reply\tpath\tuser_agent\t"
                            "tls\tfuids\tis_webmail";
enum { COLUMNS = 27, SUBJECT = 17, RCPTTO = 9 };

/* All up to smtp.log: behind it comes the head of software.log. */
static struct slice smtp_log(const struct buf *all)
{
    struct slice s = buf_slice(all);
    size_t at = s.len;
    while (at && !slice_case_starts(slice_sub(s, at, s.len), "#separator"))
        at--;
    return slice_sub(s, 0, at);
}

static void row_of(const struct record *rec, struct buf *ret, struct slice *row)
{
    buf_init(ret, 1 << 20);
    sink_run(&sink_zeek, rec, 1, false, ret);
    *row = line_from_end(smtp_log(ret), 2);
}

static void whole_log(void **state)
{
    struct mail m;
    struct buf out;
    struct slice row;
    (void)state;
    mail_init(&m);
    row_of(&m.rec, &out, &row);
    assert_slice(row, "1257170000.012345\tC0123456789abcdefg\t198.51.100.7\t40000\t203.0.113."
                      "25\t25\t2\tclient.example.org\t"
                      "alice@example.org\tbob@example.net,carol@example.net\tMon, 2 Nov 2009 13:38:23 -0500\t"
                      "Alice <alice@example.org>\tBob <bob@example.net>,\"C\\x2c D\" "
                      "<carol@example.net>\tdave@example.net\t"
                      "replies@example.org\t<m1@example.org>\t<m0@example.net>\thello\t192.0.2.9\tfrom a by "
                      "b\tfrom b by c\t"
                      "250 2.0.0 Ok\t203.0.113.25,198.51.100.7,192.0.2.4,2001:db8::1\tMailer 1.0\tF\t-\tT");
    assert_slice(line_from_end(smtp_log(&out), 4), names);
    assert_true(slice_find(line_from_end(smtp_log(&out), 3),
                           "#types\ttime\tstring\taddr\tport\taddr\tport\tcount\t") == 0);
    assert_true(slice_find(line_from_end(smtp_log(&out), 1), "#close\t") == 0);
    assert_true(slice_find(line_from_end(smtp_log(&out), 5), "#open\t") == 0);
    assert_slice(line_from_end(smtp_log(&out), 6), "#path\tsmtp");
    assert_slice(line_from_end(smtp_log(&out), 7), "#unset_field\t-");
    assert_slice(line_from_end(smtp_log(&out), 8), "#empty_field\t(empty)");
    assert_slice(line_from_end(smtp_log(&out), 9), "#set_separator\t,");
    assert_slice(line_from_end(smtp_log(&out), 10), "#separator \\x09");
    buf_free(&out);
}

static void subject_is(struct slice subject, const char *wanted)
{
    struct transaction t = {.id.uid = slice_str("C"), .subject = subject};
    struct buf out;
    struct slice row;
    row_of(&(struct record){&stream_smtp, &t}, &out, &row);
    assert_slice(column(row, SUBJECT), wanted);
    assert_slice(column(row, COLUMNS - 1), "F");
    buf_free(&out);
}
#define BYTES(text) ((struct slice){(const uint8_t *)(text), sizeof(text) - 1})

static void escapes(void **state)
{
    (void)state;
    subject_is((struct slice){0}, "-");
    subject_is(BYTES(""), "(empty)");
    subject_is(BYTES("-"), "\\x2d");
    subject_is(BYTES("--"), "--");
    subject_is(BYTES("(empty)"), "\\x28empty)");
    subject_is(BYTES("(empty) "), "(empty) ");
    subject_is(BYTES("a\tb\nc\r\0d"), "a\\x09b\\x0ac\\x0d\\x00d");
    subject_is(BYTES("c:\\x09"), "c:\\\\x09");
    subject_is(BYTES("a,b"), "a,b");
    subject_is(BYTES("#fields"), "#fields");
    subject_is(BYTES("\x7f\x1b[31m\xc2\x9b"), "\\x7f\\x1b[31m\\xc2\\x9b");
    subject_is(BYTES("gr\xc3\xbc\xc3\x9f \xe2\x82\xac"), "gr\xc3\xbc\xc3\x9f \xe2\x82\xac");
    subject_is(BYTES("\xc3(\xff"), "\\xc3(\\xff");
}

static void sets(void **state)
{
    struct slice items[] = {BYTES("a,b"), BYTES("-"), BYTES(""), BYTES("(empty)"), BYTES("\t,"), BYTES("-")};
    struct transaction t = {.id.uid = slice_str("C"), .rcptto = {items, 6, 6}};
    struct buf out;
    struct slice row;
    (void)state;
    row_of(&(struct record){&stream_smtp, &t}, &out, &row);
    assert_slice(column(row, RCPTTO), "a\\x2cb,\\x2d,(empty),\\x28empty),\\x09\\x2c");
    buf_free(&out);
}

/* The column is of type addr, so it holds an address as Zeek would print it, or nothing. */
static void address_column(void **state)
{
    static const char *const pairs[][2] = {
        {"012.034.056.007", "12.34.56.7"}, {"2001:DB8:0::1", "2001:db8::1"}, {"x\ty", "-"}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct transaction t = {.id.uid = slice_str("C"), .x_originating_ip = slice_str(pairs[i][0])};
        struct buf out;
        struct slice row;
        row_of(&(struct record){&stream_smtp, &t}, &out, &row);
        assert_slice(column(row, SUBJECT + 1), pairs[i][1]);
        buf_free(&out);
    }
}

static uint8_t unhex(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void any_bytes(void **state)
{
    uint64_t seed = 2;
    (void)state;
    for (int i = 0; i < 300; i++) {
        uint8_t rooms[16][48], back[48];
        struct transaction t[16];
        struct record recs[16];
        struct buf out;
        for (size_t k = 0; k < 16; k++) {
            t[k] =
                (struct transaction){.id.uid = slice_str("C"), .subject = random_text(&seed, rooms[k], 48)};
            recs[k] = (struct record){&stream_smtp, &t[k]};
        }
        buf_init(&out, 1 << 20);
        sink_run(&sink_zeek, recs, 16, false, &out);
        for (size_t k = 0; k < 16; k++) {
            struct slice row = line_from_end(smtp_log(&out), 17 - k), text = column(row, SUBJECT);
            assert_slice(column(row, COLUMNS - 1), "F");
            if (!t[k].subject.len)
                continue;
            size_t len = 0;
            for (size_t at = 0; at < text.len; at++) {
                uint8_t c = text.data[at];
                if (c == '\\' && text.data[++at] == 'x') {
                    c = (uint8_t)(unhex(text.data[at + 1]) << 4 | unhex(text.data[at + 2]));
                    at += 2;
                }
                back[len++] = c;
            }
            assert_int_equal(len, t[k].subject.len);
            assert_memory_equal(back, t[k].subject.data, len);
        }
        buf_free(&out);
    }
}

static void sessions_are_left_out(void **state)
{
    struct session s = {.id.uid = slice_str("C")};
    struct buf out;
    struct slice row;
    (void)state;
    row_of(&(struct record){&stream_session, &s}, &out, &row);
    assert_true(slice_find(row, "#types") == 0);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_log), cmocka_unit_test(escapes),
        cmocka_unit_test(sets),      cmocka_unit_test(address_column),
        cmocka_unit_test(any_bytes), cmocka_unit_test(sessions_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
