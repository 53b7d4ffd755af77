/* value.c: what stands behind a field's name, by the field's kind.
 * In: a text. Out: the term's comparison, or what is wrong and what was likely meant. Owns: nothing. */
#include "query/value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include "base/nearest.h"

__attribute__((format(printf, 2, 3))) static int wrong(struct query_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -EINVAL;
}

static const char *name_of(const struct query_term *term)
{
    return query_fields[term->field].name;
}

/* Only what can have been meant. */
static void tell_nearest(const struct nearest *near, struct query_error *err)
{
    if (near->name && near->edits * 2 <= near->given.len)
        snprintf(err->nearest, sizeof err->nearest, "%s", near->name);
}

static bool only_stars(struct slice s)
{
    size_t i = 0;
    while (i < s.len && s.data[i] == '*')
        i++;
    return i == s.len;
}

static bool has_letters(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = byte_lower(s.data[i]);
        if ((c >= 'a' && c <= 'z') || byte_is_digit(c) || c >= 0x80)
            return true;
    }
    return false;
}

static void set_text(struct query_term *term, enum query_match match, struct slice text)
{
    term->match = match;
    term->text = text;
}

/* False: it has no wildcard. */
static bool read_wildcard(struct value_given given, struct query_term *term)
{
    if (given.quoted || slice_index(given.text, '*') == given.text.len)
        return false;
    if (only_stars(given.text))
        term->match = QUERY_IS_THERE;
    else
        set_text(term, QUERY_LIKE, given.text);
    return true;
}

static void read_words(struct value_given given, struct query_term *term)
{
    size_t star = given.quoted ? given.text.len : slice_index(given.text, '*');
    /* Where no field is named a last * is the rest of a word, as no value is meant as a whole. */
    if (term->field == QUERY_FIELD_ANY && star && star + 1 == given.text.len &&
        has_letters(slice_sub(given.text, star - 1, star)))
        set_text(term, QUERY_HAS_START, slice_sub(given.text, 0, star));
    else if (!read_wildcard(given, term))
        set_text(term, QUERY_HAS_WORDS, given.text);
}

static struct slice joined(struct arena *mem, const char *before, struct slice text, const char *behind)
{
    size_t first = strlen(before), last = strlen(behind);
    uint8_t *all = arena_alloc(mem, first + text.len + last);
    memcpy(all, before, first);
    memcpy(all + first, text.data, text.len);
    memcpy(all + first + text.len, behind, last);
    return (struct slice){all, first + text.len + last};
}

static void read_mail(struct value_given given, struct arena *mem, struct query_term *term)
{
    struct slice text = given.text;
    size_t at = slice_index(text, '@');
    bool whole = at < text.len && slice_index(text, ' ') == text.len && slice_index(text, '<') == text.len;
    if (read_wildcard(given, term))
        return;
    if (whole && text.len > 1 && !given.quoted && at == 0)
        set_text(term, QUERY_LIKE, joined(mem, "*", text, ""));
    else if (whole && text.len > 1 && !given.quoted && at + 1 == text.len)
        set_text(term, QUERY_LIKE, joined(mem, "", text, "*"));
    else
        set_text(term, whole || !has_letters(text) ? QUERY_EQUALS : QUERY_HAS_WORDS, text);
}

static void read_name(struct value_given given, struct query_term *term)
{
    if (!read_wildcard(given, term))
        set_text(term, QUERY_EQUALS, given.text);
}

static bool is_letter(uint8_t c)
{
    return byte_lower(c) >= 'a' && byte_lower(c) <= 'z';
}

/* A record has two letters, so that a name would silently find nothing. */
static int read_country(struct value_given given, struct query_term *term, struct query_error *err)
{
    if (read_wildcard(given, term))
        return 0;
    const struct query_country *meant = query_value_country(given.text);
    if (!meant && given.text.len == 2 && is_letter(given.text.data[0]) && is_letter(given.text.data[1])) {
        read_name(given, term);
        return 0;
    }
    if (!meant)
        return wrong(err, "%s: wants two letters, as DE for Germany", name_of(term));
    snprintf(err->nearest, sizeof err->nearest, "%s", meant->code);
    return wrong(err, "%s: wants two letters; %s is %s", name_of(term), meant->name, meant->code);
}

static int read_msgid(struct value_given given, struct query_term *term, struct query_error *err)
{
    while (given.text.len && given.text.data[0] == '<')
        given.text = slice_sub(given.text, 1, given.text.len);
    while (given.text.len && given.text.data[given.text.len - 1] == '>')
        given.text.len--;
    if (!given.text.len)
        return wrong(err, "%s: wants an id", name_of(term));
    read_name(given, term);
    return 0;
}

static int read_domain(struct value_given given, struct query_term *term, struct query_error *err)
{
    struct slice text = given.text;
    struct slice behind = slice_sub(text, slice_index(text, '*') + 1, text.len);
    bool only_first = slice_index(behind, '*') == behind.len;
    while (text.len &&
           (text.data[0] == '@' || text.data[0] == '.' || (only_first && slice_case_starts(text, "*."))))
        text = slice_sub(text, text.data[0] == '*' ? 2 : 1, text.len);
    given.text = text;
    if (!text.len)
        return wrong(err, "%s: wants a domain", name_of(term));
    if (!read_wildcard(given, term))
        set_text(term, QUERY_BELOW, text);
    return 0;
}

static int read_choice(struct value_given given, struct query_term *term, struct query_error *err)
{
    struct nearest near = nearest_to(given.text);
    char list[160];
    int len = 0;
    const char *word;
    if (!given.quoted && only_stars(given.text)) {
        term->match = QUERY_IS_THERE;
        return 0;
    }
    for (size_t i = 0; (word = query_choice(term->field, i)); i++) {
        if (slice_case_eq(given.text, slice_str(word))) {
            set_text(term, QUERY_EQUALS, slice_str(word));
            return 0;
        }
        nearest_try(&near, word);
        len += snprintf(list + len, sizeof list - (size_t)len, "%s%s", i ? ", " : "", word);
    }
    tell_nearest(&near, err);
    return wrong(err, "%s: has no '%.*s'; there are %s", name_of(term),
                 (int)(given.text.len < 40 ? given.text.len : 40), (const char *)given.text.data, list);
}

static bool read_network(struct slice text, struct query_term *term)
{
    if (!network_parse(text, &term->network))
        return false;
    for (size_t bit = term->network.prefix; bit < 128; bit++)
        term->network.addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    term->match = QUERY_INSIDE;
    return true;
}

static int read_net(struct value_given given, struct query_term *term, struct query_error *err)
{
    if (only_stars(given.text)) {
        term->match = QUERY_IS_THERE;
        return 0;
    }
    return read_network(given.text, term)
               ? 0
               : wrong(err, "%s: wants an address or a network, as 192.0.2.1 or 192.0.2.0/24", name_of(term));
}

/* >, >=, <, <= or = in front, which *text loses. */
static enum query_compare take_compare(struct slice *text)
{
    static const struct {
        const char *sign;
        enum query_compare compare;
    } signs[] = {{">=", QUERY_GE}, {"<=", QUERY_LE}, {">", QUERY_GT}, {"<", QUERY_LT}, {"=", QUERY_EQ}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (slice_case_starts(*text, signs[i].sign)) {
            *text = slice_trim(slice_sub(*text, strlen(signs[i].sign), text->len));
            return signs[i].compare;
        }
    }
    return QUERY_EQ;
}

static bool read_count(struct slice text, struct query_term *term)
{
    uint64_t v;
    if (term->field == QUERY_FIELD_ASN && slice_case_starts(text, "as"))
        text = slice_sub(text, 2, text.len);
    if (!text.len || slice_number(text, &v) != text.len || v > INT64_MAX)
        return false;
    term->number = (int64_t)v;
    return true;
}

static int read_amount(struct value_given given, enum query_kind kind, struct query_term *term,
                       struct query_error *err)
{
    struct slice text = given.text;
    if (only_stars(text)) {
        term->match = QUERY_IS_THERE;
        return 0;
    }
    term->match = QUERY_COMPARES;
    term->compare = take_compare(&text);
    if (kind == QUERY_SIZE)
        return query_value_size(text, &term->number)
                   ? 0
                   : wrong(err, "%s: wants bytes, as 300, 10M, >1.5GiB", name_of(term));
    if (kind == QUERY_SECONDS)
        return query_value_seconds(text, &term->seconds)
                   ? 0
                   : wrong(err, "%s: wants a time, as 30s, >5m", name_of(term));
    return read_count(text, term) ? 0 : wrong(err, "%s: wants a number, as 1, >10, <=5", name_of(term));
}

static int read_time(struct value_given given, const struct query_options *opt, struct query_term *term,
                     struct query_error *err)
{
    term->match = QUERY_COMPARES;
    term->compare = term->field == QUERY_FIELD_UNTIL ? QUERY_LT : QUERY_GE;
    return query_time_parse(given.text, opt->now, &term->number)
               ? 0
               : wrong(err,
                       "%s: wants a time, as 7d (ago), 24h, 2026-11-23, 2026-11-23T08:30:00Z or seconds "
                       "since 1970",
                       name_of(term));
}

static int read_bool(struct value_given given, struct query_term *term, struct query_error *err)
{
    static const char *const words[] = {"yes", "true", "1", "no", "false", "0"};
    for (size_t i = 0; i < 6; i++) {
        if (slice_case_eq(given.text, slice_str(words[i]))) {
            term->match = i < 3 ? QUERY_IS_TRUE : QUERY_IS_FALSE;
            return 0;
        }
    }
    if (only_stars(given.text))
        return term->match = QUERY_IS_THERE, 0;
    return wrong(err, "%s: wants yes or no", name_of(term));
}

static bool may_be_had(const struct query_field *f)
{
    return f->kind != QUERY_HAS && f->kind != QUERY_TIME && f->kind != QUERY_ID;
}

static int read_has(struct value_given given, unsigned streams, struct query_term *term,
                    struct query_error *err)
{
    struct nearest near = nearest_to(given.text);
    enum query_field_index field = query_field_find(given.text, streams);
    if (slice_case_eq(given.text, slice_str("notice")) && streams & QUERY_SMTP) {
        term->match = QUERY_NOTICED;
        return 0;
    }
    if (field < QUERY_FIELDS && may_be_had(&query_fields[field])) {
        term->field = field;
        term->match = QUERY_IS_THERE;
        return 0;
    }
    for (size_t i = 0; i < QUERY_FIELDS; i++)
        if (query_fields[i].streams & streams && may_be_had(&query_fields[i]))
            nearest_try(&near, query_fields[i].name);
    if (streams & QUERY_SMTP)
        nearest_try(&near, "notice");
    tell_nearest(&near, err);
    return wrong(err, "has: wants the name of a field, as has:file");
}

int query_value_read(struct value_given given, const struct query_options *opt, struct arena *mem,
                     struct query_term *term, struct query_error *reterr)
{
    enum query_kind kind = query_fields[term->field].kind;
    switch (kind) {
    case QUERY_WORDS:
        return read_words(given, term), 0;
    case QUERY_MAIL:
        return read_mail(given, mem, term), 0;
    case QUERY_NAME:
        if (term->field == QUERY_FIELD_COUNTRY)
            return read_country(given, term, reterr);
        return read_name(given, term), 0;
    case QUERY_MSGID:
        return read_msgid(given, term, reterr);
    case QUERY_CHOICE:
        return read_choice(given, term, reterr);
    case QUERY_DOMAIN:
        return read_domain(given, term, reterr);
    case QUERY_NET:
        return read_net(given, term, reterr);
    case QUERY_HOST:
        if (!read_network(given.text, term))
            read_words(given, term);
        return 0;
    case QUERY_TIME:
        return read_time(given, opt, term, reterr);
    case QUERY_BOOL:
        return read_bool(given, term, reterr);
    case QUERY_HAS:
        return read_has(given, opt->streams, term, reterr);
    case QUERY_ID:
        if (only_stars(given.text))
            break;
        return read_amount(given, QUERY_NUMBER, term, reterr);
    case QUERY_NUMBER:
    case QUERY_SIZE:
    case QUERY_SECONDS:
        return read_amount(given, kind, term, reterr);
    }
    return wrong(reterr, "%s: wants a number", name_of(term));
}
