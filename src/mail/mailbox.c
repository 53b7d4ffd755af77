/* mailbox.c: address lists to elements, elements to names and addresses.
 * In: one unfolded header value. Out: pieces of it. Owns: nothing. Limits: HIDDEN_REACH. Knowingly: an
 * encoded word never makes an address, as RFC 2047 5 has it; a colon before any '@' ends a group's name,
 * though it may be that somebody has one in his. Spec: RFC 5322 3.4 and 4.4, RFC 6532. */
#include "mail/mailbox.h"

#include "mail/hidden.h"

/* What a byte may be. All else can stand in an address without quotes: letters, digits, dots. */
enum kind {
    BLANK = 1,
    QUOTE = 2, /* what quotes or escapes */
    PAREN = 4,
    ANGLE = 8,
    END = 16, /* of an element */
    COLON = 32,
    AT = 64,
    UPPER = 128,
    BRACKET = 256,
    CONTROL = 512,
    HIGH = 1024,
    DASH = 2048,
};
#define EIGHT(kind) kind, kind, kind, kind, kind, kind, kind, kind
static const uint16_t kinds[256] = {
    [0x00] = EIGHT(CONTROL),
    [0x08] = EIGHT(CONTROL),
    [0x10] = EIGHT(CONTROL),
    [0x18] = EIGHT(CONTROL),
    [0x80] = EIGHT(HIGH),
    [0x88] = EIGHT(HIGH),
    [0x90] = EIGHT(HIGH),
    [0x98] = EIGHT(HIGH),
    [0xa0] = EIGHT(HIGH),
    [0xa8] = EIGHT(HIGH),
    [0xb0] = EIGHT(HIGH),
    [0xb8] = EIGHT(HIGH),
    [0xc0] = EIGHT(HIGH),
    [0xc8] = EIGHT(HIGH),
    [0xd0] = EIGHT(HIGH),
    [0xd8] = EIGHT(HIGH),
    [0xe0] = EIGHT(HIGH),
    [0xe8] = EIGHT(HIGH),
    [0xf0] = EIGHT(HIGH),
    [0xf8] = EIGHT(HIGH),
    ['A'] = EIGHT(UPPER),
    ['I'] = EIGHT(UPPER),
    ['Q'] = EIGHT(UPPER),
    ['Y'] = UPPER,
    UPPER,
    [' '] = BLANK,
    ['"'] = QUOTE,
    ['('] = PAREN,
    PAREN,
    [','] = END,
    ['-'] = DASH,
    [':'] = COLON,
    END,
    ['<'] = ANGLE,
    ['>'] = ANGLE,
    ['@'] = AT,
    ['['] = BRACKET,
    QUOTE,
    BRACKET,
    [0x7f] = CONTROL,
};
#undef EIGHT

enum { LANES = 16 };

/* Is one of them a sign that ends an element, names a group, or hides such signs? */
static inline bool lanes_have_signs(const uint8_t *p)
{
    typedef uint8_t lanes __attribute__((vector_size(LANES)));
    lanes c;
    uint64_t found[LANES / 8];
    memcpy(&c, p, sizeof c);
    /* Parentheses differ in one bit, and so do colon and semicolon. */
    lanes pairs = c & 0xfe;
    lanes odd = (lanes)((pairs == '(') | (pairs == ':') | (c == ',') | (c == '"') | (c == '\\'));
    memcpy(found, &odd, sizeof found);
    return found[0] | found[1];
}

/* Most fields name one, and most of these are short and plain: then all of it is the element. */
static bool is_single(struct slice s)
{
    enum { LONG = 128 }; /* what is looked at in vain */
    if (s.len < LANES || s.len > LONG)
        return false;
    for (size_t i = 0; i + LANES < s.len; i += LANES)
        if (lanes_have_signs(s.data + i))
            return false;
    return !lanes_have_signs(s.data + s.len - LANES);
}

/* Takes the element at the start of r->rest, with the sign that ends it; *ret_alone: it is a group without
 * members. */
static struct slice first_element(struct mailbox_reader *r, bool *ret_alone)
{
    struct slice s = r->rest;
    size_t i = 0, from = 0;
    bool at = false;
    if (r->closed)
        r->group = (struct slice){0};
    for (;;) {
        while (i < s.len && !(kinds[s.data[i]] & (QUOTE | PAREN | ANGLE | END | COLON | AT)))
            i++;
        unsigned kind = i < s.len ? kinds[s.data[i]] : (unsigned)END;
        if (kind == END)
            break;
        size_t past = i;
        if (kind & (QUOTE | PAREN))
            past = hidden_past_known(s, i, &r->none);
        else if (kind & ANGLE)
            past = s.data[i] == '<' ? hidden_angle(s, i) : i;
        at |= kind == AT;
        if (kind == COLON && !at) {
            struct slice name = slice_trim(slice_sub(s, from, i));
            if (!slice_case_eq(name, slice_str("mailto"))) /* a URI's beginning */
                r->group = name;
            from = i + 1;
        }
        i = past > i ? past : i + 1;
    }
    r->closed = i < s.len && s.data[i] == ';';
    r->rest = slice_sub(s, i + 1, s.len);
    struct slice element = slice_trim(slice_sub(s, from, i));
    *ret_alone = from && !element.len && r->group.len && (r->closed || !r->rest.len);
    return element;
}

bool mailbox_next(struct mailbox_reader *r, struct slice *ret)
{
    if (!r->closed && is_single(r->rest)) {
        *ret = slice_trim(r->rest);
        r->rest = slice_sub(r->rest, r->rest.len, r->rest.len);
        return ret->len;
    }
    while (r->rest.len) {
        bool begun = false;
        *ret = first_element(r, &begun);
        if (ret->len || begun)
            return true;
    }
    return false;
}

/* A phrase as most are: words, or one quoted string. */
static bool usual_name(struct slice phrase, struct slice *ret)
{
    unsigned seen = 0, last = BLANK, twice = 0;
    bool quoted = phrase.len > 1 && phrase.data[0] == '"' && phrase.data[phrase.len - 1] == '"';
    if (quoted)
        phrase = slice_sub(phrase, 1, phrase.len - 1);
    for (size_t i = 0; i < phrase.len; i++) {
        unsigned kind = kinds[phrase.data[i]];
        twice |= kind & last;
        seen |= kind;
        last = kind;
    }
    if (seen & (QUOTE | CONTROL) || (twice | last) & BLANK || (!quoted && seen & (PAREN | ANGLE)))
        return !phrase.len;
    *ret = phrase;
    return true;
}

/* An address as most are. */
static bool usual_addr(struct slice addr, struct mailbox_parts *ret)
{
    size_t at = slice_index(addr, '@');
    unsigned seen = 0, domain = 0;
    for (size_t i = 0; i < at; i++)
        seen |= kinds[addr.data[i]];
    for (size_t i = at + 1; i < addr.len; i++)
        domain |= kinds[addr.data[i]];
    if (!at || at + 1 >= addr.len || (seen | domain) & ~(unsigned)(UPPER | DASH))
        return false;
    ret->addr = addr;
    ret->local = slice_sub(addr, 0, at);
    ret->domain = slice_sub(addr, at + 1, addr.len);
    ret->upper = domain & UPPER;
    ret->dash = domain & DASH;
    ret->plain_addr = true;
    return true;
}

/* "Name <local@domain>" or "local@domain", without anything that needs care. */
static bool parse_usual(struct slice e, struct mailbox_parts *ret)
{
    ret->plain_name = true;
    if (!e.len || e.data[e.len - 1] != '>')
        return usual_addr(e, ret);
    const uint8_t *lt = e.data ? memrchr(e.data, '<', e.len) : NULL;
    size_t at = lt ? (size_t)(lt - e.data) : e.len;
    struct slice addr = slice_sub(e, at + 1, e.len - 1);
    return lt && usual_name(slice_trim(slice_sub(e, 0, at)), &ret->name) && usual_addr(addr, ret);
}

/* Words without a blank between them, or with blanks around a dot or an '@' alone. */
struct run {
    size_t from, at, to;
    size_t before; /* words in front of it */
    bool has_at;   /* `at`: its last '@' */
};

/* What an element has in it. */
struct survey {
    struct slice element, comment; /* the first comment, without its parentheses */
    size_t lt, gt;                 /* the last angle brackets; lt == element.len: there are none */
    struct run run;                /* the last one that has an '@' */
    struct run now;
    bool glued, spaced;     /* behind a dot or an '@'; behind a blank */
    size_t words, lt_words; /* all; those in front of lt */
};

static void take_word(struct survey *s, size_t from, size_t to)
{
    if (s->words && (s->glued || !s->spaced)) {
        s->now.to = to;
    } else {
        if (s->now.has_at)
            s->run = s->now;
        s->now = (struct run){.from = from, .to = to, .before = s->words++};
    }
    s->glued = s->spaced = false;
}

static void take_sign(struct survey *s, size_t i)
{
    if (!s->words)
        take_word(s, i, i + 1);
    if (s->element.data[i] == '@') {
        s->now.at = i;
        s->now.has_at = true;
    }
    s->now.to = i + 1;
    s->glued = true;
    s->spaced = false;
}

/* Behind the word at `i`. An address literal may hold anything. */
static size_t word_end(const struct survey *s, size_t i)
{
    struct slice e = s->element;
    if (e.data[i] == '[' && s->glued) {
        size_t end = i + slice_index(slice_sub(e, i, e.len), ']');
        if (end < e.len)
            return end + 1;
    }
    i++;
    while (i < e.len && e.data[i] != '.' && e.data[i] != '@' &&
           !(kinds[e.data[i]] & (BLANK | QUOTE | PAREN | ANGLE)) && !byte_is_blank(e.data[i]))
        i++;
    return i;
}

static size_t take_angle(struct survey *s, size_t i)
{
    struct slice e = s->element;
    const uint8_t *none = NULL;
    s->lt = i++;
    s->lt_words = s->words++;
    while (i < e.len && e.data[i] != '>' && e.data[i] != '<') {
        size_t past = hidden_past_known(e, i, &none);
        i = past > i ? past : i + 1;
    }
    s->gt = i;
    s->spaced = true;
    return i < e.len && e.data[i] == '>' ? i + 1 : i;
}

static size_t take_comment(struct survey *s, size_t i, size_t past)
{
    struct slice inside = slice_trim(slice_sub(s->element, i + 1, past - 1));
    if (!s->comment.data && inside.len)
        s->comment = inside;
    s->spaced = true;
    return past;
}

static struct survey survey_of(struct slice e)
{
    struct survey s = {.element = e, .lt = e.len, .gt = e.len};
    const uint8_t *none = NULL;
    size_t i = 0;
    while (i < e.len) {
        uint8_t c = e.data[i];
        size_t past = kinds[c] & (QUOTE | PAREN) ? hidden_past_known(e, i, &none) : i;
        if (c == '(' && past > i + 1) {
            i = take_comment(&s, i, past);
        } else if (byte_is_blank(c)) {
            s.spaced = true;
            i++;
        } else if (c == '<') {
            i = take_angle(&s, i);
        } else if (c == '@' || c == '.') {
            take_sign(&s, i++);
        } else {
            size_t end = past > i ? past : word_end(&s, i);
            take_word(&s, i, end);
            i = end;
        }
    }
    if (s.now.has_at)
        s.run = s.now;
    return s;
}

/* The name is the words before the address, of which there are `before`, else those behind it, of which there
 * are `behind`, else a comment. */
static void take_name(const struct survey *s, size_t from, size_t before, size_t to, size_t behind,
                      struct mailbox_parts *ret)
{
    size_t end = s->element.len;
    ret->name = before   ? slice_trim(slice_sub(s->element, 0, from))
                : behind ? slice_trim(slice_sub(s->element, to, end))
                         : s->comment;
    ret->name_comment = !before && !behind;
}

/* "@a,@b:local@domain" (RFC 5322 4.4): what is behind the route. */
static struct slice without_route(struct slice addr)
{
    size_t i = 1;
    if (!addr.len || addr.data[0] != '@')
        return addr;
    while (i < addr.len && addr.data[i] != ':') {
        size_t past = hidden_past(addr, i);
        i = past > i ? past : i + 1;
    }
    return i < addr.len ? slice_trim(slice_sub(addr, i + 1, addr.len)) : addr;
}

static void take_addr(struct slice addr, struct mailbox_parts *ret)
{
    addr = without_route(slice_trim(addr));
    if (usual_addr(addr, ret))
        return;
    struct survey s = survey_of(addr);
    struct run run = s.run;
    if (!s.words)
        return;
    ret->local = slice_trim(slice_sub(addr, 0, run.has_at ? run.at : addr.len));
    ret->domain = slice_trim(slice_sub(addr, run.at + 1, run.has_at ? run.to : 0));
    if (!run.has_at || !ret->domain.len)
        ret->domain = (struct slice){0};
}

static bool has_at(struct slice s)
{
    return slice_index(s, '@') < s.len;
}

/* One word without an '@' is a user of this host, unless it is a name by its form. */
static bool is_user(const struct survey *s)
{
    struct slice word = slice_sub(s->element, s->now.from, s->now.to);
    return s->words == 1 && s->lt == s->element.len && word.data[0] != '"' &&
           slice_find(word, "=?") == word.len;
}

void mailbox_parse(struct slice element, struct mailbox_parts *ret)
{
    *ret = (struct mailbox_parts){0};
    if (parse_usual(element, ret))
        return;
    *ret = (struct mailbox_parts){0};
    struct survey s = survey_of(element);
    struct slice inside = slice_sub(element, s.lt + 1, s.gt);
    if (s.lt < element.len && (has_at(inside) || !s.run.has_at)) {
        take_name(&s, s.lt, s.lt_words, s.gt + 1, s.words - s.lt_words - 1, ret);
        take_addr(inside, ret);
    } else if (s.run.has_at) {
        take_name(&s, s.run.from, s.run.before, s.run.to, s.words - s.run.before - 1, ret);
        take_addr(slice_sub(element, s.run.from, s.run.to), ret);
    } else if (is_user(&s)) {
        take_name(&s, s.now.from, 0, s.now.to, 0, ret);
        take_addr(slice_sub(element, s.now.from, s.now.to), ret);
    } else if (s.words) {
        ret->name = element;
    }
}
