/* mime.c: a mail by push, line by line.
 * In: message text. Out: the top header block's fields, and parts with name, type and size. Owns: one line, one field, the open
 * multiparts. Limits: struct mime_limits, and BOUNDARY_MAX bytes of a boundary.
 * A body line is looked at closer only where it begins with "--"; its text is never copied.
 * Knowingly: a line without a colon amid headers is skipped, as mail programs do; of repeated Content-* fields the first counts.
 * Spec: RFC 5322 2.2, RFC 2045, RFC 2046 5.1. */
#include "mail/mime.h"

#include <assert.h>
#include <stdlib.h>
#include "mail/header.h"
#include "mail/transfer.h"

enum { BOUNDARY_MAX = 255, BOUNDARY_LINE = 1024, NAME_BYTES = 4096 };
enum state { HEADERS, BODY, BETWEEN }; /* BETWEEN: a multipart's preamble or epilogue */

/* What a header block says of its part. */
struct part {
    struct buf type, name, disposition_name, boundary;
    bool has_type, has_disposition, has_transfer, has_name, cut;
    enum transfer transfer;
    struct transfer_size size;
    uint64_t begin; /* position of its first byte */
};

/* An open multipart, or an attached mail around what is open. */
struct frame {
    bool is_mail, digest;
    uint8_t boundary[BOUNDARY_MAX];
    size_t boundary_len;
    struct part mail; /* is_mail: its own part */
};

struct mime {
    const struct mime_limits *lim;
    struct charsets *cs;
    mime_fn *fn;
    void *ctx;
    enum state state;
    struct buf line;  /* the part of a line that must be whole before it can be judged */
    struct buf field; /* the header field so far, unfolded */
    bool field_cut, line_cut;
    bool mid_line;  /* the line's beginning was passed on already */
    bool held_cr;   /* a CR ended the last bytes: it may belong to a line's end */
    bool skip_line; /* after a gap: up to the line's end */
    bool after_gap;
    uint64_t pos;        /* bytes seen, gaps included */
    uint64_t headers_used;
    size_t last_end;     /* length of the last line's end */
    struct part part;    /* whose headers or body are read */
    struct frame *frames;
    uint32_t depth, parts;
    uint64_t overruns;
};

static void part_init(struct part *p)
{
    buf_init(&p->type, NAME_BYTES);
    buf_init(&p->name, NAME_BYTES);
    buf_init(&p->disposition_name, NAME_BYTES);
    buf_init(&p->boundary, NAME_BYTES);
}

static void part_clear(struct part *p)
{
    struct part fresh = {.type = p->type, .name = p->name, .disposition_name = p->disposition_name, .boundary = p->boundary};
    *p = fresh;
    buf_clear(&p->type);
    buf_clear(&p->name);
    buf_clear(&p->disposition_name);
    buf_clear(&p->boundary);
}

static void part_free(struct part *p)
{
    buf_free(&p->type);
    buf_free(&p->name);
    buf_free(&p->disposition_name);
    buf_free(&p->boundary);
}

struct mime *mime_new(const struct mime_limits *lim, struct charsets *cs, mime_fn *fn, void *ctx)
{
    struct mime *m = calloc(1, sizeof *m);
    assert(m);
    *m = (struct mime){.lim = lim, .cs = cs, .fn = fn, .ctx = ctx};
    buf_init(&m->line, lim->header_bytes > BOUNDARY_LINE ? lim->header_bytes : BOUNDARY_LINE);
    buf_init(&m->field, lim->header_bytes);
    part_init(&m->part);
    return m;
}

static void pop_frame(struct mime *m)
{
    struct frame *f = &m->frames[--m->depth];
    if (f->is_mail)
        part_free(&f->mail);
}

void mime_reset(struct mime *m)
{
    while (m->depth)
        pop_frame(m);
    m->state = HEADERS;
    m->field_cut = m->line_cut = m->mid_line = m->held_cr = m->skip_line = m->after_gap = false;
    m->pos = m->headers_used = m->overruns = 0;
    m->last_end = 0;
    m->parts = 0;
    buf_clear(&m->line);
    buf_clear(&m->field);
    part_clear(&m->part);
}

void mime_free(struct mime **pm)
{
    struct mime *m = *pm;
    *pm = NULL;
    if (!m)
        return;
    mime_reset(m);
    part_free(&m->part);
    buf_free(&m->line);
    buf_free(&m->field);
    free(m->frames);
    free(m);
}

uint64_t mime_overruns(const struct mime *m)
{
    return m->overruns;
}

static bool in_top_headers(const struct mime *m)
{
    return m->depth == 0 && m->parts == 0;
}

static void take_type(struct mime *m, struct slice value)
{
    struct part *p = &m->part;
    struct header_params hp = header_params(value);
    if (p->has_type)
        return;
    p->has_type = true;
    for (size_t i = 0; i < hp.value.len; i++)
        buf_add_byte(&p->type, byte_lower(hp.value.data[i]));
    header_param_raw(hp.rest, "boundary", &p->boundary);
    p->has_name = header_param(m->cs, hp.rest, "name", &p->name);
}

static void take_field(struct mime *m, struct slice name, struct slice value)
{
    struct part *p = &m->part;
    if (!slice_case_starts(name, "content-"))
        return;
    if (slice_case_eq(name, slice_str("content-type"))) {
        take_type(m, value);
    } else if (slice_case_eq(name, slice_str("content-transfer-encoding")) && !p->has_transfer) {
        p->has_transfer = true;
        p->transfer = transfer_of(value);
    } else if (slice_case_eq(name, slice_str("content-disposition")) && !p->has_disposition) {
        p->has_disposition = header_param(m->cs, header_params(value).rest, "filename", &p->disposition_name);
    }
}

static void flush_field(struct mime *m)
{
    struct slice field = buf_slice(&m->field);
    size_t colon = slice_index(field, ':');
    bool cut = m->field_cut;
    m->field_cut = false;
    if (!field.len)
        return;
    struct slice name = slice_trim(slice_sub(field, 0, colon)), value = slice_trim(slice_sub(field, colon + 1, field.len));
    m->overruns += cut;
    take_field(m, name, value);
    if (in_top_headers(m)) {
        m->headers_used += field.len;
        if (m->headers_used <= m->lim->headers_bytes) {
            struct mime_event ev = {.kind = MIME_HEADER, .name = name, .value = value, .cut = cut};
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
        return;
    }
    struct mime_event ev = {.kind = MIME_PART, .type = buf_slice(&p->type), .size = size, .depth = depth, .cut = p->cut};
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
    if (p->transfer != TRANSFER_IDENTITY)
        size = transfer_total(&p->size);
    part_out(m, p, size, m->depth);
}

static bool push_frame(struct mime *m, bool is_mail)
{
    if (m->depth >= m->lim->depth) {
        m->overruns++;
        return false;
    }
    if (!m->frames) {
        m->frames = calloc(m->lim->depth, sizeof *m->frames);
        assert(m->frames);
    }
    struct frame *f = &m->frames[m->depth++];
    *f = (struct frame){.is_mail = is_mail};
    if (is_mail) {
        f->mail = m->part;
        part_init(&m->part);
    } else {
        f->digest = slice_case_eq(buf_slice(&m->part.type), slice_str("multipart/digest"));
        f->boundary_len = m->part.boundary.len < BOUNDARY_MAX ? m->part.boundary.len : BOUNDARY_MAX;
        memcpy(f->boundary, m->part.boundary.data, f->boundary_len);
    }
    return true;
}

static void headers_end(struct mime *m)
{
    flush_field(m);
    if (in_top_headers(m))
        m->fn(m->ctx, &(struct mime_event){.kind = MIME_HEADERS_END});
    struct slice type = buf_slice(&m->part.type);
    m->part.begin = m->pos;
    m->state = BODY;
    m->after_gap = false;
    bool is_mail = slice_case_eq(type, slice_str("message/rfc822")) || slice_case_eq(type, slice_str("message/global"));
    if (slice_case_starts(type, "multipart/") && m->part.boundary.len && push_frame(m, false)) {
        m->state = BETWEEN;
    } else if (is_mail && m->part.transfer == TRANSFER_IDENTITY && push_frame(m, true)) {
        part_clear(&m->part);
        m->state = HEADERS;
    }
}

/* The open multipart that this line is a boundary of; depth where it is none. An outer one counts too: inner ones may lack their
 * closing line. */
static uint32_t boundary_of(const struct mime *m, struct slice line, bool *ret_closing)
{
    struct slice text = slice_sub(line, 2, line.len);
    while (text.len && (byte_is_blank(text.data[text.len - 1]) || text.data[text.len - 1] == '\r'))
        text.len--;
    for (uint32_t i = m->depth; i-- > 0;) {
        const struct frame *f = &m->frames[i];
        if (f->is_mail || text.len < f->boundary_len || memcmp(text.data, f->boundary, f->boundary_len) != 0)
            continue;
        struct slice rest = slice_sub(text, f->boundary_len, text.len);
        if (rest.len == 0 || (rest.len == 2 && memcmp(rest.data, "--", 2) == 0)) {
            *ret_closing = rest.len == 2;
            return i;
        }
    }
    return m->depth;
}

/* Ends what is open above frame `keep`. `end`: position behind the last byte before the boundary. */
static void close_above(struct mime *m, uint32_t keep, uint64_t end, bool cut)
{
    if (m->state == HEADERS) {
        flush_field(m);
        m->part.begin = end;
    }
    m->part.cut |= cut;
    if (m->state != BETWEEN) {
        if (m->part.transfer == TRANSFER_QP)
            transfer_uncount_end(&m->part.size, TRANSFER_QP, m->state == BODY ? m->last_end : 0);
        end_leaf(m, end);
    }
    while (m->depth > keep) {
        struct frame *f = &m->frames[m->depth - 1];
        if (f->is_mail) {
            f->mail.cut |= cut;
            part_out(m, &f->mail, end > f->mail.begin ? end - f->mail.begin : 0, m->depth - 1);
        }
        pop_frame(m);
    }
}

/* True: the line was a boundary. `start` is the position of its first byte. */
static bool boundary_line(struct mime *m, struct slice line, uint64_t start)
{
    bool closing = false;
    if (line.len < 2 || line.data[0] != '-' || line.data[1] != '-' || !m->depth)
        return false;
    uint32_t at = boundary_of(m, line, &closing);
    if (at == m->depth)
        return false;
    uint64_t end = start >= m->last_end ? start - m->last_end : 0;
    close_above(m, at + 1, end, false);
    part_clear(&m->part);
    m->state = HEADERS;
    m->after_gap = false;
    if (m->frames[at].digest)
        buf_add_str(&m->part.type, "message/rfc822");
    if (closing) {
        pop_frame(m);
        m->state = BETWEEN;
    }
    return true;
}

static bool like_field(struct slice line)
{
    size_t i = 0;
    while (i < line.len && line.data[i] > ' ' && line.data[i] < 127 && line.data[i] != ':')
        i++;
    size_t name = i;
    while (i < line.len && byte_is_blank(line.data[i]))
        i++;
    return name && i < line.len && line.data[i] == ':';
}

static void header_line(struct mime *m, struct slice line, uint64_t start)
{
    if (!line.len) {
        headers_end(m);
    } else if (boundary_line(m, line, start)) {
        return;
    } else if (byte_is_blank(line.data[0])) {
        if (m->field.len && !buf_add(&m->field, line))
            m->field_cut = true;
    } else if (like_field(line)) {
        flush_field(m);
        m->field_cut = !buf_add(&m->field, line) || m->line_cut;
    } else if (m->after_gap) {
        /* The gap may have held the blank line: this is text. */
        headers_end(m);
        m->part.begin = start;
    } else {
        flush_field(m);
    }
}

static void body_text(struct mime *m, struct slice text, size_t end)
{
    if (m->state == BODY && m->part.transfer != TRANSFER_IDENTITY)
        transfer_count(&m->part.size, m->part.transfer, text, end);
}

/* A whole line, its end not in it but `end` bytes long. m->pos stands behind it. */
static void whole_line(struct mime *m, struct slice line, size_t end)
{
    uint64_t start = m->pos - line.len - end;
    if (m->skip_line) {
        m->skip_line = false;
    } else if (m->state == HEADERS) {
        header_line(m, line, start);
    } else if (!boundary_line(m, line, start)) {
        body_text(m, line, end);
    }
    m->last_end = end;
    m->line_cut = false;
}

/* Must this line be whole before it can be judged? */
static bool wants_whole(const struct mime *m, struct slice part)
{
    if (m->skip_line || m->mid_line)
        return false;
    return m->state == HEADERS || (m->depth && part.len && part.data[0] == '-' && (part.len < 2 || part.data[1] == '-'));
}

static void stream_text(struct mime *m, struct slice text)
{
    if (m->held_cr)
        body_text(m, slice_str("\r"), 0);
    m->held_cr = text.len && text.data[text.len - 1] == '\r';
    body_text(m, slice_sub(text, 0, text.len - m->held_cr), 0);
    m->mid_line = true;
}

/* The rest of the input, without a line's end. */
static void partial_line(struct mime *m, struct slice part)
{
    m->pos += part.len;
    bool had = m->line.len > 0;
    if (m->skip_line)
        return;
    if (!had && !wants_whole(m, part)) {
        stream_text(m, part);
        return;
    }
    if (!buf_add(&m->line, part))
        m->line_cut = true;
    if (m->state != HEADERS && m->line.len > BOUNDARY_LINE) {
        stream_text(m, buf_slice(&m->line));
        buf_clear(&m->line);
    }
}

static size_t line_end(struct slice line)
{
    size_t end = 1;
    while (end < 3 && line.len >= end && line.data[line.len - end] == '\r')
        end++;
    return end;
}

static void ended_line(struct mime *m, struct slice part)
{
    m->pos += part.len + 1;
    if (m->line.len) {
        if (!buf_add(&m->line, part))
            m->line_cut = true;
        struct slice line = buf_slice(&m->line);
        size_t end = line_end(line);
        line.len -= end - 1;
        uint64_t pos = m->pos;
        whole_line(m, line, end);
        m->pos = pos;
        buf_clear(&m->line);
        return;
    }
    size_t end = line_end(part);
    if (m->held_cr && part.len == end - 1 && end < 3)
        end++;
    else if (m->held_cr && !m->skip_line)
        body_text(m, slice_str("\r"), 0);
    m->held_cr = false;
    struct slice line = slice_sub(part, 0, part.len >= end - 1 ? part.len - (end - 1) : 0);
    if (m->mid_line && !m->skip_line) {
        body_text(m, line, end);
        m->last_end = end;
    } else {
        whole_line(m, line, end);
    }
    m->mid_line = false;
}

void mime_feed(struct mime *m, struct slice bytes)
{
    while (bytes.len) {
        size_t lf = slice_index(bytes, '\n');
        if (lf == bytes.len) {
            partial_line(m, bytes);
            return;
        }
        ended_line(m, slice_sub(bytes, 0, lf));
        bytes = slice_sub(bytes, lf + 1, bytes.len);
    }
}

void mime_gap(struct mime *m, uint64_t len)
{
    m->pos += len;
    buf_clear(&m->line);
    m->held_cr = m->line_cut = false;
    m->skip_line = true;
    if (m->state == HEADERS) {
        m->field_cut |= m->field.len > 0;
        flush_field(m);
        m->after_gap = true;
        m->mid_line = false;
    } else {
        m->part.cut = true;
        m->mid_line = true;
    }
}

void mime_finish(struct mime *m)
{
    if (m->line.len) {
        struct slice line = buf_slice(&m->line);
        whole_line(m, line, 0);
        buf_clear(&m->line);
    }
    m->last_end = 0;
    bool open = false;
    for (uint32_t i = 0; i < m->depth; i++)
        open |= !m->frames[i].is_mail;
    if (m->state == HEADERS && m->depth == 0) {
        bool top = in_top_headers(m);
        flush_field(m);
        if (top)
            m->fn(m->ctx, &(struct mime_event){.kind = MIME_HEADERS_END});
        m->part.begin = m->pos;
    }
    close_above(m, 0, m->pos, open);
}
