/* Fragments: order, overlap, contradictions, age, budgets, nesting, and a flood. */
#include "packet.h"
#include <time.h>

/* A segment of 60 bytes, 40 of them payload, to be cut at multiples of 8. */
static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyzABCD";
enum { WHOLE = 60 };

static void segment(uint8_t bytes[WHOLE])
{
    struct made *m = made_new();
    tcp(m, text);
    tcp_sum(m, four_a, four_b, 4);
    assert_int_equal(made_len(m), WHOLE);
    memcpy(bytes, m->at, WHOLE);
    free(m);
}

static struct made *part_of(uint16_t id, size_t offset, const void *bytes, size_t len, bool more)
{
    struct made *m = made_new();
    before(m, bytes, len);
    ip4_full(m, 6, id, (uint16_t)(offset / 8 | (more ? 0x2000 : 0)), NULL, 0);
    return m;
}

static const char *push(struct bench *b, uint16_t id, size_t offset, const void *bytes, size_t len, bool more)
{
    struct made *m = part_of(id, offset, bytes, len, more);
    const char *got = decode(b, RAW, m);
    free(m);
    return got;
}

/* The part [from, to) of the segment. */
static const char *piece(struct bench *b, uint16_t id, size_t from, size_t to)
{
    uint8_t bytes[WHOLE];
    segment(bytes);
    return push(b, id, from, bytes + from, to - from, to < WHOLE);
}

#define ALL SEGMENT4("0123456789abcdefghijklmnopqrstuvwxyzABCD")

static void in_any_order(void **state)
{
    static const size_t cuts[] = {0, 8, 24, 32, WHOLE};
    (void)state;
    for (int order = 0; order < 256; order++) {
        int at[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6};
        if (at[0] == at[1] || at[0] == at[2] || at[0] == at[3] || at[1] == at[2] || at[1] == at[3] ||
            at[2] == at[3])
            continue;
        struct decode_settings set = usual;
        set.verify_checksums = true;
        struct bench *b = bench_new(&set);
        for (int i = 0; i < 4; i++) {
            assert_string_equal(piece(b, 9, cuts[at[i]], cuts[at[i] + 1]), i < 3 ? "held" : ALL);
            if (i < 3) /* a repeat changes nothing */
                assert_string_equal(piece(b, 9, cuts[at[i]], cuts[at[i] + 1]), "held");
        }
        assert_string_equal(piece(b, 9, 0, 8), "held"); /* the next datagram of that name */
        bench_free(b);
    }
}

static void datagrams_are_told_apart(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    assert_string_equal(piece(b, 1, 0, 32), "held");
    assert_string_equal(piece(b, 2, 32, WHOLE), "held");
    uint8_t bytes[WHOLE];
    segment(bytes);
    struct made *m = part_of(1, 32, bytes + 32, WHOLE - 32, false);
    m->at[9] = 17; /* protocol */
    assert_string_equal(decode(b, RAW, m), "held");
    m->at[9] = 6;
    m->at[15] = 9; /* source */
    assert_string_equal(decode(b, RAW, m), "held");
    m->at[15] = 1;
    m->at[19] = 9; /* destination */
    assert_string_equal(decode(b, RAW, m), "held");
    m->at[19] = 2;
    assert_string_equal(decode(b, RAW, m), ALL);
    free(m);
    bench_free(b);
}

static void the_first_copy_of_a_byte_wins(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    char junk[WHOLE];
    memset(junk, 'P', sizeof junk); /* which makes a header length of 20, too */
    uint8_t real[WHOLE], mixed[WHOLE];
    segment(real);
    memcpy(mixed, real, WHOLE);
    memset(mixed + 8, 'P', 16);
    memset(mixed + 32, 'P', 8);
    struct made *m = made_new();
    before(m, mixed, WHOLE);
    tcp_sum(m, four_a, four_b, 4);
    assert_string_equal(piece(b, 1, 24, 32), "held");
    assert_string_equal(push(b, 1, 24, junk, 8, true), "held");
    assert_string_equal(piece(b, 1, 0, 8), "held");
    assert_string_equal(push(b, 1, 0, junk, 16, true), "held"); /* new from 8 to 16 */
    assert_string_equal(piece(b, 1, 40, WHOLE), "held");
    /* from 16 to 48, over what is there already */
    memcpy(junk, m->at + 16, 2); /* the checksum */
    free(m);
    assert_string_equal(push(b, 1, 16, junk, 32, true),
                        "10.0.0.1 1000 10.0.0.2 25 seq 1 ack 1347440720 flags 10 "
                        "'PPPP456789abPPPPPPPPklmnopqrstuvwxyzABCD' ambiguous window 20560");
    bench_free(b);
}

static void contradictions(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    char junk[200] = {0};
    assert_string_equal(piece(b, 1, 32, WHOLE), "held");
    assert_string_equal(push(b, 1, 56, junk, 20, false), "held"); /* a second end, further */
    assert_string_equal(push(b, 1, 8, junk, 8, false), "held");   /* and a nearer one */
    assert_string_equal(push(b, 1, 64, junk, 8, true), "held");   /* bytes beyond the end */
    assert_string_equal(piece(b, 1, 0, 32), ALL " ambiguous");
    /* teardrop: an end inside of what is there */
    assert_string_equal(push(b, 2, 0, junk, 40, true), "held");
    assert_string_equal(push(b, 2, 24, junk, 4, false), "held");
    assert_string_equal(push(b, 2, 40, junk, 8, true), "held");
    /* beyond 65535 */
    assert_string_equal(push(b, 3, 65528, junk, 100, false), "broken");
    assert_string_equal(push(b, 3, 65528, junk, 7, false), "held");
    assert_string_equal(push(b, 3, 65528, junk, 8, true), "broken");
    /* not a multiple of 8, and more to come; nothing at all */
    assert_string_equal(push(b, 4, 0, junk, 12, true), "broken");
    assert_string_equal(push(b, 4, 8, junk, 0, false), "broken");
    bench_free(b);
}

static void the_first_fragment_may_be_tiny(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    for (size_t at = 0; at < 56; at += 8)
        assert_string_equal(piece(b, 1, at, at + 8), "held");
    assert_string_equal(piece(b, 1, 56, WHOLE), ALL);
    assert_string_equal(push(b, 2, 0, "12345678", 8, true), "held");
    assert_string_equal(push(b, 2, 8, "1234", 4, false), "broken"); /* whole, and no TCP header in it */
    bench_free(b);
}

static void a_cut_fragment_is_not_used(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    uint8_t bytes[WHOLE];
    segment(bytes);
    struct made *m = part_of(1, 0, bytes, 32, true);
    assert_string_equal(decode_cut(b, RAW, m, 51), "cut");
    free(m);
    assert_string_equal(piece(b, 1, 32, WHOLE), "held");
    assert_string_equal(piece(b, 1, 0, 32), ALL);
    m = part_of(1, 0, bytes, 32, true);
    put16(m->at + 2, 0); /* a fragment that does not say how long it is */
    ethernet(m, 0x0800);
    assert_string_equal(decode(b, ETHERNET, m), "broken");
    free(m);
    bench_free(b);
}

static void age(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    const struct decode_stats *st = decoder_stats(b->decoder);
    piece(b, 1, 0, 32);
    b->now = (struct timespec){1029, 999999999};
    assert_string_equal(piece(b, 1, 32, WHOLE), ALL);
    piece(b, 1, 0, 32);
    b->now = (struct timespec){1060, 0};
    assert_string_equal(piece(b, 1, 32, WHOLE), "held");
    assert_int_equal(st->fragments_expired, 1);
    /* A time from the far future must not keep what comes after it from growing old, nor be merged with it.
     */
    b->now.tv_sec = 4000000000;
    piece(b, 2, 0, 32);
    assert_int_equal(st->fragments_expired, 2);
    b->now.tv_sec = 1100;
    assert_string_equal(piece(b, 2, 32, WHOLE), "held");
    assert_int_equal(st->fragments_expired, 3);
    piece(b, 3, 0, 32);
    b->now.tv_sec = 1200;
    assert_string_equal(piece(b, 4, 0, 32), "held");
    assert_int_equal(st->fragments_expired, 5);
    bench_free(b);
}

static void budgets(void **state)
{
    (void)state;
    struct decode_settings set = usual;
    set.fragment_datagrams = 3;
    struct bench *b = bench_new(&set);
    for (uint16_t id = 1; id <= 5; id++)
        piece(b, id, 0, 32);
    assert_int_equal(decoder_stats(b->decoder)->fragments_shed, 2);
    assert_string_equal(piece(b, 5, 32, WHOLE), ALL);
    assert_string_equal(piece(b, 3, 32, WHOLE), ALL);
    assert_string_equal(piece(b, 1, 32, WHOLE), "held"); /* its first half is gone */
    bench_free(b);
    set = usual;
    set.fragment_bytes = 200000; /* three that are nearly 64 KiB long */
    b = bench_new(&set);
    for (uint16_t id = 1; id <= 9; id++)
        push(b, id, 65520, "12345678", 8, true);
    assert_int_equal(decoder_stats(b->decoder)->fragments_shed, 6);
    bench_free(b);
    set.fragment_bytes = 1;
    b = bench_new(&set);
    assert_string_equal(piece(b, 1, 0, 32), "held");
    assert_string_equal(piece(b, 1, 32, WHOLE), "held");
    assert_int_equal(decoder_stats(b->decoder)->fragments_shed, 2);
    bench_free(b);
    b = bench_new(&usual);
    for (size_t at = 0; at < 16 * 66; at += 16) /* more holes than are kept account of */
        push(b, 1, at, "12345678", 8, true);
    assert_int_equal(decoder_stats(b->decoder)->fragments_shed, 1);
    bench_free(b);
}

static struct made *six_part(const void *bytes, size_t len, uint8_t protocol, uint16_t offset)
{
    struct made *m = made_new();
    uint8_t h[8] = {protocol, 0, 0, 0, 0, 1, 2, 3};
    before(m, bytes, len);
    put16(h + 2, offset);
    before(m, h, 8);
    ip6(m, 44);
    return m;
}

static void fragments_of_ipv6(void **state)
{
    (void)state;
    struct decode_settings set = usual;
    set.verify_checksums = true;
    struct bench *b = bench_new(&set);
    struct made *m = made_new(), *part;
    tcp(m, text);
    tcp_sum(m, six_a, six_b, 16);
    part = six_part(m->at, made_len(m), 6, 6); /* atomic; the two reserved bits say nothing */
    assert_string_equal(decode(b, RAW, part), SEGMENT6("0123456789abcdefghijklmnopqrstuvwxyzABCD"));
    free(part);
    hex(m, "0600010400000000"); /* options inside of the fragmented part */
    part = six_part(m->at, made_len(m), 60, 0);
    assert_string_equal(decode(b, RAW, part), SEGMENT6("0123456789abcdefghijklmnopqrstuvwxyzABCD"));
    free(part);
    part = six_part(m->at + 32, made_len(m) - 32, 17, 32); /* only the first one's next header counts */
    assert_string_equal(decode(b, RAW, part), "held");
    free(part);
    part = six_part(m->at, 32, 60, 1);
    assert_string_equal(decode(b, RAW, part), SEGMENT6("0123456789abcdefghijklmnopqrstuvwxyzABCD"));
    free(part);
    part = six_part(m->at, 30, 60, 1);
    assert_string_equal(decode(b, RAW, part), "broken");
    free(part);
    free(m);
    m = made_new();
    hex(m, "0600");
    ip6(m, 44);
    assert_string_equal(decode(b, RAW, m), "broken");
    free(m);
    bench_free(b);
}

/* Both halves of the packet in `m`, as fragments of protocol `protocol` around it; `m` becomes the second. */
static const char *halves(struct bench *b, struct made *m, uint8_t protocol, uint16_t id)
{
    size_t half = made_len(m) / 16 * 8;
    struct made *first = made_new();
    before(first, m->at, half);
    ip4_full(first, protocol, id, 0x2000, NULL, 0);
    assert_string_equal(decode(b, RAW, first), "held");
    free(first);
    m->at += half;
    ip4_full(m, protocol, id, (uint16_t)(half / 8), NULL, 0);
    return decode(b, RAW, m);
}

static void fragments_inside_of_fragments(void **state)
{
    (void)state;
    struct bench *b = bench_new(&usual);
    struct made *m = mail4("around it all");
    assert_string_equal(halves(b, m, 4, 1), SEGMENT4("around it all"));
    free(m);
    /* The completing fragment of one datagram is, in two parts, inside of another, three deep. */
    assert_string_equal(piece(b, 5, 0, 32), "held");
    uint8_t bytes[WHOLE];
    segment(bytes);
    m = part_of(5, 32, bytes + 32, WHOLE - 32, false);
    hex(m, "0000 0800");
    struct made *copy = made_new();
    before(copy, m->at, made_len(m));
    assert_string_equal(halves(b, copy, 47, 6), ALL);
    free(copy);
    assert_string_equal(piece(b, 5, 0, 32), "held");
    size_t half = made_len(m) / 16 * 8;
    struct made *first = made_new(), *second = made_new();
    before(first, m->at, half);
    ip4_full(first, 47, 6, 0x2000, NULL, 0);
    before(second, m->at + half, made_len(m) - half);
    ip4_full(second, 47, 6, (uint16_t)(half / 8), NULL, 0);
    assert_string_equal(halves(b, first, 4, 7), "held");
    assert_string_equal(halves(b, second, 4, 8), ALL);
    free(first);
    free(second);
    free(m);
    assert_int_equal(decoder_stats(b->decoder)->tcp, 3);
    bench_free(b);
}

static double seconds_of(uint32_t datagrams)
{
    struct decode_settings set = usual;
    set.fragment_datagrams = datagrams;
    set.fragment_bytes = 1u << 30;
    struct bench *b = bench_new(&set);
    struct made *m = part_of(0, 8, "12345678", 8, true);
    clock_t start = clock();
    for (uint32_t i = 0; i < 40000; i++) {
        put16(m->at + 4, i);
        put16(m->at + 14, i >> 16);
        decode(b, RAW, m);
    }
    double took = (double)(clock() - start) / CLOCKS_PER_SEC;
    free(m);
    bench_free(b);
    return took;
}

static void a_flood_takes_linear_time(void **state)
{
    (void)state;
    /* With a walk over all datagrams the second would take hundreds of times as long. */
    double few = seconds_of(16), many = seconds_of(40000);
    print_message("# 40000 datagrams: %.3f s with room for 16, %.3f s with room for all\n", few, many);
    assert_true(many < few * 10 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_any_order),
        cmocka_unit_test(datagrams_are_told_apart),
        cmocka_unit_test(contradictions),
        cmocka_unit_test(the_first_copy_of_a_byte_wins),
        cmocka_unit_test(the_first_fragment_may_be_tiny),
        cmocka_unit_test(a_cut_fragment_is_not_used),
        cmocka_unit_test(age),
        cmocka_unit_test(budgets),
        cmocka_unit_test(fragments_of_ipv6),
        cmocka_unit_test(fragments_inside_of_fragments),
        cmocka_unit_test(a_flood_takes_linear_time),
    };
    return cmocka_run_group_tests_name("fragment", tests, NULL, NULL);
}
