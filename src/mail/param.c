/* param.c: parameters of Content-Type and Content-Disposition.
 * In: an unfolded value. Out: decoded text. Owns: nothing. Limits: SECTIONS continuations a parameter.
 * A comment is skipped where it stands before a parameter, up to COMMENT_MAX.
 * Knowingly: of two plain parameters of one name the first counts; an extended one wins over a plain one.
 * Spec: RFC 2045 5.1, RFC 2231. */
#include "mail/header.h"

enum { SECTIONS = 64, COMMENT_MAX = 1024 };

struct param {
    struct slice name;  /* with what follows a '*' */
    struct slice value; /* without quotes */
    bool quoted;
};

/* Past the comment at the start of `s`, 0 where there is none. */
static size_t comment(struct slice s)
{
    size_t end = s.len && s.data[0] == '(' ? slice_index(slice_sub(s, 0, COMMENT_MAX), ')') + 1 : 0;
    return end <= s.len && end <= COMMENT_MAX ? end : 0;
}

/* The first ';' or blank that stands in no comment. */
static size_t uncommented(struct slice s, bool blank)
{
    size_t i = 0;
    while (i < s.len && !(blank ? byte_is_blank(s.data[i]) : s.data[i] == ';')) {
        size_t skip = comment(slice_sub(s, i, s.len));
        i += skip ? skip : 1;
    }
    return i;
}

struct header_params header_params(struct slice value)
{
    value = slice_trim(value);
    size_t semi = slice_index(value, ';');
    if (slice_index(slice_sub(value, 0, semi), '(') < semi)
        semi = uncommented(value, false);
    /* Some mailers forget the first semicolon. */
    if (semi == value.len && slice_index(value, '=') < value.len)
        semi = uncommented(value, true);
    return (struct header_params){slice_trim(slice_sub(value, 0, semi)), slice_sub(value, semi, value.len)};
}

/* `s`: behind the opening quote. */
static size_t quoted_end(struct slice s)
{
    size_t i = slice_index(s, '"');
    if (slice_index(slice_sub(s, 0, i), '\\') == i)
        return i;
    for (i = 0; i < s.len && s.data[i] != '"'; i++)
        i += s.data[i] == '\\';
    return i < s.len ? i : s.len;
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

/* Takes the next parameter of *s. */
static bool param_next(struct slice *s, struct param *ret)
{
    size_t eq = 0;
    do {
        size_t i = eq;
        while (i < s->len && (s->data[i] == ';' || byte_is_blank(s->data[i])))
            i++;
        *s = slice_sub(*s, i, s->len);
        *s = slice_sub(*s, comment(*s), s->len);
        if (!s->len)
            return false;
        eq = name_end(*s);
    } while (eq == s->len || s->data[eq] == ';');
    ret->name = slice_trim(slice_sub(*s, 0, eq));
    struct slice rest = slice_trim_left(slice_sub(*s, eq + 1, s->len));
    ret->quoted = rest.len && *rest.data == '"';
    rest = slice_sub(rest, ret->quoted, rest.len);
    size_t end = ret->quoted ? quoted_end(rest) : slice_index(rest, ';');
    ret->value = slice_sub(rest, 0, end);
    if (!ret->quoted)
        ret->value = slice_trim(ret->value);
    *s = slice_sub(rest, end + ret->quoted, rest.len);
    return true;
}

/* As it is, or with a section: "name", "name*", "name*0", "name*0*". */
static bool is_named(const struct param *p, struct slice name)
{
    return p->name.len >= name.len && slice_case_eq(slice_sub(p->name, 0, name.len), name) &&
           (p->name.len == name.len || p->name.data[name.len] == '*');
}

/* Of what follows a '*': the section, -1 where it is none; SECTIONS where there are not so many. */
static int section_of(struct slice rest, bool *ret_extended)
{
    uint64_t section = 0;
    size_t n = slice_number(rest, &section);
    *ret_extended = !n || (n < rest.len && rest.data[n] == '*');
    return !n ? -1 : section < SECTIONS ? (int)section : SECTIONS;
}

static void note(struct header_given *g, const struct param *p)
{
    bool extended;
    if (p->name.len > g->name.len) {
        int section = section_of(slice_sub(p->name, g->name.len + 1, p->name.len), &extended);
        if (section < 0 && !g->extended.data)
            g->extended = p->value;
        g->sections |= section >= 0 && section < SECTIONS;
    } else if (!g->plain.data) {
        g->plain = p->value;
        g->plain_quoted = p->quoted;
    } else if (!g->again.data) {
        g->again = p->value;
        g->again_quoted = p->quoted;
    }
}

void header_find(struct slice params, struct header_given *given, size_t count)
{
    struct slice rest = params;
    struct param p;
    for (size_t i = 0; i < count; i++)
        given[i].params = params;
    while (param_next(&rest, &p))
        for (size_t i = 0; i < count; i++)
            if (is_named(&p, given[i].name))
                note(&given[i], &p);
}

static bool has_escape(struct slice value, bool quoted)
{
    return quoted && slice_index(value, '\\') < value.len;
}

static void unquote(struct slice value, bool quoted, struct buf *out)
{
    if (!has_escape(value, quoted)) {
        buf_add(out, value);
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        bool escape =
            c == '\\' && i + 1 < value.len && (value.data[i + 1] == '"' || value.data[i + 1] == '\\');
        buf_add_byte(out, escape ? value.data[++i] : c);
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

struct section {
    struct slice value; /* NULL: there is none */
    bool quoted, extended;
};

/* The first of each number. */
static void find_sections(const struct header_given *g, struct section ret[SECTIONS])
{
    struct slice rest = g->params;
    struct param p;
    for (int i = 0; i < SECTIONS; i++)
        ret[i] = (struct section){0};
    while (param_next(&rest, &p)) {
        if (p.name.len == g->name.len || !is_named(&p, g->name))
            continue;
        struct section s = {.value = p.value, .quoted = p.quoted};
        int i = section_of(slice_sub(p.name, g->name.len + 1, p.name.len), &s.extended);
        if (i >= 0 && i < SECTIONS && !ret[i].value.data)
            ret[i] = s;
    }
}

/* Sections in the order of their numbers. One that is missing leaves its neighbours joined: a name with a
 * hole says more than none, and some receivers read it so. True: one is extended, and *ret_charset that of
 * the first. */
static bool join_sections(const struct header_given *g, struct slice *ret_charset, struct buf *bytes)
{
    struct section sections[SECTIONS];
    bool extended = false;
    find_sections(g, sections);
    *ret_charset = slice_str("us-ascii");
    for (int i = 0; i < SECTIONS; i++) {
        struct section *s = &sections[i];
        if (i == 0 && s->extended)
            *ret_charset = take_charset(&s->value);
        if (s->extended)
            unpercent(s->value, bytes);
        else
            unquote(s->value, s->quoted, bytes);
        extended |= s->extended;
    }
    return extended;
}

/* The ways to give a parameter; the first that is there counts. */
enum form { FORM_EXTENDED, FORM_SECTIONS, FORM_PLAIN, FORM_AGAIN, FORMS };

static bool has_form(const struct header_given *g, enum form form)
{
    if (form == FORM_SECTIONS)
        return g->sections;
    return (form == FORM_EXTENDED ? g->extended : form == FORM_PLAIN ? g->plain : g->again).data;
}

static void read_quoted(struct charsets *cs, struct slice value, bool quoted, struct buf *out)
{
    struct buf bytes;
    if (!has_escape(value, quoted)) {
        header_text(cs, slice_sub(value, 0, out->max), out);
        return;
    }
    buf_init(&bytes, out->max);
    unquote(value, quoted, &bytes);
    header_text(cs, buf_slice(&bytes), out);
    buf_free(&bytes);
}

static void read_extended(struct charsets *cs, const struct header_given *g, bool single, struct buf *out)
{
    struct buf bytes;
    struct slice charset, value = g->extended;
    bool extended = true;
    buf_init(&bytes, out->max);
    if (single) {
        charset = take_charset(&value);
        unpercent(value, &bytes);
    } else {
        extended = join_sections(g, &charset, &bytes);
    }
    if (extended)
        charset_to_utf8(cs, charset, buf_slice(&bytes), out);
    else
        header_text(cs, buf_slice(&bytes), out);
    buf_free(&bytes);
}

static void read_form(struct charsets *cs, const struct header_given *g, enum form form, struct buf *out)
{
    if (form == FORM_PLAIN)
        read_quoted(cs, g->plain, g->plain_quoted, out);
    else if (form == FORM_AGAIN)
        read_quoted(cs, g->again, g->again_quoted, out);
    else
        read_extended(cs, g, form == FORM_EXTENDED, out);
}

bool header_given_text(struct charsets *cs, const struct header_given *g, struct buf *out, struct buf *other)
{
    bool found = false;
    for (int form = 0; form < FORMS; form++) {
        if (!has_form(g, form))
            continue;
        if (!found)
            read_form(cs, g, form, out);
        else if (other && !other->len)
            read_form(cs, g, form, other);
        if (found && other && slice_eq(buf_slice(other), buf_slice(out)))
            buf_clear(other);
        found = true;
    }
    return found;
}

bool header_param(struct charsets *cs, struct slice params, const char *name, struct buf *out)
{
    struct header_given g = {.name = slice_str(name)};
    header_find(params, &g, 1);
    return header_given_text(cs, &g, out, NULL);
}

/* A token: what follows a blank is a comment or a forgotten semicolon. */
static struct slice token(struct slice value, bool quoted)
{
    if (quoted)
        return value;
    return slice_sub(value, 0, slice_index(slice_sub(value, 0, slice_index(value, '\t')), ' '));
}

/* Another way to read what `out` has one of. */
static void other_raw(const struct header_given *g, const struct buf *out, struct buf *other)
{
    struct slice charset, all = g->plain,
                          rest = slice_trim_left(slice_sub(all, token(all, g->plain_quoted).len, all.len));
    if (g->again.data)
        unquote(g->again, g->again_quoted, other);
    else if (g->sections)
        join_sections(g, &charset, other);
    else if (rest.len && rest.data[0] != '(')
        unquote(all, g->plain_quoted, other);
    if (slice_eq(buf_slice(out), buf_slice(other)))
        buf_clear(other);
}

bool header_given_raw(const struct header_given *g, struct buf *out, struct buf *other)
{
    struct slice charset;
    if (g->plain.data) {
        unquote(token(g->plain, g->plain_quoted), g->plain_quoted, out);
        if (other)
            other_raw(g, out, other);
    } else if (g->sections) {
        join_sections(g, &charset, out);
    }
    return g->plain.data || g->sections;
}

bool header_param_raw(struct slice params, const char *name, struct buf *out)
{
    struct header_given g = {.name = slice_str(name)};
    header_find(params, &g, 1);
    return header_given_raw(&g, out, NULL);
}

void header_given_written(const struct header_given *g, struct buf *out)
{
    struct section sections[SECTIONS];
    if (g->extended.data) {
        buf_add(out, g->extended);
        return;
    }
    if (!g->sections) {
        buf_add(out, g->plain);
        return;
    }
    find_sections(g, sections);
    for (int i = 0; i < SECTIONS; i++)
        buf_add(out, sections[i].value);
}
