/* parse.c: a query's text to its tree.
 * In: text that anybody may have written. Out: a tree, or what is wrong and where. Owns: the tree's arena.
 * Limits: QUERY_BYTES, QUERY_TERMS, QUERY_DEPTH. Spec: the grammar in docs/query.md. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/nearest.h"
#include "query/value.h"

enum { TREE_BYTES = 1 << 20, NAME_SHOWN = 40 };

struct tree {
    struct query query; /* first: it is what the caller has */
    struct arena mem;
};

struct parser {
    struct slice text;
    size_t at, depth, terms;
    const struct query_options *opt;
    struct arena *mem;
    struct query_error *err;
};

__attribute__((format(printf, 4, 5))) static int wrong(struct parser *p, size_t at, size_t len,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(p->err->text, sizeof p->err->text, format, args);
    va_end(args);
    p->err->at = at;
    p->err->len = len;
    return -EINVAL;
}

/* Length of the character of UTF-8 at the start of `s`, which is not empty; 0: there is none, or it is NUL.
 */
static size_t character(struct slice s)
{
    uint8_t c = s.data[0], least = 0x80, most = 0xbf;
    size_t len = c < 0x80                ? 1
                 : c >= 0xc2 && c < 0xe0 ? 2
                 : c >= 0xe0 && c < 0xf0 ? 3
                 : c >= 0xf0 && c < 0xf5 ? 4
                                         : 0;
    if (!c || s.len < len)
        return 0;
    least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : least;
    most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : most;
    for (size_t i = 1; i < len; i++, least = 0x80, most = 0xbf)
        if (s.data[i] < least || s.data[i] > most)
            return 0;
    return len;
}

static int check_text(struct parser *p)
{
    if (p->text.len > QUERY_BYTES)
        return wrong(p, QUERY_BYTES, p->text.len - QUERY_BYTES, "the query has %zu bytes; %d are the most",
                     p->text.len, QUERY_BYTES);
    for (size_t i = 0, n; i < p->text.len; i += n)
        if (!(n = character(slice_sub(p->text, i, p->text.len))))
            return wrong(p, i, 1, "a byte that is no text (UTF-8)");
    return 0;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool at_end(const struct parser *p)
{
    return p->at == p->text.len;
}

static uint8_t here(const struct parser *p)
{
    return at_end(p) ? 0 : p->text.data[p->at];
}

static void skip_spaces(struct parser *p)
{
    while (!at_end(p) && is_space(here(p)))
        p->at++;
}

/* Up to a blank, a parenthesis, a quotation mark. */
static size_t word_end(const struct parser *p)
{
    size_t i = p->at;
    while (i < p->text.len && !is_space(p->text.data[i]) && !strchr("()\"", p->text.data[i]))
        i++;
    return i;
}

static bool is_word(const struct parser *p, const char *word)
{
    return slice_eq(slice_sub(p->text, p->at, word_end(p)), slice_str(word)) &&
           (word_end(p) == p->text.len || p->text.data[word_end(p)] != '"');
}

static struct query_node *new_node(struct parser *p, enum query_node_kind kind)
{
    struct query_node *n = arena_alloc(p->mem, sizeof *n);
    memory_check(n); /* QUERY_BYTES and QUERY_TERMS make more than the arena has impossible */
    n->kind = kind;
    return n;
}

/* Between quotation marks, in which \" and \\ stand for themselves. */
static int take_quoted(struct parser *p, struct value_given *ret)
{
    size_t begin = p->at++, len = 0;
    uint8_t *text = arena_alloc(p->mem, p->text.len - begin);
    memory_check(text);
    for (; !at_end(p) && here(p) != '"'; p->at++) {
        if (here(p) == '\\' && p->at + 1 < p->text.len && strchr("\"\\", p->text.data[p->at + 1]))
            p->at++;
        text[len++] = here(p);
    }
    if (at_end(p))
        return wrong(p, begin, p->text.len - begin, "this quotation mark is not closed");
    p->at++;
    if (!at_end(p) && !is_space(here(p)) && here(p) != ')')
        return wrong(p, begin, p->at - begin, "a blank is missing behind the quotation mark");
    *ret = (struct value_given){{text, len}, true};
    return 0;
}

static int take_value(struct parser *p, struct value_given *ret)
{
    if (here(p) == '"')
        return take_quoted(p, ret);
    size_t end = word_end(p);
    *ret = (struct value_given){slice_sub(p->text, p->at, end), false};
    p->at = end;
    if (here(p) == '"')
        return wrong(p, p->at, 1, "a quotation mark amid a word");
    return 0;
}

static bool is_name_byte(uint8_t c, bool first)
{
    uint8_t l = byte_lower(c);
    return (l >= 'a' && l <= 'z') || c == '_' || (!first && (byte_is_digit(c) || c == '.'));
}

/* Length of a field's name before a colon here; 0: none. An address of the web is none. */
static size_t name_length(const struct parser *p)
{
    size_t i = p->at;
    while (i < p->text.len && is_name_byte(p->text.data[i], i == p->at))
        i++;
    struct slice behind = slice_sub(p->text, i, i + 3);
    return i > p->at && behind.len && behind.data[0] == ':' && !slice_eq(behind, slice_str("://")) ? i - p->at
                                                                                                   : 0;
}

static int no_field(struct parser *p, struct slice name, size_t at)
{
    struct nearest near = nearest_to(name);
    enum query_field_index other = query_field_find(name, QUERY_ALL);
    int shown = (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN);
    for (size_t i = 0; i < QUERY_FIELDS; i++)
        if (query_fields[i].streams & p->opt->streams)
            nearest_try(&near, query_fields[i].name);
    if (other < QUERY_FIELDS)
        return wrong(p, at, name.len, "no field '%.*s' in these records; stream %s has it", shown,
                     (const char *)name.data, query_stream_name(query_fields[other].streams));
    if (near.name && near.edits * 2 <= name.len)
        snprintf(p->err->nearest, sizeof p->err->nearest, "%s", near.name);
    return wrong(p, at, name.len, "no field '%.*s'; a text with a colon goes between quotation marks", shown,
                 (const char *)name.data);
}

/* field=value, or field>5, in whose place field:value or field:>5 is meant: it would be looked for as words,
 * and silently not be found. False: it is neither. */
static bool is_without_colon(struct parser *p)
{
    size_t end = word_end(p), i = p->at;
    while (i < end && is_name_byte(p->text.data[i], i == p->at))
        i++;
    struct slice name = slice_sub(p->text, p->at, i), rest = slice_sub(p->text, i, end);
    if (!name.len || rest.len < 2 || !strchr("=<>", rest.data[0]) ||
        query_field_find(name, p->opt->streams) == QUERY_FIELDS)
        return false;
    rest = rest.data[0] == '=' ? slice_sub(rest, rest.data[1] == '=' ? 2 : 1, rest.len) : rest;
    int most = (int)sizeof p->err->nearest,
        len = snprintf(p->err->nearest, (size_t)most, "%.*s:%.*s", (int)name.len, (const char *)name.data,
                       (int)rest.len, (const char *)rest.data);
    if (len >= most)
        *p->err->nearest = 0;
    wrong(p, p->at, end - p->at,
          "'%.*s' is a field, which takes a colon; a text with such a sign goes between quotation marks",
          (int)name.len, (const char *)name.data);
    return true;
}

static int take_term(struct parser *p, struct query_node **ret)
{
    struct value_given given = {0};
    size_t begin = p->at, name_len = name_length(p);
    struct slice name = slice_sub(p->text, begin, begin + name_len);
    struct query_node *n = new_node(p, QUERY_TERM);
    if (!name_len && is_without_colon(p))
        return -EINVAL;
    n->term.field = name_len ? query_field_find(name, p->opt->streams) : QUERY_FIELD_ANY;
    if (n->term.field == QUERY_FIELDS)
        return no_field(p, name, begin);
    p->at += name_len ? name_len + 1 : 0;
    int err = take_value(p, &given);
    if (err)
        return err;
    if (!given.text.len)
        return wrong(p, begin, p->at - begin, "%s: wants a value", query_fields[n->term.field].name);
    if (++p->terms > QUERY_TERMS)
        return wrong(p, begin, p->at - begin, "more than %d terms", QUERY_TERMS);
    n->at = (uint32_t)begin;
    n->len = (uint32_t)(p->at - begin);
    err = query_value_read(given, p->opt, p->mem, &n->term, p->err);
    if (err)
        p->err->at = begin + (name_len ? name_len + 1 : 0), p->err->len = p->at - p->err->at;
    *ret = n;
    return err;
}

static int take_any(struct parser *p, struct query_node **ret);

static int take_group(struct parser *p, struct query_node **ret)
{
    size_t begin = p->at++;
    int err = take_any(p, ret);
    if (err)
        return err;
    if (here(p) != ')')
        return wrong(p, begin, 1, "this parenthesis is not closed");
    p->at++;
    return *ret ? 0 : wrong(p, begin, p->at - begin, "nothing between the parentheses");
}

static int take_one(struct parser *p, struct query_node **ret);

/* Behind a - or NOT, `len` bytes. */
static int take_not(struct parser *p, size_t len, struct query_node **ret)
{
    size_t begin = p->at;
    p->at += len;
    skip_spaces(p);
    if (at_end(p) || here(p) == ')' || (len == 1 && p->at > begin + 1))
        return wrong(p, begin, len, "nothing behind it to be left out");
    *ret = new_node(p, QUERY_NOT);
    return take_one(p, &(*ret)->first);
}

/* A term, a group, or what is negated. */
static int take_one(struct parser *p, struct query_node **ret)
{
    int err;
    if (++p->depth > QUERY_DEPTH)
        return wrong(p, p->at, 1, "more than %d parentheses and negations in each other", QUERY_DEPTH);
    if (here(p) == '(')
        err = take_group(p, ret);
    else if (here(p) == '-')
        err = take_not(p, 1, ret);
    else if (is_word(p, "NOT"))
        err = take_not(p, 3, ret);
    else if (is_word(p, "OR") || is_word(p, "AND"))
        err = wrong(p, p->at, word_end(p) - p->at, "a term is missing beside it");
    else
        err = take_term(p, ret);
    p->depth--;
    return err;
}

/* Adds a part to a node of that kind, which is made once there are two; parts of its own kind are taken out
 * of their parentheses. */
static void add_part(struct parser *p, enum query_node_kind kind, struct query_node **whole,
                     struct query_node *part)
{
    struct query_node **end;
    if (!*whole) {
        *whole = part;
        return;
    }
    if ((*whole)->kind != kind) {
        struct query_node *first = *whole;
        *whole = new_node(p, kind);
        (*whole)->first = first;
    }
    for (end = &(*whole)->first; *end; end = &(*end)->next)
        ;
    *end = part->kind == kind ? part->first : part;
}

/* Terms side by side, or with AND between. *ret is NULL where there is none. */
static int take_all(struct parser *p, struct query_node **ret)
{
    for (*ret = NULL;;) {
        struct query_node *part = NULL;
        skip_spaces(p);
        if (at_end(p) || here(p) == ')' || (*ret && is_word(p, "OR")))
            return 0;
        if (*ret && is_word(p, "AND")) {
            p->at += 3;
            skip_spaces(p);
            if (at_end(p) || here(p) == ')')
                return wrong(p, p->at, 0, "a term is missing behind AND");
        }
        int err = take_one(p, &part);
        if (err)
            return err;
        add_part(p, QUERY_AND, ret, part);
    }
}

static int take_any(struct parser *p, struct query_node **ret)
{
    for (*ret = NULL;;) {
        struct query_node *part = NULL;
        int err = take_all(p, &part);
        if (err)
            return err;
        if (!part && *ret)
            return wrong(p, p->at, 0, "a term is missing behind OR");
        if (part)
            add_part(p, QUERY_OR, ret, part);
        if (!is_word(p, "OR"))
            return 0;
        p->at += 2;
    }
}

int query_parse(struct slice text, const struct query_options *opt, struct query **ret,
                struct query_error *reterr)
{
    struct tree *t = calloc(1, sizeof *t);
    memory_check(t);
    arena_init(&t->mem, TREE_BYTES);
    struct query_node *root = NULL;
    struct parser p = {.opt = opt, .mem = &t->mem, .err = reterr};
    memset(reterr, 0, sizeof *reterr);
    p.text = text;
    int err = check_text(&p);
    if (!err)
        p.text = arena_copy(&t->mem, text); /* the tree's texts live in it */
    err = err ? err : take_any(&p, &root);
    if (!err && !at_end(&p))
        err = wrong(&p, p.at, 1, "this parenthesis was never opened");
    t->query.root = root;
    t->query.terms = p.terms;
    if (err)
        query_free(&(struct query *){&t->query});
    else
        *ret = &t->query;
    return err;
}

void query_free(struct query **q)
{
    struct tree *t = (struct tree *)*q;
    *q = NULL;
    if (!t)
        return;
    arena_free(&t->mem);
    free(t);
}
