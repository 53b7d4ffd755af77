/* scan.c: JSON from the front.
 * In: bytes. Out: tokens. Owns: nothing. Limits: SCAN_DEPTH. Knowingly: UTF-8 is not looked at. Spec: RFC
 * 8259. */
#include "clickhouse/scan.h"

#include <math.h>
#include <stdlib.h>

uint8_t scan_peek(struct scan *s)
{
    for (; s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n'); s->at++)
        s->spread |= *s->at != ' ';
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

/* The first byte that ends a string, escapes, or may not stand in one; or `end`. */
static const uint8_t *plain_to(const uint8_t *p, const uint8_t *end)
{
    typedef uint8_t sixteen __attribute__((vector_size(16)));
    for (sixteen c; end - p >= (ptrdiff_t)sizeof c; p += sizeof c) {
        uint64_t odd[2];
        memcpy(&c, p, sizeof c);
        c = (sixteen)((c < 32) | (c == '"') | (c == '\\'));
        memcpy(odd, &c, sizeof odd);
        if (odd[0])
            return p + __builtin_ctzll(odd[0]) / 8;
        if (odd[1])
            return p + 8 + __builtin_ctzll(odd[1]) / 8;
    }
    while (p < end && *p >= ' ' && *p != '"' && *p != '\\')
        p++;
    return p;
}

bool scan_string(struct scan *s, struct slice *ret)
{
    if (scan_peek(s) != '"')
        return false;
    const uint8_t *p = plain_to(s->at + 1, s->end);
    s->escaped = p < s->end && *p == '\\';
    while (p < s->end && *p == '\\') {
        size_t n = escape(p, (size_t)(s->end - p));
        if (!n)
            return false;
        p = plain_to(p + n, s->end);
    }
    if (p == s->end || *p != '"')
        return false;
    *ret = (struct slice){s->at, (size_t)(p + 1 - s->at)};
    s->at = p + 1;
    return true;
}

static uint32_t hex4(const uint8_t *p)
{
    uint32_t v = 0;
    for (size_t i = 0; i < 4; i++)
        v = v << 4 | (uint32_t)(byte_is_digit(p[i]) ? p[i] - '0' : byte_lower(p[i]) - 'a' + 10);
    return v;
}

static void add_code(struct line *out, uint32_t code)
{
    uint8_t *to = line_room(out, 4);
    if (code < 0x80) {
        line_byte(out, (uint8_t)code);
        return;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 0; code >>= 6)
        to[i] = (uint8_t)(i ? 0x80 | (code & 0x3f) : first[n] | code);
    out->len += n;
}

/* Behind "\u"; how many bytes of it were used. */
static size_t add_unicode(struct line *out, const uint8_t *p, size_t len)
{
    uint32_t code = hex4(p);
    bool pair = code >= 0xd800 && code < 0xdc00 && len >= 10 && p[4] == '\\' && p[5] == 'u';
    uint32_t low = pair ? hex4(p + 6) : 0;
    pair = low >= 0xdc00 && low < 0xe000;
    if (pair)
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    add_code(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    return pair ? 10 : 4;
}

struct slice scan_text(struct slice string, struct line *room)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    struct slice rest = slice_sub(string, 1, string.len - 1);
    size_t n = slice_index(rest, '\\');
    if (n == rest.len)
        return rest;
    room->len = 0;
    for (; rest.len; n = slice_index(rest, '\\')) {
        line_add(room, slice_sub(rest, 0, n));
        rest = slice_sub(rest, n, rest.len);
        if (!rest.len)
            break;
        const char *known = strchr(from, rest.data[1]);
        size_t used = 2;
        if (rest.data[1] == 'u')
            used += add_unicode(room, rest.data + 2, rest.len - 2);
        else
            line_byte(room, known ? (uint8_t)to[known - from] : rest.data[1]);
        rest = slice_sub(rest, used, rest.len);
    }
    return line_slice(room);
}

bool scan_real(struct slice word, double *ret)
{
    enum { LONG = 15 }; /* digits of which all are in a double */
    char copy[64];
    bool minus = word.len && word.data[0] == '-';
    uint64_t whole = 0;
    size_t digits = 0, behind = 0, i = minus, point = word.len;
    for (; i < word.len && digits <= LONG; i++)
        if (word.data[i] == '.' && point == word.len)
            point = i;
        else if (byte_is_digit(word.data[i]))
            whole = whole * 10 + (uint64_t)(word.data[i] - '0'), digits++, behind += point < word.len;
        else
            break;
    static const double tens[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    if (digits && digits <= LONG && i == word.len) {
        *ret = (double)whole / tens[behind];
        *ret = minus ? -*ret : *ret;
        return true;
    }
    if (!word.len || word.len >= sizeof copy)
        return false;
    memcpy(copy, word.data, word.len);
    copy[word.len] = '\0';
    char *end;
    *ret = strtod(copy, &end);
    return end == copy + word.len && isfinite(*ret);
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
