/* url.c: text and HTML, whole and in other pieces; hosts and targets of what is found.
 *
 * The pieces make no difference, no URL is longer than its limit, a host is one again, what is unwrapped is
 * an absolute URL. */
#include "mail/charset.h"
#include "mail/url.h"
#include "fuzz.h"

enum { MOST = 96 };

static void check_host(struct slice url)
{
    struct buf ascii, unicode, again, other;
    buf_init(&ascii, 8192);
    buf_init(&unicode, 8192);
    buf_init(&again, 8192);
    buf_init(&other, 8192);
    if (url_host(url, &ascii, &unicode)) {
        assert(ascii.len || unicode.len);
        assert(ascii_only(buf_slice(&ascii)) && utf8_valid(buf_slice(&unicode)));
        if (ascii.len && slice_index(buf_slice(&ascii), ':') == ascii.len) {
            buf_add_str(&again, "http://");
            buf_add(&again, buf_slice(&ascii));
            struct buf shown;
            buf_init(&shown, 8192);
            assert(url_host(buf_slice(&again), &shown, &other));
            assert(slice_eq(buf_slice(&shown), buf_slice(&ascii)));
            buf_free(&shown);
        }
    } else {
        assert(!ascii.len && !unicode.len);
    }
    (void)url_label_other(url, buf_slice(&ascii), (struct slice){0}, &again, &other);
    buf_free(&ascii);
    buf_free(&unicode);
    buf_free(&again);
    buf_free(&other);
}

static void check_target(struct slice url)
{
    struct buf target;
    buf_init(&target, MOST);
    if (url_unwrap(url, &target))
        assert(slice_case_starts(buf_slice(&target), "http") ||
               slice_case_starts(buf_slice(&target), "ftp:"));
    else
        assert(!target.len);
    buf_free(&target);
}

static void on_event(void *ctx, const struct url_event *ev)
{
    struct buf *out = ctx;
    assert(ev->text.len && ev->text.len <= (ev->kind == URL_LABEL ? (size_t)HTML_LABEL : (size_t)MOST));
    assert(!ev->cut || ev->text.len > 16);
    buf_printf(out, "%d %d %d ", ev->kind, ev->source, ev->cut);
    buf_add(out, ev->text);
    buf_add_byte(out, '\n');
    check_host(ev->text);
    check_target(ev->text);
}

static void play(struct slice in, bool html, size_t piece, struct buf *out)
{
    struct url_html h;
    url_html_init(&h, MOST, on_event, out);
    for (size_t i = 0; i < in.len; i += piece) {
        struct slice part = slice_sub(in, i, i + piece);
        uint8_t *copy = exact_copy(part);
        part.data = copy;
        if (html)
            url_html_feed(&h, part);
        else
            url_text_feed(&h.text, part);
        free(copy);
    }
    if (html)
        url_html_end(&h);
    else
        url_text_end(&h.text);
    url_html_free(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = {data, size};
    for (int html = 0; html < 2; html++) {
        struct buf whole, pieces;
        buf_init(&whole, 64 << 20);
        buf_init(&pieces, 64 << 20);
        play(in, html, size + 1, &whole);
        play(in, html, 1 + size % 7, &pieces);
        assert(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
        buf_free(&whole);
        buf_free(&pieces);
    }
    check_host(in);
    check_target(in);
    return 0;
}
