/* Capture files: every dialect of pcap and pcapng, cut and damaged, and what is none. */
#include "capture_file.h"
#include <errno.h>

static void pcap_in_all_orders_and_resolutions(void **state)
{
    static const struct {
        uint32_t magic;
        const char *first;
    } dialects[] = {{0xa1b2c3d4, "1 1700000000.123456000 4 abcd\n1 1700000001.000001000 9 efg\n"},
                    {0xa1b23c4d, "1 1700000000.000123456 4 abcd\n1 1700000001.000000001 9 efg\n"}};
    (void)state;
    for (int order = 0; order < 2; order++) {
        for (size_t i = 0; i < 2; i++) {
            begin();
            big = order;
            pcap_header(dialects[i].magic, 65535, 1);
            pcap_packet(1700000000, 123456, "abcd", 4);
            pcap_packet(1700000001, 1, "efg", 9);
            expect(dialects[i].first);
            assert_int_equal(stats.packets, 2);
            assert_int_equal(stats.bytes, 7);
            assert_int_equal(stats.cut_packets, 1);
            assert_int_equal(stats.file_bytes, file.len);
            assert_int_equal(stats.file_read, file.len);
        }
        begin();
        big = order;
        pcap_header(0xa1b2cd34, 65535, 1); /* Kuznetzov's: 8 bytes more before each packet */
        for (int i = 0; i < 2; i++) {
            put(1700000000, 4);
            put(5, 4);
            put(2, 4);
            put(2, 4);
            put(0x0102030405060708, 8);
            buf_add_str(&file, "hi");
        }
        expect("1 1700000000.000005000 2 hi\n1 1700000000.000005000 2 hi\n");
    }
}

static void link_types_of_pcap(void **state)
{
    static const struct {
        uint32_t network;
        const char *text;
    } links[] = {
        {101, "101 1"}, {12, "101 1"},  {14, "14 1"},       {0, "0 1"},     {108, "108 1"}, {9, "9 1"},
        {50, "50 1"},   {51, "51 1"},   {104, "104 1"},     {113, "113 1"}, {276, "276 1"}, {228, "228 1"},
        {229, "229 1"}, {105, "105 1"}, {0xf4000001, "1 1"} /* frames with an FCS of 4 bytes, a flag says */};
    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        char text[100];
        begin();
        pcap_header(0xa1b2c3d4, 65535, links[i].network);
        pcap_packet(1, 0, "x", 1);
        snprintf(text, sizeof text, "%s.000000000 1 x\n", links[i].text);
        expect(text);
    }
}

static void odd_times_of_pcap(void **state)
{
    (void)state;
    begin();
    pcap_header(0xa1b2c3d4, 65535, 1);
    pcap_packet(5, 2500000, "a", 1); /* the fraction is more than a second */
    pcap_packet(4000000000, 0, "b", 1);
    pcap_packet(0, 0xffffffff, "c", 1);
    expect("1 7.500000000 1 a\n1 4000000000.000000000 1 b\n1 0.000000000 1 c\n");
}

static void lengths_of_pcap(void **state)
{
    (void)state;
    begin();
    pcap_header(0xa1b2c3d4, 4, 1);
    pcap_packet(1, 0, "longer than the snap length says", 1000);
    pcap_packet(2, 0, "wire", 2); /* less on the wire than captured */
    pcap_packet(3, 0, "", 0);
    expect("1 1.000000000 1000 long\n1 2.000000000 4 wire\n1 3.000000000 0 \n");
    assert_int_equal(stats.cut_packets, 1);
    put(0, 8);
    put(0x7fffffff, 4);
    put(1, 4);
    assert_true(read_bytes(buf_slice(&file)) < 0);
    assert_int_equal(stats.packets, 3);
    assert_non_null(strstr(said, "error: invalid packet capture length 2147483647"));
    assert_non_null(strstr(said, ", after 3 packets\n"));
}

static void pcapng_in_both_orders(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        begin();
        big = order;
        section();
        interface(1, 0, -1, 0);
        enhanced(0, 1700000000123456, "abcd", 4);
        enhanced(0, 1700000001000001, "efg", 9);
        expect("1 1700000000.123456000 4 abcd\n1 1700000001.000001000 9 efg\n");
        assert_int_equal(stats.packets, 2);
        assert_int_equal(stats.cut_packets, 1);
        assert_int_equal(stats.skipped_blocks, 0);
    }
}

static void sections_and_interfaces(void **state)
{
    (void)state;
    begin();
    section();
    interface(1, 0, 9, 0);
    interface(101, 0, 6, 0);
    enhanced(1, 1000000, "ip", 2);
    enhanced(0, 1000000, "ether", 5);
    enhanced(2, 1000000, "nobody's", 8);
    big = true;
    section();
    enhanced(0, 1000000, "nobody's either", 15); /* interfaces count from the section */
    interface(113, 0, 3, 0);
    enhanced(0, 1000, "sll", 3);
    big = false;
    section();
    interface(0, 0, -1, 0);
    enhanced(0, 2000000, "null", 4);
    expect("101 1.000000000 2 ip\n1 0.001000000 5 ether\n113 1.000000000 3 sll\n0 2.000000000 4 null\n");
    assert_int_equal(stats.skipped_blocks, 2);
}

static void time_resolutions(void **state)
{
    static const struct {
        int resolution;
        int64_t offset;
        uint64_t ticks;
        const char *time;
    } times[] = {
        {0, 0, 77, "77.000000000"},
        {3, 0, 77001, "77.001000000"},
        {6, 0, 77000001, "77.000001000"},
        {9, 0, 77000000001, "77.000000001"},
        {12, 0, 77000000001999, "77.000000001"},
        {18, 0, 7700000000000000000, "7.700000000"},
        {19, 0, 17700000000000000000u, "1.770000000"},
        {30, 0, UINT64_MAX, "1.844674407"},
        {127, 0, 5, "0.000000000"},
        {0x80, 0, 77, "77.000000000"},
        {0x8a, 0, 1024 * 77 + 512, "77.500000000"},
        {0x80 | 30, 0, (77ull << 30) + (1u << 29), "77.500000000"},
        {0x80 | 30, 0, (78ull << 30) - 1, "77.999999999"},
        {0x80 | 32, 0, (77ull << 32) + (3u << 30), "77.750000000"},
        {0x80 | 63, 0, UINT64_MAX, "1.999999999"},
        {0xff, 0, 1, "0.000000000"},
        {6, 1700000000, 5000001, "1700000005.000001000"},
        {6, -3, 5000001, "2.000001000"},
        {6, -10, 5000001, "0.000001000"}, /* before 1970: nowhere mail came from */
        {0, 0, UINT64_MAX, "253402300799.000000000"},
        {0, INT64_MAX, UINT64_MAX, "253402300799.000000000"},
        {0, INT64_MIN, 1, "0.000000000"},
        {0, INT64_MAX, 1, "253402300799.000000000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[100];
        begin();
        big = i % 2;
        section();
        interface(1, 0, times[i].resolution, times[i].offset);
        enhanced(0, times[i].ticks, "x", 1);
        snprintf(text, sizeof text, "1 %s 1 x\n", times[i].time);
        expect(text);
    }
}

static void packets_of_other_blocks(void **state)
{
    (void)state;
    begin();
    section();
    interface(1, 6, -1, 0);
    open_block(); /* a simple packet: no time, length from the snap length */
    put(100, 4);
    buf_add_str(&file, "simple  ");
    close_block(3);
    enhanced(0, 5000000, "e", 1);
    open_block();
    put(3, 4);
    buf_add_str(&file, "abc");
    put(0, 1);
    close_block(3);
    open_block();
    put(100, 4); /* fewer bytes than both lengths promise */
    buf_add_str(&file, "1234");
    close_block(3);
    open_block(); /* an obsolete packet block: interface and drops in 16 bits each */
    put(0, 2);
    put(9, 2);
    put(0, 4);
    put(6000000, 4);
    put(3, 4);
    put(8, 4);
    buf_add_str(&file, "old ");
    close_block(2);
    expect("1 0.000000000 100 simple\n1 5.000000000 1 e\n1 5.000000000 3 abc\n1 5.000000000 100 1234\n1 "
           "6.000000000 8 old\n");
    assert_int_equal(stats.cut_packets, 3);
}

static void blocks_without_a_packet(void **state)
{
    (void)state;
    begin();
    section();
    interface(1, 0, -1, 0);
    block(5, slice_str("statistics"));
    block(0x80000bad, slice_str("somebody's own"));
    block(77, slice_str(""));
    open_block();
    put(0, 4);
    close_block(6); /* too short for a packet */
    open_block();
    put(0, 12);
    put(5, 4); /* five bytes captured, and none there */
    put(5, 4);
    close_block(6);
    open_block();
    put(1, 2);
    close_block(1); /* an interface that is too short; it counts as number 1 */
    interface(101, 0, -1, 0);
    enhanced(1, 0, "unknown", 7);
    enhanced(2, 0, "known", 5);
    expect("101 0.000000000 5 known\n");
    assert_int_equal(stats.skipped_blocks, 7);
    size_t len = 20 << 20; /* larger than any block that is looked into */
    put(0x77777777, 4);
    put(12 + len, 4);
    for (size_t i = 0; i < len; i += 8)
        buf_add_str(&file, "12345678");
    put(12 + len, 4);
    enhanced(2, 0, "behind", 6);
    expect("101 0.000000000 5 known\n101 0.000000000 6 behind\n");
}

static void damaged_pcapng(void **state)
{
    static const struct {
        size_t at; /* from the start of the second packet's block */
        uint8_t value;
        const char *error;
    } damages[] = {
        {4, 45, "has a block of an impossible length"},  {4, 8, "has a block of an impossible length"},
        {4, 0, "has a block of an impossible length"},   {7, 0x7f, "has a block of an impossible length"},
        {44, 0, "has a block whose two lengths differ"}, {4, 52, "ends inside a block"},
        {4, 44, "has a block whose two lengths differ"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char text[200];
        begin();
        section();
        interface(1, 0, -1, 0);
        enhanced(0, 1000000, "first", 5);
        size_t start = file.len;
        enhanced(0, 2000000, "2nd", 3);
        assert_int_equal(file.len - start, 48);
        file.data[start + damages[i].at] = damages[i].value;
        snprintf(text, sizeof text, "1 1.000000000 5 first\nerror: %s, after 1 packets\n", damages[i].error);
        expect(text);
    }
    begin();
    section();
    interface(1, 0, -1, 0);
    enhanced(0, 1000000, "first", 5);
    size_t start = file.len;
    section();
    file.data[start + 8] = 0;
    expect("1 1.000000000 5 first\nerror: has a section of unknown byte order, after 1 packets\n");
    file.data[start + 8] = 0x4d;
    file.data[start + 12] = 2;
    expect("1 1.000000000 5 first\nerror: has a section of an unknown version, after 1 packets\n");
}

static void a_cut_at_every_byte(void **state)
{
    (void)state;
    for (int ng = 0; ng < 2; ng++) {
        begin();
        if (ng) {
            section();
            interface(1, 0, -1, 0);
        } else {
            pcap_header(0xa1b2c3d4, 65535, 1);
        }
        size_t ends[4] = {file.len};
        for (unsigned i = 1; i < 4; i++) {
            ng ? enhanced(0, i * 1000000, "abcdef", 6) : pcap_packet(i, 0, "abcdef", 6);
            ends[i] = file.len;
        }
        for (size_t len = 0; len < file.len; len++) {
            int got = read_bytes((struct slice){file.data, len});
            unsigned whole = 0;
            bool clean = len == ends[0];
            for (unsigned i = 1; i < 4; i++) {
                whole = len >= ends[i] ? i : whole;
                clean |= len == ends[i];
            }
            clean |= ng && len == 28; /* the section alone */
            assert_int_equal(stats.packets, whole);
            assert_int_equal(got == 0, clean);
            assert_int_equal(strstr(said, "error: ") != NULL, !clean);
        }
        expect("1 1.000000000 6 abcdef\n1 2.000000000 6 abcdef\n1 3.000000000 6 abcdef\n");
    }
}

static void not_a_capture_file(void **state)
{
    (void)state;
    begin();
    expect("error: is empty, not a capture file\n");
    buf_add_str(&file, "Received: from here\r\n");
    assert_int_equal(read_bytes(buf_slice(&file)), -EINVAL);
    assert_non_null(strstr(said, "error: not a capture file: "));
    assert_int_equal(read_path("/nowhere/at/all"), -ENOENT);
    assert_string_equal(said, "error: No such file or directory\n");
    assert_int_equal(read_path("/"), -EISDIR);
    assert_string_equal(said, "error: is a folder\n");
    begin();
    pcap_header(0xa1b2c3d4, 65535, 1);
    expect("");
    begin();
    section();
    expect("");
}

/* Bytes stay where they are for who holds their block, also when the file was closed, and are read over where
 * nobody does. */
static void held_packets(void **state)
{
    enum { COUNT = 3000, LEN = 200, LONG = 200000 };
    static char text[LONG + 1];
    static struct packet packets[COUNT];
    (void)state;
    for (int format = 0; format < 2; format++) {
        begin();
        if (format)
            section(), interface(1, 0, -1, 0);
        else
            pcap_header(0xa1b2c3d4, 262144, 1);
        for (int i = 0; i < COUNT; i++) {
            memset(text, 'a' + i % 26, LONG);
            text[i == COUNT / 2 ? LONG : LEN] = '\0';
            if (format)
                enhanced(0, 1000000, text, 1);
            else
                pcap_packet(1, 0, text, 1);
        }
        struct source *src = NULL;
        struct error err;
        size_t blocks = 0;
        save(buf_slice(&file));
        assert_int_equal(source_open(path, &src, &err), 0);
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(source_next(src, &packets[i], &err), 1);
            struct block *b = packets[i].block;
            if (i == COUNT / 2) {
                assert_null(b); /* of a size that is not lent */
                assert_int_equal(packets[i].bytes.len, LONG);
                continue;
            }
            assert_non_null(b);
            assert_true(block_has(b, packets[i].bytes));
            block_hold(b);
            blocks += !i || b != packets[i - 1].block;
        }
        assert_false(source_waits(src));
        assert_in_range(blocks, 5, 8);
        source_close(&src);
        for (int i = 0; i < COUNT; i++) {
            if (!packets[i].block)
                continue;
            assert_int_equal(packets[i].bytes.len, LEN);
            for (size_t k = 0; k < LEN; k++)
                assert_int_equal(packets[i].bytes.data[k], 'a' + i % 26);
            block_release(&packets[i].block);
        }
    }
}

/* As many as were read, which all are there until more is asked for; counted as those that come alone. */
static void few_at_once(void **state)
{
    enum { COUNT = 2000, LEN = 500, MOST = 32 };
    static char text[LEN + 1];
    (void)state;
    begin();
    pcap_header(0xa1b2c3d4, LEN - 1, 1);
    for (int i = 0; i < COUNT; i++) {
        memset(text, 'a' + i % 26, LEN);
        pcap_packet(1, (uint32_t)i, text, LEN);
    }
    struct source *src = NULL;
    struct error err;
    struct packet few[MOST];
    int got, sum = 0, calls = 0;
    save(buf_slice(&file));
    assert_int_equal(source_open(path, &src, &err), 0);
    for (; (got = source_next_few(src, few, MOST, &err)) > 0; calls++)
        for (int k = 0; k < got; k++, sum++) {
            assert_ptr_equal(few[k].block, few[0].block);
            assert_int_equal(few[k].ts.tv_nsec, sum * 1000);
            assert_int_equal(few[k].bytes.len, LEN - 1);
            for (size_t at = 0; at < LEN - 1; at++)
                assert_int_equal(few[k].bytes.data[at], 'a' + sum % 26);
        }
    assert_int_equal(got, 0);
    assert_int_equal(sum, COUNT);
    /* A call is cut short where a block ends. */
    assert_in_range(calls, COUNT / MOST, COUNT / MOST + COUNT * (LEN + 16) / (128 * 1024) + 2);
    assert_int_equal(source_stats(src).packets, COUNT);
    assert_int_equal(source_stats(src).bytes, COUNT * (LEN - 1));
    assert_int_equal(source_stats(src).cut_packets, COUNT);
    source_close(&src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcap_in_all_orders_and_resolutions),
        cmocka_unit_test(link_types_of_pcap),
        cmocka_unit_test(odd_times_of_pcap),
        cmocka_unit_test(lengths_of_pcap),
        cmocka_unit_test(pcapng_in_both_orders),
        cmocka_unit_test(sections_and_interfaces),
        cmocka_unit_test(time_resolutions),
        cmocka_unit_test(packets_of_other_blocks),
        cmocka_unit_test(blocks_without_a_packet),
        cmocka_unit_test(damaged_pcapng),
        cmocka_unit_test(a_cut_at_every_byte),
        cmocka_unit_test(not_a_capture_file),
        cmocka_unit_test(held_packets),
        cmocka_unit_test(few_at_once),
    };
    return cmocka_run_group_tests_name("source", tests, make_path, drop_path);
}
