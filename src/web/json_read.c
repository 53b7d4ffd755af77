/* json_read.c: JSON, token by token.
 * In: text. Out: tokens, in slices of it. Owns: nothing. Limits: JSON_READ_DEPTH. Knowingly: that texts are
 * UTF-8 is not checked here but in json_unescape. Spec: RFC 8259. */
#include "web/json_read.h"

#include "base/utf8.h"

struct json_reader json_reader_of(struct slice text)
{
    return (struct json_reader){.rest = text, .state = JSON_WANTS_VALUE};
}

static enum json_token wrong(struct json_reader *j)
{
    j->state = JSON_IS_WRONG;
    return JSON_WRONG;
}

static void advance(struct json_reader *j, size_t n)
{
    j->rest = slice_sub(j->rest, n, j->rest.len);
}

static uint8_t peek(struct json_reader *j)
{
    while (j->rest.len && (byte_is_blank(*j->rest.data) || *j->rest.data == '\n' || *j->rest.data == '\r'))
        advance(j, 1);
    return j->rest.len ? *j->rest.data : 0;
}

static bool is_hex(uint8_t c)
{
    return byte_is_digit(c) || (byte_lower(c) >= 'a' && byte_lower(c) <= 'f');
}

/* Length of the escape that `s` begins with; 0: it is none. */
static size_t escape_length(struct slice s)
{
    if (s.len < 2 || s.data[0] != '\\')
        return 0;
    if (s.data[1] != 'u')
        return s.data[1] && strchr("\"\\/bfnrt", s.data[1]) ? 2 : 0;
    if (s.len < 6)
        return 0;
    return is_hex(s.data[2]) && is_hex(s.data[3]) && is_hex(s.data[4]) && is_hex(s.data[5]) ? 6 : 0;
}

/* Behind the opening quote. */
static bool take_text(struct json_reader *j)
{
    struct slice s = j->rest;
    size_t i = 0;
    while (i < s.len && s.data[i] != '"') {
        size_t n = s.data[i] == '\\' ? escape_length(slice_sub(s, i, s.len)) : s.data[i] >= ' ';
        if (!n)
            return false;
        i += n;
    }
    j->raw = slice_sub(s, 0, i);
    advance(j, i + 1);
    return i < s.len;
}

static size_t digits(struct slice s, size_t from)
{
    size_t i = from;
    while (i < s.len && byte_is_digit(s.data[i]))
        i++;
    return i - from;
}

static enum json_token take_number(struct json_reader *j)
{
    struct slice s = j->rest;
    size_t i = s.data[0] == '-', n = digits(s, i);
    if (!n || (n > 1 && s.data[i] == '0'))
        return wrong(j);
    i += n;
    if (i < s.len && s.data[i] == '.') {
        n = digits(s, i + 1);
        if (!n)
            return wrong(j);
        i += n + 1;
    }
    if (i < s.len && byte_lower(s.data[i]) == 'e') {
        i += 1 + (i + 1 < s.len && (s.data[i + 1] == '+' || s.data[i + 1] == '-'));
        n = digits(s, i);
        if (!n)
            return wrong(j);
        i += n;
    }
    j->raw = slice_sub(s, 0, i);
    advance(j, i);
    return JSON_NUMBER;
}

static enum json_token take_word(struct json_reader *j, const char *word, enum json_token token)
{
    size_t len = strlen(word);
    if (!slice_eq(slice_sub(j->rest, 0, len), slice_str(word)))
        return wrong(j);
    j->raw = slice_sub(j->rest, 0, len);
    advance(j, len);
    return token;
}

static enum json_token open(struct json_reader *j, char c)
{
    if (j->depth == JSON_READ_DEPTH)
        return wrong(j);
    j->raw = slice_sub(j->rest, 0, 1);
    advance(j, 1);
    j->open[j->depth++] = c;
    j->state = JSON_WANTS_FIRST;
    return c == '{' ? JSON_OBJECT : JSON_LIST;
}

static void after_value(struct json_reader *j)
{
    j->state = j->depth ? JSON_WANTS_NEXT : JSON_IS_DONE;
}

static enum json_token take_value(struct json_reader *j)
{
    enum json_token t;
    switch (peek(j)) {
    case '{':
    case '[':
        return open(j, (char)*j->rest.data);
    case '"':
        advance(j, 1);
        t = take_text(j) ? JSON_TEXT : wrong(j);
        break;
    case 't':
        t = take_word(j, "true", JSON_TRUE);
        break;
    case 'f':
        t = take_word(j, "false", JSON_FALSE);
        break;
    case 'n':
        t = take_word(j, "null", JSON_NULL);
        break;
    default:
        t = j->rest.len && (byte_is_digit(*j->rest.data) || *j->rest.data == '-') ? take_number(j) : wrong(j);
        break;
    }
    if (t != JSON_WRONG)
        after_value(j);
    return t;
}

static enum json_token take_key(struct json_reader *j)
{
    if (peek(j) != '"')
        return wrong(j);
    advance(j, 1);
    if (!take_text(j))
        return wrong(j);
    j->state = JSON_WANTS_COLON;
    return JSON_KEY;
}

static enum json_token take_inside(struct json_reader *j)
{
    bool object = j->open[j->depth - 1] == '{';
    uint8_t c = peek(j);
    if (c == (object ? '}' : ']')) {
        j->raw = slice_sub(j->rest, 0, 1);
        advance(j, 1);
        j->depth--;
        after_value(j);
        return JSON_CLOSE;
    }
    if (j->state == JSON_WANTS_NEXT) {
        if (c != ',')
            return wrong(j);
        advance(j, 1);
    }
    return object ? take_key(j) : take_value(j);
}

enum json_token json_read(struct json_reader *j)
{
    switch (j->state) {
    case JSON_WANTS_VALUE:
        return take_value(j);
    case JSON_WANTS_COLON:
        if (peek(j) != ':')
            return wrong(j);
        advance(j, 1);
        return take_value(j);
    case JSON_WANTS_FIRST:
    case JSON_WANTS_NEXT:
        return take_inside(j);
    case JSON_IS_DONE:
        peek(j);
        return j->rest.len ? wrong(j) : JSON_END;
    case JSON_IS_WRONG:
        break;
    }
    return JSON_WRONG;
}

static uint32_t hex4(const uint8_t *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 4 | (byte_is_digit(p[i]) ? p[i] - (uint32_t)'0' : byte_lower(p[i]) - (uint32_t)'a' + 10);
    return v;
}

/* One escape, which is well formed; a surrogate pair is two. Returns its length. */
static size_t unescape_one(struct slice s, struct buf *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    uint8_t bytes[4];
    const char *p = strchr(from, s.data[1]);
    if (s.data[1] != 'u') {
        buf_add_byte(out, p ? (uint8_t)to[p - from] : s.data[1]);
        return 2;
    }
    uint32_t code = hex4(s.data + 2);
    size_t len = 6;
    if (code >= 0xd800 && code < 0xdc00 && escape_length(slice_sub(s, 6, s.len)) == 6) {
        uint32_t low = hex4(s.data + 8);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            len = 12;
        }
    }
    if (code >= 0xd800 && code < 0xe000)
        code = 0xfffd;
    buf_add(out, (struct slice){bytes, utf8_put(code, bytes)});
    return len;
}

bool json_unescape(struct slice raw, struct buf *out)
{
    while (raw.len) {
        size_t n = utf8_length(raw);
        if (escape_length(raw)) {
            n = unescape_one(raw, out);
        } else if (n) {
            buf_add(out, (struct slice){raw.data, n});
        } else {
            buf_add_str(out, "\xef\xbf\xbd");
            n = 1;
        }
        raw = slice_sub(raw, n, raw.len);
    }
    return out->len < out->max;
}
