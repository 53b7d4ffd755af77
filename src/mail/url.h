/* URLs of http, https and ftp: where the text and the HTML of a mail have them, and what they lead to. Pure.
 */
#ifndef MAIL_URL_H
#define MAIL_URL_H

#include "base/buf.h"

enum url_kind {
    URL_FOUND, /* a URL */
    URL_LABEL, /* what the link of the last URL_FOUND that came from HTML shows, where it may name a host */
};
enum url_source {
    URL_OF_TEXT, /* it stands in what is read */
    URL_OF_HTML, /* in an attribute, a style sheet or a script */
};

struct url_event {
    enum url_kind kind;
    enum url_source source;
    struct slice text; /* FOUND: as it stands there, but for transfer encodings, references to characters and
                          what browsers leave out. LABEL: blanks folded. Bytes of any charset */
    bool cut;          /* over a limit: its beginning */
};
typedef void url_fn(void *ctx, const struct url_event *ev); /* slices die on return */

/* Plain text. */
struct url_text {
    url_fn *fn;
    void *ctx;
    enum url_source source;
    bool quoted;    /* it is of a program or a style sheet: quotes and parentheses end a URL too */
    struct buf url; /* the one that is open, so far */
    bool open, cut;
    unsigned begun;    /* bytes of it that made it one */
    uint32_t brackets; /* open square ones in it */
    uint64_t before;   /* the last eight bytes, the newest lowest */
};

/* `url_bytes`: the most of one URL that is told. `fn` and `ctx` are borrowed and outlive it. */
void url_text_init(struct url_text *t, size_t url_bytes, url_fn *fn, void *ctx);
/* Any split of the text gives the same events. */
void url_text_feed(struct url_text *t, struct slice text);
/* A URL ends here, at the latest: the text is over, or bytes of it are missing. */
void url_text_end(struct url_text *t);
void url_text_free(struct url_text *t);

enum { HTML_WORD = 16, HTML_LABEL = 256, HTML_REFERENCE = 32 };

/* A word of a tag: cut where it is too long to be one that matters. */
struct html_word {
    uint8_t len;
    uint8_t text[HTML_WORD];
};

/* HTML, in which plain text is. */
struct url_html {
    struct url_text text;
    struct buf link; /* value of an attribute that is a URL */
    uint8_t state, sink, quote, dashes;
    bool closing, in_link, has_label;
    bool link_cut;
    struct html_word tag, name, raw; /* raw: the element whose text is no HTML */
    struct {
        uint8_t len;
        uint8_t text[HTML_REFERENCE];
    } reference; /* to a character, so far */
    size_t label_len;
    uint8_t label[HTML_LABEL]; /* what the open link shows */
};

/* As those of plain text, which is in `text`. */
void url_html_init(struct url_html *h, size_t url_bytes, url_fn *fn, void *ctx);
/* Starts over with another text, of either kind; whatever was open is not told. */
void url_html_begin(struct url_html *h);
void url_html_feed(struct url_html *h, struct slice text);
void url_html_end(struct url_html *h);
void url_html_free(struct url_html *h);

/* The host that a URL leads to, as browsers read it; one without a scheme begins with it. Without user and
 * port, percent signs decoded, small letters, an IPv4 address in any of its forms as four decimal numbers, an
 * IPv6 address without brackets. `ascii`: as DNS has it (punycode), empty where no name can be like that.
 * `unicode`: as people read it, where that is something else. Both are cleared first. False: it leads to
 * none, and is no URL. (WHATWG URL, "host parsing"; RFC 3986 3.2.) */
bool url_host(struct slice url, struct buf *ascii, struct buf *unicode);
/* What a URL that another program has wrapped leads to at last, through up to URL_DEPTH of them; `ret` is
 * cleared first. False: it is none of those that are known, or does not say. */
enum { URL_DEPTH = 5 };
bool url_unwrap(struct slice url, struct buf *ret);
/* Does the text of a link name another host than those that it leads to? Two names of one owner, as far as
 * that shows, are no others. `ascii` and `unicode` are working room. */
bool url_label_other(struct slice label, struct slice host, struct slice unwrapped, struct buf *ascii,
                     struct buf *unicode);

#endif
