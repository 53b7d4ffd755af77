/* url_unwrap.c: what URLs lead to that another program has wrapped.
 * In: URLs. Out: those in them. Owns: nothing beyond a call. Limits: URL_DEPTH of them in each other, and the
 * room of the result. Knowingly: those whose target only their owner knows stay as they are (Mimecast, and
 * all that count clicks). Spec: what the owners of these services have published or show. */
#include "mail/url.h"

#include "mail/transfer.h"
#include "mail/url_parts.h"

enum how {
    PARAM,     /* a parameter */
    DASHES,    /* one with '-' for '%' and '_' for '/' */
    BASE64,    /* one in base64 for URLs */
    BASE64_A1, /* the same behind "a1" */
    SEGMENT,   /* behind the path's last slash */
    STARS,     /* in the path, from "__" to "__;", stars for what stands behind that in base64 */
    BARS,      /* in the path, from "___" to "___." */
};

/* `host`: it, or what is below it; "google" for that label before any last ones. */
static const struct wrapper {
    const char *host, *path, *param;
    enum how how;
} wrappers[] = {
    {"safelinks.protection.outlook.com", "/", "url", PARAM},
    {"safelinks.protection.office365.us", "/", "url", PARAM},
    {"urldefense.com", "/v3/", "", STARS},
    {"urldefense.proofpoint.com", "/v2/", "u", DASHES},
    {"urldefense.proofpoint.com", "/v1/", "u", PARAM},
    {"urldefense.proofpoint.com", "/v3/", "", STARS},
    {"urldefense.us", "/v3/", "", STARS},
    {"urldefense.com", "/v2/", "u", DASHES},
    {"urldefense.com", "/v1/", "u", PARAM},
    {"google.*", "/url", "q", PARAM},
    {"google.*", "/url", "url", PARAM},
    {"linkprotect.cudasvc.com", "/url", "a", PARAM},
    {"secure-web.cisco.com", "/", "", SEGMENT},
    {"trendmicro.com", "/wis/clicktime/", "url", PARAM},
    {"linkedin.com", "/redir/", "url", PARAM},
    {"linkedin.com", "/safety/go", "url", PARAM},
    {"facebook.com", "/l.php", "u", PARAM},
    {"facebook.com", "/flx/warn/", "u", PARAM},
    {"l.instagram.com", "/", "u", PARAM},
    {"youtube.com", "/redirect", "q", PARAM},
    {"protection.sophos.com", "/", "u", BASE64},
    {"bing.com", "/ck/a", "u", BASE64_A1},
    {"fireeye.com", "/", "u", PARAM},
    {"protect.checkpoint.com", "/v2/", "", BARS},
    {"url.avanan.click", "/v2/", "", BARS},
    {"linklock.titanhq.com", "/analyse", "url", PARAM},
    {"link.edgepilot.com", "/s/", "u", PARAM},
    {"duckduckgo.com", "/l/", "uddg", PARAM},
};

static bool below(struct slice host, const char *name)
{
    size_t len = strlen(name);
    if (host.len < len || !slice_case_eq(slice_sub(host, host.len - len, host.len), slice_str(name)))
        return false;
    return host.len == len || host.data[host.len - len - 1] == '.';
}

static bool fits_host(struct slice host, const char *name)
{
    size_t len = strlen(name);
    if (name[len - 1] != '*')
        return below(host, name);
    if (slice_case_starts(host, "www."))
        host = slice_sub(host, 4, host.len);
    return slice_case_starts(host, "google.");
}

/* The value of the first parameter of that name. */
static struct slice param_of(struct slice query, const char *name)
{
    size_t len = strlen(name);
    while (query.len) {
        size_t end = slice_index(query, '&');
        struct slice param = slice_sub(query, 0, end);
        if (param.len > len && param.data[len] == '=' && slice_case_starts(param, name))
            return slice_sub(param, len + 1, param.len);
        query = slice_sub(query, end + 1, query.len);
        if (slice_case_starts(query, "amp;"))
            query = slice_sub(query, 4, query.len);
    }
    return query;
}

/* Decodes a text that has '_' for '/', and '-' for what is given. */
static void add_spelled(struct slice text, uint8_t dash, void (*decode)(struct slice, struct buf *),
                        struct buf *out)
{
    struct buf usual;
    buf_init(&usual, text.len);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        buf_add_byte(&usual, c == '-' ? dash : c == '_' ? '/' : c);
    }
    decode(buf_slice(&usual), out);
    buf_free(&usual);
}

static void add_base64(struct slice text, struct buf *out)
{
    add_spelled(text, '+', transfer_base64, out);
}

static void add_dashes(struct slice text, struct buf *out)
{
    add_spelled(text, '%', url_percent, out);
}

/* Bytes of the first `count` characters. */
static size_t characters(struct slice text, size_t count)
{
    size_t i = 0;
    while (i < text.len && count--)
        for (i++; i < text.len && (text.data[i] & 0xc0) == 0x80; i++)
            ;
    return i;
}

/* What two stars and this stand for: so many characters. */
static size_t run_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 2U;
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 28U;
    if (byte_is_digit(c))
        return c - '0' + 54U;
    return c == '-' ? 64 : c == '_' ? 65 : 1;
}

static void fill_stars(struct slice text, struct slice with, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '*') {
            buf_add_byte(out, text.data[i]);
            continue;
        }
        bool run = i + 2 < text.len && text.data[i + 1] == '*';
        size_t len = characters(with, run ? run_of(text.data[i + 2]) : 1);
        buf_add(out, slice_sub(with, 0, len));
        with = slice_sub(with, len, with.len);
        i += run ? 2 : 0;
    }
}

/* "https:/host": a slash is lost on the way. */
static void mend_slash(struct slice *text, struct buf *out)
{
    size_t colon = slice_index(*text, ':');
    if (colon + 2 < text->len && text->data[colon + 1] == '/' && text->data[colon + 2] != '/') {
        buf_add(out, slice_sub(*text, 0, colon + 2));
        buf_add_byte(out, '/');
        *text = slice_sub(*text, colon + 2, text->len);
    }
}

static void add_stars(struct slice rest, struct buf *out)
{
    size_t from = slice_find(rest, "/__") + 3, to = slice_find(slice_sub(rest, from, rest.len), "__;");
    if (from + to + 3 > rest.len)
        return;
    struct slice inner = slice_sub(rest, from, from + to), code = slice_sub(rest, from + to + 3, rest.len);
    struct buf plain, with;
    buf_init(&plain, inner.len);
    buf_init(&with, code.len);
    mend_slash(&inner, out);
    url_percent(inner, &plain);
    add_base64(slice_sub(code, 0, slice_index(code, '!')), &with);
    fill_stars(buf_slice(&plain), buf_slice(&with), out);
    buf_free(&plain);
    buf_free(&with);
}

static void add_between(struct slice rest, const char *begin, const char *end, struct buf *out)
{
    size_t from = slice_find(rest, begin) + strlen(begin);
    rest = slice_sub(rest, from, rest.len);
    buf_add(out, slice_sub(rest, 0, slice_find(rest, end)));
}

static void add_target(const struct wrapper *w, const struct url_parts *parts, struct buf *out)
{
    struct slice value = param_of(parts->query, w->param);
    switch (w->how) {
    case PARAM:
        url_percent(value, out);
        break;
    case DASHES:
        add_dashes(value, out);
        break;
    case BASE64:
        add_base64(value, out);
        break;
    case BASE64_A1:
        add_base64(slice_sub(value, 2, value.len), out);
        break;
    case SEGMENT:
        url_percent(url_behind_last(parts->rest, '/'), out);
        break;
    case STARS:
        add_stars(parts->rest, out);
        break;
    case BARS:
        add_between(parts->rest, "___", "___.", out);
        break;
    }
}

static bool is_url(struct slice text)
{
    return slice_case_starts(text, "http:/") || slice_case_starts(text, "https:/") ||
           slice_case_starts(text, "ftp:/");
}

/* One of them taken off. */
static bool unwrap_one(struct slice url, struct buf *out)
{
    struct url_parts parts = url_parts(url);
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++) {
        const struct wrapper *w = &wrappers[i];
        if (!fits_host(parts.host, w->host) || !slice_case_starts(parts.path, w->path))
            continue;
        buf_clear(out);
        add_target(w, &parts, out);
        if (is_url(buf_slice(out)))
            return true;
    }
    return false;
}

bool url_unwrap(struct slice url, struct buf *ret)
{
    struct buf next;
    bool any = false;
    buf_init(&next, ret->max);
    buf_clear(ret);
    for (int i = 0; i < URL_DEPTH && unwrap_one(any ? buf_slice(ret) : url, &next); i++) {
        buf_clear(ret);
        buf_add(ret, buf_slice(&next));
        any = true;
    }
    buf_free(&next);
    if (!any)
        buf_clear(ret);
    return any;
}
