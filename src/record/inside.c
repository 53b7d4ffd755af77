/* inside.c: scanners for the bytes of parts.
 * In: the events of a part. Out: URLs and members of the record. Owns: the scanner of the leaf that is open.
 * Limits: url_items, url_bytes, member_items. Knowingly: what a part is tell its type, its name's end and its
 * first bytes; attached mails are read part by part. */
#include "record/inside.h"

#include <stdlib.h>
#include "base/memory.h"
#include "record/members.h"
#include "record/spare.h"
#include "record/urls.h"

enum kind { NOTHING, TEXT, HTML, UNKNOWN, ZIP, TNEF };
enum { HEAD = 8, KEPT = 512 }; /* bytes: to judge a part by; of each text from mail to mail */

struct inside {
    enum kind kind;
    uint32_t depth;
    uint64_t at; /* place of the part's first byte in the mail */
    struct url_html html;
    struct zip zip;
    struct tnef tnef;
    struct urls urls;
    struct members members;
    uint8_t head[HEAD]; /* UNKNOWN: its first bytes */
    size_t head_len;
    struct draft *d; /* for the time of a call */
    struct spares *with;
};

static void on_url(void *ctx, const struct url_event *ev)
{
    struct inside *in = ctx;
    urls_take(&in->urls, in->d, in->with, ev, in->at);
}

static void on_zip(void *ctx, const struct zip_event *ev)
{
    struct inside *in = ctx;
    members_zip(&in->members, in->d, in->with, ev, in->at);
}

static void on_tnef(void *ctx, const struct tnef_file *file)
{
    struct inside *in = ctx;
    members_tnef(&in->members, in->d, in->with, file);
}

struct inside *inside_new(const struct builder_settings *set)
{
    struct inside *in = calloc(1, sizeof *in);
    memory_check(in);
    url_html_init(&in->html, set->url_bytes, on_url, in);
    zip_init(&in->zip, on_zip, in);
    tnef_init(&in->tnef, on_tnef, in);
    return in;
}

void inside_free(struct inside **pin)
{
    struct inside *in = *pin;
    *pin = NULL;
    if (!in)
        return;
    url_html_free(&in->html);
    zip_free(&in->zip);
    tnef_free(&in->tnef);
    urls_free(&in->urls);
    free(in);
}

void inside_reset(struct inside *in)
{
    struct buf *const bufs[] = {&in->html.text.url, &in->html.link,    &in->zip.name,  &in->zip.extra,
                                &in->tnef.text,     &in->tnef.title,   &in->tnef.name, &in->tnef.long_name,
                                &in->urls.ascii,    &in->urls.unicode, &in->urls.inner};
    in->kind = NOTHING;
    urls_reset(&in->urls);
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        if (bufs[i]->room > KEPT)
            buf_free(bufs[i]);
}

static bool is(struct slice s, const char *text)
{
    return slice_eq(s, slice_str(text));
}

/* By what stands behind the last dot of its name. */
static enum kind kind_of_name(struct slice name)
{
    static const struct {
        const char *end;
        enum kind kind;
    } ends[] = {{"html", HTML}, {"htm", HTML}, {"xhtml", HTML}, {"shtml", HTML}, {"svg", HTML},
                {"txt", TEXT},  {"url", TEXT}, {"ics", TEXT},   {"csv", TEXT}};
    const uint8_t *dot = name.len ? memrchr(name.data, '.', name.len) : NULL;
    struct slice end = dot ? slice_sub(name, (size_t)(dot + 1 - name.data), name.len) : (struct slice){0};
    for (size_t i = 0; end.len && i < sizeof ends / sizeof *ends; i++)
        if (byte_lower(*end.data) == (uint8_t)*ends[i].end && slice_case_eq(end, slice_str(ends[i].end)))
            return ends[i].kind;
    return UNKNOWN;
}

static enum kind kind_of(const struct mime_event *ev)
{
    if (is(ev->type, "text/html") || is(ev->type, "application/xhtml+xml") || is(ev->type, "image/svg+xml"))
        return HTML;
    enum kind kind = kind_of_name(ev->filename);
    if (kind == HTML)
        return HTML;
    if (is(ev->type, "message/rfc822") || is(ev->type, "message/global"))
        return NOTHING;
    if (slice_case_starts(ev->type, "text/") || slice_case_starts(ev->type, "message/"))
        return TEXT;
    return kind;
}

/* Texts are of no use any more where no URL is kept. */
static enum mime_want wanted(struct inside *in)
{
    if ((in->kind == TEXT || in->kind == HTML) && in->urls.full)
        in->kind = NOTHING;
    return in->kind == NOTHING ? WANT_NONE : in->kind == UNKNOWN ? WANT_HEAD : WANT_ALL;
}

enum mime_want inside_begin(struct inside *in, struct draft *d, struct spares *with,
                            const struct mime_event *ev)
{
    enum kind kind = kind_of(ev);
    if (kind == NOTHING)
        return WANT_NONE;
    in->kind = kind;
    in->depth = ev->depth;
    in->at = ev->at;
    in->urls.part = d->t.files.len + d->t.parts.len;
    in->urls.full |= !with->set->url_items;
    in->members = (struct members){.first = 0};
    in->head_len = 0;
    if (kind == UNKNOWN)
        return WANT_HEAD;
    url_html_begin(&in->html);
    return wanted(in);
}

/* What its first bytes say it is. A program may have an archive behind it. */
static void judge(struct inside *in)
{
    static const struct {
        char begin[5];
        enum kind kind;
    } begins[] = {{"PK\3\4", ZIP}, {"PK\5\6", ZIP}, {"PK00", ZIP}, {"MZ", ZIP}, {"\x78\x9f\x3e\x22", TNEF}};
    struct slice head = {in->head, in->head_len};
    in->kind = NOTHING;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        size_t len = strlen(begins[i].begin);
        if (head.len >= len && memcmp(head.data, begins[i].begin, len) == 0)
            in->kind = begins[i].kind;
    }
    if (in->kind == ZIP) {
        zip_begin(&in->zip);
        zip_feed(&in->zip, head);
    } else if (in->kind == TNEF) {
        tnef_begin(&in->tnef);
        tnef_feed(&in->tnef, head);
    }
}

static void feed(struct inside *in, struct slice bytes)
{
    if (in->kind == UNKNOWN) {
        size_t len = bytes.len < HEAD - in->head_len ? bytes.len : HEAD - in->head_len;
        memcpy(in->head + in->head_len, bytes.data, len);
        in->head_len += len;
        bytes = slice_sub(bytes, len, bytes.len);
        if (in->head_len == HEAD)
            judge(in);
    }
    switch (in->kind) {
    case TEXT:
        url_text_feed(&in->html.text, bytes);
        break;
    case HTML:
        url_html_feed(&in->html, bytes);
        break;
    case ZIP:
        zip_feed(&in->zip, bytes);
        break;
    case TNEF:
        tnef_feed(&in->tnef, bytes);
        break;
    case UNKNOWN:
    case NOTHING:
        break;
    }
}

/* Nothing goes on over a gap. */
static void gap(struct inside *in)
{
    if (in->kind == TEXT)
        url_text_end(&in->html.text);
    else if (in->kind == HTML)
        url_html_end(&in->html);
    else if (in->kind == TNEF)
        tnef_end(&in->tnef);
    if (in->kind != TEXT && in->kind != HTML)
        in->kind = NOTHING;
}

static void settle(struct inside *in, struct draft *d, struct spares *with)
{
    in->d = d;
    in->with = with;
}

enum mime_want inside_body(struct inside *in, struct draft *d, struct spares *with,
                           const struct mime_event *ev)
{
    if (in->kind == NOTHING || ev->depth != in->depth)
        return WANT_NONE;
    settle(in, d, with);
    if (ev->cut)
        gap(in);
    if (ev->value.len)
        feed(in, ev->value);
    return wanted(in);
}

void inside_end(struct inside *in, struct draft *d, struct spares *with, struct file *file)
{
    if (in->kind == NOTHING || file->depth != in->depth)
        return;
    settle(in, d, with);
    gap(in);
    in->kind = NOTHING;
    file->members = in->members.list;
    file->encrypted = in->members.encrypted;
    file->nested = in->members.nested;
}
