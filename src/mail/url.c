/* url.c: the host of a URL.
 * In: URLs. Out: hosts. Owns: nothing. Limits: HOST_MOST bytes of a host. Spec: RFC 3986 3.2, WHATWG URL,
 * "host parsing" and "IPv4 parser". */
#include "mail/url.h"

#include "base/net.h"
#include "mail/charset.h"
#include "mail/domain.h"
#include "mail/url_parts.h"

enum { HOST_MOST = 1024 };

static bool is_slash(uint8_t c)
{
    return c == '/' || c == '\\';
}

/* Behind the scheme and all slashes; 0: another scheme. */
static size_t authority_begin(struct slice url)
{
    static const char *const schemes[] = {"http:", "https:", "ftp:"};
    size_t at = 0;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes && !at; i++)
        if (slice_case_starts(url, schemes[i]))
            at = strlen(schemes[i]);
    while (at < url.len && is_slash(url.data[at]))
        at++;
    return at;
}

struct slice url_behind_last(struct slice text, uint8_t c)
{
    size_t at = text.len;
    while (at && text.data[at - 1] != c)
        at--;
    return slice_sub(text, at, text.len);
}

struct url_parts url_parts(struct slice url)
{
    size_t from = authority_begin(url), to = from;
    while (to < url.len && !is_slash(url.data[to]) && url.data[to] != '?' && url.data[to] != '#')
        to++;
    struct slice host = slice_sub(url, from, to);
    host = url_behind_last(host, '@');
    size_t end = host.len;
    if (host.len && host.data[0] == '[')
        end = slice_index(host, ']') + 1;
    else
        end = slice_index(host, ':');
    struct url_parts parts = {.host = slice_sub(host, 0, end), .rest = slice_sub(url, to, url.len)};
    size_t query = slice_index(parts.rest, '?');
    parts.path = slice_sub(parts.rest, 0, query);
    parts.query = slice_sub(parts.rest, query + 1, parts.rest.len);
    parts.query = slice_sub(parts.query, 0, slice_index(parts.query, '#'));
    return parts;
}

static int hex_of(uint8_t c)
{
    if (byte_is_digit(c))
        return c - '0';
    c = byte_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void url_percent(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = text.data[i] == '%' && i + 2 < text.len ? hex_of(text.data[i + 1]) : -1;
        int low = high >= 0 ? hex_of(text.data[i + 2]) : -1;
        buf_add_byte(out, low >= 0 ? (uint8_t)(high << 4 | low) : text.data[i]);
        i += low >= 0 ? 2 : 0;
    }
}

/* One number of an IPv4 address: decimal, octal or hexadecimal. */
static bool read_number(struct slice s, uint64_t *ret)
{
    unsigned base = 10;
    uint64_t v = 0;
    if (s.len > 1 && s.data[0] == '0') {
        base = (s.data[1] | 32) == 'x' ? 16 : 8;
        s = slice_sub(s, base == 16 ? 2 : 1, s.len);
    }
    for (size_t i = 0; i < s.len; i++) {
        int digit = hex_of(s.data[i]);
        if (digit < 0 || (unsigned)digit >= base)
            return false;
        v = v > UINT32_MAX ? v : v * base + (unsigned)digit;
    }
    *ret = v;
    return s.len || base == 16;
}

static struct slice last_label(struct slice host)
{
    return url_behind_last(host, '.');
}

/* A host that ends with a number is an IPv4 address, or none. */
static bool ends_with_number(struct slice host)
{
    uint64_t v;
    struct slice last = last_label(host);
    size_t digits = 0;
    while (digits < last.len && byte_is_digit(last.data[digits]))
        digits++;
    return last.len && (digits == last.len || read_number(last, &v));
}

static bool read_ipv4(struct slice host, struct buf *out)
{
    uint64_t parts[4], address = 0;
    size_t n = 0;
    while (host.data && n < 4) {
        size_t dot = slice_index(host, '.');
        if (!dot || !read_number(slice_sub(host, 0, dot), &parts[n++]))
            return false;
        host = dot < host.len ? slice_sub(host, dot + 1, host.len) : (struct slice){NULL, 0};
    }
    if (host.data || !n)
        return false;
    for (size_t i = 0; i + 1 < n; i++) {
        if (parts[i] > 255)
            return false;
        address |= parts[i] << (24 - 8 * i);
    }
    if (parts[n - 1] >> (8 * (5 - n)))
        return false;
    address |= parts[n - 1];
    return buf_printf(out, "%u.%u.%u.%u", (unsigned)(address >> 24), (unsigned)(address >> 16 & 255),
                      (unsigned)(address >> 8 & 255), (unsigned)(address & 255));
}

static bool read_ipv6(struct slice host, struct buf *out)
{
    char text[ADDRESS_TEXT];
    struct address a;
    if (host.len < 3 || host.data[host.len - 1] != ']' ||
        !address_parse(slice_sub(host, 1, host.len - 1), &a))
        return false;
    return buf_add(out, (struct slice){(uint8_t *)text, address_text(&a, text)});
}

/* Only such bytes stand in names, dots between them. */
static bool is_name(struct slice host)
{
    uint8_t before = '.';
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.data[i];
        bool letter = (uint8_t)(c - 'a') < 26 || byte_is_digit(c) || c >= 0x80;
        if (!letter && c != '-' && c != '_' && (c != '.' || before == '.'))
            return false;
        before = c;
    }
    return host.len > 0;
}

/* Small letters, without dots at the end; false where it is too long. */
static bool read_host(struct slice host, struct buf *out)
{
    buf_clear(out);
    if (host.len > HOST_MOST)
        return false;
    url_percent(host, out);
    while (out->len && out->data[out->len - 1] == '.')
        out->len--;
    for (size_t i = 0; i < out->len; i++)
        out->data[i] = byte_lower(out->data[i]);
    return out->len;
}

static void read_name(struct slice host, struct buf *ascii, struct buf *unicode)
{
    enum domain_kind kind = domain_forms(host, ascii, unicode);
    if (slice_eq(buf_slice(ascii), buf_slice(unicode)))
        buf_clear(unicode);
    if (kind == DOMAIN_IDN)
        return;
    if (ascii_only(host))
        buf_add(ascii, host);
    else
        utf8_read(host, unicode);
}

bool url_host(struct slice url, struct buf *ascii, struct buf *unicode)
{
    uint8_t room[HOST_MOST];
    struct buf host = {.data = room, .room = sizeof room, .max = sizeof room};
    struct slice found = url_parts(url).host;
    buf_clear(ascii);
    buf_clear(unicode);
    if (found.len && found.data[0] == '[')
        return read_ipv6(found, ascii);
    if (!read_host(found, &host))
        return false;
    if (ends_with_number(buf_slice(&host)))
        return read_ipv4(buf_slice(&host), ascii);
    if (!is_name(buf_slice(&host)))
        return false;
    /* "www.example" alone is no URL where no scheme says so. */
    if (slice_case_starts(url, "www.") && slice_index(slice_sub(found, 4, found.len), '.') + 4 >= found.len)
        return false;
    read_name(buf_slice(&host), ascii, unicode);
    return true;
}

/* Names of one organisation are no others; of addresses each is. */
static bool same_owner(struct slice a, struct slice b)
{
    enum domain_likeness like = domain_compare(a, b);
    return like == DOMAIN_SAME || (like == DOMAIN_RELATED && !ends_with_number(a) && !ends_with_number(b));
}

/* "example.com", "example.com/page": a word that is a host by its last label, and no file's name. */
static bool is_bare_host(struct slice label)
{
    static const char *const last[] = {"com", "net", "org", "info", "biz", "edu", "gov", "mil", "int"};
    for (size_t i = 0; i < label.len; i++)
        if (label.data[i] <= ' ' || label.data[i] == '@')
            return false;
    struct slice host = slice_sub(label, 0, slice_index(label, '/'));
    struct slice end = last_label(host);
    for (size_t i = 0; end.len < host.len && i < sizeof last / sizeof *last; i++)
        if (slice_case_eq(end, slice_str(last[i])))
            return true;
    return false;
}

bool url_label_other(struct slice label, struct slice host, struct slice unwrapped, struct buf *ascii,
                     struct buf *unicode)
{
    static const char *const begins[] = {"https://", "http://", "www."};
    size_t at = label.len;
    for (size_t i = 0; i < sizeof begins / sizeof *begins && at == label.len; i++)
        at = slice_case_find(label, begins[i]);
    if (at == label.len && !is_bare_host(label))
        return false;
    struct slice url = slice_sub(label, at == label.len ? 0 : at, label.len);
    url = slice_sub(url, 0, slice_index(url, ' '));
    if (!url_host(url, ascii, unicode) || !ascii->len)
        return false;
    struct slice shown = buf_slice(ascii);
    return !same_owner(shown, host) && !(unwrapped.len && same_owner(shown, unwrapped));
}
