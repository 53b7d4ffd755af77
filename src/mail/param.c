/* param.c: parameters of Content-Type and Content-Disposition.
 * In: an unfolded value. Out: decoded text. Owns: nothing. Limits: SECTIONS continuations a parameter.
 * A comment is skipped where it stands before a parameter, up to COMMENT_MAX.
 * Knowingly: of two plain parameters of one name the first counts; an extended one wins over a plain one.
 * Spec: RFC 2045 5.1, RFC 2231. */
#include "mail/header.h"

enum { SECTIONS = 64, COMMENT_MAX = 1024 };

struct param {
    struct slice name;  /* up to '*' */
    struct slice value; /* without quotes */
    bool quoted, extended;
    int section; /* -1: none */
};

/* Past the comment at the start of `s`, 0 where there is none. */
static size_t comment(struct slice s)
{
    size_t end = s.len && s.data[0] == '(' ? slice_index(slice_sub(s, 0, COMMENT_MAX), ')') + 1 : 0;
    return end <= s.len && end <= COMMENT_MAX ? end : 0;
}

struct header_params header_params(struct slice value)
{
    size_t semi = 0, blank = value.len;
    value = slice_trim(value);
    while (semi < value.len && value.data[semi] != ';') {
        if (byte_is_blank(value.data[semi]) && blank > semi)
            blank = semi;
        size_t skip = comment(slice_sub(value, semi, value.len));
        semi += skip ? skip : 1;
    }
    /* Some mailers forget the first semicolon. */
    if (semi == value.len && blank < semi && slice_index(value, '=') < value.len)
        semi = blank;
    return (struct header_params){slice_trim(slice_sub(value, 0, semi)), slice_sub(value, semi, value.len)};
}

static size_t value_end(struct slice s, bool quoted)
{
    for (size_t i = quoted; i < s.len; i++) {
        if (quoted && s.data[i] == '\\')
            i++;
        else if (s.data[i] == (quoted ? '"' : ';'))
            return i;
    }
    return s.len;
}

/* Where a name ends, or what has none. No further: behind a value in quotes the next parameter may follow
 * without a semicolon, so one that is far away would be looked for by each. */
static size_t name_end(struct slice s)
{
    size_t i = 0;
    while (i < s.len && s.data[i] != '=' && s.data[i] != ';')
        i++;
    return i;
}

static void split_name(struct slice name, struct param *ret)
{
    size_t star = slice_index(name, '*');
    ret->name = slice_sub(name, 0, star);
    ret->section = -1;
    if (star == name.len)
        return;
    struct slice rest = slice_sub(name, star + 1, name.len);
    uint64_t section = 0;
    size_t n = slice_number(rest, &section);
    if (n)
        ret->section = section < SECTIONS ? (int)section : SECTIONS;
    rest = slice_sub(rest, n, rest.len);
    ret->extended = n == 0 || (rest.len && rest.data[0] == '*');
}

/* Takes the next parameter of *s. */
static bool param_next(struct slice *s, struct param *ret)
{
    for (;;) {
        while (s->len && (s->data[0] == ';' || byte_is_blank(s->data[0])))
            *s = slice_sub(*s, 1, s->len);
        *s = slice_sub(*s, comment(*s), s->len);
        if (!s->len)
            return false;
        size_t eq = name_end(*s);
        if (eq == s->len || s->data[eq] == ';') {
            *s = slice_sub(*s, eq, s->len);
            continue;
        }
        *ret = (struct param){0};
        split_name(slice_trim(slice_sub(*s, 0, eq)), ret);
        struct slice rest = slice_trim_left(slice_sub(*s, eq + 1, s->len));
        ret->quoted = rest.len && rest.data[0] == '"';
        size_t end = value_end(rest, ret->quoted);
        ret->value = slice_sub(rest, ret->quoted, end);
        if (!ret->quoted)
            ret->value = slice_trim(ret->value);
        *s = slice_sub(rest, end + (ret->quoted && end < rest.len), rest.len);
        return true;
    }
}

static void unquote(const struct param *p, struct buf *out)
{
    for (size_t i = 0; i < p->value.len; i++) {
        uint8_t c = p->value.data[i];
        bool escape = c == '\\' && p->quoted && i + 1 < p->value.len &&
                      (p->value.data[i + 1] == '"' || p->value.data[i + 1] == '\\');
        buf_add_byte(out, escape ? p->value.data[++i] : c);
    }
}

static int hex(uint8_t c)
{
    c = byte_lower(c);
    return byte_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void unpercent(struct slice s, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++) {
        int high = s.data[i] == '%' && i + 2 < s.len ? hex(s.data[i + 1]) : -1;
        int low = high >= 0 ? hex(s.data[i + 2]) : -1;
        if (low >= 0) {
            buf_add_byte(out, (uint8_t)(high << 4 | low));
            i += 2;
        } else {
            buf_add_byte(out, s.data[i]);
        }
    }
}

/* "charset'language'text": takes the charset off. */
static struct slice take_charset(struct slice *value)
{
    size_t first = slice_index(*value, '\'');
    struct slice rest = slice_sub(*value, first + 1, value->len);
    size_t second = slice_index(rest, '\'');
    if (first == value->len || second == rest.len)
        return (struct slice){NULL, 0};
    struct slice charset = slice_sub(*value, 0, first);
    *value = slice_sub(rest, second + 1, rest.len);
    return charset;
}

struct found {
    bool has_plain, has_again, has_single, has_section[SECTIONS];
    bool any_section, extended_section;
    struct param plain, again, single, sections[SECTIONS]; /* set where the flags above say so */
};

static void look_for(struct slice params, const char *name, struct found *ret)
{
    struct param p;
    memset(ret, 0, offsetof(struct found, plain));
    while (param_next(&params, &p)) {
        if (!slice_case_eq(p.name, slice_str(name)))
            continue;
        if (p.section == SECTIONS)
            continue;
        if (p.section >= 0 && !ret->has_section[p.section]) {
            ret->sections[p.section] = p;
            ret->has_section[p.section] = ret->any_section = true;
            ret->extended_section |= p.extended;
        } else if (p.section < 0 && p.extended && !ret->has_single) {
            ret->single = p;
            ret->has_single = true;
        } else if (p.section < 0 && !p.extended && !ret->has_plain) {
            ret->plain = p;
            ret->has_plain = true;
        } else if (p.section < 0 && !p.extended && !ret->has_again) {
            ret->again = p;
            ret->has_again = true;
        }
    }
}

/* Sections in the order of their numbers. One that is missing leaves its neighbours joined: a name with a
 * hole says more than none, and some receivers read it so. */
static void join_sections(struct found *f, struct slice *ret_charset, struct buf *bytes)
{
    *ret_charset = slice_str("us-ascii");
    for (int i = 0; i < SECTIONS; i++) {
        struct param *p = &f->sections[i];
        if (!f->has_section[i])
            continue;
        if (i == 0 && p->extended)
            *ret_charset = take_charset(&p->value);
        if (p->extended)
            unpercent(p->value, bytes);
        else
            unquote(p, bytes);
    }
}

/* The ways to give a parameter; the first that is there counts. */
enum form { FORM_SINGLE, FORM_SECTIONS, FORM_PLAIN, FORM_AGAIN, FORMS };

static bool has_form(const struct found *f, enum form form)
{
    const bool has[FORMS] = {f->has_single, f->any_section, f->has_plain, f->has_again};
    return has[form];
}

static void read_form(struct charsets *cs, struct found *f, enum form form, struct buf *out)
{
    struct buf bytes;
    struct slice charset = {0};
    buf_init(&bytes, out->max);
    if (form == FORM_SINGLE) {
        struct slice value = f->single.value;
        charset = take_charset(&value);
        unpercent(value, &bytes);
    } else if (form == FORM_SECTIONS) {
        join_sections(f, &charset, &bytes);
    } else {
        unquote(form == FORM_PLAIN ? &f->plain : &f->again, &bytes);
    }
    if (form == FORM_SINGLE || (form == FORM_SECTIONS && f->extended_section))
        charset_to_utf8(cs, charset, buf_slice(&bytes), out);
    else
        header_text(cs, buf_slice(&bytes), out);
    buf_free(&bytes);
}

bool header_param_both(struct charsets *cs, struct slice params, const char *name, struct buf *out,
                       struct buf *other)
{
    struct found f;
    bool found = false;
    look_for(params, name, &f);
    for (int form = 0; form < FORMS; form++) {
        if (!has_form(&f, form))
            continue;
        if (!found)
            read_form(cs, &f, form, out);
        else if (other && !other->len)
            read_form(cs, &f, form, other);
        if (found && other && slice_eq(buf_slice(other), buf_slice(out)))
            buf_clear(other);
        found = true;
    }
    return found;
}

bool header_param(struct charsets *cs, struct slice params, const char *name, struct buf *out)
{
    return header_param_both(cs, params, name, out, NULL);
}

/* A token: what follows a blank is a comment or a forgotten semicolon. */
static struct slice token(const struct param *p)
{
    return slice_sub(p->value, 0,
                     p->quoted ? p->value.len
                               : slice_index(slice_sub(p->value, 0, slice_index(p->value, '\t')), ' '));
}

/* Another way to read what `out` has one of. */
static void other_raw(struct found *f, const struct buf *out, struct buf *other)
{
    struct slice charset,
        rest = slice_trim_left(slice_sub(f->plain.value, token(&f->plain).len, f->plain.value.len));
    if (f->has_again)
        unquote(&f->again, other);
    else if (f->any_section)
        join_sections(f, &charset, other);
    else if (rest.len && rest.data[0] != '(')
        unquote(&f->plain, other);
    if (slice_eq(buf_slice(out), buf_slice(other)))
        buf_clear(other);
}

bool header_param_raw(struct slice params, const char *name, struct buf *out, struct buf *other)
{
    struct found f;
    struct slice charset;
    look_for(params, name, &f);
    if (f.has_plain) {
        struct param p = f.plain;
        p.value = token(&p);
        unquote(&p, out);
        if (other)
            other_raw(&f, out, other);
    } else if (f.any_section) {
        join_sections(&f, &charset, out);
    }
    return f.has_plain || f.any_section;
}

void header_param_written(struct slice params, const char *name, struct buf *out)
{
    struct found f;
    look_for(params, name, &f);
    if (f.has_single) {
        buf_add(out, f.single.value);
        return;
    }
    if (!f.any_section && f.has_plain)
        buf_add(out, f.plain.value);
    for (int i = 0; i < SECTIONS; i++)
        if (f.has_section[i])
            buf_add(out, f.sections[i].value);
}
