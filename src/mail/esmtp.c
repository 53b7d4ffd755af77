/* esmtp.c: parameters of commands, what a server offers, the queue id of a reply.
 * In: slices. Out: slices of them. Owns: nothing. Spec: RFC 5321 4.1.2, RFC 3461 4 (xtext); queue ids have no
 * spec: each server words them its own way, and what is not worded so is none. */
#include "mail/esmtp.h"

bool esmtp_param_next(struct slice *rest, struct slice *ret_keyword, struct slice *ret_value)
{
    struct slice s = slice_trim_left(*rest);
    size_t end = 0, equals = SIZE_MAX;
    for (; end < s.len && !byte_is_blank(s.data[end]); end++)
        if (s.data[end] == '=' && equals == SIZE_MAX)
            equals = end;
    *rest = slice_sub(s, end, s.len);
    if (!end)
        return false;
    *ret_keyword = slice_sub(s, 0, equals < end ? equals : end);
    *ret_value = equals < end ? slice_sub(s, equals + 1, end) : (struct slice){0};
    return true;
}

static int hex_value(uint8_t c)
{
    if (byte_is_digit(c))
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void esmtp_xtext(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = -1, low = -1;
        if (text.data[i] == '+' && i + 2 < text.len) {
            high = hex_value(text.data[i + 1]);
            low = hex_value(text.data[i + 2]);
        }
        bool coded = high >= 0 && low >= 0;
        buf_add_byte(out, coded ? (uint8_t)(high << 4 | low) : text.data[i]);
        i += coded ? 2 : 0;
    }
}

struct esmtp_offers esmtp_offers(struct slice text)
{
    struct esmtp_offers ret = {false, false};
    while (text.len) {
        size_t lf = slice_index(text, '\n');
        struct slice line = slice_trim(slice_sub(text, 0, lf));
        ret.chunking |= slice_case_eq(line, slice_str("CHUNKING"));
        ret.pipelining |= slice_case_eq(line, slice_str("PIPELINING"));
        text = slice_sub(text, lf + 1, text.len);
    }
    return ret;
}

static bool is_id_byte(uint8_t c)
{
    return byte_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
           c == '.' || c == '/' || c == '=' || c == '+' || c == '@';
}

static struct slice id_at(struct slice s)
{
    size_t n = 0;
    while (n < s.len && is_id_byte(s.data[n]))
        n++;
    while (n && s.data[n - 1] == '.')
        n--;
    return slice_sub(s, 0, n);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Where `word` begins in any case; text.len where it is not there. Not all of `word` is letters. */
static size_t find(struct slice text, const char *word)
{
    /* A byte that no case changes is looked for first. */
    size_t key = strlen(word) - 1;
    while (is_letter(word[key]))
        key--;
    for (size_t from = key; from < text.len;) {
        const uint8_t *found = memchr(text.data + from, word[key], text.len - from);
        if (!found)
            break;
        size_t at = (size_t)(found - text.data) - key;
        if (slice_case_starts(slice_sub(text, at, text.len), word))
            return at;
        from = at + key + 1;
    }
    return text.len;
}

/* What stands before it. */
static const char *const before_id[] = {
    "queued as ",       /* Postfix, and many that follow it */
    "message queued (", /* Haraka */
    "InternalId=",      /* Exchange */
    " id=",             /* Exim */
    " qp ",             /* qmail */
};

/* "OK  1795998312 d9443c01a7336-2d3 - gsmtp" */
static bool gmail_id(struct slice text, struct slice *ret)
{
    size_t end = find(text, " - gsmtp");
    if (end == text.len)
        return false;
    size_t from = end;
    while (from && !byte_is_blank(text.data[from - 1]))
        from--;
    *ret = slice_sub(text, from, end);
    return ret->len > 0;
}

static bool has_digit(struct slice s)
{
    size_t i = 0;
    while (i < s.len && !byte_is_digit(s.data[i]))
        i++;
    return i < s.len;
}

/* "2.0.0 5AN0Cs5s012345 Message accepted for delivery": Sendmail, OpenSMTPD. */
static bool sendmail_id(struct slice text, struct slice *ret)
{
    size_t end = find(text, " Message accepted for delivery"), from = end;
    if (end == text.len)
        return false;
    while (from && !byte_is_blank(text.data[from - 1]))
        from--;
    *ret = id_at(slice_sub(text, from, end));
    return has_digit(*ret) && ret->len == end - from;
}

/* "ok:  Message 87090557 accepted": Cisco's gateways, and others. */
static bool numbered_id(struct slice text, struct slice *ret)
{
    size_t at = find(text, "Message ");
    *ret = id_at(slice_sub(text, at + strlen("Message "), text.len));
    struct slice rest = slice_sub(text, at + strlen("Message ") + ret->len, text.len);
    return has_digit(*ret) && slice_case_starts(rest, " accepted");
}

bool esmtp_queue_id(struct slice text, struct slice *ret)
{
    for (size_t i = 0; i < sizeof before_id / sizeof *before_id; i++) {
        size_t at = find(text, before_id[i]);
        struct slice id = id_at(slice_sub(text, at + strlen(before_id[i]), text.len));
        if (at == text.len || !id.len)
            continue;
        *ret = id;
        return true;
    }
    return gmail_id(text, ret) || sendmail_id(text, ret) || numbered_id(text, ret);
}
