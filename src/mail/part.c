/* part.c: what a header block says of its part.
 * In: its fields. Out: struct part. Owns: the texts in it. Limits: NAME_BYTES of each. Knowingly: of repeated
 * Content-* fields the first counts, and a name that only a later one has. Spec: RFC 2045 5, 6, RFC 2183. */
#include "mail/tree.h"

#include "mail/header.h"
#include "mail/odd.h"

enum { TEXTS = 10, WORD_BYTES = 200 };

/* All of its texts, in one place. */
static void part_texts(struct part *p, struct buf *ret[TEXTS])
{
    struct buf *all[TEXTS] = {&p->type,     &p->name,          &p->disposition_name, &p->boundary,
                              &p->other,    &p->encoding,      &p->disposition,      &p->charset,
                              &p->raw_name, &p->other_boundary};
    memcpy(ret, all, sizeof all);
}

void part_init(struct part *p)
{
    struct buf *all[TEXTS];
    part_texts(p, all);
    for (size_t i = 0; i < TEXTS; i++)
        buf_init(all[i], NAME_BYTES);
    p->encoding.max = p->disposition.max = p->charset.max = WORD_BYTES;
}

void part_clear(struct part *p)
{
    struct buf *all[TEXTS];
    part_texts(p, all);
    for (size_t i = 0; i < TEXTS; i++)
        buf_clear(all[i]);
    memset(&p->fields, 0, sizeof *p - offsetof(struct part, fields));
}

void part_free(struct part *p)
{
    struct buf *all[TEXTS];
    part_texts(p, all);
    for (size_t i = 0; i < TEXTS; i++)
        buf_free(all[i]);
}

size_t part_memory(const struct part *p)
{
    struct buf *all[TEXTS];
    size_t sum = 0;
    part_texts((struct part *)p, all);
    for (size_t i = 0; i < TEXTS; i++)
        sum += all[i]->room;
    return sum;
}

/* As in a boundary's lines. */
void part_trim_end(struct buf *boundary)
{
    while (boundary->len && byte_is_blank(boundary->data[boundary->len - 1]))
        boundary->len--;
}

/* A name that only some readers take: the last of two fields, say. */
static void take_other(struct mime *m, struct slice params, const char *name)
{
    struct part *p = &m->part;
    if (!p->other.len && header_param(m->cs, params, name, &p->other))
        p->other_at = m->field_at;
}

static bool lacks(struct slice params, uint8_t c)
{
    return slice_index(params, c) == params.len;
}

/* As it is written, where it may differ from what it means. */
static void take_raw_name(struct part *p, const struct header_given *name)
{
    struct slice params = name->params;
    buf_clear(&p->raw_name);
    if (!ascii_only(params) || !lacks(params, '*') || !lacks(params, '?') || !lacks(params, '\\'))
        header_given_written(name, &p->raw_name);
}

static void take_boundary(struct part *p, const struct header_given *boundary)
{
    p->has_boundary = header_given_raw(boundary, &p->boundary, &p->other_boundary);
    p->boundary_odd = p->has_boundary && odd_boundary(buf_slice(&p->boundary));
    part_trim_end(&p->boundary);
}

static bool ends_word(uint8_t c)
{
    return c <= '(' && (byte_is_blank(c) || c == '(');
}

/* Lower case, up to a blank or a comment. */
static void take_word(struct buf *out, struct slice value)
{
    size_t i = out->len;
    buf_add(out, value);
    while (i < out->len && !ends_word(out->data[i])) {
        out->data[i] = byte_lower(out->data[i]);
        i++;
    }
    out->len = i;
}

/* Of a second Content-Type. */
static void take_type_again(struct mime *m, struct slice params)
{
    struct part *p = &m->part;
    if (!p->other_boundary.len)
        p->later_boundary = header_param_raw(params, "boundary", &p->other_boundary);
    if (p->has_name)
        take_other(m, params, "name");
    else
        p->has_name = header_param(m->cs, params, "name", &p->name);
}

static void take_type(struct mime *m, struct slice value)
{
    enum { BOUNDARY, CHARSET, NAME, ASKED };
    struct part *p = &m->part;
    struct header_params hp = header_params(value);
    struct header_given given[ASKED] = {[BOUNDARY] = {.name = slice_str("boundary")},
                                        [CHARSET] = {.name = slice_str("charset")},
                                        [NAME] = {.name = slice_str("name")}};
    if (odd_charset(hp.rest))
        tree_part_anomaly(m, ANOMALY_charset_utf7, m->field_at, slice_str("Content-Type"));
    if (p->has_type) {
        take_type_again(m, hp.rest);
        return;
    }
    p->has_type = true;
    p->type_at = p->other_at = m->field_at;
    buf_clear(&p->type); /* a digest gave its parts a type */
    take_word(&p->type, hp.value);
    header_find(hp.rest, given, ASKED);
    take_boundary(p, &given[BOUNDARY]);
    header_given_raw(&given[CHARSET], &p->charset, NULL);
    p->has_name = header_given_text(m->cs, &given[NAME], &p->name, &p->other);
    if (p->has_name && !p->has_disposition)
        take_raw_name(p, &given[NAME]);
}

static void take_disposition(struct mime *m, struct slice value)
{
    struct part *p = &m->part;
    struct header_params hp = header_params(value);
    struct header_given name = {.name = slice_str("filename")};
    if (p->has_disposition) {
        take_other(m, hp.rest, "filename");
        return;
    }
    bool had = p->other.len;
    p->disposition_at = m->field_at;
    header_find(hp.rest, &name, 1);
    p->has_disposition = header_given_text(m->cs, &name, &p->disposition_name, &p->other);
    if (!had && p->other.len)
        p->other_at = m->field_at;
    if (p->has_disposition)
        take_raw_name(p, &name);
    if (!p->disposition.len)
        take_word(&p->disposition, hp.value);
}

static void take_transfer(struct mime *m, struct slice value)
{
    struct part *p = &m->part;
    bool known = true;
    p->has_transfer = true;
    p->transfer = transfer_of(value, &known);
    buf_add(&p->encoding, value);
    p->transfer_at = m->field_at;
    if (!known && !m->after_gap)
        tree_part_anomaly(m, ANOMALY_encoding_unknown, m->field_at, slice_sub(value, 0, EVIDENCE_MOST));
}

void part_take_field(struct mime *m, const struct mime_field *f)
{
    if (f->is == HEADING_content_type)
        take_type(m, f->value);
    else if (f->is == HEADING_content_transfer_encoding && !m->part.has_transfer)
        take_transfer(m, f->value);
    else if (f->is == HEADING_content_disposition)
        take_disposition(m, f->value);
}
