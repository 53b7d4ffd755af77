/* ask_places.c: where a term's values lie in tables of ClickHouse, and what is compared there.
 * In: terms, the columns of a server. Out: SQL made of our own words, and texts as literals. Owns: nothing.
 * Knowingly: of a column that the table lacks nothing is there. A literal that is compared in several places
 * is written once, with WITH. Spec: ClickHouse 18.16. */
#include "clickhouse/ask_parts.h"

#include <inttypes.h>
#include "clickhouse/literal.h"
#include "clickhouse/locus.h"
#include "clickhouse/table.h"

enum { VALUE = LOCUS_NAME + 48, IPV4_BITS = 32 };
/* A word between texts, so that no phrase goes from one into the next. */
#define BETWEEN "7316048592"

/* A term, and what of it has a name by WITH. */
struct asking {
    struct chask *ask;
    struct line *out;
    const struct query_term *term;
    size_t name;
    enum folds_found found; /* of words */
};

static const char *column_type(const struct chask *a, const char *name)
{
    return tables_column(a->tables, a->stream, slice_str(name));
}

/* ---- texts, each by the name that it has in the question */

static size_t add_name(struct chask *a, struct slice text)
{
    line_str(&a->with, a->names ? ", " : "WITH ");
    literal_text(&a->with, text);
    line_printf(&a->with, " AS t%zu ", a->names);
    return a->names++;
}

static void name_words(struct asking *k)
{
    struct line pattern = {0};
    k->found = folds_phrase(k->ask->folds, k->term->text, k->term->match == QUERY_HAS_START, &pattern);
    k->name = add_name(k->ask, k->found == FOLDS_NONE ? k->term->text : line_slice(&pattern));
    if (k->found == FOLDS_JOINED && !k->ask->joins) {
        k->ask->joins = true;
        line_clear(&pattern);
        folds_word(k->ask->folds, &pattern);
        line_str(&k->ask->with, ", ");
        literal_text(&k->ask->with, line_slice(&pattern));
        line_str(&k->ask->with, " AS any_word ");
    }
    line_free(&pattern);
}

/* Letters of ASCII become small ones, as those of the value do; what RE2 knows otherwise is quoted. */
static void add_plain(struct line *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = byte_lower(text.data[i]);
        bool plain = (c >= 'a' && c <= 'z') || byte_is_digit(c) || c >= 0x80 || c == ' ' || c == '_';
        if (c < ' ' || c == 0x7f) {
            line_hex(out, c);
            continue;
        }
        if (!plain)
            line_byte(out, '\\');
        line_byte(out, c);
    }
}

/* Stars in a row are one. Of a domain only what stands behind the last @ of a value is compared. */
static void name_like(struct asking *k)
{
    struct line pattern = {0};
    struct slice rest = k->term->text;
    bool domain = query_fields[k->term->field].kind == QUERY_DOMAIN;
    line_str(&pattern, domain ? "(?s)^(?:.*@)?" : "(?s)^");
    while (rest.len) {
        size_t star = slice_index(rest, '*');
        add_plain(&pattern, slice_sub(rest, 0, star));
        if (star == rest.len)
            break;
        line_str(&pattern, domain ? "[^@]*" : ".*");
        while (star < rest.len && rest.data[star] == '*')
            star++;
        rest = slice_sub(rest, star, rest.len);
    }
    line_byte(&pattern, '$');
    k->name = add_name(k->ask, line_slice(&pattern));
    line_free(&pattern);
}

static void name_lower(struct asking *k, const char *before)
{
    struct line text = {0};
    line_str(&text, before);
    for (size_t i = 0; i < k->term->text.len; i++)
        line_byte(&text, byte_lower(k->term->text.data[i]));
    k->name = add_name(k->ask, line_slice(&text));
    line_free(&text);
}

static void name_texts(struct asking *k)
{
    switch ((int)k->term->match) {
    case QUERY_HAS_WORDS:
    case QUERY_HAS_START:
        name_words(k);
        break;
    case QUERY_LIKE:
        name_like(k);
        break;
    case QUERY_EQUALS:
        name_lower(k, "");
        break;
    case QUERY_BELOW:
        name_lower(k, "");
        name_lower(k, "@");
        name_lower(k, ".");
        k->name -= 2;
        break;
    }
}

/* ---- conditions on one value */

static void add_words(struct asking *k, const char *value)
{
    switch (k->found) {
    case FOLDS_NONE:
        line_printf(k->out, "position(%s, t%zu) > 0", value, k->name);
        break;
    case FOLDS_PATTERN:
        line_printf(k->out, "match(%s, t%zu)", value, k->name);
        break;
    case FOLDS_JOINED:
        line_printf(k->out, "match(concat(' ', arrayStringConcat(extractAll(%s, any_word), ' '), ' '), t%zu)",
                    value, k->name);
        break;
    }
}

/* What of a value is compared, in small letters. */
static void add_lower(struct asking *k, const char *value)
{
    if (query_fields[k->term->field].kind == QUERY_MSGID)
        line_printf(k->out, "lower(extract(%s, '(?s)^[<> ]*(.*?)[<> ]*$'))", value);
    else
        line_printf(k->out, "lower(%s)", value);
}

static bool only_stars(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '*')
            return false;
    return true;
}

static void add_below(struct asking *k, const char *value)
{
    if (slice_index(k->term->text, '@') < k->term->text.len) {
        line_byte(k->out, '0'); /* no domain has one */
        return;
    }
    line_printf(k->out, "lower(%s) = t%zu OR endsWith(lower(%s), t%zu) OR endsWith(lower(%s), t%zu)", value,
                k->name, value, k->name + 1, value, k->name + 2);
}

static void add_hex(struct line *out, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        line_byte(out, (uint8_t)digits[bytes[i] >> 4]);
        line_byte(out, (uint8_t)digits[bytes[i] & 15]);
    }
}

static void last_of(const struct network *net, uint8_t ret[static 16])
{
    memcpy(ret, net->addr.bytes, 16);
    for (size_t bit = net->prefix; bit < 128; bit++)
        ret[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static uint32_t number_of(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void add_network(struct asking *k, const char *value)
{
    const struct network *net = &k->term->network;
    bool old = net->addr.family == 4;
    uint8_t last[16];
    char text[ADDRESS_TEXT];
    if (net->prefix == (old ? IPV4_BITS : 128)) {
        address_text(&net->addr, text);
        line_printf(k->out, "%s = '%s'", value, text);
        return;
    }
    last_of(net, last);
    if (old) {
        line_printf(k->out,
                    "position(%s, '.') > 0 AND position(%s, ':') = 0 AND IPv4StringToNum(%s) BETWEEN %" PRIu32
                    " AND %" PRIu32,
                    value, value, value, number_of(net->addr.bytes), number_of(last));
        return;
    }
    line_printf(k->out, "position(%s, ':') > 0 AND hex(IPv6StringToNum(%s)) BETWEEN upper('", value, value);
    add_hex(k->out, net->addr.bytes, 16);
    line_str(k->out, "') AND upper('");
    add_hex(k->out, last, 16);
    line_str(k->out, "')");
}

static void add_number(struct asking *k, const char *value)
{
    static const char *const signs[] = {
        [QUERY_EQ] = "=", [QUERY_GT] = ">", [QUERY_GE] = ">=", [QUERY_LT] = "<", [QUERY_LE] = "<="};
    line_printf(k->out, "%s %s ", value, signs[k->term->compare]);
    if (query_fields[k->term->field].kind == QUERY_SECONDS)
        line_printf(k->out, "%.17g", k->term->seconds);
    else
        line_printf(k->out, "%" PRId64, k->term->number);
}

static bool is_number(enum field_kind kind)
{
    switch (kind) {
    case FIELD_TEXT:
    case FIELD_ADDRESS:
    case FIELD_ANOMALY:
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_APART:
    case FIELD_TEXTS:
    case FIELD_ADDRESSES:
    case FIELD_FLAGS:
        return false;
    case FIELD_TIME:
    case FIELD_DOUBLE:
    case FIELD_PORT:
    case FIELD_COUNT:
    case FIELD_SOME_PORT:
    case FIELD_SOME:
    case FIELD_BOOL:
    case FIELD_TRUE:
    case FIELD_MAYBE:
    case FIELD_SPAN:
        break;
    }
    return true;
}

/* That a column has a value. */
static void add_there(const struct chask *a, const struct locus *at, struct line *out)
{
    if (at->many || at->counted) {
        line_printf(out, "notEmpty(`%s`)", at->name);
    } else if (chtable_always(at->kind)) {
        if (column_type(a, "empties"))
            line_printf(out, "NOT has(empties, '-%s')", at->name);
        else
            line_byte(out, '1');
    } else {
        line_printf(out, "(`%s` != %s", at->name, is_number(at->kind) ? "0" : "''");
        if (column_type(a, "empties"))
            line_printf(out, " OR has(empties, '%s')", at->name);
        line_byte(out, ')');
    }
}

static void add_condition(struct asking *k, const struct locus *at, const char *value)
{
    const struct query_term *t = k->term;
    switch (t->match) {
    case QUERY_HAS_WORDS:
    case QUERY_HAS_START:
        add_words(k, value);
        break;
    case QUERY_LIKE:
        if (query_fields[t->field].kind == QUERY_DOMAIN && slice_index(t->text, '@') < t->text.len) {
            line_byte(k->out, '0'); /* no domain has one */
            break;
        }
        line_str(k->out, "match(");
        add_lower(k, value);
        line_printf(k->out, ", t%zu)", k->name);
        if (only_stars(t->text) && !at->many) {
            line_str(k->out, " AND ");
            add_there(k->ask, at, k->out);
        }
        break;
    case QUERY_EQUALS:
        add_lower(k, value);
        line_printf(k->out, " = t%zu", k->name);
        break;
    case QUERY_BELOW:
        add_below(k, value);
        break;
    case QUERY_INSIDE:
        add_network(k, value);
        break;
    case QUERY_COMPARES:
        add_number(k, value);
        if (!at->many) {
            line_str(k->out, " AND ");
            add_there(k->ask, at, k->out);
        }
        break;
    case QUERY_IS_TRUE:
    case QUERY_IS_FALSE:
        line_printf(k->out, "%s = 1", value);
        break;
    case QUERY_IS_THERE:
    case QUERY_NOTICED:
        line_byte(k->out, '1');
        break;
    }
}

/* A domain of a mailbox is what stands behind its @; "postmaster" alone has none, and is no host either. */
static bool is_mailbox(const struct place *p)
{
    struct slice column = place_column(p);
    return p->field == QUERY_FIELD_DOMAIN && !slice_eq(column, slice_str("urls")) &&
           !slice_eq(column, slice_str("authentication"));
}

/* Texts are compared with texts, numbers with numbers. */
static bool can_compare(const struct query_term *t, const struct locus *at)
{
    bool number = at->counted || is_number(at->kind);
    switch (t->match) {
    case QUERY_IS_THERE:
    case QUERY_NOTICED:
        return true;
    case QUERY_COMPARES:
    case QUERY_IS_TRUE:
    case QUERY_IS_FALSE:
        return number;
    case QUERY_HAS_WORDS:
    case QUERY_HAS_START:
    case QUERY_EQUALS:
    case QUERY_LIKE:
    case QUERY_BELOW:
    case QUERY_INSIDE:
        break;
    }
    return !number;
}

/* Whether words are found in all texts of a list at once: the server takes the square of the number of
 * lambdas to make ready what is asked, minutes for a hundred words. */
static bool may_join(const struct asking *k)
{
    const struct slice text = k->term->text;
    bool start = k->term->match == QUERY_HAS_START;
    if (!start && k->term->match != QUERY_HAS_WORDS)
        return false;
    if (k->found == FOLDS_NONE)
        return slice_index(text, '\n') == text.len;
    return slice_find(text, BETWEEN) == text.len && !(start && slice_index(text, *BETWEEN) < text.len);
}

static void add_place(struct asking *k, const struct place *p)
{
    struct locus at;
    char value[VALUE] = "x";
    locus_of(p, &at);
    if (!column_type(k->ask, at.name) || !can_compare(k->term, &at)) {
        line_byte(k->out, '0');
        return;
    }
    if (k->term->match == QUERY_IS_THERE && !is_mailbox(p)) {
        add_there(k->ask, &at, k->out);
        return;
    }
    if (at.many && !is_mailbox(p) && may_join(k)) {
        snprintf(value, sizeof value, "arrayStringConcat(`%s`, '\\x0a" BETWEEN "\\x0a')", at.name);
        at.many = false;
    } else if (!at.many) {
        snprintf(value, sizeof value, at.counted ? "length(`%s`)" : "`%s`", at.name);
    }
    line_str(k->out, at.many ? "arrayExists(x -> (" : "(");
    if (is_mailbox(p))
        line_printf(k->out, "position(%s, '@') > 0 AND (", value);
    add_condition(k, &at, value);
    line_str(k->out, is_mailbox(p) ? "))" : ")");
    if (at.many)
        line_printf(k->out, ", `%s`)", at.name);
}

/* Adds all places of a field, with OR before each but the first of all; returns how many there are by now. */
static size_t add_places(struct asking *k, enum query_field_index field, size_t before)
{
    const struct place *p;
    for (size_t i = 0; (p = place_of(k->ask->stream, field, place_use_of(k->term), i)); i++) {
        line_str(k->out, before++ ? " OR " : "");
        add_place(k, p);
    }
    return before;
}

/* False: the stream has no place for that; nothing was added. */
bool chask_places(struct chask *a, const struct query_term *t, struct line *out)
{
    struct asking k = {.ask = a, .out = out, .term = t};
    enum query_field_index any;
    size_t count = 0, at = out->len;
    line_str(out, t->match == QUERY_IS_FALSE ? "NOT (" : "");
    name_texts(&k);
    if (t->field == QUERY_FIELD_ANY)
        for (size_t i = 0; (any = place_any(a->stream, i)) < QUERY_FIELDS; i++)
            count = add_places(&k, any, count);
    else
        count = add_places(&k, t->field, 0);
    if (t->match == QUERY_IS_FALSE && count)
        line_byte(out, ')');
    else if (!count)
        out->len = at;
    return count;
}

/* ---- values */

/* Of one place, as an Array(String). */
static void add_values(const struct chask *a, const struct place *p, struct line *out)
{
    struct locus at;
    char call[VALUE] = "x";
    locus_of(p, &at);
    bool domain = p->field == QUERY_FIELD_DOMAIN;
    if (!at.many)
        snprintf(call, sizeof call, at.counted ? "length(`%s`)" : "`%s`", at.name);
    line_str(out, at.many ? "arrayMap(x -> " : "[");
    if (!at.many && !chtable_always(at.kind) && (at.counted || is_number(at.kind))) {
        line_str(out, "if(");
        add_there(a, &at, out);
        line_printf(out, ", toString(%s), '')", call);
    } else if (domain) {
        /* Of a mailbox that has none, nothing. */
        line_printf(out, is_mailbox(p) ? "extract(%s, '(?s)@([^@]*)$')" : "extract(%s, '(?s)([^@]*)$')",
                    call);
    } else {
        line_printf(out, "toString(%s)", call);
    }
    if (at.many)
        line_printf(out, ", `%s`)", at.name);
    else
        line_byte(out, ']');
}

bool chask_values(const struct chask *a, enum query_field_index field, struct line *out)
{
    /* Where one place is marked, these alone name values. */
    unsigned use = place_of(a->stream, field, PLACE_NAMES, 0) ? PLACE_NAMES : PLACE_VALUE | PLACE_NET;
    const struct place *p;
    struct locus at;
    size_t count = 0;
    for (size_t i = 0; query_fields[field].kind != QUERY_HAS && (p = place_of(a->stream, field, use, i));
         i++) {
        locus_of(p, &at);
        if (!column_type(a, at.name))
            continue;
        line_str(out, count++ ? ", " : "arrayConcat(");
        add_values(a, p, out);
    }
    if (count == 1)
        line_str(out, ", emptyArrayString()");
    line_str(out, count ? ")" : "");
    return count;
}
