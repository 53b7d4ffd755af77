/* blocklist.c: which row of the block lists speaks of a refusal.
 * In: rows and patterns from blocklist_load.c; then a reply's text. Out: a row, or none. Owns: the compiled
 * patterns, the texts of the rows, the scratch memory of a match. Limits: BLOCKLISTS_*; a pattern that goes
 * over a limit of the match is counted and taken not to fit, the next one is tried. Knowingly: bytes are
 * matched, not characters, as replies come in any charset; the scratch memory makes a match one thread's
 * business at a time. Where JIT has no memory that it may execute, PCRE2 interprets. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rule/blocklist_rows.h"

#include <assert.h>
#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include "base/arena.h"

struct pattern {
    pcre2_code *code;
    size_t row;
    bool jit;
};

struct blocklists {
    struct blocklist rows[BLOCKLISTS_ROWS];
    struct pattern patterns[BLOCKLISTS_PATTERNS]; /* in the file's order */
    size_t rows_len, patterns_len;
    struct arena texts;
    pcre2_compile_context *compile;
    struct scratch {
        pcre2_match_context *limits;
        pcre2_match_data *data;
        struct blocklists_counts counts;
    } * scratch;
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

struct blocklists *blocklists_new(void)
{
    struct blocklists *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    arena_init(&b->texts, (size_t)2 * BLOCKLISTS_FILE);
    b->scratch = calloc(1, sizeof *b->scratch);
    b->compile = pcre2_compile_context_create(NULL);
    if (b->scratch) {
        b->scratch->limits = pcre2_match_context_create(NULL);
        b->scratch->data = pcre2_match_data_create(1, NULL);
    }
    if (!b->compile || !b->scratch || !b->scratch->limits || !b->scratch->data) {
        blocklists_close(b);
        return NULL;
    }
    pcre2_set_max_pattern_length(b->compile, BLOCKLISTS_PATTERN);
    pcre2_set_match_limit(b->scratch->limits, BLOCKLISTS_MATCH_STEPS);
    pcre2_set_depth_limit(b->scratch->limits, BLOCKLISTS_MATCH_DEPTH);
    pcre2_set_heap_limit(b->scratch->limits, BLOCKLISTS_MATCH_HEAP_KIB);
    return b;
}

void blocklists_close(struct blocklists *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->patterns_len; i++)
        pcre2_code_free(b->patterns[i].code);
    if (b->scratch) {
        pcre2_match_data_free(b->scratch->data);
        pcre2_match_context_free(b->scratch->limits);
    }
    pcre2_compile_context_free(b->compile);
    arena_free(&b->texts);
    free(b->scratch);
    free(b);
}

int blocklists_add_row(struct blocklists *b, const struct blocklist *row, struct error *reterr)
{
    if (b->rows_len == BLOCKLISTS_ROWS)
        return error_set(reterr, -ENOSPC, "more than %d rows", BLOCKLISTS_ROWS);
    b->rows[b->rows_len++] = (struct blocklist){
        .name = arena_copy(&b->texts, row->name),
        .kind = row->kind,
        .domains = row->domains,
        .removal = arena_copy(&b->texts, row->removal),
        .retired = arena_copy(&b->texts, row->retired),
    };
    /* The file is half as large as the arena may be. */
    return b->texts.over ? error_set(reterr, -ENOMEM, "no memory") : 0;
}

/* A match, a miss (PCRE2_ERROR_NOMATCH), or what PCRE2 says where it gave up. */
static int try_pattern(const struct blocklists *b, const struct pattern *p, struct slice text)
{
    const uint8_t *bytes = text.len ? text.data : (const uint8_t *)"";
    const struct scratch *s = b->scratch;
    return p->jit ? pcre2_jit_match(p->code, bytes, text.len, 0, 0, s->data, s->limits)
                  : pcre2_match(p->code, bytes, text.len, 0, 0, s->data, s->limits);
}

int blocklists_add_pattern(struct blocklists *b, struct slice pattern, struct error *reterr)
{
    int code = 0;
    size_t at = 0;
    assert(b->rows_len);
    if (b->patterns_len == BLOCKLISTS_PATTERNS)
        return error_set(reterr, -ENOSPC, "more than %d patterns", BLOCKLISTS_PATTERNS);
    pcre2_code *compiled = pcre2_compile(pattern.data, pattern.len,
                                         PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
                                             PCRE2_NEVER_BACKSLASH_C,
                                         &code, &at, b->compile);
    if (!compiled) {
        char says[160] = "";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)says, sizeof says);
        return error_set(reterr, -EINVAL, "the pattern does not compile at its byte %zu: %s", at + 1, says);
    }
    struct pattern p = {.code = compiled, .row = b->rows_len - 1};
    /* No JIT is no error: the pattern is interpreted. It may also say that it wants no JIT. */
    size_t jit_len = 0;
    p.jit = pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) == 0 &&
            pcre2_pattern_info(compiled, PCRE2_INFO_JITSIZE, &jit_len) == 0 && jit_len;
    if (try_pattern(b, &p, (struct slice){NULL, 0}) >= 0) {
        pcre2_code_free(compiled);
        return error_set(reterr, -EINVAL, "the pattern fits an empty text, hence every reply");
    }
    b->patterns[b->patterns_len++] = p;
    return 0;
}

static bool pattern_fits(const struct blocklists *b, const struct pattern *p, struct slice text)
{
    int rc = try_pattern(b, p, text);
    if (rc >= 0)
        return true;
    if (rc == PCRE2_ERROR_NOMATCH)
        return false;
    /* Anything but these would be our own misuse. */
    assert(rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT ||
           rc == PCRE2_ERROR_JIT_STACKLIMIT || rc == PCRE2_ERROR_NOMEMORY);
    b->scratch->counts.limits++;
    return false;
}

/* The first row that fits, among those that speak of a failed query or among the others. */
static const struct blocklist *first_fit(const struct blocklists *b, bool failed, struct slice text)
{
    for (size_t i = 0; i < b->patterns_len; i++) {
        const struct blocklist *row = &b->rows[b->patterns[i].row];
        if ((row->kind == BLOCKLIST_QUERY_FAILED) == failed && pattern_fits(b, &b->patterns[i], text))
            return row;
    }
    return NULL;
}

const struct blocklist *blocklists_match(const struct blocklists *b, struct slice reply_text)
{
    struct blocklists_counts *counts = &b->scratch->counts;
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
    return b->scratch->counts;
}

size_t blocklists_rows(const struct blocklists *b)
{
    return b->rows_len;
}
