/* literal.c: which plain text every match of a pattern must have in it.
 * In: a pattern, a text. Out: a literal; whether the text can have it. Owns: nothing. Limits: LITERAL_MOST
 * bytes. Knowingly: what stands in groups, classes and alternatives is left out, and at syntax that is rare
 * in patterns (flags, verbs, named groups, \Q, \x and the like) the whole pattern is given up: then it is
 * tried on every text. Spec: pcre2pattern(3). */
#include "rule/literal.h"

#include <string.h>

enum { THREE_BITS = 12 };

struct reader {
    struct slice pattern;
    size_t at;
    bool unknown;         /* given up */
    struct literal now;   /* that ends where the reader is */
    struct literal found; /* the longest so far */
};

static bool ahead(const struct reader *r, const char *text)
{
    size_t len = strlen(text);
    return r->pattern.len - r->at >= len && memcmp(r->pattern.data + r->at, text, len) == 0;
}

static void end_run(struct reader *r)
{
    if (r->now.len > r->found.len)
        r->found = r->now;
    r->now.len = 0;
}

static void add(struct reader *r, uint8_t c)
{
    if (r->now.len == LITERAL_MOST)
        end_run(r);
    r->now.text[r->now.len++] = byte_lower(c);
}

/* Behind a backslash. True: *ret stands for itself; false: it is a class or a place. */
static bool read_escaped(struct reader *r, uint8_t *ret)
{
    *ret = r->at < r->pattern.len ? r->pattern.data[r->at++] : 0;
    bool word = byte_is_digit(*ret) || (byte_lower(*ret) >= 'a' && byte_lower(*ret) <= 'z');
    r->unknown |= !*ret || (word && !memchr("bBdDwWsSAZzhHvVR", *ret, 16));
    return !word;
}

/* Behind a bracket. */
static void skip_class(struct reader *r)
{
    uint8_t c;
    if (ahead(r, "^"))
        r->at++;
    if (ahead(r, "]"))
        r->at++;
    while (r->at < r->pattern.len && r->pattern.data[r->at] != ']' && !r->unknown) {
        r->unknown |= r->pattern.data[r->at] == '[';
        if (r->pattern.data[r->at++] == '\\')
            read_escaped(r, &c);
    }
    r->at++;
}

/* Behind a parenthesis, to the one that closes it. */
static void skip_group(struct reader *r)
{
    static const char *const known[] = {"?:", "?=", "?!", "?<=", "?<!"};
    size_t depth = 1;
    uint8_t c = '(';
    while (depth && !r->unknown) {
        bool plain = c != '(' || !(ahead(r, "?") || ahead(r, "*"));
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            plain |= ahead(r, known[i]);
        r->unknown |= !plain || r->at >= r->pattern.len;
        if (r->unknown)
            return;
        c = r->pattern.data[r->at++];
        depth += c == '(';
        depth -= c == ')';
        if (c == '[')
            skip_class(r);
        else if (c == '\\' && read_escaped(r, &c))
            c = 0;
    }
}

/* What stands before a repeat that may be one of none is no part of the literal. */
static void drop_last(struct reader *r)
{
    r->now.len -= r->now.len > 0;
    end_run(r);
}

/* Behind a brace. What is no repeat for all its digits and commas loses a literal by that, no more. */
static void skip_repeat(struct reader *r)
{
    while (r->at < r->pattern.len && (byte_is_digit(r->pattern.data[r->at]) || ahead(r, ",")))
        r->at++;
    r->unknown |= !ahead(r, "}");
    r->at++;
}

static void read_one(struct reader *r)
{
    uint8_t c = r->pattern.data[r->at++];
    switch (c) {
    case '\\':
        if (read_escaped(r, &c))
            add(r, c);
        else
            end_run(r);
        break;
    case '[':
        skip_class(r);
        end_run(r);
        break;
    case '(':
        skip_group(r);
        end_run(r);
        break;
    case '{':
        skip_repeat(r);
        drop_last(r);
        break;
    case '?':
    case '*':
        drop_last(r);
        break;
    case '|':
        r->unknown = true;
        break;
    case '+':
    case '.':
    case '^':
    case '$':
        end_run(r);
        break;
    default:
        add(r, c);
    }
}

struct literal literal_of(struct slice pattern)
{
    struct reader r = {.pattern = pattern};
    while (r.at < pattern.len && !r.unknown)
        read_one(&r);
    end_run(&r);
    return r.unknown || r.found.len < 3 ? (struct literal){0} : r.found;
}

static size_t place_of(uint32_t three)
{
    return (uint32_t)(three * 0x9e3779b1u) >> (32 - THREE_BITS);
}

void threes_of(struct slice text, struct threes *ret)
{
    uint32_t three = 0;
    *ret = (struct threes){{0}};
    for (size_t i = 0; i < text.len; i++) {
        three = (three << 8 | byte_lower(text.data[i])) & 0xffffff;
        size_t bit = place_of(three);
        ret->bits[bit / 64] |= (uint64_t)1 << bit % 64;
    }
}

bool threes_may_have(const struct threes *t, const struct literal *literal)
{
    uint32_t three = 0;
    for (size_t i = 0; i < literal->len; i++) {
        three = (three << 8 | literal->text[i]) & 0xffffff;
        size_t bit = place_of(three);
        if (i >= 2 && !(t->bits[bit / 64] >> bit % 64 & 1))
            return false;
    }
    return true;
}
