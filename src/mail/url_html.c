/* url_html.c: URLs in HTML.
 * In: HTML, in any pieces. Out: struct url_event. Owns: one value of an attribute. Limits: url_bytes;
 * HTML_LABEL of what a link shows. Knowingly: relative URLs are not told, nor is <base> applied; a tag ends a
 * URL in what is read; what a link shows is told with the link alone, and only where it may name a host;
 * escapes of style sheets and scripts are not undone; the comments that only Outlook reads are read. Spec:
 * HTML, "tokenization". */
#include "mail/url.h"

#include "mail/reference.h"

enum state {
    TEXT,
    LT,     /* behind '<' */
    TAG,    /* amid its name */
    IN_TAG, /* where an attribute may begin */
    NAME,   /* amid its name */
    BEHIND_NAME,
    BEFORE_VALUE,
    VALUE,
    BANG,    /* behind "<!", `dashes` of them seen */
    COMMENT, /* `dashes`: that stand before this */
    SKIP,    /* up to '>' */
};

/* Where characters go. */
enum sink { NOWHERE, READ, LINK, SCAN };

void url_html_init(struct url_html *h, size_t url_bytes, url_fn *fn, void *ctx)
{
    *h = (struct url_html){.sink = READ};
    url_text_init(&h->text, url_bytes, fn, ctx);
    buf_init(&h->link, url_bytes);
}

void url_html_begin(struct url_html *h)
{
    struct url_text fresh = {.fn = h->text.fn, .ctx = h->text.ctx, .url = h->text.url};
    *h = (struct url_html){.sink = READ, .text = fresh, .link = h->link};
}

void url_html_free(struct url_html *h)
{
    url_text_free(&h->text);
    buf_free(&h->link);
}

static bool word_is(const struct html_word *w, const char *text)
{
    return w->len == strlen(text) && memcmp(w->text, text, w->len) == 0;
}

/* Of one that is too long the beginning: none that is known is as long. */
static inline void word_add(struct html_word *w, uint8_t c)
{
    if (w->len < HTML_WORD)
        w->text[w->len++] = byte_lower(c);
}

/* Bytes from `i` on that are no blanks or controls. */
static inline size_t solid(struct slice s, size_t i)
{
    size_t from = i;
    while (i < s.len && s.data[i] > ' ')
        i++;
    return i - from;
}

/* Blanks folded. */
static void show(struct url_html *h, struct slice text)
{
    for (size_t i = 0; i < text.len && h->label_len < HTML_LABEL; i++) {
        size_t run = solid(text, i), room = HTML_LABEL - h->label_len;
        run = run < room ? run : room;
        memcpy(h->label + h->label_len, text.data + i, run);
        h->label_len += run;
        i += run;
        bool blank = i < text.len && h->label_len && h->label_len < HTML_LABEL;
        if (blank && h->label[h->label_len - 1] != ' ')
            h->label[h->label_len++] = ' ';
    }
}

/* What browsers leave out of a URL: blanks at both ends, and line ends and tabs anywhere. */
static void add_link(struct url_html *h, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        size_t run = solid(text, i);
        h->link_cut |= run && !buf_add(&h->link, slice_sub(text, i, i + run));
        i += run;
        uint8_t c = i < text.len ? text.data[i] : '\n';
        if (c != '\t' && c != '\n' && c != '\r' && h->link.len)
            h->link_cut |= !buf_add_byte(&h->link, c);
    }
    /* A picture may be long. */
    if (h->link.len > 4 && slice_case_starts(buf_slice(&h->link), "data:"))
        h->sink = NOWHERE;
}

static void sink_text(struct url_html *h, struct slice text)
{
    if (!text.len)
        return;
    switch ((enum sink)h->sink) {
    case NOWHERE:
        break;
    case READ:
        if (h->in_link)
            show(h, text);
        else
            url_text_feed(&h->text, text);
        break;
    case LINK:
        add_link(h, text);
        break;
    case SCAN:
        url_text_feed(&h->text, text);
        break;
    }
}

/* The reference that is begun is over; `next` stands behind it. */
static void end_reference(struct url_html *h, uint8_t next)
{
    uint8_t out[REFERENCE_BYTES];
    size_t used = 0, len = h->reference.len - 1U;
    struct slice name = {h->reference.text + 1, len};
    bool ended = next == ';';
    h->reference.len = 0;
    size_t size = reference_read(name, ended, &used, out);
    /* "?a=1&copy=2" is no sign of copyright. */
    bool more = used < len || next == '=';
    if (size && more && name.data[0] != '#' && h->sink != READ)
        size = 0;
    if (!size) {
        sink_text(h, (struct slice){(const uint8_t *)"&", 1});
        used = 0;
    }
    sink_text(h, (struct slice){out, size});
    sink_text(h, slice_sub(name, used, len));
    if (ended && (!size || used < len))
        sink_text(h, (struct slice){&next, 1});
}

/* Adds to it what belongs to it; returns how much that is. */
static size_t take_reference(struct url_html *h, struct slice text)
{
    size_t i = 0;
    for (; i < text.len && h->reference.len < HTML_REFERENCE; i++) {
        uint8_t c = text.data[i], len = h->reference.len;
        bool letter = (uint8_t)((c | 32) - 'a') < 26, digit = byte_is_digit(c);
        if (!letter && !digit && !(c == '#' && len == 1))
            break;
        /* Zeros before a number can be any number. */
        uint8_t last = h->reference.text[len - 1];
        if (c == '0' && (last == '#' || (len == 3 && (last | 32) == 'x' && h->reference.text[1] == '#')))
            continue;
        h->reference.text[h->reference.len++] = c;
    }
    if (i == text.len)
        return i;
    end_reference(h, text.data[i]);
    return i + (text.data[i] == ';');
}

/* Characters, as written. */
static void characters(struct url_html *h, struct slice text)
{
    while (text.len) {
        if (h->reference.len) {
            text = slice_sub(text, take_reference(h, text), text.len);
            continue;
        }
        size_t amp = h->sink == NOWHERE ? text.len : slice_index(text, '&');
        sink_text(h, slice_sub(text, 0, amp));
        if (amp < text.len) {
            h->reference.text[0] = '&';
            h->reference.len = 1;
        }
        text = slice_sub(text, amp + 1, text.len);
    }
}

/* Whatever was open ends here. */
static void settle(struct url_html *h)
{
    if (h->reference.len)
        end_reference(h, 0);
    url_text_end(&h->text);
}

static void tell(struct url_html *h, enum url_kind kind, struct slice text, bool cut)
{
    struct url_event ev = {kind, URL_OF_HTML, text, cut};
    h->text.fn(h->text.ctx, &ev);
}

static void end_link(struct url_html *h)
{
    if (h->in_link && h->label_len) {
        struct slice label = slice_trim((struct slice){h->label, h->label_len});
        if (slice_index(label, '.') < label.len)
            tell(h, URL_LABEL, label, h->label_len == HTML_LABEL);
    }
    h->in_link = false;
    h->label_len = 0;
}

static void begin_text(struct url_html *h)
{
    bool raw = h->raw.len;
    h->state = TEXT;
    h->sink = raw ? SCAN : READ;
    h->text.quoted = raw;
    h->text.source = raw ? URL_OF_HTML : URL_OF_TEXT;
}

static void begin_tag(struct url_html *h)
{
    h->state = TAG;
    h->tag.len = 0;
}

static void end_tag(struct url_html *h)
{
    if (h->raw.len) {
        /* Only its own end leads out of it. */
        if (h->closing && h->tag.len == h->raw.len && memcmp(h->tag.text, h->raw.text, h->raw.len) == 0)
            h->raw.len = 0;
    } else if (!h->closing && (word_is(&h->tag, "script") || word_is(&h->tag, "style"))) {
        h->raw = h->tag;
    } else if (h->closing && word_is(&h->tag, "a")) {
        end_link(h);
    }
    begin_text(h);
}

/* What an attribute's value is. */
static enum sink sink_of(const struct url_html *h)
{
    static const char *const links[] = {"href", "src",    "action",     "background", "formaction",
                                        "data", "poster", "xlink:href", "longdesc",   "cite"};
    if (h->closing || h->raw.len)
        return NOWHERE;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (word_is(&h->name, links[i]))
            return LINK;
    if (word_is(&h->name, "style") || word_is(&h->name, "srcset") || word_is(&h->name, "imagesrcset"))
        return SCAN;
    return word_is(&h->name, "content") && word_is(&h->tag, "meta") ? SCAN : NOWHERE;
}

static void begin_value(struct url_html *h, uint8_t quote)
{
    h->state = VALUE;
    h->quote = quote;
    h->sink = sink_of(h);
    h->text.quoted = true;
    h->text.source = URL_OF_HTML;
    buf_clear(&h->link);
    h->link_cut = false;
}

/* A relative one is not told, but for those without a scheme alone. */
static bool is_absolute(struct slice url)
{
    bool slashes = url.len > 2 && (url.data[0] == '/' || url.data[0] == '\\') &&
                   (url.data[1] == '/' || url.data[1] == '\\');
    return slashes || slice_case_starts(url, "http:") || slice_case_starts(url, "https:") ||
           slice_case_starts(url, "ftp:") || slice_case_starts(url, "www.");
}

static void end_value(struct url_html *h)
{
    settle(h);
    h->state = IN_TAG;
    struct slice url = slice_trim(buf_slice(&h->link));
    if (h->sink != LINK || !is_absolute(url))
        return;
    bool is_link = word_is(&h->name, "href") && (word_is(&h->tag, "a") || word_is(&h->tag, "area"));
    if (is_link)
        end_link(h);
    tell(h, URL_FOUND, url, h->link_cut);
    h->in_link |= is_link;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* Each takes some of what is there, or enters another state, and returns how much it took. */
static size_t in_text(struct url_html *h, struct slice s)
{
    size_t lt = slice_index(s, '<');
    struct slice text = slice_sub(s, 0, lt);
    /* There are no references in what is no HTML. */
    if (h->raw.len)
        sink_text(h, text);
    else
        characters(h, text);
    if (lt == s.len)
        return lt;
    settle(h);
    h->state = LT;
    h->closing = false;
    return lt + 1;
}

static size_t behind_lt(struct url_html *h, struct slice s)
{
    uint8_t c = s.data[0];
    bool letter = (uint8_t)((c | 32) - 'a') < 26;
    if (c == '/' && !h->closing) {
        h->closing = true;
        return 1;
    }
    if (letter && (h->closing || !h->raw.len)) {
        begin_tag(h);
    } else if ((c == '!' || c == '?') && !h->closing && !h->raw.len) {
        h->state = c == '!' ? BANG : SKIP;
        h->dashes = 0;
        return 1;
    } else {
        begin_text(h);
    }
    return 0;
}

static size_t in_tag_name(struct url_html *h, struct slice s)
{
    size_t i = 0;
    for (; i < s.len && !is_space(s.data[i]) && s.data[i] != '/' && s.data[i] != '>'; i++)
        word_add(&h->tag, s.data[i]);
    if (i < s.len)
        h->state = IN_TAG;
    return i;
}

static size_t in_tag(struct url_html *h, struct slice s)
{
    size_t i = 0;
    while (i < s.len && (is_space(s.data[i]) || s.data[i] == '/'))
        i++;
    if (i == s.len)
        return i;
    if (s.data[i] == '>') {
        end_tag(h);
        return i + 1;
    }
    h->name.len = 0;
    word_add(&h->name, s.data[i]);
    h->state = NAME;
    return i + 1;
}

static size_t in_name(struct url_html *h, struct slice s)
{
    size_t i = 0;
    for (; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (is_space(c) || c == '/' || c == '>' || c == '=')
            break;
        word_add(&h->name, c);
    }
    if (i < s.len)
        h->state = BEHIND_NAME;
    return i;
}

static size_t behind_name(struct url_html *h, struct slice s)
{
    size_t i = 0;
    while (i < s.len && is_space(s.data[i]))
        i++;
    if (i == s.len)
        return i;
    h->state = s.data[i] == '=' ? BEFORE_VALUE : IN_TAG;
    return i + (s.data[i] == '=');
}

static size_t before_value(struct url_html *h, struct slice s)
{
    size_t i = 0;
    while (i < s.len && is_space(s.data[i]))
        i++;
    if (i == s.len)
        return i;
    if (s.data[i] == '>') {
        h->state = IN_TAG;
        return i;
    }
    bool quoted = s.data[i] == '"' || s.data[i] == '\'';
    begin_value(h, quoted ? s.data[i] : 0);
    return i + quoted;
}

static size_t in_value(struct url_html *h, struct slice s)
{
    size_t end = 0;
    if (h->quote)
        end = slice_index(s, h->quote);
    while (!h->quote && end < s.len && !is_space(s.data[end]) && s.data[end] != '>')
        end++;
    characters(h, slice_sub(s, 0, end));
    if (end == s.len)
        return end;
    bool quoted = h->quote;
    end_value(h);
    return end + quoted;
}

/* "<!--" begins a comment, "<!--[if mso]>" none for Outlook. */
static size_t behind_bang(struct url_html *h, struct slice s)
{
    uint8_t c = s.data[0];
    if (h->dashes < 2 && c == '-') {
        h->dashes++;
        return 1;
    }
    h->state = h->dashes == 2 && c != '[' ? COMMENT : SKIP;
    return 0;
}

static size_t in_comment(struct url_html *h, struct slice s)
{
    uint8_t c = s.data[0];
    if (c == '>' && h->dashes > 1) {
        begin_text(h);
        return 1;
    }
    if (c == '-') {
        h->dashes = h->dashes ? 2 : 1;
        return 1;
    }
    /* "--!>" ends it too. */
    if (c == '!' && h->dashes > 1) {
        h->dashes = 3;
        return 1;
    }
    h->dashes = 0;
    return slice_index(s, '-');
}

static size_t skip(struct url_html *h, struct slice s)
{
    size_t gt = slice_index(s, '>');
    if (gt == s.len)
        return gt;
    begin_text(h);
    return gt + 1;
}

void url_html_feed(struct url_html *h, struct slice text)
{
    static size_t (*const steps[])(struct url_html *, struct slice) = {
        [TEXT] = in_text,     [LT] = behind_lt,
        [TAG] = in_tag_name,  [IN_TAG] = in_tag,
        [NAME] = in_name,     [BEHIND_NAME] = behind_name,
        [VALUE] = in_value,   [BEFORE_VALUE] = before_value,
        [BANG] = behind_bang, [COMMENT] = in_comment,
        [SKIP] = skip,
    };
    size_t i = 0;
    while (i < text.len)
        i += steps[h->state](h, slice_sub(text, i, text.len));
}

void url_html_end(struct url_html *h)
{
    if (h->state == VALUE)
        end_value(h);
    settle(h);
    end_link(h);
    h->raw.len = h->tag.len = h->name.len = 0;
    h->closing = false;
    begin_text(h);
}
