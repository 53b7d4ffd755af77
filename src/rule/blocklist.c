/* blocklist.c: which row of the block lists speaks of a refusal.
 * In: rows and patterns from blocklist_load.c, or built-in ones; then a reply's text. Out: a row, or none.
 * Owns: the compiled patterns, the texts of rows that were read, the scratch memory of a match. Limits:
 * BLOCKLISTS_*; a pattern that goes over a limit of the match is counted and taken not to fit, the next one
 * is tried. Knowingly: bytes are matched, not characters, as replies come in any charset. Where JIT has no
 * memory that it may execute, PCRE2 interprets. Of the built-in patterns a run tries few, and to compile one
 * takes as long as some ten mails: that waits until one is tried. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rule/blocklist_rows.h"

#include <assert.h>
#include <errno.h>
#include <pcre2.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/memory.h"

/* Threads share it: but for `users` and `codes` it does not change once it is read. */
struct table {
    atomic_uint users;
    struct blocklist_table is; /* the built-in one, or what was read into `rows` and `patterns` */
    struct blocklist rows[BLOCKLISTS_ROWS];
    struct blocklist_pattern patterns[BLOCKLISTS_PATTERNS];
    _Atomic(pcre2_code *) codes[BLOCKLISTS_PATTERNS]; /* of the patterns; NULL: not tried yet */
    struct arena texts;
    pcre2_compile_context *compile;
};

struct blocklists {
    struct table *table;
    pcre2_match_context *limits;
    pcre2_match_data *data;
    struct blocklists_counts counts;
};

const char *blocklist_kind_name(enum blocklist_kind kind)
{
    static const char *const names[BLOCKLIST_KINDS] = {
        [BLOCKLIST_LISTED] = "listed",
        [BLOCKLIST_POLICY] = "policy",
        [BLOCKLIST_RATE_LIMIT] = "rate_limit",
        [BLOCKLIST_QUERY_FAILED] = "query_failed",
        [BLOCKLIST_AUTHENTICATION] = "authentication",
    };
    assert(kind < BLOCKLIST_KINDS);
    return names[kind];
}

/* One more user of the table. */
static struct blocklists *use(struct table *t)
{
    struct blocklists *b = calloc(1, sizeof *b);
    memory_check(b);
    atomic_fetch_add(&t->users, 1);
    b->table = t;
    b->limits = pcre2_match_context_create(NULL);
    b->data = pcre2_match_data_create(1, NULL);
    memory_check(b->limits);
    memory_check(b->data);
    pcre2_set_match_limit(b->limits, BLOCKLISTS_MATCH_STEPS);
    pcre2_set_depth_limit(b->limits, BLOCKLISTS_MATCH_DEPTH);
    pcre2_set_heap_limit(b->limits, BLOCKLISTS_MATCH_HEAP_KIB);
    return b;
}

static struct table *table_new(void)
{
    struct table *t = calloc(1, sizeof *t);
    memory_check(t);
    t->is = (struct blocklist_table){.rows = t->rows, .patterns = t->patterns};
    arena_init(&t->texts, (size_t)2 * BLOCKLISTS_FILE);
    t->compile = pcre2_compile_context_create(NULL);
    memory_check(t->compile);
    pcre2_set_max_pattern_length(t->compile, BLOCKLISTS_PATTERN);
    return t;
}

struct blocklists *blocklists_new(void)
{
    return use(table_new());
}

struct blocklists *blocklists_new_builtin(void)
{
    struct table *t = table_new();
    t->is = blocklists_builtin;
    return use(t);
}

const struct blocklist_table *blocklists_table(const struct blocklists *b)
{
    return &b->table->is;
}

struct blocklists *blocklists_share(const struct blocklists *b)
{
    return use(b->table);
}

static void table_free(struct table *t)
{
    for (size_t i = 0; i < t->is.patterns_len; i++)
        pcre2_code_free(t->codes[i]);
    pcre2_compile_context_free(t->compile);
    arena_free(&t->texts);
    free(t);
}

void blocklists_close(struct blocklists *b)
{
    if (!b)
        return;
    if (atomic_fetch_sub(&b->table->users, 1) == 1)
        table_free(b->table);
    pcre2_match_data_free(b->data);
    pcre2_match_context_free(b->limits);
    free(b);
}

int blocklists_add_row(struct blocklists *b, const struct blocklist *row, struct error *reterr)
{
    struct table *t = b->table;
    if (t->is.rows_len == BLOCKLISTS_ROWS)
        return error_set(reterr, -ENOSPC, "more than %d rows", BLOCKLISTS_ROWS);
    t->rows[t->is.rows_len++] = (struct blocklist){
        .name = arena_copy(&t->texts, row->name),
        .kind = row->kind,
        .domains = row->domains,
        .removal = arena_copy(&t->texts, row->removal),
        .retired = arena_copy(&t->texts, row->retired),
    };
    /* The file is half as large as the arena may be. */
    return t->texts.over ? error_set(reterr, -ENOMEM, "no memory") : 0;
}

/* NULL: *ret_error is what PCRE2 says of the byte at *ret_at. */
static pcre2_code *compile(const struct table *t, struct slice pattern, int *ret_error, size_t *ret_at)
{
    pcre2_code *code = pcre2_compile(pattern.data, pattern.len,
                                     PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
                                         PCRE2_NEVER_BACKSLASH_C,
                                     ret_error, ret_at, t->compile);
    /* No JIT is no error: the pattern is interpreted. It may also say that it wants no JIT. */
    if (code)
        pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    return code;
}

/* A match, a miss (PCRE2_ERROR_NOMATCH), or what PCRE2 says where it gave up. */
static int try_code(const struct blocklists *b, const pcre2_code *code, struct slice text)
{
    const uint8_t *bytes = text.len ? text.data : (const uint8_t *)"";
    return pcre2_match(code, bytes, text.len, 0, 0, b->data, b->limits);
}

int blocklists_add_pattern(struct blocklists *b, struct slice pattern, struct error *reterr)
{
    struct table *t = b->table;
    int error = 0;
    size_t at = 0, own = t->is.patterns_len;
    assert(t->is.rows_len);
    if (own == BLOCKLISTS_PATTERNS)
        return error_set(reterr, -ENOSPC, "more than %d patterns", BLOCKLISTS_PATTERNS);
    pcre2_code *code = compile(t, pattern, &error, &at);
    if (!code) {
        char says[160] = "";
        pcre2_get_error_message(error, (PCRE2_UCHAR *)says, sizeof says);
        return error_set(reterr, -EINVAL, "the pattern does not compile at its byte %zu: %s", at + 1, says);
    }
    if (try_code(b, code, (struct slice){NULL, 0}) >= 0) {
        pcre2_code_free(code);
        return error_set(reterr, -EINVAL, "the pattern fits an empty text, hence every reply");
    }
    t->patterns[own] = (struct blocklist_pattern){arena_copy(&t->texts, pattern), literal_of(pattern),
                                                  (uint32_t)t->is.rows_len - 1};
    t->codes[own] = code;
    t->is.patterns_len++;
    return t->texts.over ? error_set(reterr, -ENOMEM, "no memory") : 0;
}

/* NULL: there is no memory, or the library takes less than the one that the program was built with. Another
 * thread may want the same code at the same time: then one of the two is thrown away. */
static const pcre2_code *code_of(struct table *t, size_t i)
{
    int error;
    size_t at;
    pcre2_code *code = atomic_load_explicit(&t->codes[i], memory_order_acquire), *other = NULL;
    if (code)
        return code;
    code = compile(t, t->is.patterns[i].text, &error, &at);
    if (!code)
        return NULL;
    if (atomic_compare_exchange_strong(&t->codes[i], &other, code))
        return code;
    pcre2_code_free(code);
    return other;
}

static bool pattern_fits(struct blocklists *b, size_t i, struct slice text)
{
    const pcre2_code *code = code_of(b->table, i);
    int rc = code ? try_code(b, code, text) : PCRE2_ERROR_NOMEMORY;
    if (rc >= 0)
        return true;
    if (rc == PCRE2_ERROR_NOMATCH)
        return false;
    /* Anything but these would be our own misuse. */
    assert(rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT ||
           rc == PCRE2_ERROR_JIT_STACKLIMIT || rc == PCRE2_ERROR_NOMEMORY);
    b->counts.limits++;
    return false;
}

/* The first row that fits, among those that speak of a failed query or among the others. */
static const struct blocklist *first_fit(struct blocklists *b, bool failed, const struct threes *threes,
                                         struct slice text)
{
    const struct blocklist_table *is = &b->table->is;
    for (size_t i = 0; i < is->patterns_len; i++) {
        const struct blocklist *row = &is->rows[is->patterns[i].row];
        if ((row->kind == BLOCKLIST_QUERY_FAILED) == failed &&
            threes_may_have(threes, &is->patterns[i].literal) && pattern_fits(b, i, text))
            return row;
    }
    return NULL;
}

const struct blocklist *blocklists_match(struct blocklists *b, struct slice reply_text)
{
    struct blocklists_counts *counts = &b->counts;
    counts->texts++;
    counts->cut += reply_text.len > BLOCKLISTS_TEXT;
    struct slice text = slice_sub(reply_text, 0, BLOCKLISTS_TEXT);
    struct threes threes;
    threes_of(text, &threes);
    const struct blocklist *row = first_fit(b, true, &threes, text);
    if (!row)
        row = first_fit(b, false, &threes, text);
    counts->matched += row != NULL;
    return row;
}

struct blocklists_counts blocklists_counts(const struct blocklists *b)
{
    return b->counts;
}

size_t blocklists_rows(const struct blocklists *b)
{
    return b->table->is.rows_len;
}
