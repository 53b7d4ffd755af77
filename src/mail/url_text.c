/* url_text.c: URLs in plain text.
 * In: text, in any pieces. Out: struct url_event. Owns: one URL. Limits: url_bytes. Knowingly: text is read
 * as if ASCII were part of its charset, so that in UTF-16 and UTF-7 nothing is found; a URL that a line's end
 * cuts is its beginning. Spec: RFC 3986 appendix C, and what mail programs make links of. */
#include "mail/url.h"

#include <endian.h>
#include "mail/lanes.h"

/* What ends a URL; what more does amid quotes; what must be looked at. */
enum { ENDS = 1, ENDS_QUOTED = 2, LOOKED_AT = 4 };
static const uint8_t kinds[128] = {
    ['<'] = ENDS,      ['>'] = ENDS,         ['"'] = ENDS,        ['`'] = ENDS,
    ['\\'] = ENDS,     ['\''] = ENDS_QUOTED, ['('] = ENDS_QUOTED, [')'] = ENDS_QUOTED,
    ['['] = LOOKED_AT, [']'] = LOOKED_AT,    [0x7f] = ENDS,
};

static inline uint8_t kind_of(uint8_t c)
{
    return c <= ' ' ? ENDS : c < 0x80 ? kinds[c] : LOOKED_AT;
}

void url_text_init(struct url_text *t, size_t url_bytes, url_fn *fn, void *ctx)
{
    *t = (struct url_text){.fn = fn, .ctx = ctx};
    buf_init(&t->url, url_bytes);
}

void url_text_free(struct url_text *t)
{
    buf_free(&t->url);
}

/* The second of two slashes or two letters w in each lane, all of which have a byte before them. */
LANES_INLINE void pairs_in(lanes *hits, const uint8_t *p)
{
    lanes here, before;
    lanes_load(&here, p);
    lanes_load(&before, p - 1);
    here |= 32;
    *hits |= (lanes)(here == (before | 32)) & ((lanes)(here == '/') | (lanes)(here == 'w'));
}

static inline bool is_pair(const uint8_t *p)
{
    return (*p == '/' && p[-1] == '/') || ((*p | 32) == 'w' && (p[-1] | 32) == 'w');
}

/* Where in text[from...] the second of such two stands; text.len: nowhere. from > 0. */
WIDE static size_t next_pair(struct slice text, size_t from)
{
    const uint8_t *p = text.data + from, *end = text.data + text.len;
    for (; end - p >= 4 * LANES; p += 4 * LANES) {
        lanes hits = {0};
        pairs_in(&hits, p);
        pairs_in(&hits, p + LANES);
        pairs_in(&hits, p + 2 * LANES);
        pairs_in(&hits, p + 3 * LANES);
        if (lanes_any(&hits))
            break;
    }
    for (; end - p >= LANES; p += LANES) {
        lanes hits = {0};
        pairs_in(&hits, p);
        if (lanes_any(&hits))
            break;
    }
    while (p < end && !is_pair(p))
        p++;
    return (size_t)(p - text.data);
}

static void remember(struct url_text *t, struct slice text)
{
    if (text.len >= 8) {
        memcpy(&t->before, text.data + text.len - 8, 8);
        t->before = be64toh(t->before);
        return;
    }
    for (size_t i = 0; i < text.len; i++)
        t->before = t->before << 8 | text.data[i];
}

/* `len` of the last bytes begin a URL. */
static void begin(struct url_text *t, unsigned len)
{
    buf_clear(&t->url);
    t->begun = len;
    t->open = true;
    t->cut = false;
    t->brackets = 0;
    while (len--)
        buf_add_byte(&t->url, (uint8_t)(t->before >> 8 * len));
}

static bool is_letter(uint8_t c)
{
    return (uint8_t)((c | 32) - 'a') < 26;
}

/* Behind "://". */
static bool begin_scheme(struct url_text *t)
{
    uint64_t word = (t->before >> 24 | 0x2020202020) & 0xffffffffff;
    if (word == 0x6874747073) /* https */
        begin(t, 8);
    else if ((word & 0xffffffff) == 0x68747470) /* http */
        begin(t, 7);
    else if ((word & 0xffffff) == 0x667470 && !is_letter((uint8_t)(word >> 24))) /* ftp, but not sftp */
        begin(t, 6);
    return t->open;
}

/* Behind "www.", where no longer name or address has it. */
static bool begin_www(struct url_text *t)
{
    uint8_t c = (uint8_t)(t->before >> 32);
    if (!is_letter(c) && !byte_is_digit(c) && c != '.' && c != '-' && c != '_' && c != '@')
        begin(t, 4);
    return t->open;
}

/* True: with it a URL begins. */
static inline bool step(struct url_text *t, uint8_t c)
{
    t->before = t->before << 8 | c;
    if (c == '/' && (t->before & 0xffffff) == 0x3a2f2f)
        return begin_scheme(t);
    if (c == '.' && ((t->before | 0x20202000) & 0xffffffff) == 0x7777772e)
        return begin_www(t);
    return false;
}

/* Takes text up to where a URL has begun. */
static size_t seek(struct url_text *t, struct slice text)
{
    size_t at = 0;
    for (;;) {
        /* The dot of "www." is the third from its second letter on, which may be one that was fed before. */
        for (size_t stop = at + 3; at < text.len && (at < stop || (t->before | 32) % 256 == 'w'); at++)
            if (step(t, text.data[at]))
                return at + 1;
        if (at == text.len)
            return at;
        size_t from = at;
        at = next_pair(text, from);
        remember(t, slice_sub(text, from, at));
    }
}

/* Blanks, quotes and punctuation beyond ASCII, the last bytes of `s`; 0: none of them. */
static size_t wide_end(struct slice s)
{
    const uint8_t *p = s.data + s.len;
    if (s.len >= 2 && p[-2] == 0xc2 && (p[-1] == 0xa0 || p[-1] == 0xab || p[-1] == 0xbb))
        return 2;
    if (s.len < 3)
        return 0;
    if (p[-3] == 0xe3 && p[-2] == 0x80)
        return 3;
    bool general = p[-3] == 0xe2 && p[-2] == 0x80;
    if (general && (p[-1] <= 0x8b || (p[-1] >= 0x98 && p[-1] <= 0x9f) || p[-1] == 0xa8 || p[-1] == 0xa9 ||
                    p[-1] == 0xaf || p[-1] == 0xb9 || p[-1] == 0xba))
        return 3;
    static const uint8_t full[] = {0x81, 0x88, 0x89, 0x8c, 0x9a, 0x9b, 0x9f};
    return p[-3] == 0xef && p[-2] == 0xbc && memchr(full, p[-1], sizeof full) ? 3 : 0;
}

static void add(struct url_text *t, struct slice text)
{
    t->cut |= !buf_add(&t->url, text);
}

/* A byte that may end the URL. True: it does. */
static bool look_at(struct url_text *t, uint8_t c)
{
    if (c == ']' && !t->brackets)
        return true;
    t->brackets += c == '[';
    t->brackets -= c == ']';
    add(t, (struct slice){&c, 1});
    if (c < 0x80 || t->cut)
        return false;
    size_t end = wide_end(buf_slice(&t->url));
    t->url.len -= end;
    return end > 0;
}

/* Punctuation behind it, and what closes a bracket that it does not open, are of the text around it. Amid
 * quotes only a comma is, as in srcset. */
static struct slice trimmed(struct slice url, bool quoted)
{
    long open[2] = {0, 0};
    const char *marks = quoted ? "," : ".,;:!?'*";
    for (size_t i = 0; i < url.len; i++) {
        open[0] += (url.data[i] == '(') - (url.data[i] == ')');
        open[1] += (url.data[i] == '{') - (url.data[i] == '}');
    }
    for (; url.len; url.len--) {
        uint8_t c = url.data[url.len - 1];
        bool unopened = (c == ')' && open[0] < 0) || (c == '}' && open[1] < 0);
        if (!unopened && !memchr(marks, c, strlen(marks)))
            break;
        open[0] += c == ')';
        open[1] += c == '}';
    }
    return url;
}

void url_text_end(struct url_text *t)
{
    t->before = 0;
    if (!t->open)
        return;
    t->open = false;
    struct slice url = t->cut ? buf_slice(&t->url) : trimmed(buf_slice(&t->url), t->quoted);
    if (url.len <= t->begun)
        return;
    struct url_event ev = {URL_FOUND, t->source, url, t->cut};
    t->fn(t->ctx, &ev);
}

/* Takes what belongs to the open URL, and ends it where it ends. */
static size_t take(struct url_text *t, struct slice text)
{
    uint8_t ends = t->quoted ? ENDS | ENDS_QUOTED : ENDS, stops = ends | LOOKED_AT;
    size_t from = 0, at = 0;
    for (;;) {
        while (at < text.len && !(kind_of(text.data[at]) & stops))
            at++;
        add(t, slice_sub(text, from, at));
        if (at == text.len)
            return at;
        uint8_t c = text.data[at];
        if (kind_of(c) & ends || look_at(t, c)) {
            url_text_end(t);
            return at + 1;
        }
        from = ++at;
    }
}

void url_text_feed(struct url_text *t, struct slice text)
{
    size_t i = 0;
    while (i < text.len) {
        struct slice rest = slice_sub(text, i, text.len);
        i += t->open ? take(t, rest) : seek(t, rest);
    }
}
