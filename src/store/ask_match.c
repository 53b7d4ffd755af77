/* ask_match.c: a query as what the index is asked, and what it says of ids.
 * In: trees. Out: an expression for MATCH in which all texts are quoted; a range of ids. Owns: nothing.
 * Knowingly: it may only leave out what the query leaves out; what it lets through is looked at. */
#include "store/ask.h"
#include "store/indexed.h"

struct match {
    struct compare *compare;
    enum stream_index stream;
    struct line *out;
};

/* Between quotation marks, where the index tells its words itself. NUL would end what it reads. */
static void add_quoted(struct line *out, struct slice text)
{
    line_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            line_byte(out, '"');
        line_byte(out, text.data[i] ? text.data[i] : ' ');
    }
    line_byte(out, '"');
}

/* Words of a piece of a pattern; those at its ends may go on in what a * stands for. */
struct piece {
    bool open_left, open_right;
    size_t len;
    size_t from, to, count; /* of the words that are whole, the last perhaps a start */
    bool start;
};

static void on_word(void *ctx, size_t from, size_t to)
{
    struct piece *p = ctx;
    if (p->open_left && from == 0)
        return;
    if (!p->count++)
        p->from = from;
    p->to = to;
    p->start = p->open_right && to == p->len;
}

/* Adds a phrase; returns how many words it has, and adds nothing where it has none. */
static size_t add_phrase(struct match *m, const char *column, struct slice text, bool open_left,
                         bool open_right)
{
    struct piece p = {.open_left = open_left, .open_right = open_right, .len = text.len};
    compare_words(m->compare, text, on_word, &p);
    if (!p.count)
        return 0;
    line_printf(m->out, "%s : ", column);
    add_quoted(m->out, slice_sub(text, p.from, p.to));
    line_str(m->out, p.start ? " *" : "");
    return p.count;
}

static enum ask_narrow narrow_words(struct match *m, const struct query_term *t)
{
    struct indexed_words in = indexed_words(m->stream, t->field);
    size_t count = in.column ? add_phrase(m, in.column, t->text, false, t->match == QUERY_HAS_START) : 0;
    if (!count)
        return ASK_ALL;
    /* Several words may stand in the one column where two texts meet, but for a field of one text. */
    return in.only && (count == 1 || t->field == QUERY_FIELD_SUBJECT) ? ASK_EXACTLY : ASK_SOME;
}

static bool only_letters(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = byte_lower(s.data[i]);
        if (!(c >= 'a' && c <= 'z') && !byte_is_digit(c))
            return false;
    }
    return s.len && s.len < FIND_VALUE; /* longer ones are cut */
}

static bool add_key(struct match *m, enum find_kind kind, struct slice text, const char *behind)
{
    size_t at = m->out->len;
    line_str(m->out, "key : ");
    if (kind && text.len && find_key_text(kind, text, m->out)) {
        line_str(m->out, behind);
        return true;
    }
    m->out->len = at;
    return false;
}

/* A domain has tokens only from two labels on, and not for all of very many. */
static bool has_domain_key(struct slice domain)
{
    size_t dots = 0;
    for (size_t i = 0; i < domain.len; i++)
        dots += domain.data[i] == '.';
    return dots >= 1 && dots < FIND_LABELS && domain.len && domain.data[0] != '.' &&
           domain.data[domain.len - 1] != '.';
}

static bool is_domain_kind(enum find_kind kind)
{
    return kind == FIND_SENDER_DOMAIN || kind == FIND_RECIPIENT_DOMAIN || kind == FIND_SIGNER;
}

static enum ask_narrow narrow_equals(struct match *m, const struct query_term *t)
{
    enum find_kind kind = indexed_key(m->stream, t->field);
    struct indexed_words in = indexed_words(m->stream, t->field);
    if (kind == FIND_SIGNER)
        return has_domain_key(t->text) && add_key(m, kind, t->text, "") ? ASK_SOME : ASK_ALL;
    if (kind && !is_domain_kind(kind))
        return add_key(m, kind, t->text, "") ? only_letters(t->text) ? ASK_EXACTLY : ASK_SOME : ASK_ALL;
    return in.column && add_phrase(m, in.column, t->text, false, false) ? ASK_SOME : ASK_ALL;
}

/* The domain of an address whose pattern has no * in it. */
static struct slice domain_of(struct slice pattern)
{
    struct slice domain = find_domain(pattern);
    return slice_index(domain, '*') == domain.len ? domain : (struct slice){NULL, 0};
}

static void add_and(struct match *m, size_t begin)
{
    if (m->out->len > begin)
        line_str(m->out, " AND ");
}

/* Of "*@example.com" the index knows all there is to know. */
static bool add_at(struct match *m, const struct query_term *t)
{
    enum find_kind kind = indexed_at(m->stream, t->field);
    struct slice domain = slice_sub(t->text, 2, t->text.len);
    size_t at = m->out->len;
    bool whole = slice_case_starts(t->text, "*@") && slice_index(domain, '*') == domain.len &&
                 slice_index(domain, '@') == domain.len;
    line_str(m->out, "key : ");
    if (kind && whole && find_key_at(kind, domain, m->out))
        return true;
    m->out->len = at;
    return false;
}

static enum ask_narrow narrow_like(struct match *m, const struct query_term *t)
{
    if (add_at(m, t))
        return ASK_EXACTLY;
    enum find_kind kind = indexed_key(m->stream, t->field);
    struct indexed_words in = indexed_words(m->stream, t->field);
    size_t begin = m->out->len, first = slice_index(t->text, '*');
    struct slice domain = domain_of(t->text), text = t->text;
    /* Words that nearly every mail has, as com, would only cost. */
    if (is_domain_kind(kind) && kind != FIND_SIGNER && has_domain_key(domain) && add_key(m, kind, domain, ""))
        text.len -= domain.len + 1;
    else if (kind && !is_domain_kind(kind) && first)
        add_key(m, kind, slice_sub(t->text, 0, first), "*");
    for (size_t from = 0; in.column && from <= text.len;) {
        struct slice rest = slice_sub(text, from, text.len),
                     piece = slice_sub(rest, 0, slice_index(rest, '*'));
        size_t before = m->out->len;
        add_and(m, begin);
        if (!add_phrase(m, in.column, piece, from > 0, piece.len < rest.len))
            m->out->len = before;
        from += piece.len + 1;
    }
    return m->out->len > begin ? ASK_SOME : ASK_ALL;
}

static enum ask_narrow narrow_below(struct match *m, const struct query_term *t)
{
    static const enum find_kind kinds[] = {FIND_SENDER_DOMAIN, FIND_RECIPIENT_DOMAIN, FIND_URL_DOMAIN,
                                           FIND_SIGNER};
    size_t begin = m->out->len;
    if (m->stream != STREAM_SMTP || !has_domain_key(t->text))
        return ASK_ALL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        line_str(m->out, i ? " OR " : "");
        if (!add_key(m, kinds[i], t->text, "")) {
            m->out->len = begin;
            return ASK_ALL;
        }
    }
    return ASK_SOME;
}

static enum ask_narrow narrow_network(struct match *m, const struct query_term *t)
{
    enum find_kind kind = indexed_key(m->stream, t->field);
    unsigned all = t->network.addr.family == 4 ? 32 : 128, bits = t->network.prefix;
    if (!kind || bits < 4)
        return ASK_ALL;
    line_str(m->out, "key : ");
    find_key_address(kind, &t->network.addr, bits, m->out);
    if (bits == all)
        return ASK_EXACTLY;
    line_byte(m->out, '*');
    return ASK_SOME;
}

static enum ask_narrow narrow_number(struct match *m, const struct query_term *t)
{
    enum find_kind kind = indexed_key(m->stream, t->field);
    char text[32];
    if (!kind || t->compare != QUERY_EQ || !t->number)
        return ASK_ALL;
    snprintf(text, sizeof text, "%lld", (long long)t->number);
    return add_key(m, kind, slice_str(text), "") ? ASK_EXACTLY : ASK_ALL;
}

static enum ask_narrow narrow_told(struct match *m, const struct query_term *t)
{
    bool told = indexed_told(m->stream, t->field) && t->match != QUERY_IS_FALSE;
    return told && add_key(m, FIND_HAS, slice_str(query_fields[t->field].name), "") ? ASK_EXACTLY : ASK_ALL;
}

static enum ask_narrow narrow_term(struct match *m, const struct query_term *t)
{
    enum find_kind kind = indexed_key(m->stream, t->field);
    switch (t->match) {
    case QUERY_HAS_WORDS:
    case QUERY_HAS_START:
        return narrow_words(m, t);
    case QUERY_EQUALS:
        return narrow_equals(m, t);
    case QUERY_LIKE:
        return narrow_like(m, t);
    case QUERY_BELOW:
        return narrow_below(m, t);
    case QUERY_INSIDE:
        return narrow_network(m, t);
    case QUERY_COMPARES:
        return narrow_number(m, t);
    case QUERY_IS_TRUE:
    case QUERY_IS_FALSE:
        if (kind && add_key(m, kind, slice_str(t->match == QUERY_IS_TRUE ? "1" : "0"), ""))
            return ASK_EXACTLY;
        return narrow_told(m, t);
    case QUERY_IS_THERE:
        return narrow_told(m, t);
    case QUERY_NOTICED:
        break;
    }
    return ASK_ALL;
}

static bool is_id(const struct query_node *n)
{
    return n->kind == QUERY_TERM &&
           (query_fields[n->term.field].kind == QUERY_TIME || query_fields[n->term.field].kind == QUERY_ID);
}

static enum ask_narrow narrow_node(struct match *m, const struct query_node *n, bool top);

static enum ask_narrow narrow_part(struct match *m, const struct query_node *n, const char *before,
                                   bool first, bool top)
{
    size_t at = m->out->len;
    line_str(m->out, first ? "" : before);
    line_byte(m->out, '(');
    enum ask_narrow how = narrow_node(m, n, top);
    line_byte(m->out, ')');
    if (how == ASK_ALL)
        m->out->len = at;
    return how;
}

static enum ask_narrow narrow_any(struct match *m, const struct query_node *n)
{
    size_t begin = m->out->len;
    enum ask_narrow how = ASK_EXACTLY;
    for (const struct query_node *part = n->first; part; part = part->next) {
        enum ask_narrow one = narrow_part(m, part, " OR ", part == n->first, false);
        if (one == ASK_ALL) {
            m->out->len = begin;
            return ASK_ALL;
        }
        how = one < how ? one : how;
    }
    return how;
}

/* What is left out goes behind all the rest, as the index can only take away; and only what it knows exactly.
 */
static enum ask_narrow narrow_without(struct match *m, const struct query_node *n, size_t begin,
                                      enum ask_narrow how)
{
    for (const struct query_node *part = n->first; part; part = part->next) {
        if (part->kind != QUERY_NOT)
            continue;
        struct line inner = {0};
        struct match below = {m->compare, m->stream, &inner};
        enum ask_narrow one = narrow_node(&below, part->first, false);
        if (one == ASK_EXACTLY && m->out->len > begin) {
            struct slice said = line_slice(m->out);
            struct line all = {0};
            line_add(&all, slice_sub(said, 0, begin));
            line_byte(&all, '(');
            line_add(&all, slice_sub(said, begin, said.len));
            line_str(&all, ") NOT (");
            line_add(&all, line_slice(&inner));
            line_byte(&all, ')');
            line_free(m->out);
            *m->out = all;
        } else {
            how = ASK_SOME;
        }
        line_free(&inner);
    }
    return m->out->len > begin ? how : ASK_ALL;
}

static enum ask_narrow narrow_all(struct match *m, const struct query_node *n, bool top)
{
    size_t begin = m->out->len;
    enum ask_narrow how = ASK_EXACTLY;
    for (const struct query_node *part = n->first; part; part = part->next) {
        if (part->kind == QUERY_NOT || (top && is_id(part)))
            continue;
        enum ask_narrow one = narrow_part(m, part, " AND ", m->out->len == begin, false);
        how = one == ASK_EXACTLY ? how : ASK_SOME;
    }
    return narrow_without(m, n, begin, how);
}

static enum ask_narrow narrow_node(struct match *m, const struct query_node *n, bool top)
{
    switch (n->kind) {
    case QUERY_TERM:
        return narrow_term(m, &n->term);
    case QUERY_NOT:
        return ASK_ALL;
    case QUERY_OR:
        return narrow_any(m, n);
    case QUERY_AND:
        return narrow_all(m, n, top);
    }
    return ASK_ALL;
}

enum ask_narrow ask_match(struct compare *c, enum stream_index stream, const struct query_node *root,
                          struct line *out)
{
    struct match m = {c, stream, out};
    return root ? narrow_node(&m, root, true) : ASK_ALL;
}

static void bound_by(struct ask_bounds *b, const struct query_term *t)
{
    int64_t from = t->compare == QUERY_GT && t->number < INT64_MAX ? t->number + 1 : t->number;
    int64_t to = t->compare == QUERY_LT ? t->number - 1 : t->number;
    if ((t->compare == QUERY_EQ || t->compare == QUERY_GT || t->compare == QUERY_GE) && from > b->from)
        b->from = from;
    if ((t->compare == QUERY_EQ || t->compare == QUERY_LT || t->compare == QUERY_LE) && to < b->to)
        b->to = to;
}

struct ask_bounds ask_bounds(const struct query_node *root)
{
    struct ask_bounds b = {0, INT64_MAX - 1};
    if (root && is_id(root))
        bound_by(&b, &root->term);
    for (const struct query_node *part = root && root->kind == QUERY_AND ? root->first : NULL; part;
         part = part->next)
        if (is_id(part))
            bound_by(&b, &part->term);
    return b;
}
