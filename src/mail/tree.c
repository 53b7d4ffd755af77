/* tree.c: the lines of a mail to fields and parts.
 * In: header lines, lines that begin with "--". Out: MIME events. Owns: one field, the open multiparts and
 * attached mails. Limits: struct mime_limits, NAME_BYTES of a type, a name or a boundary. Knowingly: a line
 * without a colon amid headers is skipped, as mail programs do; a multipart without a boundary, or with one
 * that fits no line, is a leaf; a mail attached under a transfer encoding is one too. Spec: RFC 5322 2.2, RFC
 * 2045, RFC 2046 5.1. */
#include "mail/tree.h"

#include <stdlib.h>
#include "base/memory.h"
#include "mail/body.h"
#include "mail/odd.h"

enum { BOUNDARY_MAX = LINE_JUDGED - 4 };

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
    body_init(m);
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

void tree_part_anomaly(struct mime *m, enum anomaly which, uint64_t at, struct slice evidence)
{
    if (!m->gaps)
        m->part.odd |= anomaly_bit(which);
    tree_anomaly(m, which, at, evidence);
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
    m->raw_parts = 0;
    body_reset(m);
}

void tree_free(struct mime *m)
{
    tree_reset(m);
    part_free(&m->part);
    buf_free(&m->field);
    buf_free(&m->closed);
    buf_free(&m->decoded);
    buf_free(&m->held);
    buf_free(&m->blanks);
    for (uint32_t i = 0; i < m->frame_room; i++) {
        buf_free(&m->frames[i].boundary);
        buf_free(&m->frames[i].other);
    }
    free(m->frames);
}

size_t tree_memory(const struct mime *m)
{
    size_t sum = m->field.room + m->closed.room + m->decoded.room + m->held.room + m->blanks.room +
                 part_memory(&m->part) + m->frame_room * sizeof *m->frames;
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

static void tell_field(struct mime *m, const struct mime_field *f, enum mime_kind kind)
{
    struct mime_event ev = {.kind = kind,
                            .name = f->name,
                            .value = f->value,
                            .decoded = buf_slice(&m->decoded),
                            .size = m->field_at,
                            .depth = m->depth ? m->depth - 1 : 0,
                            .heading = f->is,
                            .cut = f->cut};
    m->fn(m->ctx, &ev);
}

/* `gap`: it may go on in a gap. */
static void flush_field(struct mime *m, bool gap)
{
    struct slice text = buf_slice(&m->field);
    if (!text.len)
        return;
    struct mime_field f = {.text = text,
                           .name = slice_trim(slice_sub(text, 0, m->field_colon)),
                           .value = slice_trim(slice_sub(text, m->field_colon + 1, text.len)),
                           .top = in_top_headers(m),
                           .cut = m->field_cut || gap};
    f.is = heading_of(f.name);
    m->overruns += m->field_cut;
    m->field_cut = false;
    (void)charsets_overlong(m->cs);
    part_take_field(m, &f);
    buf_clear(&m->decoded);
    odd_field(m, &f);
    if (charsets_overlong(m->cs))
        tree_anomaly(m, ANOMALY_utf8_overlong, m->field_at, f.name);
    m->headers_used += f.top ? text.len : 0;
    if (f.top && m->headers_used > m->lim->headers_bytes)
        m->overruns++;
    else if (f.top)
        tell_field(m, &f, MIME_HEADER);
    else if (m->depth && m->frames[m->depth - 1].is_mail)
        tell_field(m, &f, MIME_ATTACHED_HEADER);
    buf_clear(&m->field);
}

static void part_event(const struct part *p, struct mime_event *ret)
{
    ret->type = p->type.len ? buf_slice(&p->type) : slice_str("text/plain");
    if (p->has_disposition)
        ret->filename = p->disposition_name.len ? buf_slice(&p->disposition_name) : slice_str("");
    else if (p->has_name)
        ret->filename = p->name.len ? buf_slice(&p->name) : slice_str("");
    ret->raw_filename = buf_slice(&p->raw_name);
    ret->disposition = buf_slice(&p->disposition);
    ret->encoding = buf_slice(&p->encoding);
    ret->charset = buf_slice(&p->charset);
}

/* The header block is over. */
static void part_begin(struct mime *m, struct part *p, uint32_t depth, bool lacks)
{
    if (m->parts >= m->lim->parts) {
        m->overruns++;
        tree_anomaly(m, ANOMALY_too_many_parts, p->begin, (struct slice){0});
        return;
    }
    m->parts++;
    p->body.told = true;
    p->body.depth = depth;
    struct mime_event ev = {.kind = MIME_PART_BEGIN, .at = p->begin, .depth = depth, .cut = lacks};
    part_event(p, &ev);
    body_begin(m, p, &ev);
}

static void part_out(struct mime *m, struct part *p, uint64_t size, uint32_t depth)
{
    body_end(m, p);
    if (!p->body.told)
        return;
    struct mime_event ev = {
        .kind = MIME_PART, .anomalies = p->odd, .size = size, .depth = depth, .cut = p->cut};
    part_event(p, &ev);
    m->fn(m->ctx, &ev);
}

/* `end` is the position behind the part's last byte. */
static void end_leaf(struct mime *m, uint64_t end)
{
    struct part *p = &m->part;
    uint64_t size = end > p->begin ? end - p->begin : 0;
    if (p->size.odd)
        tree_part_anomaly(m, p->transfer == TRANSFER_QP ? ANOMALY_qp_broken : ANOMALY_base64_garbage,
                          p->begin + p->size.odd_at, (struct slice){0});
    if (p->transfer != TRANSFER_IDENTITY)
        size = transfer_total(&p->size);
    body_leaf_over(m);
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
    part_trim_end(&f->other);
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
    bool lacks = m->after_gap;
    m->part.begin = begin;
    m->state = BODY;
    m->after_gap = false;
    if (slice_case_starts(type, "multipart/") && push_multipart(m)) {
        m->state = BETWEEN;
    } else if ((slice_case_eq(type, slice_str("message/rfc822")) ||
                slice_case_eq(type, slice_str("message/global"))) &&
               push_mail(m)) {
        m->state = HEADERS;
        part_begin(m, &m->frames[m->depth - 1].mail, m->depth - 1, lacks);
    } else {
        part_begin(m, &m->part, m->depth, lacks);
    }
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
        part_begin(m, &m->part, m->depth, m->after_gap);
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
    m->part.body.decoding.ended = 0;
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

/* A name has no blanks, control characters or 8-bit bytes. Eight at a time, the last of them once more with
 * those before. */
static bool like_name(struct slice name)
{
    const uint64_t ones = 0x0101010101010101, high = ones << 7;
    uint64_t odd = 0, eight = ones * 'x';
    for (size_t i = 0; i < name.len; i += sizeof eight) {
        size_t left = name.len - i;
        if (left >= sizeof eight)
            memcpy(&eight, name.data + i, sizeof eight);
        else if (i)
            memcpy(&eight, name.data + name.len - sizeof eight, sizeof eight);
        else
            memcpy(&eight, name.data, left);
        odd |= eight | (eight + ones) | ((eight - ones * '!') & ~eight);
    }
    return name.len && !(odd & high);
}

/* Where the colon of a field's first line is; 0: it is none. */
static size_t colon_of(struct slice line)
{
    line = slice_sub(line, 0, LINE_JUDGED);
    size_t colon = slice_index(line, ':'), end = colon;
    while (end && byte_is_blank(line.data[end - 1]))
        end--;
    return colon < line.len && like_name(slice_sub(line, 0, end)) ? colon : 0;
}

bool tree_header_line(struct mime *m, struct slice line)
{
    size_t colon;
    if (!line.len) {
        headers_end(m, m->pos);
    } else if (*line.data == '-' && tree_boundary_line(m, line)) {
        return false;
    } else if (byte_is_blank(*line.data)) {
        odd_continuation(m, line);
        if (m->field.len && !buf_add(&m->field, line))
            m->field_cut = true;
    } else if ((colon = colon_of(line))) {
        flush_field(m, false);
        m->field_at = m->line_start;
        m->field_colon = (uint16_t)colon;
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
    body_gap(m);
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
    body_finish(m, whole);
    close_above(m, 0, m->pos, open);
}
