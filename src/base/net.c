/* net.c: addresses and networks as values.
 * In: text. Out: struct address, struct network, text. Owns: nothing. Knowingly: who may choose addresses and
 * ports freely can find many with one endpoints_hash. Spec: RFC 4291, RFC 5952, RFC 1918. */
#include "base/net.h"

#include <arpa/inet.h>
#include <stdio.h>

static uint32_t word(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* No step that classic BPF has not got: it is computed there too. */
uint32_t endpoints_hash(const struct endpoint *a, const struct endpoint *b)
{
    uint32_t h = 0;
    for (size_t i = 0; i < (a->addr.family == 4 ? 4 : 16); i += 4)
        h = (h ^ word(a->addr.bytes + i) ^ word(b->addr.bytes + i)) * ENDPOINTS_HASH_STEP;
    h = (h ^ a->port ^ b->port) * ENDPOINTS_HASH_STEP;
    h = (h ^ h >> 15) * ENDPOINTS_HASH_END;
    return h ^ h >> 16;
}

/* Each with its point. */
#define TEN(tens)                                                                                            \
    tens "0.", tens "1.", tens "2.", tens "3.", tens "4.", tens "5.", tens "6.", tens "7.", tens "8.",       \
        tens "9."
static const char octets[256][4] = {
    TEN(""),   TEN("1"),  TEN("2"),  TEN("3"),  TEN("4"),  TEN("5"),  TEN("6"),  TEN("7"),
    TEN("8"),  TEN("9"),  TEN("10"), TEN("11"), TEN("12"), TEN("13"), TEN("14"), TEN("15"),
    TEN("16"), TEN("17"), TEN("18"), TEN("19"), TEN("20"), TEN("21"), TEN("22"), TEN("23"),
    TEN("24"), "250.",    "251.",    "252.",    "253.",    "254.",    "255."};
#undef TEN

/* Written with each record and by scripts with each mail, so not through printf; and without a branch on what
 * the octets are, as nothing foretells them. */
static size_t v4_text(const uint8_t *bytes, char *ret)
{
    char *to = ret;
    for (int i = 0; i < 4; i++) {
        memcpy(to, octets[bytes[i]], sizeof *octets);
        to += 2 + (bytes[i] > 9) + (bytes[i] > 99);
    }
    *--to = '\0';
    return (size_t)(to - ret);
}

size_t address_text(const struct address *a, char ret[static ADDRESS_TEXT])
{
    if (a->family == 4)
        return v4_text(a->bytes, ret);
    if (!a->family || !inet_ntop(AF_INET6, a->bytes, ret, ADDRESS_TEXT))
        ret[0] = '\0';
    return strlen(ret);
}

/* Every Received line has some, and words that may be one. */
static bool parse_v4(struct slice text, struct address *ret)
{
    enum { TEXT = 15, DIGITS = 3 };
    struct address a = {.family = 4};
    if (!text.len || text.len > TEXT)
        return false;
    const uint8_t *p = text.data, *end = p + text.len;
    for (int octet = 0; octet < 4; octet++) {
        const uint8_t *from = p;
        unsigned value = 0;
        for (; p < end && byte_is_digit(*p); p++)
            value = value * 10 + (*p - '0');
        if (p == from || p - from > DIGITS || value > 255)
            return false;
        a.bytes[octet] = (uint8_t)value;
        if (octet < 3 && (p == end || *p++ != '.'))
            return false;
    }
    if (p < end)
        return false;
    *ret = a;
    return true;
}

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static struct address unmap(const struct address *a)
{
    struct address v4 = {.family = 4};
    memcpy(v4.bytes, a->bytes + sizeof mapped, 4);
    return v4;
}

bool address_parse(struct slice text, struct address *ret)
{
    if (parse_v4(text, ret))
        return true;
    char copy[ADDRESS_TEXT];
    if (text.len >= sizeof copy || slice_index(text, ':') == text.len || slice_index(text, 0) < text.len)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    struct address a = {.family = 6};
    if (inet_pton(AF_INET6, copy, a.bytes) != 1)
        return false;
    *ret = memcmp(a.bytes, mapped, sizeof mapped) == 0 ? unmap(&a) : a;
    return true;
}

bool network_parse(struct slice text, struct network *ret)
{
    size_t slash = slice_index(text, '/');
    struct network net = {0};
    if (!address_parse(slice_sub(text, 0, slash), &net.addr))
        return false;
    bool colons = slice_index(text, ':') < slash, was_mapped = colons && net.addr.family == 4;
    uint64_t most = colons ? 128 : 32, bits = most;
    if (slash < text.len) {
        struct slice rest = slice_sub(text, slash + 1, text.len);
        if (!rest.len || slice_number(rest, &bits) != rest.len || bits > most)
            return false;
    }
    if (was_mapped && bits < 96)
        return false;
    net.prefix = (uint8_t)(was_mapped ? bits - 96 : bits);
    *ret = net;
    return true;
}

bool network_is_whole(const struct network *net)
{
    for (size_t bit = net->prefix; bit < (net->addr.family == 4 ? 32 : 128); bit++)
        if (net->addr.bytes[bit / 8] & (0x80 >> bit % 8))
            return false;
    return true;
}

bool network_has(const struct network *net, const struct address *a)
{
    if (net->addr.family != a->family)
        return false;
    size_t whole = net->prefix / 8, bits = net->prefix % 8;
    if (memcmp(net->addr.bytes, a->bytes, whole) != 0)
        return false;
    return !bits || (net->addr.bytes[whole] ^ a->bytes[whole]) >> (8 - bits) == 0;
}

bool address_is_private(const struct address *a)
{
    const uint8_t *b = a->bytes;
    if (a->family == 4)
        return b[0] == 10 || b[0] == 127 || (b[0] == 192 && b[1] == 168) ||
               (b[0] == 172 && (b[1] & 0xf0) == 16);
    return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) || address_is_loopback(a);
}

bool address_is_public(const struct address *a)
{
    const uint8_t *b = a->bytes;
    if (a->family == 6)
        return (b[0] & 0xe0) == 0x20;
    bool shared = b[0] == 100 && (b[1] & 0xc0) == 64, link = b[0] == 169 && b[1] == 254;
    return a->family == 4 && b[0] != 0 && b[0] < 224 && !shared && !link && !address_is_private(a);
}

bool address_is_loopback(const struct address *a)
{
    static const uint8_t one[16] = {[15] = 1};
    if (a->family == 4)
        return a->bytes[0] == 127;
    return memcmp(a->bytes, one, sizeof one) == 0;
}
