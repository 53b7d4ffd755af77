/* shed.c: the flow table over its limits. */
#include "wire.h"

static void test_time_out_and_shedding(void **state)
{
    struct flow_settings set = usual;
    struct wire w = wire_new(&set);
    (void)state;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "a");
    wait(&w, 601);
    expect(&w, "open 0>a end:timeout ");
    wire_free(&w);
    set.max_flows = 2;
    w = wire_new(&set);
    for (w.port = 1; w.port < 5; w.port++)
        send(&w, CLIENT, TCP_SYN, 100, 0, "a");
    expect(&w, "open 0>a open 0>a end:shed open 0>a end:shed open 0>a ");
    assert_int_equal(flow_table_stats(w.table).shed, 2);
    wire_free(&w);
}

/* Of many connections it goes without those first of which least is known. */
static void test_half_open_ones_are_shed(void **state)
{
    struct flow_settings set = usual;
    (void)state;
    set.max_flows = 4;
    struct wire w = wire_new(&set);
    w.port = 1;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 101, 501, "a");
    w.port = 2;
    handshake(&w, 100, 500);
    for (w.port = 10; w.port < 30; w.port++) { /* half-open, then reset, then over */
        send(&w, CLIENT, TCP_SYN, 100, 0, "");
        send(&w, SERVER, TCP_SYN | TCP_ACK, 500, 101, "");
        if (w.port % 3 == 1)
            send(&w, SERVER, TCP_RST | TCP_ACK, 501, 101, "");
    }
    w.port = 1;
    send(&w, CLIENT, TCP_ACK, 102, 501, "b");
    w.port = 2;
    send(&w, SERVER, TCP_ACK, 501, 101, "c");
    expect(&w, "open 0>a 0>b open 1>c ");
    assert_int_equal(flow_table_stats(w.table).shed, 0);
    assert_int_equal(flow_table_stats(w.table).shed_silent, 18);
    wire_free(&w);
}

/* Many connections that say a byte or two each cost those nothing that have said more, though these are quiet
 * for longer. */
static void test_unknown_ones_are_shed(void **state)
{
    struct flow_settings set = usual;
    (void)state;
    for (int of_all = 0; of_all < 2; of_all++) {
        set.max_sessions = of_all ? 1000 : 4;
        set.max_flows = of_all ? 4 : 1000;
        struct wire w = wire_new(&set);
        w.port = 1;
        handshake(&w, 100, 500);
        send(&w, CLIENT, TCP_ACK, 101, 501, "a");
        send(&w, CLIENT, TCP_ACK, 102, 501, "b");
        want = FLOW_WANT_MORE;
        for (w.port = 10; w.port < 30; w.port++) {
            handshake(&w, 100, 500);
            send(&w, CLIENT, TCP_ACK, 101, 501, "x");
            send(&w, CLIENT, TCP_ACK, 102, 501, "y");
        }
        want = FLOW_WANT_BYTES;
        w.port = 1;
        send(&w, CLIENT, TCP_ACK, 103, 501, "c");
        assert_int_equal(flow_table_stats(w.table).shed, 17);
        assert_memory_equal(heard.data + heard.len - 4, "0>c ", 4);
        wire_free(&w);
    }
}

/* What is known of the closed ones is worth more than a handshake that stands still, and less than one that
 * began just now. */
static void test_fresh_handshakes_are_kept(void **state)
{
    struct flow_settings set = usual;
    (void)state;
    for (int still = 0; still < 2; still++) {
        set.max_flows = 2;
        struct wire w = wire_new(&set);
        send(&w, CLIENT, TCP_SYN, 100, 0, "");
        if (still)
            wait(&w, 4);
        w.port = 1;
        handshake(&w, 100, 500);
        send(&w, CLIENT, TCP_ACK | TCP_FIN, 101, 501, "");
        send(&w, SERVER, TCP_ACK | TCP_FIN, 501, 102, "");
        w.port = 2;
        send(&w, CLIENT, TCP_SYN, 100, 0, "");
        assert_int_equal(flow_table_stats(w.table).shed_silent, still);
        wire_free(&w);
    }
}

static size_t live(const struct wire *w)
{
    return flow_table_stats(w->table).live;
}

/* Of two tables over one input the first one took all there is. The second one gets its share for a mail;
 * that of the first one goes at its next packet, and none is shed for the sake of what the other one hoards.
 */
static void test_tables_share(void **state)
{
    struct flow_budget budget = {0};
    struct flow_settings set = usual;
    (void)state;
    set.max_flows = 8;
    set.max_sessions = 4;
    set.budget = &budget;
    struct wire a = wire_new(&set), b = wire_new(&set);
    for (a.port = 1; a.port < 9; a.port++)
        send(&a, CLIENT, TCP_SYN, 100, 0, a.port % 2 ? "a" : "");
    assert_int_equal(live(&a), 8);
    for (b.port = 1; b.port < 4; b.port++)
        send(&b, CLIENT, TCP_SYN, 100, 0, "b");
    assert_int_equal(live(&b), 2);
    assert_int_equal(flow_table_stats(b.table).opened, 2);
    assert_int_equal(flow_table_stats(b.table).shed, 1); /* over its share of sessions */
    send(&a, CLIENT, TCP_ACK, 101, 0, "");
    assert_int_equal(live(&a) + live(&b), 8);
    assert_int_equal(flow_table_stats(a.table).opened, 2);
    for (uint16_t i = 0; i < 20; i++) {
        struct wire *w = i % 3 ? &a : &b;
        w->port = 100 + i;
        send(w, CLIENT, TCP_SYN, 100, 0, "");
    }
    assert_int_equal(live(&a), 4);
    assert_int_equal(live(&b), 4);
    assert_int_equal(atomic_load(&budget.flows), 8);
    flow_table_free(&b.table);
    wire_free(&a);
    assert_int_equal(atomic_load(&budget.flows) + atomic_load(&budget.tables), 0);
}

static void test_sessions_are_shed(void **state)
{
    struct flow_settings set = usual;
    (void)state;
    set.max_sessions = 1;
    struct wire w = wire_new(&set);
    w.port = 1;
    send(&w, CLIENT, TCP_SYN, 100, 0, "");
    w.port = 2;
    send(&w, CLIENT, TCP_SYN, 100, 0, "a");
    w.port = 3;
    send(&w, CLIENT, TCP_SYN, 100, 0, "b");
    expect(&w, "open 0>a open 0>b end:shed ");
    wire_free(&w);
}

/* One connection hoards all that may be held; the hole of another one must still be filled. */
static void test_hoarder(void **state)
{
    struct flow_settings set = usual;
    (void)state;
    set.total_bytes = 900;
    struct wire w = wire_new(&set);
    handshake(&w, 100, 500);
    for (uint32_t i = 0; i < 9; i++)
        send(&w, CLIENT, TCP_ACK, 103 + 60 * i, 501, "0123456789012345678901234567890123456789012345678");
    buf_clear(&heard);
    w.port = 2;
    handshake(&w, 100, 500);
    send(&w, CLIENT, TCP_ACK, 103, 501, "cd0123456789012345678901234567890123456789");
    send(&w, CLIENT, TCP_ACK, 101, 501, "ab");
    buf_add_byte(&heard, '\0');
    assert_non_null(strstr((const char *)heard.data, "0>ab 0>cd"));
    assert_true(flow_table_stats(w.table).over_budget > 0);
    wire_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_out_and_shedding),
        cmocka_unit_test(test_half_open_ones_are_shed),
        cmocka_unit_test(test_unknown_ones_are_shed),
        cmocka_unit_test(test_fresh_handshakes_are_kept),
        cmocka_unit_test(test_tables_share),
        cmocka_unit_test(test_sessions_are_shed),
        cmocka_unit_test(test_hoarder),
    };
    return cmocka_run_group_tests_name("shed", tests, NULL, NULL);
}
