/* A view of bytes that somebody else owns: pointer and length, never a terminator.
 * Every function takes slices by value and reads nothing outside of them. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data;
    size_t len;
};

/* The view of a C string's characters, valid as long as the string. */
static inline struct slice slice_str(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

/* The part of `s` from `from` to before `to`; both are cut to the length of `s`. */
static inline struct slice slice_sub(struct slice s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    /* Nothing may be added to NULL, not even 0; to ask for it at each of so many calls takes longer than the
     * rest of this. */
    return (struct slice){(const uint8_t *)((uintptr_t)s.data + from), to - from};
}

/* Position of byte `c`, or s.len where it does not occur. */
static inline size_t slice_index(struct slice s, uint8_t c)
{
    const void *p = s.len ? memchr(s.data, c, s.len) : NULL;
    return p ? (size_t)((const uint8_t *)p - s.data) : s.len;
}

static inline uint8_t byte_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static inline bool byte_is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static inline bool byte_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool slice_eq(struct slice a, struct slice b);
/* ASCII case ignored, bytes over 127 compared as they are. Most pairs differ in length or in the first byte.
 */
bool slice_case_same(const uint8_t *a, const uint8_t *b, size_t len);
static inline bool slice_case_eq(struct slice a, struct slice b)
{
    return a.len == b.len &&
           (!a.len || (byte_lower(*a.data) == byte_lower(*b.data) && slice_case_same(a.data, b.data, a.len)));
}
static inline bool slice_case_starts(struct slice s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len &&
           slice_case_eq((struct slice){s.data, len}, (struct slice){(const uint8_t *)prefix, len});
}
/* Position of `needle` in `s`, or s.len. Case of ASCII letters ignored in the second. */
size_t slice_find(struct slice s, const char *needle);
size_t slice_case_find(struct slice s, const char *needle);
/* Without blanks, tabs, CR and LF at both ends. Most have none there. */
struct slice slice_trim_ends(struct slice s);
static inline struct slice slice_trim(struct slice s)
{
    return s.len && s.data[0] > ' ' && s.data[s.len - 1] > ' ' ? s : slice_trim_ends(s);
}
struct slice slice_trim_left(struct slice s);
/* Reads decimal digits from the start of `s`. Returns how many were read; 0 where there is none or the
 * number does not fit; then *ret is untouched. */
size_t slice_number(struct slice s, uint64_t *ret);

#endif
