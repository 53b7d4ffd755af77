/* flow.c: the flow table against hand-made segments: what it passes on, and in what order. */
#include "wire.h"

static void test_in_order(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, SERVER, TCP_ACK, 501, 101, "220");
    send(&w, CLIENT, TCP_ACK, 101, 504, "EHLO");
    send(&w, CLIENT, TCP_ACK | TCP_FIN, 105, 504, "");
    send(&w, SERVER, TCP_ACK | TCP_FIN, 504, 106, "bye");
    expect(&w, "open 1>220 0>EHLO 1>bye end:fin ");
    wire_free(&w);
}

static void test_swapped_repeated_overlapped(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 0xfffffff0, 500);
    send(&w, CLIENT, TCP_ACK, 0xfffffff6, 501, "fghij");
    send(&w, CLIENT, TCP_ACK, 0xfffffff3, 501, "cdeXX");
    send(&w, CLIENT, TCP_ACK, 0xfffffff6, 501, "FGHIJKLMNOPQ");
    send(&w, CLIENT, TCP_ACK, 0xfffffff1, 501, "ab");
    send(&w, CLIENT, TCP_ACK, 0xfffffff1, 501, "ABCDEFGHIJKLMNOPQ");
    send(&w, CLIENT, TCP_ACK, 2, 501, "r");
    expect(&w, "open ?0>ab ?0>cde ?0>fghij ?0>KLMNOPQ ?0>r ");
    assert_int_equal(flow_table_stats(w.table).held_bytes, 0);
    wire_free(&w);
}

/* Other copies of bytes that were passed on are compared until the other side has acknowledged them. */
static void test_copies_that_differ(void **state)
{
    char many[251];
    memset(many, 'm', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abcdef");
    send(&w, CLIENT, TCP_ACK, 103, 501, "cd");
    send(&w, SERVER, TCP_ACK, 501, 104, "");
    send(&w, CLIENT, TCP_ACK, 101, 501, "xyzdef"); /* what differs is acknowledged */
    send(&w, CLIENT, TCP_ACK, 105, 501, "efg");
    expect(&w, "open 0>abcdef 0>g ");
    send(&w, CLIENT, TCP_ACK, 105, 501, "efGH");
    expect(&w, "?0>H ");
    wire_free(&w);
    /* Of 300 bytes in flight all are compared, of more the first 300; the rest is counted. */
    w = wire_new(&usual);
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, many);
    send(&w, CLIENT, TCP_ACK, 351, 501, many);
    send(&w, CLIENT, TCP_ACK, 401, 501, "#");
    assert_int_equal(flow_table_stats(w.table).unchecked, 1);
    send(&w, CLIENT, TCP_ACK, 301, 501, many);
    assert_int_equal(flow_table_stats(w.table).unchecked, 2);
    send(&w, CLIENT, TCP_ACK, 401, 501, "mm");
    buf_clear(&heard);
    send(&w, CLIENT, TCP_ACK, 601, 501, "n");
    expect(&w, "0>n ");
    send(&w, CLIENT, TCP_ACK, 399, 501, "m#");
    send(&w, CLIENT, TCP_ACK, 602, 501, "o");
    expect(&w, "?0>o ");
    /* All is acknowledged, so there is room again. */
    send(&w, SERVER, TCP_ACK, 501, 603, "");
    send(&w, CLIENT, TCP_ACK, 603, 501, "p");
    assert_int_equal(flow_table_stats(w.table).unchecked, 3);
    send(&w, CLIENT, TCP_ACK, 603, 501, "pq");
    assert_int_equal(flow_table_stats(w.table).unchecked, 3);
    wire_free(&w);
}

/* What all connections keep to be compared has a limit, and all of it is given back. */
static void test_copies_over_all(void **state)
{
    struct flow_settings set = usual;
    set.total_bytes = 8 * 1000;
    struct wire w = wire_new(&set);
    (void)state;
    for (w.port = 1000; w.port < 1020; w.port++) {
        handshake(&w, 100, 500);
        send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
        send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    }
    uint64_t missed = flow_table_stats(w.table).unchecked;
    assert_in_range(missed, 10, 19);
    for (w.port = 1000; w.port < 1020; w.port++)
        send(&w, SERVER, TCP_ACK, 501, 104, "");
    for (w.port = 1000; w.port < 1004; w.port++) {
        send(&w, CLIENT, TCP_ACK, 104, 501, "def");
        send(&w, CLIENT, TCP_ACK, 104, 501, "def");
        send(&w, CLIENT, TCP_ACK | TCP_FIN, 107, 501, "");
    }
    assert_int_equal(flow_table_stats(w.table).unchecked, missed);
    wire_free(&w);
}

static void test_urgent(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "a");
    send(&w, CLIENT, TCP_ACK | TCP_URG, 102, 501, "b");
    expect(&w, "open 0>a ?0>b ");
    wire_free(&w);
}

static void test_forged_fin(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    for (int d = CLIENT; d <= SERVER; d++) {
        send(&w, d, TCP_ACK | TCP_FIN, d ? 400 : 50, d ? 104 : 501, "");
        send(&w, d, TCP_ACK | TCP_FIN, d ? 504 : 106, d ? 104 : 501, ""); /* may be next */
        send(&w, d, TCP_ACK | TCP_FIN, (d ? 501 : 104) + (1 << 28), d ? 104 : 501, "");
    }
    send(&w, CLIENT, TCP_ACK, 104, 501, "defgh");
    send(&w, SERVER, TCP_ACK, 501, 109, "12345");
    expect(&w, "open 0>abc 0>defgh 1>12345 ");
    send(&w, CLIENT, TCP_ACK | TCP_FIN, 109, 506, "");
    send(&w, SERVER, TCP_ACK, 506, 110, "");
    send(&w, CLIENT, TCP_ACK, 109, 506, "no more");
    expect(&w, "");
    send(&w, SERVER, TCP_ACK | TCP_FIN, 506, 110, "bye");
    send(&w, CLIENT, TCP_ACK, 110, 510, "");
    expect(&w, "1>bye end:fin ");
    wire_free(&w);
}

static void test_end_that_was_none(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    send(&w, CLIENT, TCP_ACK | TCP_FIN, 104, 501, "");
    send(&w, SERVER, TCP_ACK | TCP_FIN, 501, 104, "");
    expect(&w, "open 0>abc end:fin ");
    send(&w, CLIENT, TCP_ACK | TCP_FIN, 104, 501, "");
    send(&w, CLIENT, TCP_ACK, 102, 501, "bc");
    expect(&w, "");
    send(&w, CLIENT, TCP_ACK, 104, 501, "def");
    expect(&w, "open 0>def ");
    wire_free(&w);
}

/* Who drops what, by itself. */
static void test_dropped_by_all(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, 0, 101, 0, "bad");
    send(&w, CLIENT, TCP_PUSH, 101, 0, "bad");
    send(&w, CLIENT, TCP_FIN, 101, 0, "");
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    expect(&w, "open 0>abc ");
    assert_int_equal(flow_table_stats(w.table).forged, 3);
    wire_free(&w);
}

static void test_answer_to_another_syn(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    for (int i = 0; i < 3; i++)
        send(&w, CLIENT, TCP_SYN, (uint32_t)i * 1000, 0, "");
    send(&w, SERVER, TCP_SYN | TCP_ACK, 500, 1001, "");
    send(&w, CLIENT, TCP_ACK, 1001, 501, "abc");
    send(&w, SERVER, TCP_ACK, 501, 1004, "ok");
    expect(&w, "open 1>abc 0>ok "); /* the flow begins with the answer */
    wire_free(&w);
}

static void test_reply_before_its_command(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, SERVER, TCP_ACK, 501, 101, "220");
    send(&w, SERVER, TCP_ACK, 504, 105, "250");
    expect(&w, "open 1>220 ");
    send(&w, CLIENT, TCP_ACK, 101, 504, "EHLO");
    expect(&w, "0>EHLO 1>250 ");
    wire_free(&w);
}

static void test_hole_acknowledged(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    send(&w, CLIENT, TCP_ACK, 109, 501, "ijk");
    send(&w, SERVER, TCP_ACK, 501, 112, "");
    expect(&w, "open 0>abc ");
    wait(&w, 1.1);
    expect(&w, "0>[5] 0>ijk ");
    send(&w, CLIENT, TCP_ACK, 104, 501, "defgh");
    expect(&w, "");
    wire_free(&w);
}

/* One that stands behind another does not begin to age anew, unless its piece is young. */
static void test_holes_acknowledged_together(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "a");
    send(&w, CLIENT, TCP_ACK, 103, 501, "c");
    send(&w, CLIENT, TCP_ACK, 105, 501, "e");
    wait(&w, 0.6);
    send(&w, CLIENT, TCP_ACK, 107, 501, "g");
    send(&w, SERVER, TCP_ACK, 501, 108, "");
    wait(&w, 0.6);
    expect(&w, "open 0>a 0>[1] 0>c 0>[1] 0>e ");
    send(&w, CLIENT, TCP_ACK, 106, 501, "f");
    expect(&w, "0>f 0>g ");
    wire_free(&w);
}

/* `reach` bytes from every fourth byte on, in an order without a pattern, the first ones last. */
static void any_order(uint32_t isn, size_t reach)
{
    enum { PIECES = 1009, STEP = 4, PRIME = 421 };
    struct flow_settings set = usual;
    set.flow_pieces = PIECES;
    set.flow_bytes = set.total_bytes = 1 << 20;
    struct wire w = wire_new(&set);
    handshake(&w, isn, 500);
    for (unsigned i = 1; i <= PIECES; i++) {
        unsigned at = i * PRIME % PIECES * STEP;
        char text[16] = "";
        for (size_t k = 0; k < reach; k++)
            text[k] = (char)('a' + (at + k) % 26);
        send(&w, CLIENT, TCP_ACK, isn + 1 + at, 501, text);
    }
    size_t got = 0;
    for (size_t i = strlen("open "); i < heard.len; i++)
        if (byte_lower(heard.data[i]) >= 'a' && heard.data[i] <= 'z')
            assert_int_equal(heard.data[i], 'a' + got++ % 26);
    assert_int_equal(got, (PIECES - 1) * STEP + reach);
    assert_int_equal(flow_table_stats(w.table).held_bytes, 0);
    wire_free(&w);
}

static void test_any_order(void **state)
{
    (void)state;
    for (size_t reach = 4; reach <= 11; reach++)
        any_order(0xfffff000u + (uint32_t)reach * 300, reach);
}

static void test_hole_not_acknowledged(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    send(&w, CLIENT, TCP_ACK, 109, 501, "ijk");
    wait(&w, 5);
    expect(&w, "open 0>abc ");
    send(&w, CLIENT, TCP_ACK, 104, 501, "defgh");
    expect(&w, "0>defgh 0>ijk ");
    send(&w, CLIENT, TCP_ACK, 115, 501, "o");
    wait(&w, 31);
    expect(&w, "0>[3] 0>o ");
    wire_free(&w);
}

static void test_end_tells_what_is_missing(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    send(&w, SERVER, TCP_ACK, 501, 110, "ok");
    send(&w, CLIENT, TCP_ACK | TCP_FIN, 112, 503, "");
    flow_table_finish(w.table);
    expect(&w, "open 0>abc 0>[6] 1>ok 0>[2] end:eof ");
    wire_free(&w);
}

static void test_reset(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    send(&w, CLIENT, TCP_RST, 104, 0, "");
    send(&w, SERVER, TCP_ACK, 501, 104, "in flight");
    expect(&w, "open 0>abc 1>in flight ");
    wait(&w, 1.1);
    expect(&w, "end:rst ");
    wire_free(&w);
}

static void test_forged_reset(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    send(&w, CLIENT, TCP_RST, 104 + (1 << 21), 0, "");
    send(&w, CLIENT, TCP_RST, 50, 0, "");
    send(&w, SERVER, TCP_RST, 40501, 0, ""); /* fits the window, but its sender goes on */
    send(&w, SERVER, TCP_ACK, 501, 104, "ok");
    wait(&w, 2);
    send(&w, CLIENT, TCP_ACK, 104, 503, "def");
    expect(&w, "open 0>abc 1>ok 0>def ");
    assert_int_equal(flow_table_stats(w.table).forged, 2);
    wire_free(&w);
}

static void test_data_after_a_reset_that_was_none(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    send(&w, CLIENT, TCP_RST, 104, 0, "");
    wait(&w, 2);
    expect(&w, "open 0>abc end:rst ");
    send(&w, CLIENT, TCP_ACK, 104, 501, "def");
    expect(&w, "open 0>def ");
    wire_free(&w);
}

static void test_forged_segment_beyond_the_window(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    send(&w, SERVER, TCP_ACK, 501, 104, "");
    send(&w, CLIENT, TCP_ACK, 101 + (1 << 28), 501, "evil");
    wait(&w, 40);
    send(&w, CLIENT, TCP_ACK, 104, 501, "def");
    expect(&w, "open 0>abc 0>def ");
    wire_free(&w);
}

static void test_forged_acknowledgement(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 100501, "abc");
    send(&w, SERVER, TCP_ACK, 501, 101, "");
    wait(&w, 2);
    send(&w, SERVER, TCP_ACK, 501, 104, "ok");
    expect(&w, "open 0>abc 1>ok ");
    wire_free(&w);
}

static void test_ports_used_again(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 1000, 500);
    send(&w, CLIENT, TCP_ACK, 1001, 501, "abc");
    send(&w, CLIENT, TCP_SYN, 7, 0, "");
    expect(&w, "open 0>abc ");
    send(&w, SERVER, TCP_SYN | TCP_ACK, 9000, 8, "");
    send(&w, CLIENT, TCP_ACK, 8, 9001, "new");
    send(&w, SERVER, TCP_ACK, 9001, 11, "ok");
    expect(&w, "end:reuse open 0>new 1>ok ");
    wire_free(&w);
}

static void test_injected_syn(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 1000, 500);
    send(&w, CLIENT, TCP_ACK, 1001, 501, "abc");
    send(&w, CLIENT, TCP_SYN, 77777, 0, "");
    send(&w, SERVER, TCP_ACK, 501, 1004, "");
    send(&w, CLIENT, TCP_ACK, 1004, 501, "def");
    expect(&w, "open 0>abc 0>def ");
    wire_free(&w);
}

static void test_syn_twice_and_with_data(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    send(&w, CLIENT, TCP_SYN, 100, 0, "tfo");
    send(&w, CLIENT, TCP_SYN, 100, 0, "tfo");
    send(&w, SERVER, TCP_SYN | TCP_ACK, 500, 104, "");
    send(&w, CLIENT, TCP_SYN, 100, 0, "");
    send(&w, CLIENT, TCP_ACK, 104, 501, "more");
    expect(&w, "open 0>tfo 0>more ");
    wire_free(&w);
}

static void test_keep_alive_and_window_probe(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    send(&w, SERVER, TCP_ACK, 501, 104, "");
    send(&w, CLIENT, TCP_ACK, 103, 501, "?");
    send(&w, CLIENT, TCP_ACK, 104, 501, "d");
    send(&w, CLIENT, TCP_ACK, 104, 501, "def");
    expect(&w, "open 0>abc 0>d 0>ef ");
    wire_free(&w);
}

static void test_budgets(void **state)
{
    struct flow_settings set = usual;
    struct wire w = wire_new(&set);
    (void)state;
    handshake(&w, 100, 500);
    for (uint32_t i = 0; i < 51; i++)
        send(&w, CLIENT, TCP_ACK, 103 + 2 * i, 501, "x");
    buf_add_byte(&heard, '\0');
    assert_memory_equal(heard.data, "open 0>[2] 0>x ", 15);
    assert_true(flow_table_stats(w.table).over_budget > 0);
    wire_free(&w);
    set.flow_bytes = 100;
    w = wire_new(&set);
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 103, 501,
         "0123456789012345678901234567890123456789012345678901234567890123456789");
    expect(&w, "open 0>[2] 0>0123456789012345678901234567890123456789012345678901234567890123456789 ");
    wire_free(&w);
}

static void test_inexact_reset(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    send(&w, CLIENT, TCP_RST, 109, 0, "");
    send(&w, SERVER, TCP_ACK, 501, 104, "");
    wait(&w, 3);
    send(&w, CLIENT, TCP_ACK, 104, 501, "def");
    expect(&w, "open 0>abc 0>def ");
    send(&w, CLIENT, TCP_ACK, 107, 501, "gh");
    wait(&w, 3);
    expect(&w, "0>gh end:rst ");
    wire_free(&w);
}

static void test_clock_set_back(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "a");
    w.now = 10;
    w.port = 2;
    send(&w, CLIENT, TCP_SYN, 100, 0, "b");
    expect(&w, "open 0>a open 0>b ");
    for (int i = 0; i < 100; i++)
        send(&w, CLIENT, TCP_ACK, 102, 0, "");
    expect(&w, "end:timeout ");
    wait(&w, 601);
    expect(&w, "end:timeout ");
    wire_free(&w);
}

static void test_ignored(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    want = FLOW_WANT_NOTHING;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "GET");
    send(&w, CLIENT, TCP_ACK, 104, 501, "more");
    send(&w, CLIENT, TCP_ACK, 130, 501, "hole");
    assert_int_equal(flow_table_stats(w.table).held_bytes, 0);
    send(&w, CLIENT, TCP_ACK | TCP_FIN, 108, 501, "");
    send(&w, SERVER, TCP_ACK | TCP_FIN, 501, 109, "");
    expect(&w, "open 0>GET end:unwanted ");
    wire_free(&w);
}

static void test_watched(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    want = FLOW_WANT_END;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "tls");
    wait(&w, 400);
    send(&w, CLIENT, TCP_ACK, 104, 501, "more");
    wait(&w, 400);
    expect(&w, "open 0>tls ");
    send(&w, SERVER, TCP_RST, 501, 0, "");
    expect(&w, "end:rst ");
    wire_free(&w);
}

static void test_other_side_comes_late(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    send(&w, CLIENT, TCP_SYN, 100, 0, "");
    send(&w, CLIENT, TCP_ACK, 101, 504, "EHLO");
    expect(&w, "");
    send(&w, SERVER, TCP_SYN | TCP_ACK, 500, 101, "");
    send(&w, SERVER, TCP_ACK, 501, 101, "220");
    expect(&w, "open 1>220 0>EHLO ");
    wire_free(&w);
    w = wire_new(&usual);
    send(&w, CLIENT, TCP_SYN, 100, 0, "");
    send(&w, CLIENT, TCP_ACK, 101, 504, "EHLO");
    wait(&w, 1.1);
    send(&w, CLIENT, TCP_ACK, 105, 604, "MAIL");
    expect(&w, "open 0>EHLO 0>MAIL ");
    wire_free(&w);
}

static void test_fin_acknowledged_early(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK | TCP_FIN, 105, 501, "");
    send(&w, SERVER, TCP_ACK, 501, 105, "221");
    expect(&w, "");
    send(&w, CLIENT, TCP_ACK, 101, 501, "QUIT");
    send(&w, SERVER, TCP_ACK | TCP_FIN, 504, 106, "");
    expect(&w, "open 0>QUIT 1>221 end:fin ");
    wire_free(&w);
}

static void test_midstream(void **state)
{
    struct wire w = wire_new(&usual);
    (void)state;
    send(&w, SERVER, TCP_ACK, 501, 101, "");
    send(&w, CLIENT, TCP_ACK, 101, 501, "abc");
    send(&w, SERVER, TCP_ACK, 501, 104, "ok");
    expect(&w, "open 0>abc 1>ok ");
    assert_int_equal(flow_table_stats(w.table).stray, 1);
    wire_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_swapped_repeated_overlapped),
        cmocka_unit_test(test_reply_before_its_command),
        cmocka_unit_test(test_copies_that_differ),
        cmocka_unit_test(test_copies_over_all),
        cmocka_unit_test(test_urgent),
        cmocka_unit_test(test_forged_fin),
        cmocka_unit_test(test_end_that_was_none),
        cmocka_unit_test(test_dropped_by_all),
        cmocka_unit_test(test_answer_to_another_syn),
        cmocka_unit_test(test_hole_acknowledged),
        cmocka_unit_test(test_holes_acknowledged_together),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_hole_not_acknowledged),
        cmocka_unit_test(test_end_tells_what_is_missing),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_forged_reset),
        cmocka_unit_test(test_data_after_a_reset_that_was_none),
        cmocka_unit_test(test_forged_segment_beyond_the_window),
        cmocka_unit_test(test_forged_acknowledgement),
        cmocka_unit_test(test_ports_used_again),
        cmocka_unit_test(test_injected_syn),
        cmocka_unit_test(test_syn_twice_and_with_data),
        cmocka_unit_test(test_keep_alive_and_window_probe),
        cmocka_unit_test(test_budgets),
        cmocka_unit_test(test_inexact_reset),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_watched),
        cmocka_unit_test(test_other_side_comes_late),
        cmocka_unit_test(test_fin_acknowledged_early),
        cmocka_unit_test(test_midstream),
    };
    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
