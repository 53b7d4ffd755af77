/* slice.c: comparing and searching byte views.
 * In: slices. Out: booleans, positions, narrower slices. Owns: nothing. */
#include "base/slice.h"

bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Are eight characters the same but for the case of letters? That is one bit, in which others differ too. */
static inline bool same8(uint64_t a, uint64_t b)
{
    const uint64_t ones = 0x0101010101010101u, high = ones << 7;
    uint64_t differ = a ^ b, low = (a | ones << 5) & ~high;
    if (!differ || differ & ~(ones << 5))
        return !differ;
    uint64_t from_a = low + ones * (128 - 'a'), over_z = low + ones * (127 - 'z');
    return !(differ << 2 & ~((from_a ^ over_z) & ~a));
}

static inline bool same8_at(const uint8_t *a, const uint8_t *b)
{
    uint64_t v, w;
    memcpy(&v, a, sizeof v);
    memcpy(&w, b, sizeof w);
    return same8(v, w);
}

/* The first four and the last four. */
static inline uint64_t eight_of(const uint8_t *p, size_t len)
{
    uint32_t first, last;
    memcpy(&first, p, sizeof first);
    memcpy(&last, p + len - sizeof last, sizeof last);
    return (uint64_t)last << 32 | first;
}

bool slice_case_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    if (len < 4) {
        size_t i = 0;
        while (i < len && byte_lower(a[i]) == byte_lower(b[i]))
            i++;
        return i == len;
    }
    if (len < 8)
        return same8(eight_of(a, len), eight_of(b, len));
    for (size_t i = 0; i + 8 < len; i += 8)
        if (!same8_at(a + i, b + i))
            return false;
    return same8_at(a + len - 8, b + len - 8);
}

size_t slice_find(struct slice s, const char *needle)
{
    const void *p = s.len ? memmem(s.data, s.len, needle, strlen(needle)) : NULL;
    return p ? (size_t)((const uint8_t *)p - s.data) : s.len;
}

size_t slice_case_find(struct slice s, const char *needle)
{
    size_t len = strlen(needle);
    uint8_t first = byte_lower((uint8_t)*needle);
    for (size_t i = 0; i + len <= s.len; i++)
        if (!len ||
            (byte_lower(s.data[i]) == first && slice_case_same(s.data + i, (const uint8_t *)needle, len)))
            return i;
    return s.len;
}

static bool is_space(uint8_t c)
{
    return byte_is_blank(c) || c == '\r' || c == '\n';
}

struct slice slice_trim_left(struct slice s)
{
    for (; s.len && is_space(*s.data); s.len--)
        s.data++;
    return s;
}

struct slice slice_trim_ends(struct slice s)
{
    s = slice_trim_left(s);
    while (s.len && is_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

size_t slice_number(struct slice s, uint64_t *ret)
{
    uint64_t value = 0;
    size_t i = 0;
    for (; i < s.len && byte_is_digit(s.data[i]); i++) {
        uint64_t digit = s.data[i] - '0';
        if (value > (UINT64_MAX - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    if (i)
        *ret = value;
    return i;
}
