/* One character of UTF-8 (RFC 3629): no surrogates, nothing longer than it need be. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/slice.h"

/* Bytes of the character that `s` begins with; 0: it is none. */
static inline size_t utf8_length(struct slice s)
{
    if (!s.len)
        return 0;
    uint8_t a = s.data[0];
    size_t n = a < 0x80 ? 1 : a < 0xc2 ? 0 : a < 0xe0 ? 2 : a < 0xf0 ? 3 : a < 0xf5 ? 4 : 0;
    if (n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s.data[i] & 0xc0) != 0x80)
            return 0;
    if (n < 3)
        return n;
    uint8_t b = s.data[1];
    bool bad = (a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) || (a == 0xf0 && b < 0x90) ||
               (a == 0xf4 && b > 0x8f);
    return bad ? 0 : n;
}

/* The number of a character of `n` bytes, which utf8_length gave. */
static inline uint32_t utf8_code(const uint8_t *p, size_t n)
{
    uint32_t code = n == 1 ? p[0] : p[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++)
        code = code << 6 | (p[i] & 0x3f);
    return code;
}

/* Adds a character's bytes to ret; returns how many. `code` is one of Unicode's. */
static inline size_t utf8_put(uint32_t code, uint8_t ret[static 4])
{
    if (code < 0x80)
        return ret[0] = (uint8_t)code, 1;
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n; --i; code >>= 6)
        ret[i] = (uint8_t)(0x80 | (code & 0x3f));
    ret[0] = (uint8_t)((0xf00U >> n & 0xf0) | code);
    return n;
}

static inline bool utf8_is_valid(struct slice s)
{
    while (s.len) {
        size_t n = utf8_length(s);
        if (!n)
            return false;
        s.data += n;
        s.len -= n;
    }
    return true;
}

#endif
