/* scan.c: JSON from the front.
 * In: bytes. Out: tokens. Owns: nothing. Limits: SCAN_DEPTH. Knowingly: UTF-8 is not looked at. Spec: RFC
 * 8259. */
#include "clickhouse/scan.h"

uint8_t scan_peek(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n'))
        s->at++;
    return s->at < s->end ? *s->at : 0;
}

bool scan_byte(struct scan *s, uint8_t c)
{
    if (scan_peek(s) != c || s->at == s->end)
        return false;
    s->at++;
    return true;
}

static bool is_hex(uint8_t c)
{
    return byte_is_digit(c) || (byte_lower(c) >= 'a' && byte_lower(c) <= 'f');
}

/* The length of what a backslash begins; 0: nothing that JSON knows. */
static size_t escape(const uint8_t *at, size_t len)
{
    if (len >= 2 && at[1] && strchr("\"\\/bfnrt", at[1]))
        return 2;
    bool code = len >= 6 && at[1] == 'u' && is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5]);
    return code ? 6 : 0;
}

bool scan_string(struct scan *s, struct slice *ret)
{
    if (scan_peek(s) != '"')
        return false;
    const uint8_t *p = s->at + 1;
    while (p < s->end && *p != '"') {
        size_t n = *p == '\\' ? escape(p, (size_t)(s->end - p)) : *p >= ' ';
        if (!n)
            return false;
        p += n;
    }
    if (p == s->end)
        return false;
    *ret = (struct slice){s->at, (size_t)(p + 1 - s->at)};
    s->at = p + 1;
    return true;
}

static size_t digits(struct slice s, size_t from)
{
    size_t i = from;
    while (i < s.len && byte_is_digit(s.data[i]))
        i++;
    return i - from;
}

static bool is_number(struct slice s)
{
    size_t i = s.len && s.data[0] == '-', n = digits(s, i);
    if (!n || (n > 1 && s.data[i] == '0'))
        return false;
    i += n;
    if (i < s.len && s.data[i] == '.') {
        n = digits(s, i + 1);
        i += n ? n + 1 : 0;
    }
    if (i < s.len && byte_lower(s.data[i]) == 'e') {
        size_t sign = i + 1 < s.len && (s.data[i + 1] == '+' || s.data[i + 1] == '-');
        n = digits(s, i + 1 + sign);
        i += n ? n + 1 + sign : 0;
    }
    return i == s.len;
}

bool scan_word(struct scan *s, struct slice *ret)
{
    scan_peek(s);
    const uint8_t *p = s->at;
    while (p < s->end && (byte_is_digit(*p) || (byte_lower(*p) >= 'a' && byte_lower(*p) <= 'z') ||
                          *p == '-' || *p == '+' || *p == '.'))
        p++;
    *ret = (struct slice){s->at, (size_t)(p - s->at)};
    s->at = p;
    return is_number(*ret) || slice_eq(*ret, slice_str("true")) || slice_eq(*ret, slice_str("false")) ||
           slice_eq(*ret, slice_str("null"));
}

static bool skip_members(struct scan *s, unsigned depth)
{
    bool object = *s->at++ == '{';
    uint8_t last = object ? '}' : ']';
    struct slice key;
    if (scan_byte(s, last))
        return true;
    do {
        if (object && (!scan_string(s, &key) || !scan_byte(s, ':')))
            return false;
        if (!scan_skip(s, depth + 1))
            return false;
    } while (scan_byte(s, ','));
    return scan_byte(s, last);
}

bool scan_skip(struct scan *s, unsigned depth)
{
    struct slice token;
    switch (scan_peek(s)) {
    case '"':
        return scan_string(s, &token);
    case '{':
    case '[':
        return depth < SCAN_DEPTH && skip_members(s, depth);
    default:
        return scan_word(s, &token);
    }
}
