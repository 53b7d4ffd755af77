/* The TCP header. */
#include "packet.h"

static void header_fields(void **state)
{
    (void)state;
    struct made *m = made_new();
    hex(m, "ffff 0001 fffffffe 80000000 50 ff 1234 0000 5678");
    ip4(m, 6);
    check(RAW, m, "10.0.0.1 65535 10.0.0.2 1 seq 4294967294 ack 2147483648 flags 3f '' window 4660");
}

static void header_length(void **state)
{
    (void)state;
    for (unsigned words = 0; words < 16; words++) {
        struct made *m = made_new();
        tcp(m, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL");
        m->at[12] = (uint8_t)(words << 4);
        ip4(m, 6);
        char expected[200];
        snprintf(expected, sizeof expected, SEGMENT4("%s"),
                 "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL" + (words > 5 ? words * 4 - 20 : 0));
        check(RAW, m, words < 5 ? "broken" : expected);
        m = made_new();
        tcp(m, "0123456789");
        m->at[12] = (uint8_t)(words << 4);
        ip4(m, 6);
        if (words >= 8) /* beyond the segment */
            check(RAW, m, "broken");
        else
            free(m);
    }
}

/* What is a signature, and what looks a little like one. */
static void signatures(void **state)
{
    static const struct {
        const char *options;
        bool is_signed;
    } cases[] = {{"01 01 13 12", true},  {"1d 04 0000", true},   {"02 04 1313", false}, {"00 13 1200", false},
                 {"08 00 1312", false},  {"01 08 01 13", false}, {"05 ff 1312", false}, {"01 01 01 13", true},
                 {"01 01 01 01", false}, {"03 03 13 1d", true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made *m = made_new();
        tcp(m, "");
        struct made *whole = made_new();
        behind(whole, (const char *)m->at, made_len(m));
        struct made *options = made_new();
        hex(options, cases[i].options);
        behind(whole, (const char *)options->at, made_len(options));
        behind(whole, "QUIT", 4);
        whole->at[12] = 0x60;
        ip4(whole, 6);
        free(options);
        free(m);
        char expected[200];
        snprintf(expected, sizeof expected, SEGMENT4("QUIT") "%s", cases[i].is_signed ? " signed" : "");
        struct made *frame = made_new();
        before(frame, whole->at, made_len(whole));
        before(frame, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", 14);
        check(RAW, whole, expected);
        check(ETHERNET, frame, expected);
    }
}

/* A SYN's offer to scale windows, told as one more than the power of two. */
static void windows(void **state)
{
    static const struct {
        const char *options;
        uint8_t flags;
        const char *said;
    } cases[] = {{"03 03 00 01", 2, " scaling 1"},
                 {"03 03 07 01", 0x12, " scaling 8"},
                 {"01 03 03 0e", 2, " scaling 15"},
                 {"01 03 03 ff", 2, " scaling 15"},
                 {"03 03 07 01", 0x10, ""},
                 {"03 02 07 01", 2, ""},
                 {"03 04 07 01", 2, ""},
                 {"01 01 03 03", 2, ""},
                 {"02 04 0303", 2, ""},
                 {"00 03 0307", 2, ""}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made *m = made_new();
        tcp(m, "");
        struct made *options = made_new();
        hex(options, cases[i].options);
        behind(m, (const char *)options->at, made_len(options));
        free(options);
        m->at[12] = 0x60;
        m->at[13] = cases[i].flags;
        m->at[14] = 0x12;
        m->at[15] = 0x34;
        ip4(m, 6);
        char expected[200];
        snprintf(expected, sizeof expected,
                 "10.0.0.1 1000 10.0.0.2 25 seq 1 ack 2 flags %02x ''%s window 4660", cases[i].flags,
                 cases[i].said);
        check(RAW, m, expected);
    }
}

static void a_header_that_was_cut(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    struct made *m = made_new();
    tcp(m, "\1\1\1\1\1\1\1\1QUIT");
    m->at[12] = 0x70;
    ip4(m, 6);
    assert_string_equal(decode_cut(b, RAW, m, 39), "cut");
    assert_string_equal(decode_cut(b, RAW, m, 47), "cut");
    assert_string_equal(decode_cut(b, RAW, m, 48), SEGMENT4("") " +4");
    assert_string_equal(decode_cut(b, RAW, m, 51), SEGMENT4("QUI") " +1");
    m->at[32] = 0xf0; /* longer than the segment was on the wire */
    assert_string_equal(decode_cut(b, RAW, m, 48), "broken");
    assert_int_equal(decoder_stats(b->decoder)->cut, 2);
    assert_int_equal(decoder_stats(b->decoder)->broken, 1);
    free(m);
    bench_free(b);
}

static void a_segment_of_no_believable_length(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    struct made *m = mail4("without a length, in a frame that is long enough to be from a host with offload");
    put16(m->at + 2, 0);
    assert_string_equal(decode_part(b, RAW, m->at, 40, 40 + (1 << 20)), SEGMENT4("") " +1048576");
    assert_string_equal(decode_part(b, RAW, m->at, 40, 0xffffffff), "broken");
    free(m);
    bench_free(b);
}

/* Whole frames of Ethernet with IPv4 and TCP have a way of their own through the decoder; the same packets
 * without Ethernet go through the layers. Whatever they hold, both must say the same. */
static void usual_frames(void **state)
{
    enum { TRIES = 200000, HEADERS = 40 };
    unsigned seed = 7, good = 0;
    struct bench *frames = bench_new(&usual), *packets = bench_new(&usual);
    (void)state;
    for (unsigned i = 0; i < TRIES; i++) {
        struct made *m = mail4("a text that is long enough to be no padding of a frame, and then some more");
        size_t len = made_len(m), cut = rand_r(&seed) % 8 ? len : (size_t)rand_r(&seed) % len;
        uint32_t more = rand_r(&seed) % 8 ? 0 : (uint32_t)rand_r(&seed) % 100;
        for (unsigned k = rand_r(&seed) % 3; k; k--)
            m->at[rand_r(&seed) % HEADERS] = (uint8_t)(rand_r(&seed) >> 8);
        m->at[3] |=
            !(m->at[2] | m->at[3]); /* without a length the frame's own counts, and what may be its padding */
        char said[sizeof frames->text];
        snprintf(said, sizeof said, "%s", decode_part(packets, RAW, m->at, cut, (uint32_t)cut + more));
        before(m, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", 14);
        assert_string_equal(decode_part(frames, ETHERNET, m->at, cut + 14, (uint32_t)cut + 14 + more), said);
        good += strstr(said, " seq ") != NULL;
        free(m);
    }
    assert_in_range(good, TRIES / 4, TRIES * 7 / 8);
    bench_free(frames);
    bench_free(packets);
}

static void sums(void **state)
{
    (void)state;
    /* RFC 1071, section 3 */
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(checksum_add(0, (struct slice){bytes, 8}), 0xddf2);
    assert_int_equal(checksum_add(0, (struct slice){bytes, 7}), 0xdcfb);
    assert_int_equal(checksum_add(0, (struct slice){NULL, 0}), 0);
    static uint8_t many[200001];
    memset(many, 0xff, sizeof many);
    assert_int_equal(checksum_add(0xffff, (struct slice){many, sizeof many - 1}), 0xffff);
    assert_true(checksum_good(0xffff));
    assert_false(checksum_good(0));
    /* any cut of a long run sums as the whole */
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = (uint8_t)(i * 7 + i / 256);
    uint32_t whole = checksum_add(0, (struct slice){many, sizeof many});
    for (size_t at = 0; at < sizeof many; at += 1998)
        assert_int_equal(checksum_add(checksum_add(0, (struct slice){many, at}),
                                      (struct slice){many + at, sizeof many - at}),
                         whole);
    assert_int_equal(sum_of(0, many, sizeof many), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_fields),
        cmocka_unit_test(header_length),
        cmocka_unit_test(signatures),
        cmocka_unit_test(windows),
        cmocka_unit_test(a_header_that_was_cut),
        cmocka_unit_test(a_segment_of_no_believable_length),
        cmocka_unit_test(usual_frames),
        cmocka_unit_test(sums),
    };
    return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
