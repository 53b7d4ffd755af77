/* text_in.c: JSON, read from its start.
 * In: texts that anybody may have written. Out: their pieces. Owns: nothing; strings with escapes lie in the
 * caller's arena. Limits: the arena's. Knowingly: blanks are space and LF alone, an unknown escape is the
 * character itself, half a surrogate pair is encoded as it stands. Spec: RFC 8259. */
#include "view/text_in.h"

static uint32_t hex(struct slice s)
{
    uint32_t v = 0;
    for (size_t i = 0; i < 4; i++) {
        uint8_t c = byte_lower(i < s.len ? s.data[i] : 0);
        if (!byte_is_digit(c) && !(c >= 'a' && c <= 'f'))
            return UINT32_MAX;
        v = v << 4 | (uint32_t)(byte_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return v;
}

static size_t put_character(uint32_t code, uint8_t *out)
{
    if (code < 0x80)
        return out[0] = (uint8_t)code, 1;
    if (code < 0x800)
        return out[0] = (uint8_t)(0xc0 | code >> 6), out[1] = (uint8_t)(0x80 | (code & 63)), 2;
    size_t n = code < 0x10000 ? 3 : 4;
    out[0] = (uint8_t)(n == 3 ? 0xe0 | code >> 12 : 0xf0 | code >> 18);
    for (size_t i = 1; i < n; i++)
        out[i] = (uint8_t)(0x80 | (code >> 6 * (n - 1 - i) & 63));
    return n;
}

/* Behind a backslash, which *s loses; returns how many bytes went out. */
static size_t take_escape(struct text_in *in, struct slice *s, uint8_t *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    uint8_t c = s->len ? s->data[0] : 0;
    const char *known = c ? strchr(from, c) : NULL;
    *s = slice_sub(*s, 1, s->len);
    if (c != 'u')
        return out[0] = (uint8_t)(known ? to[known - from] : c), 1;
    uint32_t code = hex(*s);
    *s = slice_sub(*s, 4, s->len);
    if (code >= 0xd800 && code < 0xdc00 && slice_case_starts(*s, "\\u")) {
        uint32_t low = hex(slice_sub(*s, 2, s->len));
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            *s = slice_sub(*s, 6, s->len);
        }
    }
    in->bad = in->bad || code > 0x10ffff;
    return put_character(code > 0x10ffff ? 0xfffd : code, out);
}

/* Length of what stands before the closing quotation mark; SIZE_MAX: there is none. */
static size_t string_length(struct slice s, bool *ret_escaped)
{
    size_t len = slice_index(s, '"');
    *ret_escaped = slice_index(slice_sub(s, 0, len), '\\') < len;
    if (!*ret_escaped)
        return len < s.len ? len : SIZE_MAX;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '"')
            return i;
        i += s.data[i] == '\\';
    }
    return SIZE_MAX;
}

/* All but the characters behind a backslash go as they are. */
static size_t unescape(struct text_in *in, struct slice s, uint8_t *out)
{
    size_t used = 0;
    while (s.len) {
        size_t plain = slice_index(s, '\\');
        memcpy(out + used, s.data, plain);
        used += plain;
        s = slice_sub(s, plain, s.len);
        if (!s.len)
            break;
        s = slice_sub(s, 1, s.len);
        used += take_escape(in, &s, out + used);
    }
    return used;
}

struct slice text_in_string(struct text_in *in)
{
    bool escaped = false;
    text_in_want(in, '"');
    size_t len = in->bad ? SIZE_MAX : string_length(in->rest, &escaped);
    struct slice text = slice_sub(in->rest, 0, len == SIZE_MAX ? 0 : len);
    bool copied = escaped || !in->borrow;
    /* An escape is never shorter than what it stands for; four bytes more, as it may be cut. */
    uint8_t *out = copied && len != SIZE_MAX ? arena_alloc(in->mem, len + 4) : NULL;
    if (len == SIZE_MAX || (copied && !out)) {
        in->bad = true;
        return (struct slice){NULL, 0};
    }
    in->rest = slice_sub(in->rest, len + 1, in->rest.len);
    return copied ? (struct slice){out, unescape(in, text, out)} : text;
}

struct slice text_in_plain(struct text_in *in)
{
    size_t len = 0;
    (void)text_in_next(in);
    while (len < in->rest.len && !strchr(",]} \n", in->rest.data[len]))
        len++;
    struct slice text = slice_sub(in->rest, 0, len);
    in->rest = slice_sub(in->rest, len, in->rest.len);
    in->bad = in->bad || !len;
    return text;
}

/* The end of an object or list; its brackets are counted, whichever they are. */
static size_t nest_length(struct slice s)
{
    size_t depth = 0;
    bool escaped;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c == '"') {
            size_t len = string_length(slice_sub(s, i + 1, s.len), &escaped);
            if (len == SIZE_MAX)
                break;
            i += len + 1;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && !--depth) {
            return i + 1;
        }
    }
    return SIZE_MAX;
}

void text_in_skip(struct text_in *in)
{
    bool escaped;
    uint8_t c = text_in_next(in);
    if (c != '"' && c != '{' && c != '[') {
        text_in_plain(in);
        return;
    }
    size_t len =
        c == '"' ? string_length(slice_sub(in->rest, 1, in->rest.len), &escaped) : nest_length(in->rest);
    in->bad = in->bad || len == SIZE_MAX;
    if (!in->bad)
        in->rest = slice_sub(in->rest, c == '"' ? len + 2 : len, in->rest.len);
}
