/* mailbox_text.c: the pieces of a mailbox as texts.
 * In: pieces as they are written. Out: names, local parts, domains. Owns: nothing. Limits: the output's
 * maximum. Spec: RFC 5322 3.2, 3.4.1 and 4.4, RFC 2047 5. */
#include "mail/header.h"
#include "mail/hidden.h"
#include "mail/mailbox.h"

/* Adds what a quoted string, or a piece of a word, stands for. */
static void add_unescaped(struct slice s, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\\' && i + 1 < s.len)
            i++;
        buf_add_byte(out, s.data[i]);
    }
}

static bool is_sign(uint8_t c)
{
    return c == '.' || c == '@';
}

/* Adds `s` without quotes, escapes and comments. Of a phrase blanks between words become one; in an address
 * those around dots mean nothing. */
static void unquote(struct slice s, bool address, struct buf *out)
{
    bool spaced = false, glued = true;
    size_t i = 0, begin = out->len;
    const uint8_t *none = NULL;
    while (i < s.len) {
        uint8_t c = s.data[i];
        size_t past = hidden_past_known(s, i, &none);
        if (byte_is_blank(c) || (c == '(' && past > i + 1)) {
            spaced = true;
            i = past > i ? past : i + 1;
            continue;
        }
        bool sign = address && is_sign(c);
        if (spaced && out->len > begin && !(address && (sign || glued)))
            buf_add_byte(out, ' ');
        if (past > i + 1 && c == '"')
            add_unescaped(slice_sub(s, i + 1, past - 1), out);
        else if (past > i)
            add_unescaped(slice_sub(s, i, past), out);
        else
            buf_add_byte(out, c);
        i = past > i ? past : i + 1;
        glued = sign;
        spaced = false;
    }
}

void mailbox_phrase(struct charsets *cs, struct slice phrase, struct buf *out)
{
    struct buf plain;
    buf_init(&plain, phrase.len);
    unquote(phrase, false, &plain);
    header_text(cs, slice_trim(buf_slice(&plain)), out);
    buf_free(&plain);
}

void mailbox_name(struct charsets *cs, const struct mailbox_parts *parts, struct buf *out)
{
    struct buf plain;
    if (parts->plain_name) {
        header_text(cs, parts->name, out);
    } else if (!parts->name_comment) {
        mailbox_phrase(cs, parts->name, out);
    } else {
        buf_init(&plain, parts->name.len);
        add_unescaped(parts->name, &plain);
        header_text(cs, buf_slice(&plain), out);
        buf_free(&plain);
    }
}

/* What an address can hold without quotes: atoms, dots, UTF-8. */
static bool wants_quotes(struct slice local)
{
    static const uint8_t special[] = "\"(),:;<>@[\\]";
    for (size_t i = 0; i < local.len; i++)
        if (local.data[i] <= ' ' || local.data[i] == 127 ||
            memchr(special, local.data[i], sizeof special - 1))
            return true;
    return false;
}

void mailbox_local(const struct mailbox_parts *parts, struct buf *out)
{
    struct slice local = parts->local;
    struct buf plain;
    if (parts->plain_addr) {
        buf_add(out, local);
        return;
    }
    buf_init(&plain, local.len);
    unquote(local, true, &plain);
    struct slice text = buf_slice(&plain);
    bool quotes = wants_quotes(text) || (!text.len && local.len);
    if (quotes)
        buf_add_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (quotes && (text.data[i] == '"' || text.data[i] == '\\'))
            buf_add_byte(out, '\\');
        buf_add_byte(out, text.data[i]);
    }
    if (quotes)
        buf_add_byte(out, '"');
    buf_free(&plain);
}

void mailbox_domain(const struct mailbox_parts *parts, struct buf *out)
{
    size_t from = out->len;
    struct slice domain = parts->domain;
    if (parts->plain_addr)
        buf_add(out, domain);
    else
        unquote(domain, true, out);
    if (out->len > from && out->data[from] == '[')
        return;
    for (size_t i = from; i < out->len; i++)
        out->data[i] = byte_lower(out->data[i]);
}
