/* The program for the kernel, run here by a small machine of its own, against endpoints_hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include "base/net.h"
#include "capture/fanout.h"

/* A packet as the kernel has it. */
struct kept {
    uint8_t bytes[400];
    size_t len;
    size_t network;   /* offset of the network header */
    size_t data;      /* where positive loads count from */
    uint16_t type;    /* skb->protocol */
    uint32_t outward; /* its pkt_type */
};

static size_t put(struct kept *kept, const void *bytes, size_t len)
{
    assert_true(kept->len + len <= sizeof kept->bytes);
    memcpy(kept->bytes + kept->len, bytes, len);
    kept->len += len;
    return kept->len - len;
}

static void put_number(struct kept *kept, uint32_t v, size_t len)
{
    for (size_t i = len; i--;)
        put(kept, &(uint8_t){(uint8_t)(v >> 8 * i)}, 1);
}

/* False: out of the packet, upon which the program ends with 0. */
static bool load(const struct kept *kept, uint16_t code, uint32_t at, uint32_t *ret)
{
    size_t size = BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1, from;
    int32_t offset = (int32_t)at;
    if (at == (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL) || at == (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)) {
        *ret = at == (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL) ? kept->type : kept->outward;
        return true;
    }
    assert_true(offset >= 0 || (offset >= SKF_NET_OFF && offset < SKF_NET_OFF + 10000));
    from = offset >= 0 ? kept->data + (size_t)offset : kept->network + (size_t)(offset - SKF_NET_OFF);
    if (from + size > kept->len)
        return false;
    *ret = 0;
    for (size_t i = 0; i < size; i++)
        *ret = *ret << 8 | kept->bytes[from + i];
    return true;
}

static uint32_t alu(uint16_t op, uint32_t a, uint32_t v)
{
    switch (op) {
    case BPF_XOR:
        return a ^ v;
    case BPF_MUL:
        return a * v;
    case BPF_ADD:
        return a + v;
    case BPF_AND:
        return a & v;
    case BPF_LSH:
        return a << v;
    case BPF_RSH:
        return a >> v;
    default:
        fail_msg("operation %x", op);
        return 0;
    }
}

static uint32_t run(const struct sock_filter *code, size_t len, const struct kept *kept)
{
    uint32_t a = 0, x = 0, m[BPF_MEMWORDS] = {0};
    bool stored[BPF_MEMWORDS] = {false};
    for (size_t pc = 0; pc < len; pc++) {
        const struct sock_filter *i = code + pc;
        switch (i->code) {
        case BPF_RET | BPF_A:
            return a;
        case BPF_RET | BPF_K:
            return i->k;
        case BPF_LD | BPF_IMM:
            a = i->k;
            break;
        case BPF_LD | BPF_MEM:
        case BPF_LDX | BPF_MEM:
            assert_true(i->k < BPF_MEMWORDS && stored[i->k]);
            *(BPF_CLASS(i->code) == BPF_LD ? &a : &x) = m[i->k];
            break;
        case BPF_ST:
            assert_true(i->k < BPF_MEMWORDS);
            stored[i->k] = true;
            m[i->k] = a;
            break;
        case BPF_MISC | BPF_TAX:
            x = a;
            break;
        case BPF_MISC | BPF_TXA:
            a = x;
            break;
        case BPF_JMP | BPF_JA:
            pc += i->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            pc += a == i->k ? i->jt : i->jf;
            break;
        default:
            if (BPF_CLASS(i->code) == BPF_ALU) {
                a = alu(BPF_OP(i->code), a, BPF_SRC(i->code) == BPF_X ? x : i->k);
                break;
            }
            assert_int_equal(BPF_CLASS(i->code), BPF_LD);
            assert_true(BPF_MODE(i->code) == BPF_ABS || BPF_MODE(i->code) == BPF_IND);
            if (!load(kept, i->code, i->k + (BPF_MODE(i->code) == BPF_IND ? x : 0), &a))
                return 0;
        }
    }
    fail_msg("ran past its end");
    return 0;
}

/* How the kernel hands a packet to the program. */
enum way { RECEIVED, SENT, SENT_RAW, WAYS };

struct shape {
    enum way way;
    int tags; /* in the packet, beside one that the kernel may have taken off */
    int family;
    int options; /* of IPv4, in words */
    uint8_t protocol;
    uint16_t fragment;
};

static void make(struct kept *kept, const struct shape *s, const struct endpoint *src,
                 const struct endpoint *dst)
{
    static const uint16_t tag_types[] = {ETH_P_8021AD, ETH_P_8021Q, ETH_P_QINQ1};
    uint16_t ip = s->family == 4 ? ETH_P_IP : ETH_P_IPV6;
    *kept = (struct kept){.outward = s->way == RECEIVED ? PACKET_HOST : PACKET_OUTGOING};
    for (int i = 0; i < 12; i++)
        put_number(kept, 0xee, 1);
    for (int i = 0; i < s->tags; i++) {
        put_number(kept, tag_types[i], 2);
        put_number(kept, 0x6500 + (uint32_t)i, 2);
    }
    put_number(kept, ip, 2);
    kept->type = s->tags ? tag_types[0] : ip;
    /* what is sent has its network header at IP, what is received behind the first ethertype */
    kept->network = s->way == RECEIVED || s->way == SENT_RAW ? ETH_HLEN : kept->len;
    kept->data = s->way == RECEIVED ? ETH_HLEN : 0;
    if (s->family == 4) {
        put_number(kept, 0x40 + 5 + (uint32_t)s->options, 1);
        put(kept, &(uint8_t[5]){0}, 5);
        put_number(kept, s->fragment, 2);
        put_number(kept, 64, 1);
        put_number(kept, s->protocol, 1);
        put_number(kept, 0, 2);
        put(kept, src->addr.bytes, 4);
        put(kept, dst->addr.bytes, 4);
        for (int i = 0; i < s->options; i++)
            put_number(kept, 0x01010101, 4);
    } else {
        put_number(kept, 0x60000000, 4);
        put_number(kept, 20, 2);
        put_number(kept, s->protocol, 1);
        put_number(kept, 64, 1);
        put(kept, src->addr.bytes, 16);
        put(kept, dst->addr.bytes, 16);
    }
    put_number(kept, src->port, 2);
    put_number(kept, dst->port, 2);
    put(kept, &(uint8_t[16]){0}, 16);
}

static struct endpoint endpoint(int family)
{
    struct endpoint e = {.addr.family = (uint8_t)family, .port = (uint16_t)rand()};
    for (int i = 0; i < (family == 4 ? 4 : 16); i++)
        e.addr.bytes[i] = (uint8_t)rand();
    return e;
}

/* The hash of a packet of this shape, by the program; by endpoints_hash, with ports and without. */
struct hashes {
    uint32_t program, back, whole, addresses;
};

static struct hashes hashes_of(const struct shape *s)
{
    struct sock_filter code[FANOUT_LENGTH];
    size_t len = fanout_program(s->way != SENT_RAW, code);
    struct endpoint src = endpoint(s->family), dst = endpoint(s->family);
    struct kept there, back;
    struct hashes h;
    make(&there, s, &src, &dst);
    make(&back, s, &dst, &src);
    h.program = run(code, len, &there);
    h.back = run(code, len, &back);
    h.whole = endpoints_hash(&src, &dst);
    src.port = dst.port = 0;
    h.addresses = endpoints_hash(&src, &dst);
    return h;
}

static void tcp_gets_the_hash_of_its_ends(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct shape s = {.way = (enum way)(i % WAYS), .family = i % 2 ? 4 : 6, .protocol = 6};
        s.tags = rand() % 4;
        s.options = rand() % 11;
        s.fragment = rand() % 2 ? 0x4000 : 0; /* may not be fragmented */
        struct hashes h = hashes_of(&s);
        assert_int_equal(h.program, h.whole);
        assert_int_equal(h.back, h.whole);
    }
}

static void all_else_goes_by_its_addresses(void **state)
{
    static const struct shape shapes[] = {
        {.family = 4, .protocol = 6, .fragment = 0x2000}, /* first */
        {.family = 4, .protocol = 6, .fragment = 0x2001}, /* amid */
        {.family = 4, .protocol = 6, .fragment = 0x1fff}, /* last */
        {.family = 4, .protocol = 17},
        {.family = 4, .protocol = 47},
        {.family = 6, .protocol = 44},
        {.family = 6, .protocol = 0},
        {.family = 6, .protocol = 17},
    };
    (void)state;
    for (size_t i = 0; i < WAYS * sizeof shapes / sizeof *shapes; i++) {
        struct shape s = shapes[i / WAYS];
        s.way = (enum way)(i % WAYS);
        s.tags = rand() % 4;
        struct hashes h = hashes_of(&s);
        assert_int_equal(h.program, h.addresses);
        assert_int_equal(h.back, h.addresses);
    }
}

static void no_load_is_outside(void **state)
{
    struct sock_filter code[FANOUT_LENGTH];
    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct shape s = {
            .way = (enum way)(i % WAYS), .family = i % 2 ? 4 : 6, .protocol = 6, .tags = rand() % 4};
        struct endpoint src = endpoint(s.family), dst = endpoint(s.family);
        struct kept kept;
        size_t len = fanout_program(s.way != SENT_RAW, code);
        make(&kept, &s, &src, &dst);
        size_t header = kept.len - 20;
        kept.len = (size_t)rand() % (kept.len - 16);
        uint32_t got = run(code, len, &kept);
        if (kept.len < header)
            assert_int_equal(got, 0);
        kept.type = 0x8847;
        kept.bytes[12] = 0x88;
        kept.bytes[13] = 0x47;
        assert_int_equal(run(code, len, &kept), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_gets_the_hash_of_its_ends),
        cmocka_unit_test(all_else_goes_by_its_addresses),
        cmocka_unit_test(no_load_is_outside),
    };
    return cmocka_run_group_tests_name("fanout", tests, NULL, NULL);
}
