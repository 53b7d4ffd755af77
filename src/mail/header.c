/* header.c: encoded words and address lists.
 * In: one unfolded header value. Out: UTF-8 text, elements. Owns: nothing. Limits: the output's maximum.
 * Knowingly: malformed encoded words stay as they are. Spec: RFC 2047, RFC 2231 5, RFC 5322 3.4. */
#include "mail/header.h"

#include "mail/transfer.h"

struct word {
    struct slice charset, text;
    bool base64;
    size_t len; /* of the whole word, "=?" to "?=" */
};

/* Takes "=?charset?enc?text?=" at the start of `s`. */
static bool word_parse(struct slice s, struct word *ret)
{
    if (s.len < 8 || s.data[0] != '=' || s.data[1] != '?')
        return false;
    struct slice rest = slice_sub(s, 2, s.len);
    /* A charset's name is short, so the search for its end is bounded too. */
    size_t q = slice_index(slice_sub(rest, 0, 80), '?');
    if (!q || q + 3 >= rest.len || rest.data[q] != '?' || rest.data[q + 2] != '?')
        return false;
    uint8_t kind = byte_lower(rest.data[q + 1]);
    if (kind != 'b' && kind != 'q')
        return false;
    struct slice charset = slice_sub(rest, 0, q), text = slice_sub(rest, q + 3, rest.len);
    size_t end = 0;
    do {
        end += slice_index(slice_sub(text, end, text.len), '?');
        if (end + 1 >= text.len)
            return false;
    } while (text.data[end + 1] != '=' && ++end);
    *ret = (struct word){slice_sub(charset, 0, slice_index(charset, '*')), slice_sub(text, 0, end), kind == 'b', 2 + q + 3 + end + 2};
    return true;
}

static size_t blanks_at(struct slice s)
{
    size_t i = 0;
    while (i < s.len && (byte_is_blank(s.data[i]) || s.data[i] == '\r' || s.data[i] == '\n'))
        i++;
    return i;
}

/* A run of words: their bytes are joined before conversion where charset and encoding are the same. */
static size_t words_out(struct charsets *cs, struct slice s, struct buf *out)
{
    struct word w, next;
    size_t used = 0;
    struct buf bytes;
    buf_init(&bytes, out->max);
    bool more = word_parse(s, &w);
    while (more) {
        if (w.base64)
            transfer_base64(w.text, &bytes);
        else
            transfer_q_word(w.text, &bytes);
        used += w.len;
        size_t gap = blanks_at(slice_sub(s, used, s.len));
        more = word_parse(slice_sub(s, used + gap, s.len), &next);
        if (more)
            used += gap;
        if (!more || next.base64 != w.base64 || !slice_case_eq(next.charset, w.charset)) {
            charset_to_utf8(cs, w.charset, buf_slice(&bytes), out);
            buf_clear(&bytes);
        }
        w = next;
    }
    buf_free(&bytes);
    return used;
}

static void raw_out(struct charsets *cs, struct slice raw, struct buf *out)
{
    if (raw.len)
        charset_to_utf8(cs, slice_str("us-ascii"), raw, out);
}

void header_text(struct charsets *cs, struct slice value, struct buf *out)
{
    size_t plain = 0, i = 0;
    bool closed = false; /* no "?=" lies ahead, so no word can end */
    while (i + 1 < value.len && !closed) {
        size_t eq = slice_index(slice_sub(value, i, value.len), '=');
        i += eq;
        if (i + 1 >= value.len)
            break;
        struct word w;
        if (value.data[i + 1] != '?' || !word_parse(slice_sub(value, i, value.len), &w)) {
            closed = value.data[i + 1] == '?' && slice_find(slice_sub(value, i + 2, value.len), "?=") == value.len - i - 2;
            i++;
            continue;
        }
        raw_out(cs, slice_sub(value, plain, i), out);
        i += words_out(cs, slice_sub(value, i, value.len), out);
        plain = i;
    }
    raw_out(cs, slice_sub(value, plain, value.len), out);
}

/* Past a quoted string or comment that starts at `i`. */
static size_t skip_group(struct slice s, size_t i)
{
    uint8_t open = s.data[i];
    unsigned depth = 0;
    for (; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c == '\\')
            i++;
        else if (open == '"' ? c == '"' && depth++ : c == ')' && !--depth)
            return i + 1;
        else if (open == '(' && c == '(')
            depth++;
    }
    return s.len;
}

bool header_address_next(struct slice *list, struct slice *ret)
{
    struct slice s = *list;
    while (s.len) {
        size_t i = 0, from = 0;
        bool angle = false;
        while (i < s.len) {
            uint8_t c = s.data[i];
            if (c == '"' || c == '(') {
                size_t end = skip_group(s, i);
                /* One that never closes is no group: its sign stands for itself. */
                i = end == s.len && s.data[s.len - 1] != (c == '"' ? '"' : ')') ? i + 1 : end;
                continue;
            }
            if (c == '<')
                angle = true;
            else if (c == '>')
                angle = false;
            else if (!angle && (c == ',' || c == ';'))
                break;
            else if (!angle && c == ':')
                from = i + 1; /* the name of a group */
            i++;
        }
        struct slice element = slice_trim(slice_sub(s, from, i));
        s = slice_sub(s, i + 1, s.len);
        if (element.len) {
            *ret = element;
            *list = s;
            return true;
        }
    }
    *list = s;
    return false;
}

struct slice header_address_bare(struct slice element)
{
    for (size_t i = element.len; i-- > 0;)
        if (element.data[i] == '<') {
            struct slice rest = slice_sub(element, i + 1, element.len);
            return slice_trim(slice_sub(rest, 0, slice_index(rest, '>')));
        }
    return slice_trim(slice_sub(element, 0, slice_index(element, '(')));
}
