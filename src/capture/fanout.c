/* fanout.c: endpoints_hash as a program of classic BPF.
 * In: whether frames are Ethernet. Out: instructions. Owns: nothing. Limits: FANOUT_LENGTH, TAGS.
 * Knowingly: IPv6 extension headers before TCP are not walked, nor is anything that is tunnelled, nor MPLS
 * and PPPoE: those go by what is outside, and the user of the packet must look at what is inside. A packet
 * that ends amid its headers gets 0. Spec: Linux Documentation/networking/filter.rst, packet(7). */
#include "capture/fanout.h"

#include <assert.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include "base/net.h"

enum { TAGS = 3 };

/* Scratch memory of the program. */
enum {
    AT,   /* where the next header starts, as an offset for loads */
    TYPE, /* its ethertype */
    HASH,
    PART
};

struct code {
    struct sock_filter *at;
    size_t len;
};

static void put(struct code *c, uint16_t op, uint32_t k)
{
    assert(c->len < FANOUT_LENGTH);
    c->at[c->len++] = (struct sock_filter){op, 0, 0, k};
}

/* If A is `k`, on with the next instruction; else with the one that lands_here is called for. */
static size_t only_if(struct code *c, uint16_t test, uint32_t k)
{
    put(c, BPF_JMP | test | BPF_K, k);
    return c->len - 1;
}

static size_t leap(struct code *c)
{
    put(c, BPF_JMP | BPF_JA, 0);
    return c->len - 1;
}

static void lands_here(struct code *c, size_t from)
{
    size_t distance = c->len - from - 1;
    if (c->at[from].code == (BPF_JMP | BPF_JA)) {
        c->at[from].k = (uint32_t)distance;
        return;
    }
    assert(distance <= UINT8_MAX);
    c->at[from].jf = (uint8_t)distance;
}

static void set(struct code *c, uint32_t what, uint16_t op, uint32_t k)
{
    put(c, op, k);
    put(c, BPF_ST, what);
}

/* A = A ^ scratch */
static void mix(struct code *c, uint32_t what)
{
    put(c, BPF_LDX | BPF_MEM, what);
    put(c, BPF_ALU | BPF_XOR | BPF_X, 0);
}

/* A = A ^ A >> bits */
static void fold(struct code *c, uint32_t bits)
{
    put(c, BPF_MISC | BPF_TAX, 0);
    put(c, BPF_ALU | BPF_RSH | BPF_K, bits);
    put(c, BPF_ALU | BPF_XOR | BPF_X, 0);
}

/* The kernel runs this on a received packet from its network header on, on one that is sent from its link
 * header on. Loads relative to SKF_NET_OFF would do for both, but up to Linux 6.15 they see no more than the
 * linear part of a packet, and a received one may have its headers outside of it. */
static void find_start(struct code *c, bool ethernet)
{
    put(c, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
    size_t received = only_if(c, BPF_JEQ, PACKET_OUTGOING);
    if (ethernet) {
        set(c, TYPE, BPF_LD | BPF_H | BPF_ABS, 2 * ETH_ALEN);
        set(c, AT, BPF_LD | BPF_IMM, ETH_HLEN);
    } else {
        set(c, TYPE, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
        set(c, AT, BPF_LD | BPF_IMM, (uint32_t)SKF_NET_OFF);
    }
    size_t found = leap(c);
    lands_here(c, received);
    set(c, TYPE, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
    set(c, AT, BPF_LD | BPF_IMM, 0);
    lands_here(c, found);
}

/* The kernel takes off the outer tag of what it receives, and only that. */
static void skip_tag(struct code *c)
{
    static const uint16_t types[] = {ETH_P_8021Q, ETH_P_8021AD, ETH_P_QINQ1, ETH_P_QINQ2};
    enum { TYPES = sizeof types / sizeof *types };
    size_t is[TYPES];
    put(c, BPF_LD | BPF_MEM, TYPE);
    for (size_t i = 0; i < TYPES; i++) {
        size_t no = only_if(c, BPF_JEQ, types[i]);
        is[i] = leap(c);
        lands_here(c, no);
    }
    size_t none = leap(c);
    for (size_t i = 0; i < TYPES; i++)
        lands_here(c, is[i]);
    put(c, BPF_LDX | BPF_MEM, AT);
    set(c, TYPE, BPF_LD | BPF_H | BPF_IND, 2);
    put(c, BPF_MISC | BPF_TXA, 0);
    set(c, AT, BPF_ALU | BPF_ADD | BPF_K, 4);
    lands_here(c, none);
}

static void hash_addresses(struct code *c, uint32_t src, uint32_t words)
{
    set(c, HASH, BPF_LD | BPF_IMM, 0);
    for (uint32_t i = 0; i < words; i++) {
        put(c, BPF_LDX | BPF_MEM, AT);
        set(c, PART, BPF_LD | BPF_W | BPF_IND, src + 4 * i);
        put(c, BPF_LD | BPF_W | BPF_IND, src + 4 * (words + i));
        mix(c, PART);
        mix(c, HASH);
        set(c, HASH, BPF_ALU | BPF_MUL | BPF_K, ENDPOINTS_HASH_STEP);
    }
    put(c, BPF_LDX | BPF_MEM, AT);
}

struct ends {
    size_t whole[2];   /* leaps of TCP, with the TCP header at X */
    size_t partial[3]; /* of what has no ports to go by */
};

static void ipv4(struct code *c, struct ends *ends)
{
    hash_addresses(c, 12, 1);
    put(c, BPF_LD | BPF_B | BPF_IND, 9);
    ends->partial[0] = only_if(c, BPF_JEQ, IPPROTO_TCP);
    put(c, BPF_LD | BPF_H | BPF_IND, 6);
    put(c, BPF_ALU | BPF_AND | BPF_K, 0x3fff); /* more fragments, or an offset */
    ends->partial[1] = only_if(c, BPF_JEQ, 0);
    put(c, BPF_LD | BPF_B | BPF_IND, 0);
    put(c, BPF_ALU | BPF_AND | BPF_K, 15);
    put(c, BPF_ALU | BPF_LSH | BPF_K, 2);
    put(c, BPF_ALU | BPF_ADD | BPF_X, 0);
    ends->whole[0] = leap(c);
}

static void ipv6(struct code *c, struct ends *ends)
{
    hash_addresses(c, 8, 4);
    put(c, BPF_LD | BPF_B | BPF_IND, 6);
    ends->partial[2] = only_if(c, BPF_JEQ, IPPROTO_TCP);
    put(c, BPF_MISC | BPF_TXA, 0);
    put(c, BPF_ALU | BPF_ADD | BPF_K, 40);
    ends->whole[1] = leap(c);
}

static void finish(struct code *c, const struct ends *ends)
{
    for (size_t i = 0; i < sizeof ends->whole / sizeof *ends->whole; i++)
        lands_here(c, ends->whole[i]);
    put(c, BPF_MISC | BPF_TAX, 0);
    set(c, PART, BPF_LD | BPF_H | BPF_IND, 0);
    put(c, BPF_LD | BPF_H | BPF_IND, 2);
    mix(c, PART);
    size_t mixed = leap(c);
    for (size_t i = 0; i < sizeof ends->partial / sizeof *ends->partial; i++)
        lands_here(c, ends->partial[i]);
    put(c, BPF_LD | BPF_IMM, 0);
    lands_here(c, mixed);
    mix(c, HASH);
    put(c, BPF_ALU | BPF_MUL | BPF_K, ENDPOINTS_HASH_STEP);
    fold(c, 15);
    put(c, BPF_ALU | BPF_MUL | BPF_K, ENDPOINTS_HASH_END);
    fold(c, 16);
    put(c, BPF_RET | BPF_A, 0);
}

size_t fanout_program(bool ethernet, struct sock_filter ret[static FANOUT_LENGTH])
{
    struct code c = {ret, 0};
    struct ends ends;
    find_start(&c, ethernet);
    for (int i = 0; i < TAGS; i++)
        skip_tag(&c);
    put(&c, BPF_LD | BPF_MEM, TYPE);
    size_t other = only_if(&c, BPF_JEQ, ETH_P_IP);
    ipv4(&c, &ends);
    lands_here(&c, other);
    other = only_if(&c, BPF_JEQ, ETH_P_IPV6);
    ipv6(&c, &ends);
    finish(&c, &ends);
    lands_here(&c, other);
    put(&c, BPF_RET | BPF_K, 0);
    return c.len;
}
