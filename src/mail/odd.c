/* odd.c: what is odd in the header fields and the parts of a mail.
 * In: fields, parts. Out: anomalies. Owns: nothing. Limits: EVIDENCE_MOST of evidence.
 * Knowingly: encoded words are decoded for this only in the subject and where they name people, as nowhere
 * else is it worth its cost; a file name in Content-Type alone is too usual to be odd, and so are lines of
 * blanks in the reports of spam filters, before nothing that matters; what stands behind the closing line is
 * not read, but for the boundary's return. Spec: RFC 5322 2.2, 3.6, RFC 2045 5, 6.4, RFC 2046 5.1.1, RFC
 * 2152, RFC 3629, RFC 6532. */
#include "mail/odd.h"

#include "mail/disguise.h"
#include "mail/header.h"

/* What a header block has once at most. */
static const heading_set once =
    HEADING_BIT(to) | HEADING_BIT(cc) | HEADING_BIT(from) | HEADING_BIT(date) | HEADING_BIT(sender) |
    HEADING_BIT(subject) | HEADING_BIT(reply_to) | HEADING_BIT(message_id) | HEADING_BIT(content_type) |
    HEADING_BIT(mime_version) | HEADING_BIT(content_disposition) | HEADING_BIT(content_transfer_encoding);
/* Names those who write or are written to. */
static const heading_set people =
    HEADING_BIT(from) | HEADING_BIT(sender) | HEADING_BIT(reply_to) | HEADING_BIT(to) | HEADING_BIT(cc);

/* Of those, one that comes again, or that stands behind a line of blanks. */
static void note_once(struct mime *m, const struct mime_field *f)
{
    struct part *p = &m->part;
    if (!heading_in(once, f->is))
        return;
    if (heading_in(p->fields, f->is) && !m->after_gap)
        tree_anomaly(m, ANOMALY_header_duplicate, m->field_at, f->name);
    if (p->has_blank && (p->blank_within || m->field_at > p->blank_at))
        tree_anomaly(m, ANOMALY_header_blank_line, p->blank_at, f->name);
    p->fields |= (heading_set)1 << f->is;
}

typedef uint8_t sixteen __attribute__((vector_size(16)));

/* Sets an eighth bit of *found where a byte has one or is a question mark. */
static inline void look(sixteen *found, const uint8_t *p)
{
    sixteen c;
    memcpy(&c, p, sizeof c);
    *found |= c | (sixteen)(c == '?');
}

/* Most fields are ASCII without a question mark, and nothing in them needs a closer look. */
static bool is_plain(struct slice field)
{
    const uint64_t high = 0x8080808080808080;
    sixteen found = {0};
    uint64_t halves[2];
    if (field.len < sizeof found)
        return ascii_only(field) && slice_index(field, '?') == field.len;
    for (size_t i = 0; i + sizeof found < field.len; i += sizeof found)
        look(&found, field.data + i);
    look(&found, field.data + field.len - sizeof found);
    memcpy(halves, &found, sizeof halves);
    return !((halves[0] | halves[1]) & high);
}

/* U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069 in UTF-8. */
static bool has_bidi(struct slice text)
{
    for (size_t i = slice_index(text, 0xe2); i + 2 < text.len;
         i += 1 + slice_index(slice_sub(text, i + 1, text.len), 0xe2)) {
        uint8_t b = text.data[i + 1], c = text.data[i + 2];
        if (b == 0x80 && (c == 0x8e || c == 0x8f || (c >= 0xaa && c <= 0xae)))
            return true;
        if (b == 0x81 && c >= 0xa6 && c <= 0xa9)
            return true;
    }
    return false;
}

static bool is_utf7(struct slice charset)
{
    size_t dash = charset.len > 1 && charset.data[charset.len - 2] == '-';
    return charset.len >= 4 + dash && charset.data[charset.len - 1] == '7' &&
           slice_case_eq(slice_sub(charset, charset.len - 4 - dash, charset.len - 1 - dash),
                         slice_str("utf"));
}

static bool word_utf7(struct slice word)
{
    enum { CHARSET_MOST = 80 };
    struct slice charset = slice_sub(word, 0, slice_index(slice_sub(word, 0, CHARSET_MOST), '?'));
    return is_utf7(slice_sub(charset, 0, slice_index(charset, '*')));
}

/* An encoded word's beginning; *ret_utf7 where one is of UTF-7. */
static bool has_words(struct slice text, bool *ret_utf7)
{
    bool words = false;
    for (size_t i = slice_index(text, '?'); i < text.len;
         i += 1 + slice_index(slice_sub(text, i + 1, text.len), '?')) {
        if (!i || text.data[i - 1] != '=')
            continue;
        words = true;
        *ret_utf7 |= word_utf7(slice_sub(text, i + 1, text.len));
    }
    return words;
}

bool odd_charset(struct slice params)
{
    if (slice_index(params, '7') == params.len ||
        (slice_case_find(params, "utf-7") == params.len && slice_case_find(params, "utf7") == params.len))
        return false;
    struct buf charset;
    buf_init(&charset, EVIDENCE_MOST);
    header_param_raw(params, "charset", &charset);
    bool utf7 = is_utf7(slice_trim(buf_slice(&charset)));
    buf_free(&charset);
    return utf7;
}

/* The record has these decoded too, so it costs nothing. */
static void judge_text(struct mime *m, const struct mime_field *f)
{
    header_text(m->cs, f->value, &m->decoded);
    if (heading_in(people, f->is) && has_bidi(buf_slice(&m->decoded)))
        tree_anomaly(m, ANOMALY_bidi_control, m->field_at, f->name);
}

/* The field holds 8-bit bytes or a question mark. */
static void look_closer(struct mime *m, const struct mime_field *f)
{
    bool high = !ascii_only(f->text), utf7 = false, words = has_words(f->text, &utf7);
    if (high && f->top && !(m->utf8 && (f->cut || utf8_valid(f->text))))
        tree_anomaly(m, ANOMALY_header_8bit, m->field_at, f->name);
    if (high && utf8_overlong(f->text))
        tree_anomaly(m, ANOMALY_utf8_overlong, m->field_at, f->name);
    if (utf7)
        tree_anomaly(m, ANOMALY_charset_utf7, m->field_at, f->name);
    if (f->top && (high || words) && heading_in(people | HEADING_BIT(subject), f->is))
        judge_text(m, f);
}

void odd_field(struct mime *m, const struct mime_field *f)
{
    if (f->name.len < f->text.len && byte_is_blank(f->text.data[f->name.len]))
        tree_anomaly(m, ANOMALY_header_blank_before_colon, m->field_at, f->name);
    note_once(m, f);
    if (!is_plain(f->text))
        look_closer(m, f);
}

void odd_continuation(struct mime *m, struct slice line)
{
    struct part *p = &m->part;
    if (slice_trim_left(line).len) {
        p->blank_within |= p->has_blank && p->blank_at > m->field_at;
    } else if (!p->has_blank) {
        p->has_blank = true;
        p->blank_at = m->line_start;
    }
}

/* The value, where it is this field. */
static bool is_field(struct slice line, const char *name, struct slice *ret_value)
{
    if (!slice_case_starts(line, name))
        return false;
    struct slice rest = slice_trim(slice_sub(line, strlen(name), line.len));
    *ret_value = slice_trim(slice_sub(rest, 1, rest.len));
    return rest.len && rest.data[0] == ':';
}

static bool is_base64(struct slice line)
{
    for (size_t i = 0; i < line.len; i++) {
        uint8_t c = line.data[i];
        if (!byte_is_digit(c) && (uint8_t)((c | 32) - 'a') > 25 && c != '+' && c != '/' && c != '=')
            return false;
    }
    return line.len;
}

void odd_preamble(struct mime *m, struct slice line)
{
    enum { DIGITS = 16 }; /* fewer may be words */
    struct preamble *p = &m->preamble;
    struct slice value;
    if (is_field(line, "content-disposition", &value) &&
        (!value.len || slice_case_starts(value, "attachment")))
        tree_anomaly(m, ANOMALY_preamble_part, m->line_start, slice_str("Content-Disposition"));
    if (!p->has_type && is_field(line, "content-type", &value)) {
        p->has_type = true;
        p->type_at = m->line_start;
    }
    p->has_text |= p->has_type && !line.len;
    p->digits = p->has_text && is_base64(line) ? p->digits + line.len : 0;
    if (p->digits >= DIGITS)
        tree_anomaly(m, ANOMALY_preamble_part, p->type_at, slice_str("Content-Type"));
}

bool odd_boundary(struct slice boundary)
{
    static const char others[] = "'()+_,-./:=? ";
    enum { BOUNDARY_MOST = 70 };
    for (size_t i = 0; i < boundary.len; i++) {
        uint8_t c = boundary.data[i];
        if (!byte_is_digit(c) && (uint8_t)((c | 32) - 'a') > 25 && (!c || !strchr(others, c)))
            return true;
    }
    return !boundary.len || boundary.len > BOUNDARY_MOST || byte_is_blank(boundary.data[boundary.len - 1]);
}

static void judge_names(struct mime *m)
{
    struct part *p = &m->part;
    struct slice name = buf_slice(&p->name), other = buf_slice(&p->other), first = name;
    uint64_t at = p->has_disposition ? p->disposition_at : p->type_at;
    if (p->has_disposition)
        first = buf_slice(&p->disposition_name);
    if (name.len && !slice_eq(name, first))
        tree_part_anomaly(m, ANOMALY_filename_conflict, p->type_at, name);
    else if (other.len && !slice_eq(other, first))
        tree_part_anomaly(m, ANOMALY_filename_conflict, p->other_at, other);
    if (disguise_extension(first))
        tree_part_anomaly(m, ANOMALY_filename_double, at, first);
    if (disguise_path(first))
        tree_part_anomaly(m, ANOMALY_filename_path, at, first);
    if (has_bidi(first) || has_bidi(name) || has_bidi(other))
        tree_part_anomaly(m, ANOMALY_bidi_control, at,
                          slice_str(p->has_disposition ? "Content-Disposition" : "Content-Type"));
}

void odd_headers(struct mime *m)
{
    struct part *p = &m->part;
    struct slice type = buf_slice(&p->type);
    if (m->after_gap)
        return; /* fields are missing, or of another part */
    bool multipart = slice_case_starts(type, "multipart/");
    /* RFC 6532 lets message/global be encoded. */
    bool whole =
        multipart || (slice_case_starts(type, "message/") && !slice_case_starts(type, "message/global"));
    if (whole && p->transfer != TRANSFER_IDENTITY)
        tree_part_anomaly(m, ANOMALY_encoding_on_multipart, p->transfer_at,
                          slice_sub(type, 0, EVIDENCE_MOST));
    if (multipart && !p->has_boundary)
        tree_part_anomaly(m, ANOMALY_boundary_missing, p->type_at, slice_sub(type, 0, EVIDENCE_MOST));
    if (multipart && p->boundary_odd)
        tree_part_anomaly(m, ANOMALY_boundary_broken, p->type_at,
                          slice_sub(buf_slice(&p->boundary), 0, EVIDENCE_MOST));
    if (multipart && p->other_boundary.len && !p->later_boundary)
        tree_part_anomaly(m, ANOMALY_boundary_conflict, p->type_at, buf_slice(&p->other_boundary));
    if (p->name.len || p->disposition_name.len || p->other.len)
        judge_names(m);
}
