/* blocklist.c: which row of the block lists speaks of a refusal.
 * In: rows and patterns from blocklist_load.c; then a reply's text. Out: a row, or none. Owns: the compiled
 * patterns, the texts of the rows, the scratch memory of a match. Limits: BLOCKLISTS_*; a pattern that goes
 * over a limit of the match is counted and taken not to fit, the next one is tried. Knowingly: bytes are
 * matched, not characters, as replies come in any charset. Where JIT has no memory that it may execute, PCRE2
 * interprets. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rule/blocklist_rows.h"

#include <assert.h>
#include <errno.h>
#include <pcre2.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/memory.h"

struct pattern {
    pcre2_code *code;
    size_t row;
    bool jit;
};

/* Does not change once it is read, so that threads can share it. */
struct table {
    atomic_uint users;
    struct blocklist rows[BLOCKLISTS_ROWS];
    struct pattern patterns[BLOCKLISTS_PATTERNS]; /* in the file's order */
    size_t rows_len, patterns_len;
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

struct blocklists *blocklists_new(void)
{
    struct table *t = calloc(1, sizeof *t);
    memory_check(t);
    arena_init(&t->texts, (size_t)2 * BLOCKLISTS_FILE);
    t->compile = pcre2_compile_context_create(NULL);
    memory_check(t->compile);
    pcre2_set_max_pattern_length(t->compile, BLOCKLISTS_PATTERN);
    return use(t);
}

struct blocklists *blocklists_share(const struct blocklists *b)
{
    return use(b->table);
}

static void table_free(struct table *t)
{
    for (size_t i = 0; i < t->patterns_len; i++)
        pcre2_code_free(t->patterns[i].code);
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
    if (b->table->rows_len == BLOCKLISTS_ROWS)
        return error_set(reterr, -ENOSPC, "more than %d rows", BLOCKLISTS_ROWS);
    b->table->rows[b->table->rows_len++] = (struct blocklist){
        .name = arena_copy(&b->table->texts, row->name),
        .kind = row->kind,
        .domains = row->domains,
        .removal = arena_copy(&b->table->texts, row->removal),
        .retired = arena_copy(&b->table->texts, row->retired),
    };
    /* The file is half as large as the arena may be. */
    return b->table->texts.over ? error_set(reterr, -ENOMEM, "no memory") : 0;
}

/* A match, a miss (PCRE2_ERROR_NOMATCH), or what PCRE2 says where it gave up. */
static int try_pattern(const struct blocklists *b, const struct pattern *p, struct slice text)
{
    const uint8_t *bytes = text.len ? text.data : (const uint8_t *)"";
    return p->jit ? pcre2_jit_match(p->code, bytes, text.len, 0, 0, b->data, b->limits)
                  : pcre2_match(p->code, bytes, text.len, 0, 0, b->data, b->limits);
}

int blocklists_add_pattern(struct blocklists *b, struct slice pattern, struct error *reterr)
{
    int code = 0;
    size_t at = 0;
    assert(b->table->rows_len);
    if (b->table->patterns_len == BLOCKLISTS_PATTERNS)
        return error_set(reterr, -ENOSPC, "more than %d patterns", BLOCKLISTS_PATTERNS);
    pcre2_code *compiled = pcre2_compile(pattern.data, pattern.len,
                                         PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
                                             PCRE2_NEVER_BACKSLASH_C,
                                         &code, &at, b->table->compile);
    if (!compiled) {
        char says[160] = "";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)says, sizeof says);
        return error_set(reterr, -EINVAL, "the pattern does not compile at its byte %zu: %s", at + 1, says);
    }
    struct pattern p = {.code = compiled, .row = b->table->rows_len - 1};
    /* No JIT is no error: the pattern is interpreted. It may also say that it wants no JIT. */
    size_t jit_len = 0;
    p.jit = pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) == 0 &&
            pcre2_pattern_info(compiled, PCRE2_INFO_JITSIZE, &jit_len) == 0 && jit_len;
    if (try_pattern(b, &p, (struct slice){NULL, 0}) >= 0) {
        pcre2_code_free(compiled);
        return error_set(reterr, -EINVAL, "the pattern fits an empty text, hence every reply");
    }
    b->table->patterns[b->table->patterns_len++] = p;
    return 0;
}

static bool pattern_fits(struct blocklists *b, const struct pattern *p, struct slice text)
{
    int rc = try_pattern(b, p, text);
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
static const struct blocklist *first_fit(struct blocklists *b, bool failed, struct slice text)
{
    for (size_t i = 0; i < b->table->patterns_len; i++) {
        const struct blocklist *row = &b->table->rows[b->table->patterns[i].row];
        if ((row->kind == BLOCKLIST_QUERY_FAILED) == failed && pattern_fits(b, &b->table->patterns[i], text))
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
    const struct blocklist *row = first_fit(b, true, text);
    if (!row)
        row = first_fit(b, false, text);
    counts->matched += row != NULL;
    return row;
}

struct blocklists_counts blocklists_counts(const struct blocklists *b)
{
    return b->counts;
}

size_t blocklists_rows(const struct blocklists *b)
{
    return b->table->rows_len;
}
