/* slice.c: comparing and searching byte views.
 * In: slices. Out: booleans, positions, narrower slices. Owns: nothing. */
#include "base/slice.h"

bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Eight characters in lower case. */
static uint64_t lower8(const uint8_t *p)
{
    const uint64_t ones = 0x0101010101010101u, high = ones << 7;
    uint64_t v;
    memcpy(&v, p, sizeof v);
    uint64_t low = v & ~high, from_a = low + ones * (128 - 'A'), over_z = low + ones * (127 - 'Z');
    return v | ((from_a ^ over_z) & ~v & high) >> 2;
}

bool slice_case_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    if (len < 8) {
        size_t i = 0;
        while (i < len && byte_lower(a[i]) == byte_lower(b[i]))
            i++;
        return i == len;
    }
    for (size_t i = 0; i + 8 < len; i += 8)
        if (lower8(a + i) != lower8(b + i))
            return false;
    return lower8(a + len - 8) == lower8(b + len - 8);
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
    size_t i = 0;
    while (i < s.len && is_space(s.data[i]))
        i++;
    return slice_sub(s, i, s.len);
}

struct slice slice_trim(struct slice s)
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
