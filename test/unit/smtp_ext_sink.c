/* The ancestor's table: its columns, its escapes, and a row that no text can break. */
#include "sinks.h"

static void last_line(const struct record *recs, size_t count, struct buf *ret, struct slice *row)
{
    buf_init(ret, 1 << 20);
    sink_run(&sink_smtp_ext, recs, count, false, ret);
    *row = line_from_end(buf_slice(ret), 1);
}

static const char head[] = "ts\torig_h\torig_p\tresp_h\tresp_p\thelo\tmessage-id\tin-reply-"
                           "to\tmailfrom\trcptto\tdate\tfrom\treply_to\t"
                           "to\tfiles\tlast_reply\tx-originating-ip\tpath\tis_webmail\tagent";
enum { HELO = 5, MAILFROM = 8, RCPTTO = 9, TO = 13, FILES = 14, PATH = 17, COLUMNS = 20 };

static void whole_row(void **state)
{
    struct mail m;
    struct buf out;
    struct slice row;
    (void)state;
    mail_init(&m);
    m.t.ts = (struct timespec){1254722775, 106000000};
    last_line(&m.rec, 1, &out, &row);
    assert_slice(
        row,
        "1254722775.106\t198.51.100.7\t40000\t203.0.113.25\t25\tclient.example.org\t<m1@example.org>\t<m0@"
        "example.net>\t"
        "<alice@example.org>\t{bob@example.net, carol@example.net}\tMon, 2 Nov 2009 13:38:23 -0500\t"
        "Alice <alice@example.org>\treplies@example.org\t{Bob <bob@example.net>, C, D <carol@example.net>}\t"
        "{a b.pdf, c.txt}\t450 4.2.0 later\t192.0.2.9\t2001:db8::1 -> 192.0.2.4 -> 198.51.100.7 -> "
        "203.0.113.25\tT\t"
        "Mailer 1.0");
    assert_slice(line_from_end(buf_slice(&out), 2), head);
    buf_free(&out);
}

static void nothing_known(void **state)
{
    struct transaction t = {.id = {slice_str("C"), {v4(1, 2, 3, 4), 5}, {v4(6, 7, 8, 9), 10}},
                            .mailfrom = slice_str("<>")};
    struct buf out;
    struct slice row;
    (void)state;
    last_line(&(struct record){&stream_smtp, &t}, 1, &out, &row);
    assert_slice(
        row,
        "0\t1.2.3.4\t5\t6.7.8.9\t10\t\\N\t\\N\t\\N\t<>\t{}\t\\N\t\\N\t\\N\t{}\t{}\t\\N\t\\N\t\\N\tF\t\\N");
    buf_free(&out);
}

static void only_mails_with_a_sender(void **state)
{
    struct transaction none = {.id.uid = slice_str("C")},
                       empty = {.id.uid = slice_str("C"), .mailfrom = slice_str("")};
    struct session s = {.id.uid = slice_str("C")};
    struct buf out;
    struct slice row;
    (void)state;
    last_line((struct record[]){{&stream_smtp, &none}, {&stream_smtp, &empty}, {&stream_session, &s}}, 3,
              &out, &row);
    assert_slice(row, head);
    buf_free(&out);
}

static void paths(void **state)
{
    struct mail m;
    struct buf out;
    struct slice row;
    (void)state;
    mail_init(&m);
    m.t.flags.path_cut = true;
    m.t.path.len = 3;
    last_line(&m.rec, 1, &out, &row);
    assert_slice(column(row, PATH), "... 192.0.2.4 -> 198.51.100.7 -> 203.0.113.25");
    buf_free(&out);
    /* No hop: no path. The client as its own hop: a path of two. */
    m.t.flags.path_cut = false;
    m.t.path.len = 2;
    last_line(&m.rec, 1, &out, &row);
    assert_slice(column(row, PATH), "198.51.100.7 -> 203.0.113.25");
    buf_free(&out);
    m.t.received_from_originating_ip = (struct slice){0};
    last_line(&m.rec, 1, &out, &row);
    assert_slice(column(row, PATH), "\\N");
    buf_free(&out);
}
#define BYTES(text) ((struct slice){(const uint8_t *)(text), sizeof(text) - 1})

static void escapes(void **state)
{
    struct slice item = BYTES("'<a\tb>'\xff,\n");
    struct file file = {.name = BYTES("\"<x>\\\".txt"), .type = BYTES("")};
    struct transaction t = {.id.uid = slice_str("C"),
                            .mailfrom = BYTES("a\tb"),
                            .helo = BYTES("a\tb\n\r\0\x1b\x7f\\ \xc3\xbc~ 'q\" \\N"),
                            .rcptto = {&item, 1, 1},
                            .to = {&item, 1, 1},
                            .files = {&file, 1, 1}};
    struct buf out;
    struct slice row;
    (void)state;
    last_line(&(struct record){&stream_smtp, &t}, 1, &out, &row);
    assert_slice(column(row, HELO), "a^Ib^J^M\\0^[^?\\ \\xc3\\xbc~ 'q\" \\N");
    assert_slice(column(row, MAILFROM), "<a^Ib>");
    assert_slice(column(row, RCPTTO), "{a^Ib\\xff,^J}");
    assert_slice(column(row, TO), "{<a^Ib>\\xff,^J}");
    assert_slice(column(row, FILES), "{<x>\\.txt}");
    buf_free(&out);
}

static void sets(void **state)
{
    struct mail m;
    struct buf out;
    struct slice row;
    (void)state;
    mail_init(&m);
    m.rcptto[1] = m.rcptto[0];
    m.rcptto[2] = slice_str("Bob@example.net");
    m.t.rcptto.len = 3;
    m.files[1].name = m.files[0].name;
    last_line(&m.rec, 1, &out, &row);
    assert_slice(column(row, RCPTTO), "{bob@example.net, Bob@example.net}");
    assert_slice(column(row, FILES), "{a b.pdf}");
    buf_free(&out);
    m.files[1].name = slice_str("");
    last_line(&m.rec, 1, &out, &row);
    assert_slice(column(row, FILES), "{a b.pdf, }");
    buf_free(&out);
    m.files[1].name = (struct slice){0};
    m.t.files.len = 1;
    m.t.parts = (struct file_list){m.files + 1, 1, 1}; /* a text */
    last_line(&m.rec, 1, &out, &row);
    assert_slice(column(row, FILES), "{a b.pdf}");
    buf_free(&out);
}

static void any_bytes(void **state)
{
    uint64_t seed = 3;
    (void)state;
    for (int i = 0; i < 300; i++) {
        uint8_t rooms[16][2][48];
        struct slice items[16];
        struct transaction t[16];
        struct record recs[16];
        struct buf out;
        for (size_t k = 0; k < 16; k++) {
            items[k] = random_text(&seed, rooms[k][0], 48);
            struct slice text = random_text(&seed, rooms[k][1], 48);
            t[k] = (struct transaction){.id.uid = slice_str("C"),
                                        .mailfrom = slice_str("<>"),
                                        .helo = text,
                                        .date = text,
                                        .rcptto = {&items[k], 1, 1},
                                        .to = {&items[k], 1, 1},
                                        .last_error = text};
            recs[k] = (struct record){&stream_smtp, &t[k]};
        }
        buf_init(&out, 1 << 20);
        sink_run(&sink_smtp_ext, recs, 16, false, &out);
        for (size_t k = 1; k <= 16; k++) {
            struct slice row = line_from_end(buf_slice(&out), k);
            assert_slice(column(row, COLUMNS - 1), "\\N");
            for (size_t at = 0; at < row.len; at++)
                assert_true(row.data[at] == '\t' || (row.data[at] >= 32 && row.data[at] < 127));
        }
        assert_slice(line_from_end(buf_slice(&out), 17), head);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_row),
        cmocka_unit_test(nothing_known),
        cmocka_unit_test(only_mails_with_a_sender),
        cmocka_unit_test(paths),
        cmocka_unit_test(escapes),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
