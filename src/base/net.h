/* Addresses, networks, ends of a connection: plain values. */
#ifndef BASE_NET_H
#define BASE_NET_H

#include "base/slice.h"

struct address {
    uint8_t family;    /* 4, 6, or 0 for none */
    uint8_t bytes[16]; /* network order; an IPv4 address uses the first four, the rest is zero */
};

struct endpoint {
    struct address addr;
    uint16_t port; /* host order */
};

struct network {
    struct address addr;
    uint8_t prefix; /* bits */
};

enum side { SIDE_CLIENT, SIDE_SERVER };

enum { ADDRESS_TEXT = 46 };

/* The odd factors of endpoints_hash, for the program in capture/fanout.c that computes it in the kernel. */
#define ENDPOINTS_HASH_STEP 0x9e3779b1U
#define ENDPOINTS_HASH_END  0x85ebca6bU

static inline bool address_eq(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof *a) == 0; /* bytes alone, nothing between them */
}
static inline bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && address_eq(&a->addr, &b->addr);
}
/* The same for (a, b) and (b, a), on every machine and in every run; h % n spreads connections over n. Both
 * are of one family. Nothing secret is in it: it may place work, and is no key of a table. */
uint32_t endpoints_hash(const struct endpoint *a, const struct endpoint *b);
/* Writes the text form (RFC 5952 for IPv6; nothing for none) with a terminator; returns its length. */
size_t address_text(const struct address *a, char ret[static ADDRESS_TEXT]);
/* Reads a whole IPv4 or IPv6 address, no brackets or blanks around it; octets are decimal and may have
 * leading zeros; an IPv4 address written as ::ffff:192.0.2.1 becomes that IPv4 address. False: it is none,
 * *ret untouched. */
bool address_parse(struct slice text, struct address *ret);
/* "10.0.0.0/8" or a bare address. */
bool network_parse(struct slice text, struct network *ret);
/* No bits are set beyond its prefix. */
bool network_is_whole(const struct network *net);
bool network_has(const struct network *net, const struct address *a);
/* 10/8, 172.16/12, 192.168/16, 127/8 (as in the ancestor), fc00::/7, fe80::/10, ::1. */
bool address_is_private(const struct address *a);
/* One that the Internet routes to a host (RFC 6890): no private one, nor shared (100.64/10), link-local, of
 * "this network", multicast or reserved; of IPv6 what 2000::/3 holds. Those set aside for examples count as
 * any. */
bool address_is_public(const struct address *a);
bool address_is_loopback(const struct address *a);

#endif
