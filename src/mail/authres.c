/* authres.c: results of other servers' checks, tags of signatures.
 * In: one unfolded value. Out: pieces of it. Owns: nothing. Limits: none; the caller's, of how many it takes.
 * Knowingly: escapes in quoted values stay as they are; blanks around the dot in a property's name, which the
 * grammar permits and nobody writes, end the name. Spec: RFC 8601 2.2, RFC 8617 4.1, RFC 7208 9.1, RFC 6376
 * 3.2. */
#include "mail/authres.h"

#include "mail/hidden.h"

static bool ends_word(uint8_t c)
{
    return byte_is_blank(c) || c == ';' || c == '(' || c == '\r' || c == '\n';
}

/* Behind blanks and comments at `i`; the first comment goes to *comment, where there was none so far. */
static size_t past_gaps(struct slice s, size_t i, struct slice *comment)
{
    while (i < s.len) {
        size_t past = s.data[i] == '(' ? hidden_past(s, i) : i;
        if (past > i + 1) {
            struct slice inside = slice_trim(slice_sub(s, i + 1, past - 1));
            if (comment && !comment->data && inside.len)
                *comment = inside;
            i = past;
        } else if (byte_is_blank(s.data[i]) || s.data[i] == '\r' || s.data[i] == '\n') {
            i++;
        } else {
            break;
        }
    }
    return i;
}

/* Behind the word at `i`; it may have quoted pieces. `sign`: one more byte that ends it, or 0. */
static size_t past_word(struct slice s, size_t i, uint8_t sign)
{
    while (i < s.len && !ends_word(s.data[i]) && !(sign && s.data[i] == sign)) {
        size_t past = s.data[i] == '"' ? hidden_past(s, i) : i + 1;
        i = past;
    }
    return i;
}

static struct slice without_quotes(struct slice s)
{
    bool quoted = s.len > 1 && s.data[0] == '"' && hidden_past(s, 0) == s.len && s.data[s.len - 1] == '"';
    return quoted ? slice_sub(s, 1, s.len - 1) : s;
}

/* Takes the next segment, up to a semicolon outside of quotes and comments. */
static bool next_segment(struct slice *rest, struct slice *ret)
{
    struct slice s = *rest;
    size_t i = 0;
    if (!s.len)
        return false;
    while (i < s.len && s.data[i] != ';') {
        size_t past = s.data[i] == '"' || s.data[i] == '(' ? hidden_past(s, i) : i + 1;
        i = past;
    }
    *ret = slice_trim(slice_sub(s, 0, i));
    *rest = slice_sub(s, i + 1, s.len);
    return true;
}

/* Behind what may stand between a key and its '=': blanks, comments, a version. */
static size_t past_version(struct slice s, size_t i, struct slice *comment)
{
    i = past_gaps(s, i, comment);
    if (i < s.len && s.data[i] == '/')
        i = past_gaps(s, past_word(s, past_gaps(s, i + 1, comment), '='), comment);
    return i;
}

/* Takes "key=value" from *rest, with what stands before it; words without a value are passed over. */
static bool next_pair(struct slice *rest, struct slice *ret_key, struct slice *ret_value,
                      struct slice *comment)
{
    struct slice s = *rest;
    size_t i = 0;
    while ((i = past_gaps(s, i, comment)) < s.len) {
        size_t from = i, to = past_word(s, i, '='), sign = past_version(s, to, comment);
        if (sign < s.len && s.data[sign] == '=' && to > from) {
            size_t begin = past_gaps(s, sign + 1, comment), end = past_word(s, begin, 0);
            *ret_key = slice_sub(s, from, to);
            *ret_value = without_quotes(slice_sub(s, begin, end));
            *rest = slice_sub(s, end, s.len);
            return true;
        }
        i = to > from ? to : from + 1;
    }
    *rest = slice_sub(s, s.len, s.len);
    return false;
}

/* The first word of a segment, where it is not the key of a pair. */
static bool lone_word(struct slice segment, struct slice *ret)
{
    size_t from = past_gaps(segment, 0, NULL), to = past_word(segment, from, '=');
    size_t behind = past_version(segment, to, NULL);
    *ret = without_quotes(slice_sub(segment, from, to));
    return to > from && !(behind < segment.len && segment.data[behind] == '=');
}

void authres_open(struct slice value, struct authres *ret)
{
    struct slice rest = value, segment, key, number, word;
    *ret = (struct authres){.rest = value};
    if (!next_segment(&rest, &segment))
        return;
    struct slice pair = segment;
    if (next_pair(&pair, &key, &number, NULL) && slice_case_eq(key, slice_str("i")) &&
        slice_number(number, &ret->instance)) {
        ret->rest = rest;
        if (!next_segment(&rest, &segment))
            return;
    }
    /* Exchange Online says what it found, but not who it is. */
    if (!lone_word(segment, &word) || slice_case_eq(word, slice_str("none")))
        return;
    ret->authserv_id = word;
    ret->rest = rest;
}

bool authres_next(struct authres *a, struct authres_result *ret)
{
    struct slice segment, word;
    while (next_segment(&a->rest, &segment)) {
        *ret = (struct authres_result){0};
        struct slice rest = segment, key, value;
        if (lone_word(segment, &word)) {
            if (!slice_case_eq(word, slice_str("none")))
                continue;
            ret->result = word;
            return true;
        }
        if (!next_pair(&rest, &ret->method, &ret->result, &ret->comment))
            continue;
        ret->method = slice_sub(ret->method, 0, slice_index(ret->method, '/'));
        ret->properties = rest;
        while (next_pair(&rest, &key, &value, &ret->comment))
            if (slice_case_eq(key, slice_str("reason")) && !ret->reason.data)
                ret->reason = value;
        return true;
    }
    return false;
}

bool authres_property(struct slice *rest, struct slice *ret_key, struct slice *ret_value)
{
    while (next_pair(rest, ret_key, ret_value, NULL))
        if (!slice_case_eq(*ret_key, slice_str("reason")))
            return true;
    return false;
}

void spf_parse(struct slice value, struct spf_parts *ret)
{
    *ret = (struct spf_parts){0};
    size_t from = past_gaps(value, 0, &ret->comment), to = past_word(value, from, '=');
    ret->result = slice_sub(value, from, to);
    ret->pairs = slice_sub(value, past_gaps(value, to, &ret->comment), value.len);
}

bool tag_next(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
    while (rest->len) {
        size_t end = slice_index(*rest, ';');
        struct slice tag = slice_sub(*rest, 0, end);
        size_t sign = slice_index(tag, '=');
        *rest = slice_sub(*rest, end + 1, rest->len);
        *ret_name = slice_trim(slice_sub(tag, 0, sign));
        *ret_value = slice_trim(slice_sub(tag, sign + 1, tag.len));
        if (sign < tag.len && ret_name->len)
            return true;
    }
    return false;
}
