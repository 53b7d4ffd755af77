/* header.c: encoded words.
 * In: one unfolded header value. Out: UTF-8 text. Owns: nothing. Limits: the output's maximum. Knowingly:
 * malformed encoded words stay as they are. Spec: RFC 2047, RFC 2231 5. */
#include "mail/header.h"

#include "mail/transfer.h"

struct word {
    struct slice charset, text;
    bool base64;
    size_t len; /* of the whole word, "=?" to "?=" */
};

/* Takes "=?charset?enc?text?=" at the start of `s`. The text may hold what it should not, blanks for one, but
 * no other word's beginning: then the first one was never ended. */
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
    size_t end = slice_index(text, '?');
    while (end + 1 < text.len && text.data[end + 1] != '=') {
        if (end && text.data[end - 1] == '=')
            return false;
        end += 1 + slice_index(slice_sub(text, end + 1, text.len), '?');
    }
    if (end + 1 >= text.len)
        return false;
    *ret = (struct word){slice_sub(charset, 0, slice_index(charset, '*')), slice_sub(text, 0, end),
                         kind == 'b', 2 + q + 3 + end + 2};
    return true;
}

static size_t blanks_at(struct slice s)
{
    size_t i = 0;
    while (i < s.len && (byte_is_blank(s.data[i]) || s.data[i] == '\r' || s.data[i] == '\n'))
        i++;
    return i;
}

static void decode_word(const struct word *w, struct buf *out)
{
    if (w->base64)
        transfer_base64(w->text, out);
    else
        transfer_q_word(w->text, out);
}

/* Most words stand alone and are valid UTF-8, which needs no conversion. False: this one is another, and
 * nothing was added. */
static bool usual_word_out(const struct word *w, struct slice behind, struct buf *out)
{
    size_t begin = out->len;
    behind = slice_sub(behind, blanks_at(behind), behind.len);
    if ((behind.len && *behind.data == '=') || w->text.len > out->max - out->len ||
        !charset_is_utf8(w->charset))
        return false;
    decode_word(w, out);
    if (utf8_valid(slice_sub(buf_slice(out), begin, out->len)))
        return true;
    out->len = begin;
    return false;
}

/* A run of words, which begins with `first`: their bytes are joined before conversion where the charset is
 * the same, as a character may be split. */
static size_t words_out(struct charsets *cs, struct slice s, const struct word *first, struct buf *out)
{
    struct word w = *first, next;
    size_t used = 0;
    struct buf bytes;
    if (usual_word_out(first, slice_sub(s, first->len, s.len), out))
        return first->len;
    buf_init(&bytes, out->max);
    for (bool more = true; more; w = next) {
        decode_word(&w, &bytes);
        used += w.len;
        size_t gap = blanks_at(slice_sub(s, used, s.len));
        more = word_parse(slice_sub(s, used + gap, s.len), &next);
        if (more)
            used += gap;
        if (!more || !slice_case_eq(next.charset, w.charset)) {
            charset_to_utf8(cs, w.charset, buf_slice(&bytes), out);
            buf_clear(&bytes);
        }
    }
    buf_free(&bytes);
    return used;
}

static void raw_out(struct charsets *cs, struct slice raw, struct buf *out)
{
    if (!raw.len)
        return; /* words often have nothing beside them */
    if (utf8_valid(raw))
        utf8_add(raw, out);
    else
        charset_to_utf8(cs, slice_str("us-ascii"), raw, out);
}

void header_text(struct charsets *cs, struct slice value, struct buf *out)
{
    size_t plain = 0, i = 0;
    while (i < value.len) {
        i += slice_index(slice_sub(value, i, value.len), '=');
        struct word w;
        if (!word_parse(slice_sub(value, i, value.len), &w)) {
            i++;
            continue;
        }
        raw_out(cs, slice_sub(value, plain, i), out);
        i += words_out(cs, slice_sub(value, i, value.len), &w, out);
        plain = i;
    }
    raw_out(cs, slice_sub(value, plain, value.len), out);
}
