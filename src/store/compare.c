/* compare.c: comparisons of the query language as functions of SQL.
 * In: values of rows, words and patterns of queries. Out: whether they fit. Owns: the tokenizer, scratch
 * memory. Limits: time is linear in the value, whatever the pattern. Knowingly: of letters beyond
 * ASCII the case counts, but for words. */
#include "store/compare.h"

#include <stdlib.h>
#include "base/buf.h"
#include "base/memory.h"
#include "base/net.h"
#include "view/words.h"

struct compare {
    struct words *words;
    struct buf scratch;
    int64_t seen;
    void (*tally)(void *ctx, int number, struct slice value);
    void *tally_ctx;
};

/* The words of a query's term, and for each how many words before it are the first ones again (Knuth, Morris,
 * Pratt). */
struct needle {
    bool start; /* the last may be the start of a word */
    size_t count;
    struct buf bytes;
    size_t *ends, *fall;
};

struct search {
    const struct needle *needle;
    size_t at; /* words of it that stand right before */
    bool found;
};

static struct slice word_of(const struct needle *n, size_t i)
{
    return slice_sub(buf_slice(&n->bytes), i ? n->ends[i - 1] : 0, n->ends[i]);
}

static bool fits(const struct needle *n, size_t i, struct slice word)
{
    struct slice want = word_of(n, i);
    return slice_eq(want, n->start && i + 1 == n->count ? slice_sub(word, 0, want.len) : word);
}

static int on_word(void *ctx, int flags, const char *text, int len, int from, int to)
{
    struct search *s = ctx;
    const struct needle *n = s->needle;
    struct slice word = {(const uint8_t *)text, (size_t)len};
    (void)flags, (void)from, (void)to;
    while (s->at && !fits(n, s->at, word))
        s->at = n->fall[s->at];
    s->at += fits(n, s->at, word);
    s->found = s->at == n->count;
    return s->found ? SQLITE_DONE : SQLITE_OK;
}

static int keep_word(void *ctx, int flags, const char *text, int len, int from, int to)
{
    struct needle *n = ctx;
    (void)flags, (void)from, (void)to;
    n->ends = reallocarray(n->ends, n->count + 1, sizeof *n->ends);
    memory_check(n->ends);
    buf_add(&n->bytes, (struct slice){(const uint8_t *)text, (size_t)len});
    n->ends[n->count++] = n->bytes.len;
    return SQLITE_OK;
}

static void needle_free(void *ptr)
{
    struct needle *n = ptr;
    buf_free(&n->bytes);
    free(n->ends);
    free(n->fall);
    free(n);
}

/* fall[i]: with words 0..i-1 right before, and the next not being word i, so many are left to go on from. */
static void find_falls(struct needle *n)
{
    n->fall = calloc(n->count + 1, sizeof *n->fall);
    memory_check(n->fall);
    for (size_t i = 1, at = 0; i < n->count; i++) {
        n->fall[i] = at;
        while (at && !slice_eq(word_of(n, i), word_of(n, at)))
            at = n->fall[at];
        at += slice_eq(word_of(n, i), word_of(n, at));
    }
}

static struct slice text_of(sqlite3_value *v)
{
    const uint8_t *text = sqlite3_value_text(v);
    return (struct slice){text, text ? (size_t)sqlite3_value_bytes(v) : 0};
}

static const struct needle *needle_of(sqlite3_context *ctx, struct compare *c, struct slice words, bool start)
{
    struct needle *n = sqlite3_get_auxdata(ctx, 1);
    if (n)
        return n;
    n = calloc(1, sizeof *n);
    memory_check(n);
    buf_init(&n->bytes, SIZE_MAX);
    n->start = start;
    words_each(c->words, words, keep_word, n);
    find_falls(n);
    sqlite3_set_auxdata(ctx, 1, n, needle_free);
    return sqlite3_get_auxdata(ctx, 1);
}

static void say(sqlite3_context *ctx, sqlite3_value **args, bool start)
{
    struct compare *c = sqlite3_user_data(ctx);
    struct slice text = text_of(args[0]), words = text_of(args[1]);
    const struct needle *n = needle_of(ctx, c, words, start);
    struct search s = {n, 0, false};
    if (n && n->count)
        words_each(c->words, text, on_word, &s);
    else if (text.len) /* signs alone */
        s.found = memmem(text.data, text.len, words.data, words.len) != NULL;
    sqlite3_result_int(ctx, s.found);
}

static void sql_says(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    say(ctx, args, false);
}

static void sql_starts(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    say(ctx, args, true);
}

static void add_lower(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        buf_add_byte(out, byte_lower(s.data[i]));
}

/* Each piece between stars at its first place behind the one before; the first at the begin, the last at the
 * end. Both are in small letters. */
static bool matches(struct slice text, struct slice pattern)
{
    size_t star = slice_index(pattern, '*');
    if (star == pattern.len)
        return slice_eq(text, pattern);
    if (!slice_eq(slice_sub(text, 0, star), slice_sub(pattern, 0, star)))
        return false;
    text = slice_sub(text, star, text.len);
    for (;;) {
        pattern = slice_sub(pattern, star + 1, pattern.len);
        star = slice_index(pattern, '*');
        if (star == pattern.len)
            return text.len >= star && slice_eq(slice_sub(text, text.len - star, text.len), pattern);
        const uint8_t *at = star ? memmem(text.data, text.len, pattern.data, star) : text.data;
        if (!at)
            return false;
        text = slice_sub(text, (size_t)(at - text.data) + star, text.len);
    }
}

static void sql_alike(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    struct compare *c = sqlite3_user_data(ctx);
    struct slice text = text_of(args[0]), pattern = text_of(args[1]);
    (void)count;
    buf_clear(&c->scratch);
    add_lower(&c->scratch, text);
    add_lower(&c->scratch, pattern);
    struct slice both = buf_slice(&c->scratch);
    sqlite3_result_int(ctx, text.data && both.len &&
                                matches(slice_sub(both, 0, text.len), slice_sub(both, text.len, both.len)));
}

static struct slice behind_at(struct slice text)
{
    const uint8_t *at = text.data && text.len ? memrchr(text.data, '@', text.len) : NULL;
    return at ? slice_sub(text, (size_t)(at - text.data) + 1, text.len) : text;
}

bool compare_below(struct slice text, struct slice domain)
{
    text = behind_at(text);
    if (text.len < domain.len || !slice_case_eq(slice_sub(text, text.len - domain.len, text.len), domain))
        return false;
    return text.len == domain.len || text.data[text.len - domain.len - 1] == '.';
}

static void sql_below(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    (void)count;
    sqlite3_result_int(ctx, compare_below(text_of(args[0]), text_of(args[1])));
}

static void sql_behind_at(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    struct slice text = text_of(args[0]), part = behind_at(text);
    (void)count;
    if (text.data)
        sqlite3_result_text64(ctx, (const char *)part.data, part.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* An address that has a domain; of any other nothing is known. */
static void sql_mailbox(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    struct slice text = text_of(args[0]);
    (void)count;
    if (text.len && memchr(text.data, '@', text.len))
        sqlite3_result_value(ctx, args[0]);
}

static void sql_within(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    struct address a;
    struct network *net = sqlite3_get_auxdata(ctx, 1);
    (void)count;
    if (!net) {
        net = malloc(sizeof *net);
        memory_check(net);
        if (!network_parse(text_of(args[1]), net))
            memset(net, 0, sizeof *net);
        sqlite3_set_auxdata(ctx, 1, net, free);
        net = sqlite3_get_auxdata(ctx, 1);
    }
    sqlite3_result_int(ctx, net && address_parse(text_of(args[0]), &a) && network_has(net, &a));
}

static void sql_seen(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    struct compare *c = sqlite3_user_data(ctx);
    (void)count;
    c->seen = sqlite3_value_int64(args[0]);
    sqlite3_result_int(ctx, 1);
}

static void sql_tally(sqlite3_context *ctx, int count, sqlite3_value **args)
{
    struct compare *c = sqlite3_user_data(ctx);
    (void)count;
    if (c->tally && sqlite3_value_type(args[1]) != SQLITE_NULL)
        c->tally(c->tally_ctx, sqlite3_value_int(args[0]), text_of(args[1]));
}

int64_t *compare_seen(struct compare *c)
{
    return &c->seen;
}

void compare_tally(struct compare *c, void (*tally)(void *ctx, int number, struct slice value), void *ctx)
{
    c->tally = tally;
    c->tally_ctx = ctx;
}

int compare_join(struct compare *c, sqlite3 *db)
{
    enum { SAME = SQLITE_DETERMINISTIC };
    static const struct {
        const char *name;
        int args, flags;
        void (*run)(sqlite3_context *, int, sqlite3_value **);
    } functions[] = {{"says", 2, SAME, sql_says},       {"starts", 2, SAME, sql_starts},
                     {"alike", 2, SAME, sql_alike},     {"below", 2, SAME, sql_below},
                     {"within", 2, SAME, sql_within},   {"behind_at", 1, SAME, sql_behind_at},
                     {"mailbox", 1, SAME, sql_mailbox}, {"seen", 1, 0, sql_seen},
                     {"tally", 2, 0, sql_tally}};
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof functions / sizeof *functions && code == SQLITE_OK; i++)
        code = sqlite3_create_function(db, functions[i].name, functions[i].args,
                                       SQLITE_UTF8 | SQLITE_DIRECTONLY | functions[i].flags, c,
                                       functions[i].run, NULL, NULL);
    return code;
}

int compare_open(struct compare **ret, struct error *reterr)
{
    struct words *words = NULL;
    int err = words_open(&words, reterr);
    if (err)
        return err;
    struct compare *c = calloc(1, sizeof *c);
    memory_check(c);
    c->words = words;
    buf_init(&c->scratch, SIZE_MAX);
    *ret = c;
    return 0;
}

void compare_close(struct compare **pc)
{
    struct compare *c = *pc;
    *pc = NULL;
    if (!c)
        return;
    words_close(&c->words);
    buf_free(&c->scratch);
    free(c);
}

struct place_taker {
    void (*word)(void *ctx, size_t from, size_t to);
    void *ctx;
};

static int tell_place(void *ctx, int flags, const char *text, int len, int from, int to)
{
    const struct place_taker *t = ctx;
    (void)flags, (void)text, (void)len;
    t->word(t->ctx, (size_t)from, (size_t)to);
    return SQLITE_OK;
}

void compare_words(struct compare *c, struct slice text, void (*word)(void *ctx, size_t from, size_t to),
                   void *ctx)
{
    struct place_taker t = {word, ctx};
    words_each(c->words, text, tell_place, &t);
}
