/* mime.c: a mail's text, with cuts and gaps.
 *
 * First byte: which limits. Then a play (fuzz.h), the sides of which are one. However it is cut, the events
 * must be the same, and within the limits; so must the bytes of each part, which are as many as it has. Of
 * some only the first are asked for, then perhaps the rest. */
#include "mail/mime.h"
#include "fuzz.h"

enum cut { WHOLE, AS_WRITTEN, BYTES };
enum { LINE = 1 << 16 };

static const struct mime_limits limits[] = {
    {.header_bytes = 65536, .headers_bytes = 1 << 20, .depth = 16, .parts = 100, .head_bytes = 70},
    {.header_bytes = 40, .headers_bytes = 200, .depth = 2, .parts = 3, .head_bytes = 1},
};

enum { DEPTHS = 32 };
struct open_part {
    bool is, gap, more;
    enum mime_want want;
    uint64_t told, hash;
};

struct run {
    const struct mime_limits *lim;
    struct mime *m;
    struct open_part open[DEPTHS];
    struct buf text;
    uint64_t fed; /* in all, gaps included */
    uint32_t parts, ends;
};

/* One in three is wanted whole, one first in part, one not further than that. */
static void begins(struct run *r, const struct mime_event *ev)
{
    struct open_part *p = &r->open[ev->depth];
    assert(!p->is);
    *p = (struct open_part){
        .is = true, .gap = ev->cut, .want = r->parts % 3 ? WANT_HEAD : WANT_ALL, .more = r->parts % 3 == 1};
    mime_bodies(r->m, p->want);
}

static void bytes(struct run *r, const struct mime_event *ev)
{
    struct open_part *p = &r->open[ev->depth];
    assert(p->is && (ev->value.len || ev->cut));
    for (size_t i = 0; i < ev->value.len; i++)
        p->hash = (p->hash ^ ev->value.data[i]) * 0x100000001b3;
    p->told += ev->value.len;
    p->gap |= ev->cut;
    assert(p->want == WANT_ALL || p->told <= r->lim->head_bytes);
    if (p->more && p->want == WANT_HEAD && p->told == r->lim->head_bytes)
        mime_bodies(r->m, p->want = WANT_ALL);
}

static void ends(struct run *r, const struct mime_event *ev)
{
    struct open_part *p = &r->open[ev->depth];
    uint64_t most = p->want == WANT_HEAD && ev->size > r->lim->head_bytes ? r->lim->head_bytes : ev->size;
    assert(p->is && (p->gap || p->told == most));
    p->is = false;
    buf_printf(&r->text, "told %llu %llx\n", (unsigned long long)p->told, (unsigned long long)p->hash);
}

static void on_event(void *ctx, const struct mime_event *ev)
{
    static char line[LINE];
    struct run *r = ctx;
    if (ev->kind == MIME_BODY) {
        bytes(r, ev);
        return;
    }
    assert(utf8_valid(ev->filename) && ev->size <= r->fed);
    assert(ev->depth <= r->lim->depth && ev->name.len + ev->value.len <= r->lim->header_bytes);
    r->parts += ev->kind == MIME_PART;
    r->ends += ev->kind == MIME_HEADERS_END;
    if (ev->kind == MIME_PART_BEGIN)
        begins(r, ev);
    if (ev->kind == MIME_PART)
        ends(r, ev);
    size_t len = mime_dump(ev, line, sizeof line);
    assert(len == strlen(line));
    buf_add(&r->text, (struct slice){(const uint8_t *)line, len});
    buf_add_byte(&r->text, '\n');
}

static struct run play(const struct play *p, struct mime *m, const struct mime_limits *lim, enum cut cut)
{
    struct run r = {.lim = lim, .m = m};
    buf_init(&r.text, 64 << 20);
    mime_reset(m);
    mime_tell(m, on_event, &r);
    for (size_t i = 0, next; i < p->count; i = next) {
        struct piece a = p->pieces[i];
        next = i + 1;
        r.fed += a.gap;
        if (a.gap)
            mime_gap(m, a.gap);
        while (!a.gap && cut == WHOLE && next < p->count && !p->pieces[next].gap)
            a.to = p->pieces[next++].to;
        size_t step = cut == BYTES ? 1 : a.to - a.from;
        for (size_t at = a.from; at < a.to; at += step) {
            struct slice bytes = slice_sub(buf_slice(&p->bytes), at, at + step);
            uint8_t *copy = exact_copy(bytes);
            r.fed += bytes.len;
            mime_feed(m, (struct slice){copy, bytes.len});
            free(copy);
        }
    }
    mime_finish(m, true);
    assert(r.ends == 1 && r.parts <= lim->parts);
    buf_printf(&r.text, "overruns %llu", (unsigned long long)mime_overruns(m));
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct play p;
    static struct charsets *cs;
    if (!size)
        return 0;
    if (!cs)
        cs = charsets_new();
    const struct mime_limits *lim = &limits[*data % 2];
    struct mime *m = mime_new(lim, cs, on_event, NULL);
    play_read(&p, (struct slice){data + 1, size - 1});
    struct run gold = play(&p, m, lim, WHOLE);
    for (enum cut cut = AS_WRITTEN; cut <= BYTES; cut++) {
        struct run r = play(&p, m, lim, cut);
        expect_same(buf_slice(&gold.text), buf_slice(&r.text));
        buf_free(&r.text);
    }
    buf_free(&gold.text);
    mime_free(&m);
    play_free(&p);
    return 0;
}
