/* tree.c: the lines of a mail to fields and parts.
 * In: header lines, lines that begin with "--". Out: MIME events. Owns: one field, the open multiparts and
 * attached mails. Limits: struct mime_limits, NAME_BYTES of a type, a name or a boundary. Knowingly: a line
 * without a colon amid headers is skipped, as mail programs do; of repeated Content-* fields the first
 * counts, and a name that only a later one has; a multipart without a boundary, or with one that fits no
 * line, is a leaf; a mail attached under a transfer encoding is one too. Spec: RFC 5322 2.2, RFC 2045, RFC
 * 2046 5.1. */
#include "mail/tree.h"

#include <stdlib.h>
#include "base/memory.h"
#include "mail/header.h"
#include "mail/odd.h"

enum { NAME_BYTES = 4096, BOUNDARY_MAX = LINE_JUDGED - 4 };

static void part_init(struct part *p)
{
    buf_init(&p->type, NAME_BYTES);
    buf_init(&p->name, NAME_BYTES);
    buf_init(&p->disposition_name, NAME_BYTES);
    buf_init(&p->boundary, NAME_BYTES);
    buf_init(&p->other, NAME_BYTES);
    buf_init(&p->other_boundary, NAME_BYTES);
}

static void part_clear(struct part *p)
{
    struct part fresh = {.type = p->type,
                         .name = p->name,
                         .disposition_name = p->disposition_name,
                         .boundary = p->boundary,
                         .other = p->other,
                         .other_boundary = p->other_boundary};
    *p = fresh;
    buf_clear(&p->type);
    buf_clear(&p->name);
    buf_clear(&p->disposition_name);
    buf_clear(&p->boundary);
    buf_clear(&p->other);
    buf_clear(&p->other_boundary);
}

static void part_free(struct part *p)
{
    buf_free(&p->type);
    buf_free(&p->name);
    buf_free(&p->disposition_name);
    buf_free(&p->boundary);
    buf_free(&p->other);
    buf_free(&p->other_boundary);
}

static void pop_frame(struct mime *m)
{
    struct frame *f = &m->frames[--m->depth];
    if (f->is_mail)
        part_free(&f->mail);
}

void tree_init(struct mime *m)
{
    buf_init(&m->field, m->lim->header_bytes);
    buf_init(&m->closed, NAME_BYTES);
    /* A byte may become one of three. */
    buf_init(&m->decoded, 3 * m->lim->header_bytes);
    part_init(&m->part);
}

void tree_anomaly(struct mime *m, enum anomaly which, uint64_t at, struct slice evidence)
{
    /* Behind a gap it may be another mail's. */
    if (m->gaps || m->told & anomaly_bit(which))
        return;
    m->told |= anomaly_bit(which);
    if (!evidence.len)
        evidence = (struct slice){0};
    m->fn(m->ctx,
          &(struct mime_event){.kind = MIME_ANOMALY, .anomaly = which, .size = at, .value = evidence});
}

void tree_reset(struct mime *m)
{
    while (m->depth)
        pop_frame(m);
    m->state = HEADERS;
    m->field_cut = m->after_gap = m->utf8 = false;
    m->headers_used = m->overruns = 0;
    m->parts = 0;
    m->told = 0;
    m->gaps = false;
    buf_clear(&m->field);
    buf_clear(&m->closed);
    part_clear(&m->part);
}

void tree_free(struct mime *m)
{
    tree_reset(m);
    part_free(&m->part);
    buf_free(&m->field);
    buf_free(&m->closed);
    buf_free(&m->decoded);
    for (uint32_t i = 0; i < m->frame_room; i++) {
        buf_free(&m->frames[i].boundary);
        buf_free(&m->frames[i].other);
    }
    free(m->frames);
}

static size_t part_memory(const struct part *p)
{
    return p->type.room + p->name.room + p->disposition_name.room + p->boundary.room + p->other.room +
           p->other_boundary.room;
}

size_t tree_memory(const struct mime *m)
{
    size_t sum = m->field.room + m->closed.room + m->decoded.room + part_memory(&m->part) +
                 m->frame_room * sizeof *m->frames;
    for (uint32_t i = 0; i < m->frame_room; i++)
        sum += m->frames[i].boundary.room + m->frames[i].other.room;
    for (uint32_t i = 0; i < m->depth; i++)
        sum += part_memory(&m->frames[i].mail);
    return sum;
}

static bool in_top_headers(const struct mime *m)
{
    return m->depth == 0 && m->parts == 0;
}

/* A name that only some readers take: the last of two fields, say. */
static void take_other(struct mime *m, struct slice params, const char *name)
{
    struct part *p = &m->part;
    if (!p->other.len && header_param(m->cs, params, name, &p->other))
        p->other_at = m->field_at;
}

/* As in a boundary's lines. */
static void trim_end(struct buf *boundary)
{
    while (boundary->len && byte_is_blank(boundary->data[boundary->len - 1]))
        boundary->len--;
}

static void take_boundary(struct mime *m, struct slice params)
{
    struct part *p = &m->part;
    p->has_boundary = header_param_raw(params, "boundary", &p->boundary, &p->other_boundary);
    p->boundary_odd = p->has_boundary && odd_boundary(buf_slice(&p->boundary));
    trim_end(&p->boundary);
}

static void take_type(struct mime *m, struct slice value)
{
    struct part *p = &m->part;
    struct header_params hp = header_params(value);
    if (p->has_type && !p->other_boundary.len)
        p->later_boundary = header_param_raw(hp.rest, "boundary", &p->other_boundary, NULL);
    if (odd_charset(hp.rest))
        tree_anomaly(m, ANOMALY_charset_utf7, m->field_at, slice_str("Content-Type"));
    if (p->has_type && !p->has_name)
        p->has_name = header_param(m->cs, hp.rest, "name", &p->name);
    else if (p->has_type)
        take_other(m, hp.rest, "name");
    if (p->has_type)
        return;
    p->has_type = true;
    p->type_at = p->other_at = m->field_at;
    buf_clear(&p->type); /* a digest gave its parts a type */
    for (size_t i = 0; i < hp.value.len && !byte_is_blank(hp.value.data[i]) && hp.value.data[i] != '('; i++)
        buf_add_byte(&p->type, byte_lower(hp.value.data[i]));
    take_boundary(m, hp.rest);
    p->has_name = header_param_both(m->cs, hp.rest, "name", &p->name, &p->other);
}

static void take_disposition(struct mime *m, struct slice params)
{
    struct part *p = &m->part;
    if (p->has_disposition) {
        take_other(m, params, "filename");
        return;
    }
    bool had = p->other.len;
    p->disposition_at = m->field_at;
    p->has_disposition = header_param_both(m->cs, params, "filename", &p->disposition_name, &p->other);
    if (!had && p->other.len)
        p->other_at = m->field_at;
}

static void take_transfer(struct mime *m, struct slice value)
{
    struct part *p = &m->part;
    bool known = true;
    p->has_transfer = true;
    p->transfer = transfer_of(value, &known);
    p->transfer_at = m->field_at;
    if (!known && !m->after_gap)
        tree_anomaly(m, ANOMALY_encoding_unknown, m->field_at, slice_sub(value, 0, EVIDENCE_MOST));
}

static void take_field(struct mime *m, struct slice name, struct slice value)
{
    struct part *p = &m->part;
    if (!slice_case_starts(name, "content-"))
        return;
    if (slice_case_eq(name, slice_str("content-type"))) {
        take_type(m, value);
    } else if (slice_case_eq(name, slice_str("content-transfer-encoding")) && !p->has_transfer) {
        take_transfer(m, value);
    } else if (slice_case_eq(name, slice_str("content-disposition"))) {
        take_disposition(m, header_params(value).rest);
    }
}

/* `gap`: it may go on in a gap. */
static void flush_field(struct mime *m, bool gap)
{
    struct slice field = buf_slice(&m->field);
    size_t colon = slice_index(field, ':');
    bool cut = m->field_cut;
    m->field_cut = false;
    if (!field.len)
        return;
    struct slice name = slice_trim(slice_sub(field, 0, colon)),
                 value = slice_trim(slice_sub(field, colon + 1, field.len));
    m->overruns += cut;
    (void)charsets_overlong(m->cs);
    take_field(m, name, value);
    buf_clear(&m->decoded);
    odd_field(m, field, name, value, in_top_headers(m), cut || gap);
    if (charsets_overlong(m->cs))
        tree_anomaly(m, ANOMALY_utf8_overlong, m->field_at, name);
    if (in_top_headers(m)) {
        m->headers_used += field.len;
        if (m->headers_used <= m->lim->headers_bytes) {
            struct mime_event ev = {.kind = MIME_HEADER,
                                    .name = name,
                                    .value = value,
                                    .decoded = buf_slice(&m->decoded),
                                    .size = m->field_at,
                                    .cut = cut || gap};
            m->fn(m->ctx, &ev);
        } else {
            m->overruns++;
        }
    }
    buf_clear(&m->field);
}

static void part_out(struct mime *m, struct part *p, uint64_t size, uint32_t depth)
{
    if (++m->parts > m->lim->parts) {
        m->overruns++;
        tree_anomaly(m, ANOMALY_too_many_parts, p->begin, (struct slice){0});
        return;
    }
    struct mime_event ev = {
        .kind = MIME_PART, .type = buf_slice(&p->type), .size = size, .depth = depth, .cut = p->cut};
    if (p->has_disposition)
        ev.filename = p->disposition_name.len ? buf_slice(&p->disposition_name) : slice_str("");
    else if (p->has_name)
        ev.filename = p->name.len ? buf_slice(&p->name) : slice_str("");
    if (!ev.type.len)
        ev.type = slice_str("text/plain");
    m->fn(m->ctx, &ev);
}

/* `end` is the position behind the part's last byte. */
static void end_leaf(struct mime *m, uint64_t end)
{
    struct part *p = &m->part;
    uint64_t size = end > p->begin ? end - p->begin : 0;
    if (p->size.odd)
        tree_anomaly(m, p->transfer == TRANSFER_QP ? ANOMALY_qp_broken : ANOMALY_base64_garbage,
                     p->begin + p->size.odd_at, (struct slice){0});
    if (p->transfer != TRANSFER_IDENTITY)
        size = transfer_total(&p->size);
    part_out(m, p, size, m->depth);
}

static void frames_grow(struct mime *m)
{
    uint32_t room = m->frame_room ? m->frame_room * 2 : 2;
    m->frames = realloc(m->frames, room * sizeof *m->frames);
    memory_check(m->frames);
    for (; m->frame_room < room; m->frame_room++) {
        m->frames[m->frame_room] = (struct frame){0};
        buf_init(&m->frames[m->frame_room].boundary, NAME_BYTES);
        buf_init(&m->frames[m->frame_room].other, NAME_BYTES);
    }
}

/* Opens what m->part is: NULL where that would be too deep. */
static struct frame *push_frame(struct mime *m)
{
    if (m->depth >= m->lim->depth) {
        m->overruns++;
        tree_anomaly(m, ANOMALY_nested_too_deep, m->part.begin, (struct slice){0});
        return NULL;
    }
    if (m->depth == m->frame_room)
        frames_grow(m);
    return &m->frames[m->depth++];
}

static bool push_multipart(struct mime *m)
{
    struct buf *boundary = &m->part.boundary;
    if (boundary->len > BOUNDARY_MAX) {
        m->overruns++;
        return false;
    }
    struct frame *f = boundary->len ? push_frame(m) : NULL;
    if (!f)
        return false;
    struct buf spare = f->boundary, spare_other = f->other;
    *f = (struct frame){.boundary = *boundary,
                        .other = m->part.other_boundary,
                        .digest = slice_case_eq(buf_slice(&m->part.type), slice_str("multipart/digest"))};
    *boundary = spare;
    m->part.other_boundary = spare_other;
    trim_end(&f->other);
    buf_clear(boundary);
    buf_clear(&m->part.other_boundary);
    m->preamble = (struct preamble){0};
    return true;
}

static bool push_mail(struct mime *m)
{
    struct frame *f = m->part.transfer == TRANSFER_IDENTITY ? push_frame(m) : NULL;
    if (!f)
        return false;
    *f = (struct frame){
        .is_mail = true, .begun = true, .boundary = f->boundary, .other = f->other, .mail = m->part};
    part_init(&m->part);
    part_clear(&m->part);
    return true;
}

/* `begin`: position of the body's first byte. */
static void headers_end(struct mime *m, uint64_t begin)
{
    flush_field(m, false);
    odd_headers(m);
    if (in_top_headers(m))
        m->fn(m->ctx, &(struct mime_event){.kind = MIME_HEADERS_END});
    struct slice type = buf_slice(&m->part.type);
    m->part.begin = begin;
    m->state = BODY;
    m->after_gap = false;
    if (slice_case_starts(type, "multipart/") && push_multipart(m))
        m->state = BETWEEN;
    else if ((slice_case_eq(type, slice_str("message/rfc822")) ||
              slice_case_eq(type, slice_str("message/global"))) &&
             push_mail(m))
        m->state = HEADERS;
}

enum likeness { LIKE_NOT, LIKE_BEGINNING, LIKE_BOUNDARY, LIKE_CLOSING };

/* `text`: a line behind its dashes. */
static enum likeness likeness(struct slice text, const struct buf *boundary)
{
    if (!boundary->len || text.len < boundary->len || memcmp(text.data, boundary->data, boundary->len) != 0)
        return LIKE_NOT;
    struct slice rest = slice_sub(text, boundary->len, text.len);
    if (!rest.len)
        return LIKE_BOUNDARY;
    return rest.len == 2 && memcmp(rest.data, "--", 2) == 0 ? LIKE_CLOSING : LIKE_BEGINNING;
}

/* The open multipart that this line is a boundary of; depth where it is none. An outer one counts too: inner
 * ones may lack their closing line. */
static uint32_t boundary_of(struct mime *m, struct slice line, bool *ret_closing)
{
    bool begins = false, other = false;
    struct slice text = slice_sub(line, 2, line.len);
    while (text.len && (byte_is_blank(text.data[text.len - 1]) || text.data[text.len - 1] == '\r'))
        text.len--;
    for (uint32_t i = m->depth; i-- > 0;) {
        enum likeness is = m->frames[i].is_mail ? LIKE_NOT : likeness(text, &m->frames[i].boundary);
        if (is >= LIKE_BOUNDARY) {
            *ret_closing = is == LIKE_CLOSING;
            return i;
        }
        begins |= is == LIKE_BEGINNING;
        other |= !m->frames[i].is_mail && likeness(text, &m->frames[i].other) >= LIKE_BOUNDARY;
    }
    if (begins && !m->lost)
        tree_anomaly(m, ANOMALY_boundary_lookalike, m->line_start, slice_sub(line, 0, EVIDENCE_MOST));
    if (other && !m->lost)
        tree_anomaly(m, ANOMALY_boundary_other, m->line_start, slice_sub(line, 0, EVIDENCE_MOST));
    if (likeness(text, &m->closed) == LIKE_BOUNDARY)
        tree_anomaly(m, ANOMALY_boundary_reopened, m->line_start, slice_sub(line, 0, EVIDENCE_MOST));
    return m->depth;
}

/* Ends what is open above frame `keep`. `end`: position behind the last byte before the boundary. */
static void close_above(struct mime *m, uint32_t keep, uint64_t end, bool cut)
{
    if (m->state == HEADERS) {
        flush_field(m, false);
        odd_headers(m);
        m->part.begin = end;
    }
    m->part.cut |= cut;
    if (m->state != BETWEEN)
        end_leaf(m, end);
    while (m->depth > keep) {
        struct frame *f = &m->frames[m->depth - 1];
        if (f->is_mail) {
            f->mail.cut |= cut;
            part_out(m, &f->mail, end > f->mail.begin ? end - f->mail.begin : 0, m->depth - 1);
        } else if (!f->gap) {
            tree_anomaly(m, ANOMALY_boundary_unclosed, end, buf_slice(&f->boundary));
        }
        pop_frame(m);
    }
}

bool tree_boundary_line(struct mime *m, struct slice line)
{
    bool closing = false;
    if (line.len < 2 || line.len > LINE_JUDGED || line.data[0] != '-' || line.data[1] != '-' ||
        !tree_has_boundaries(m))
        return false;
    uint32_t at = boundary_of(m, line, &closing);
    if (at == m->depth)
        return false;
    transfer_uncount_end(&m->part.size);
    close_above(m, at + 1, m->line_start >= m->last_end ? m->line_start - m->last_end : 0, false);
    part_clear(&m->part);
    m->state = HEADERS;
    m->after_gap = false;
    m->frames[at].begun = true;
    if (m->frames[at].digest)
        buf_add_str(&m->part.type, "message/rfc822");
    if (closing) {
        struct buf spare = m->closed;
        m->closed = m->frames[at].boundary;
        m->frames[at].boundary = spare;
        pop_frame(m);
        m->state = BETWEEN;
    }
    return true;
}

static bool like_field(struct slice line)
{
    size_t i = 0, most = line.len < LINE_JUDGED ? line.len : LINE_JUDGED;
    while (i < most && line.data[i] > ' ' && line.data[i] < 127 && line.data[i] != ':')
        i++;
    size_t name = i;
    while (i < most && byte_is_blank(line.data[i]))
        i++;
    return name && i < most && line.data[i] == ':';
}

bool tree_header_line(struct mime *m, struct slice line)
{
    if (!line.len) {
        headers_end(m, m->pos);
    } else if (tree_boundary_line(m, line)) {
        return false;
    } else if (byte_is_blank(line.data[0])) {
        odd_continuation(m, line);
        if (m->field.len && !buf_add(&m->field, line))
            m->field_cut = true;
    } else if (like_field(line)) {
        flush_field(m, false);
        m->field_at = m->line_start;
        m->field_cut = !buf_add(&m->field, line);
    } else if (m->after_gap) {
        /* The gap may have held the blank line: this is text. */
        headers_end(m, m->line_start);
        return true;
    } else {
        flush_field(m, false);
        tree_anomaly(m, ANOMALY_header_no_colon, m->line_start, (struct slice){0});
    }
    return false;
}

void tree_gap(struct mime *m, bool begun)
{
    if (m->state == HEADERS) {
        m->after_gap = true;
        flush_field(m, !begun);
    } else {
        m->part.cut = true;
        transfer_gap(&m->part.size, m->pos - m->part.begin);
    }
    for (uint32_t i = 0; i < m->depth; i++) {
        m->frames[i].mail.cut |= m->frames[i].is_mail;
        m->frames[i].gap = true;
    }
}

void tree_finish(struct mime *m, bool whole)
{
    bool open = false;
    for (uint32_t i = 0; i < m->depth; i++) {
        open |= !m->frames[i].is_mail;
        m->frames[i].gap |= !whole;
    }
    if (m->state == HEADERS && in_top_headers(m)) {
        flush_field(m, false);
        m->fn(m->ctx, &(struct mime_event){.kind = MIME_HEADERS_END});
    }
    close_above(m, 0, m->pos, open);
}
