/* agents.c: which row of the table of agents speaks of a text.
 * In: rows from agents_load.c; then texts. Out: a product. Owns: the rows and their texts. Limits: AGENTS_*.
 * A pattern is plain text that begins with a word: each word of a text is looked up by its hash, and only
 * patterns that begin with it are compared, so that the number of rows does not matter. */
#include "record/agents_rows.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"

const char *agent_kind_name(enum agent_kind kind)
{
    static const char *const names[AGENT_KINDS] = {
        [AGENT_WEBMAIL] = "webmail",
        [AGENT_MAIL_CLIENT] = "mail_client",
        [AGENT_MOBILE_CLIENT] = "mobile_client",
        [AGENT_MAILING] = "mailing",
        [AGENT_LIST_MANAGER] = "list_manager",
        [AGENT_LIBRARY] = "library",
        [AGENT_TOOL] = "tool",
        [AGENT_MTA] = "mta",
        [AGENT_SECURITY_GATEWAY] = "security_gateway",
        [AGENT_HOSTED] = "hosted",
    };
    assert(kind < AGENT_KINDS);
    return names[kind];
}

struct agents *agents_new(void)
{
    struct agents *a = calloc(1, sizeof *a);
    memory_check(a);
    arena_init(&a->texts, (size_t)4 * AGENTS_FILE);
    return a;
}

struct agents *agents_new_builtin(void)
{
    struct agents *a = calloc(1, sizeof *a);
    memory_check(a);
    *a = agents_builtin;
    return a;
}

void agents_close(struct agents *a)
{
    if (!a)
        return;
    arena_free(&a->texts);
    free(a->own_rows);
    free(a->own_heads);
    free(a);
}

size_t agents_rows(const struct agents *a)
{
    return a->count;
}

const struct agent_row *agents_row(const struct agents *a, size_t i)
{
    return &a->rows[i];
}

static bool is_letter(uint8_t c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

/* One more letter of a word. */
static uint32_t hash_letter(uint32_t hash, uint8_t c)
{
    return (hash ^ (c | 0x20)) * 0x01000193u;
}

static const uint32_t hash_first = 0x811c9dc5;

static uint32_t hash_place(const struct agents *a, uint32_t hash)
{
    return (hash ^ hash >> 15) & a->mask;
}

/* Where the first word is in a pattern. */
static void find_word(struct agent_row *row)
{
    while (row->word < row->pattern.len && !is_letter(row->pattern.data[row->word]))
        row->word++;
    while (row->word + row->len < row->pattern.len && is_letter(row->pattern.data[row->word + row->len]))
        row->len++;
    if (!row->len)
        row->word = 0;
}

static const char *copy_terminated(struct arena *mem, struct slice text)
{
    char *copy = arena_alloc(mem, text.len + 1);
    return copy && text.len ? memcpy(copy, text.data, text.len) : copy;
}

int agents_add(struct agents *a, const struct agent_row *row, struct slice version, struct error *reterr)
{
    if (a->count == AGENTS_ROWS)
        return error_set(reterr, -ENOSPC, "more than %d rows", AGENTS_ROWS);
    if (a->count == a->room) {
        a->room = a->room ? a->room * 2 : 64;
        a->own_rows = realloc(a->own_rows, a->room * sizeof *a->own_rows);
        memory_check(a->own_rows);
        a->rows = a->own_rows;
    }
    struct agent_row *kept = &a->own_rows[a->count];
    *kept = (struct agent_row){.kind = row->kind, .start = row->start, .line = row->line};
    kept->name = arena_copy(&a->texts, row->name);
    kept->pattern = arena_copy(&a->texts, row->pattern);
    kept->version = version.len ? copy_terminated(&a->texts, version) : NULL;
    find_word(kept);
    if (!kept->pattern.len || (!kept->len && !kept->start))
        return error_set(reterr, -EINVAL, "the pattern wants a word, or ^ and a text");
    a->count++;
    /* The file is a quarter as large as the arena may be. */
    return a->texts.over ? error_set(reterr, -ENOMEM, "no memory") : 0;
}

void agents_ready(struct agents *a)
{
    size_t places = 16;
    while (places < a->count * 2)
        places *= 2;
    a->mask = (uint32_t)places - 1;
    a->heads = a->own_heads = calloc(places, sizeof *a->own_heads);
    memory_check(a->own_heads);
    /* From the last to the first, so that a chain has the file's order. */
    for (size_t i = a->count; i-- > 0;) {
        struct agent_row *row = &a->own_rows[i];
        uint32_t hash = hash_first, *head = &a->wordless;
        for (size_t k = 0; k < row->len; k++)
            hash = hash_letter(hash, row->pattern.data[row->word + k]);
        if (row->len)
            head = &a->own_heads[hash_place(a, hash)];
        row->next = *head;
        *head = (uint32_t)i + 1;
    }
}

struct search {
    const struct agents *agents;
    struct slice text;
    bool greeting;
    size_t least; /* a match ends behind this many bytes */
    uint32_t best, end;
};

/* Does the row's pattern stand at `at`? */
static bool stands_at(const struct search *s, const struct agent_row *row, size_t at)
{
    size_t end = at + row->pattern.len;
    if (end > s->text.len || end <= s->least || (row->start && at) ||
        agent_kind_greets(row->kind) != s->greeting)
        return false;
    if (is_letter(row->pattern.data[row->pattern.len - 1]) && end < s->text.len &&
        is_letter(s->text.data[end]))
        return false;
    return slice_case_same(s->text.data + at, row->pattern.data, row->pattern.len);
}

/* Tries the rows of a chain whose word stands at `at`; keeps the first in the file's order. */
static void try_chain(struct search *s, uint32_t next, size_t at)
{
    while (next && next - 1 < s->best) {
        const struct agent_row *row = &s->agents->rows[next - 1];
        if (at >= row->word && stands_at(s, row, at - row->word)) {
            s->best = next - 1;
            s->end = (uint32_t)(at - row->word + row->pattern.len);
            return;
        }
        next = row->next;
    }
}

const struct agent_row *agents_find(const struct agents *a, bool greeting, struct slice text, size_t *ret_end)
{
    struct search s = {.agents = a,
                       .text = slice_sub(text, 0, AGENTS_TEXT),
                       .greeting = greeting,
                       .least = greeting ? product_greeting_host(text) : 0,
                       .best = UINT32_MAX};
    try_chain(&s, a->wordless, 0);
    for (size_t at = 0; at < s.text.len; at++) {
        size_t from = at;
        uint32_t hash = hash_first;
        for (; at < s.text.len && is_letter(s.text.data[at]); at++)
            hash = hash_letter(hash, s.text.data[at]);
        if (at > from)
            try_chain(&s, a->heads[hash_place(a, hash)], from);
    }
    *ret_end = s.end;
    return s.best < UINT32_MAX ? &a->rows[s.best] : NULL;
}

/* The version behind the pattern, or behind the text that the row names. */
static struct slice version_of(const struct agent_row *row, struct slice text, size_t end)
{
    text = slice_sub(text, 0, AGENTS_TEXT);
    size_t at = row->version ? slice_case_find(text, row->version) : text.len;
    if (at < text.len)
        end = at + strlen(row->version);
    return product_version(slice_sub(text, end, text.len));
}

static enum agent_kind judge(const struct agents *a, bool greeting, struct slice text, struct product *ret)
{
    size_t end;
    const struct agent_row *row = a ? agents_find(a, greeting, text, &end) : NULL;
    if (!row) {
        if (greeting)
            product_of_greeting(text, ret);
        else
            product_of_agent(text, ret);
        return AGENT_KINDS;
    }
    *ret = (struct product){row->name, version_of(row, text, end), slice_str(agent_kind_name(row->kind))};
    return row->kind;
}

enum agent_kind agents_of_mail(const struct agents *a, struct slice text, struct product *ret)
{
    return judge(a, false, text, ret);
}

enum agent_kind agents_of_greeting(const struct agents *a, struct slice text, struct product *ret)
{
    return judge(a, true, text, ret);
}
