/* body.c: the bytes of open parts.
 * In: text of encoded parts; the input's own bytes. Out: MIME_BODY events. Owns: the input's last bytes,
 * while they may belong to a boundary. Limits: a boundary's line and the line's end before it. Knowingly:
 * attached mails in one another get the same bytes, each its own. Spec: RFC 2045 6, RFC 2046 5.1.1, 5.2.1. */
#include "mail/body.h"

enum { HELD = LINE_JUDGED + 2 * LINE_ENDS };

void body_init(struct mime *m)
{
    buf_init(&m->held, HELD);
    buf_init(&m->blanks, DECODE_BLANKS);
}

void body_reset(struct mime *m)
{
    m->raw_parts = 0;
    buf_clear(&m->held);
    buf_clear(&m->blanks);
}

static void set_want(struct mime *m, struct part *p, enum mime_want want)
{
    struct body *b = &p->body;
    if (b->raw && !b->want && want)
        m->raw_parts++;
    if (b->raw && b->want && !want && !--m->raw_parts)
        buf_clear(&m->held);
    b->want = want;
}

void mime_bodies(struct mime *m, enum mime_want want)
{
    if (m->telling)
        set_want(m, m->telling, want);
}

static void tell(struct mime *m, struct part *p, const struct mime_event *ev)
{
    m->telling = p;
    m->fn(m->ctx, ev);
    m->telling = NULL;
}

void body_begin(struct mime *m, struct part *p, const struct mime_event *ev)
{
    p->body.raw = p->transfer == TRANSFER_IDENTITY;
    p->body.from = m->pos;
    p->body.head = m->lim->head_bytes;
    buf_clear(&m->blanks);
    tell(m, p, ev);
}

/* False: no more are wanted. */
static bool tell_bytes(struct mime *m, struct part *p, struct slice bytes)
{
    struct body *b = &p->body;
    while (bytes.len && b->want) {
        size_t n = b->want == WANT_HEAD && b->head < bytes.len ? b->head : bytes.len;
        bool was_head = b->want == WANT_HEAD;
        b->head -= was_head ? n : 0;
        struct mime_event ev = {.kind = MIME_BODY, .value = slice_sub(bytes, 0, n), .depth = b->depth};
        tell(m, p, &ev);
        bytes = slice_sub(bytes, n, bytes.len);
        if (b->want == WANT_HEAD && !b->head)
            set_want(m, p, WANT_NONE);
    }
    return b->want;
}

static void tell_cut(struct mime *m, struct part *p)
{
    struct mime_event ev = {.kind = MIME_BODY, .depth = p->body.depth, .cut = true};
    if (p->body.want)
        tell(m, p, &ev);
}

static bool on_decoded(void *ctx, struct slice bytes)
{
    struct mime *m = ctx;
    return tell_bytes(m, &m->part, bytes);
}

/* Before a call to decode.h. */
static void out_init(struct mime *m, struct decode_out *o)
{
    const struct body *b = &m->part.body;
    decode_out_init(o, on_decoded, m, &m->blanks, b->want == WANT_HEAD ? b->head : DECODE_ROOM);
}

/* More blanks than are kept are as a gap. */
static void after_decoding(struct mime *m)
{
    if (!m->part.body.decoding.blanks_cut)
        return;
    m->part.body.decoding.blanks_cut = false;
    tell_cut(m, &m->part);
}

void body_text_of(struct mime *m, struct slice text, size_t end)
{
    struct body *b = &m->part.body;
    struct decode_out o;
    if (!b->want)
        return;
    out_init(m, &o);
    if (m->part.transfer == TRANSFER_BASE64)
        decode_base64(&b->decoding, &o, text);
    else
        decode_qp(&b->decoding, &o, text, end);
    after_decoding(m);
}

size_t body_digits_of(struct mime *m, struct slice text)
{
    struct transfer_size *t = &m->part.size;
    struct decode_out o;
    if (m->part.body.want != WANT_ALL || t->padded || t->pads)
        return 0;
    out_init(m, &o);
    size_t taken = decode_digits(&m->part.body.decoding, &o, text, &t->digits);
    t->fed += taken;
    return taken;
}

void body_lines_of(struct mime *m, struct slice lines)
{
    struct decode_out o;
    if (!m->part.body.want)
        return;
    out_init(m, &o);
    decode_qp_lines(&m->part.body.decoding, &o, lines);
    after_decoding(m);
}

void body_leaf_over(struct mime *m)
{
    struct decode_out o;
    if (!m->part.body.want || m->part.body.raw)
        return;
    out_init(m, &o);
    decode_end(&m->part.body.decoding, &o);
}

void body_end(struct mime *m, struct part *p)
{
    set_want(m, p, WANT_NONE);
}

/* Of the input's bytes, `bytes`, the first of which is at `at`. */
static void tell_raw_part(struct mime *m, struct part *p, struct slice bytes, uint64_t at)
{
    const struct body *b = &p->body;
    if (!b->want || !b->raw)
        return;
    uint64_t skip = b->from > at ? b->from - at : 0;
    if (skip < bytes.len)
        tell_bytes(m, p, slice_sub(bytes, (size_t)skip, bytes.len));
}

static void tell_raw(struct mime *m, struct slice bytes, uint64_t at)
{
    if (!bytes.len)
        return;
    for (uint32_t i = 0; i < m->depth; i++)
        if (m->frames[i].is_mail)
            tell_raw_part(m, &m->frames[i].mail, bytes, at);
    tell_raw_part(m, &m->part, bytes, at);
}

/* What the parser took so far ends in so many bytes that may be a boundary's. */
static uint64_t undecided(const struct mime *m, struct slice bytes)
{
    const struct buf *line = &m->line;
    if (m->feed == FEED_FRESH)
        return m->last_end;
    bool dashes = m->feed == FEED_GATHER && line->len && line->data[0] == '-' &&
                  (line->len < 2 || line->data[1] == '-');
    if (dashes && m->pos - m->line_start <= LINE_JUDGED + LINE_ENDS)
        return m->pos - m->line_start + m->last_end;
    uint64_t crs = 0;
    while (crs < 2 && crs < bytes.len && bytes.data[bytes.len - 1 - crs] == '\r')
        crs++;
    if (crs == bytes.len)
        while (crs < 2 && crs - bytes.len < m->held.len &&
               m->held.data[m->held.len - 1 - (crs - bytes.len)] == '\r')
            crs++;
    return crs;
}

void body_raw(struct mime *m, struct slice bytes)
{
    uint64_t keep = undecided(m, bytes), at = m->pos - bytes.len - m->held.len, all = bytes.len + m->held.len;
    size_t go = keep < all ? (size_t)(all - keep) : 0, held = go < m->held.len ? go : m->held.len;
    tell_raw(m, slice_sub(buf_slice(&m->held), 0, held), at);
    tell_raw(m, slice_sub(bytes, 0, go - held), at + held);
    if (!m->raw_parts)
        return;
    buf_consume(&m->held, held);
    buf_add(&m->held, slice_sub(bytes, go - held, bytes.len));
}

void body_gap(struct mime *m)
{
    buf_clear(&m->held);
    if (m->state == BODY)
        decode_gap(&m->part.body.decoding, &m->blanks);
    for (uint32_t i = 0; i < m->depth; i++)
        if (m->frames[i].is_mail)
            tell_cut(m, &m->frames[i].mail);
    tell_cut(m, &m->part);
}

void body_finish(struct mime *m, bool whole)
{
    tell_raw(m, buf_slice(&m->held), m->pos - m->held.len);
    buf_clear(&m->held);
    if (!whole)
        body_gap(m);
}
