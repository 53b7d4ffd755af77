/* slice.c: comparing and searching byte views.
 * In: slices. Out: booleans, positions, narrower slices. Owns: nothing. */
#include "base/slice.h"

bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool case_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (byte_lower(a[i]) != byte_lower(b[i]))
            return false;
    return true;
}

bool slice_case_eq(struct slice a, struct slice b)
{
    return a.len == b.len && case_same(a.data, b.data, a.len);
}

bool slice_case_starts(struct slice s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len && case_same(s.data, (const uint8_t *)prefix, len);
}

size_t slice_find(struct slice s, const char *needle)
{
    const void *p = s.len ? memmem(s.data, s.len, needle, strlen(needle)) : NULL;
    return p ? (size_t)((const uint8_t *)p - s.data) : s.len;
}

size_t slice_case_find(struct slice s, const char *needle)
{
    size_t len = strlen(needle);
    for (size_t i = 0; i + len <= s.len; i++)
        if (case_same(s.data + i, (const uint8_t *)needle, len))
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
