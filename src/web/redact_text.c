/* redact_text.c: a text without persons.
 * In: text. Out: text. Owns: nothing. Time is linear. Knowingly: rather too much goes than too little:
 * whatever stands before an @ counts as a local part, and a name that no @ follows is not known as one, so
 * texts of strangers that are not addresses go whole (redact.def). */
#include "web/redact.h"

#include "base/utf8.h"

static const char STARS[] = "***";

/* Bytes of the @ that `s` begins with, in its forms: plain, as URLs have it, and of full width; else 0. */
static size_t at_sign(struct slice s)
{
    if (s.len && s.data[0] == '@')
        return 1;
    if (s.len > 2 && s.data[0] == '%' && s.data[1] == '4' && s.data[2] == '0')
        return 3;
    static const uint8_t full[] = {0xef, 0xbc, 0xa0}, small[] = {0xef, 0xb9, 0xab};
    return s.len > 2 && (memcmp(s.data, full, 3) == 0 || memcmp(s.data, small, 3) == 0) ? 3 : 0;
}

/* What may stand in a local part without quotes, and more: whatever ends no word. */
static bool is_local(uint8_t c)
{
    return c > ' ' && c != 0x7f && !strchr("\"(),:;<>@[]\\", c);
}

/* Where the quote that ends before `end` was opened, not before `from`; those behind a backslash are text. */
static size_t quote_start(struct slice s, size_t from, size_t end)
{
    size_t i = end - 1;
    while (i > from && !(s.data[i - 1] == '"' && (i < 2 || s.data[i - 2] != '\\')))
        i--;
    return i > from ? i - 1 : from;
}

/* Of an even number of quotes the last one closes. */
static bool is_closed(struct slice s, size_t from, size_t end)
{
    bool even = true;
    for (size_t i = from; i < end; i++)
        even ^= s.data[i] == '"';
    return even;
}

/* Where the local part that ends before `end` begins, not before `from`: words and quoted texts in a row. */
static size_t local_start(struct slice s, size_t from, size_t end)
{
    size_t i = end;
    if (i > from && s.data[i - 1] == '"')
        i = quote_start(s, from, i);
    bool closed = is_closed(s, from, i);
    while (i > from) {
        if (is_local(s.data[i - 1])) {
            i--;
        } else if (s.data[i - 1] == '"' && closed) {
            size_t start = quote_start(s, from, i);
            closed = closed == is_closed(s, start, i);
            i = start;
        } else {
            break;
        }
    }
    return i;
}

static void search(struct slice s, struct buf *out)
{
    size_t done = 0;
    for (size_t i = 0; i < s.len; i++) {
        size_t at = at_sign(slice_sub(s, i, s.len)), end = i;
        if (!at)
            continue;
        while (end > done && byte_is_blank(s.data[end - 1]))
            end--;
        size_t start = local_start(s, done, end);
        buf_add(out, slice_sub(s, done, start));
        if (start < end)
            buf_add_str(out, STARS);
        buf_add(out, slice_sub(s, end, i + at));
        done = i + at;
        i = done - 1;
    }
    buf_add(out, slice_sub(s, done, s.len));
}

/* What a domain is made of; an address in brackets too. */
static size_t domain_length(struct slice s)
{
    size_t n = 0;
    while (n < s.len &&
           (s.data[n] >= 0x80 || byte_is_digit(s.data[n]) || strchr("-._[]:", s.data[n]) ||
            (byte_lower(s.data[n]) >= 'a' && byte_lower(s.data[n]) <= 'z')) &&
           s.data[n] && !at_sign(slice_sub(s, n, s.len)))
        n++;
    return n;
}

static void put_address(struct slice s, struct buf *out)
{
    size_t last = s.len, behind = 0;
    for (size_t i = 0; i < s.len; i++) {
        size_t at = at_sign(slice_sub(s, i, s.len));
        if (at) {
            last = i;
            behind = i + at;
        }
    }
    if (slice_eq(s, slice_str("<>"))) {
        buf_add(out, s);
        return;
    }
    buf_add_str(out, STARS);
    if (last == s.len)
        return;
    struct slice domain = slice_sub(s, behind, s.len);
    buf_add_byte(out, '@');
    buf_add(out, slice_sub(domain, 0, domain_length(domain)));
}

/* The domain behind every @. */
static void put_mailboxes(struct slice s, struct buf *out)
{
    bool some = false;
    for (size_t i = 0; i < s.len; i++) {
        size_t at = at_sign(slice_sub(s, i, s.len));
        struct slice rest = slice_sub(s, i + at, s.len);
        size_t len = at ? domain_length(rest) : 0;
        if (!len)
            continue;
        buf_add_str(out, some ? ", ***@" : "***@");
        buf_add(out, slice_sub(rest, 0, len));
        some = true;
        i += at + len - 1;
    }
    if (!some)
        buf_add_str(out, STARS);
}

/* The last extension, where it looks like one. */
static void put_file(struct slice s, struct buf *out)
{
    enum { LONGEST = 8 };
    size_t dot = s.len;
    while (dot && s.len - dot <= LONGEST && s.data[dot - 1] != '.')
        dot--;
    struct slice extension = slice_sub(s, dot, s.len);
    bool good = dot && s.data[dot - 1] == '.' && extension.len && extension.len <= LONGEST;
    for (size_t i = 0; i < extension.len && good; i++) {
        uint8_t c = byte_lower(extension.data[i]);
        good = byte_is_digit(c) || (c >= 'a' && c <= 'z');
    }
    buf_add_str(out, STARS);
    if (good) {
        buf_add_byte(out, '.');
        buf_add(out, extension);
    }
}

/* Length of "https" in "https://..."; 0: there is no such beginning. */
static size_t scheme_length(struct slice s)
{
    size_t n = 0;
    while (n < s.len && n < 16 && byte_lower(s.data[n]) >= 'a' && byte_lower(s.data[n]) <= 'z')
        n++;
    return n && n < s.len && s.data[n] == ':' ? n : 0;
}

static void put_url(struct slice s, struct buf *out)
{
    size_t scheme = scheme_length(s);
    struct slice rest = scheme ? slice_sub(s, scheme + 1, s.len) : s;
    size_t slashes = 0;
    while (slashes < rest.len && (rest.data[slashes] == '/' || rest.data[slashes] == '\\'))
        slashes++;
    buf_add(out, slice_sub(s, 0, scheme + (scheme > 0)));
    if (scheme && !slashes) {
        /* mailto: and the like. */
        put_mailboxes(slice_sub(rest, 0, slice_index(rest, '?')), out);
        return;
    }
    if (scheme)
        buf_add_str(out, "//");
    rest = slice_sub(rest, slashes, rest.len);
    size_t end = 0;
    while (end < rest.len && !strchr("/\\?#", rest.data[end]))
        end++;
    struct slice host = slice_sub(rest, 0, end);
    for (size_t i = 0; i < host.len;) {
        size_t at = at_sign(slice_sub(host, i, host.len));
        if (at)
            host = slice_sub(host, i + at, host.len);
        i = at ? 0 : i + 1;
    }
    size_t len = domain_length(host);
    buf_add(out, slice_sub(host, 0, len));
    if (!len || end < rest.len || len < host.len)
        buf_add_str(out, len ? "/***" : STARS);
}

void redact_text(enum redact_how how, struct slice s, struct buf *out)
{
    size_t equals = slice_index(s, '=');
    if (!s.len)
        return;
    switch (how) {
    case REDACT_TEXT:
        search(s, out);
        break;
    case REDACT_ADDRESS:
        put_address(s, out);
        break;
    case REDACT_MAILBOXES:
        put_mailboxes(s, out);
        break;
    case REDACT_WHOLE:
        buf_add_str(out, STARS);
        break;
    case REDACT_FILE:
        put_file(s, out);
        break;
    case REDACT_URL:
        put_url(s, out);
        break;
    case REDACT_PROPERTY:
        /* Without one all of it is searched. */
        equals = equals < s.len ? equals + 1 : 0;
        buf_add(out, slice_sub(s, 0, equals));
        search(slice_sub(s, equals, s.len), out);
        break;
    }
}
