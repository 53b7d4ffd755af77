/* Queries as SQL for ClickHouse: whatever a value is, it stays a value; words are those of SQLite's
 * tokenizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/utf8.h"
#include "clickhouse/locus.h"
#include "clickhouse/table.h"
#include "clickhouse/ask.h"
#include "clickhouse/literal.h"
#include "view/words.h"

enum { ROUNDS = 400, LONG = 8000 };

static const struct folds *folds;
static const struct tables *tables;

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static unsigned digit(uint8_t c)
{
    return byte_is_digit(c) ? c - (unsigned)'0' : byte_lower(c) - (unsigned)'a' + 10;
}

/* Reads a literal as the server does, from *at on; what it stands for is added to ret. False: it has no end.
 */
static bool read_literal(struct slice sql, size_t *at, struct line *ret)
{
    size_t i = *at;
    if (i >= sql.len || sql.data[i++] != '\'')
        return false;
    while (i < sql.len && sql.data[i] != '\'') {
        uint8_t c = sql.data[i++];
        if (c == '\\') {
            if (i >= sql.len)
                return false;
            c = sql.data[i++];
            if (c == 'x') {
                if (i + 2 > sql.len)
                    return false;
                c = (uint8_t)(digit(sql.data[i]) << 4 | digit(sql.data[i + 1]));
                i += 2;
            } else {
                assert_true(c == '\'' || c == '\\');
            }
        }
        line_byte(ret, c);
    }
    *at = i + 1;
    return i < sql.len;
}

static void is_read_back(struct slice text)
{
    struct line sql = {0}, back = {0};
    size_t at = 0;
    literal_text(&sql, text);
    assert_true(read_literal(line_slice(&sql), &at, &back));
    assert_int_equal(at, sql.len);
    assert_true(slice_eq(line_slice(&back), text));
    for (size_t i = 0; i < sql.len; i++)
        assert_true(sql.data[i] >= ' ' && sql.data[i] != 0x7f);
    line_free(&sql);
    line_free(&back);
}

static void literals_stay_literals(void **state)
{
    static const uint8_t odd[] = "'\\\"`\0\n%{}()-;xX0aA\xff\xc3\x80\x27\x5c";
    uint8_t bytes[LONG];
    uint32_t seed = 7;
    (void)state;
    is_read_back((struct slice){bytes, 0});
    for (unsigned c = 0; c < 256; c++) {
        memset(bytes, (int)c, sizeof bytes);
        for (size_t len = 1; len < 4; len++)
            is_read_back((struct slice){bytes, len});
        is_read_back((struct slice){bytes, LONG});
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t len = 1 + next(&seed) % 40;
        for (size_t k = 0; k < len; k++)
            bytes[k] = next(&seed) % 3 ? odd[next(&seed) % (sizeof odd - 1)] : (uint8_t)next(&seed);
        is_read_back((struct slice){bytes, len});
    }
}

/* Outside of literals there are only words, numbers and signs of ours. Returns how many literals it has. */
static size_t check_sql(struct slice sql)
{
    static const char signs[] = " `(),.<>=!-_";
    struct line text = {0};
    size_t count = 0;
    int depth = 0;
    for (size_t i = 0; i < sql.len;) {
        uint8_t c = sql.data[i];
        if (c == '\'') {
            assert_true(read_literal(sql, &i, &text));
            count++;
            continue;
        }
        if (!byte_is_digit(c) && !(byte_lower(c) >= 'a' && byte_lower(c) <= 'z') && (!c || !strchr(signs, c)))
            fail_msg("%02x at %zu of %.*s", c, i, (int)(sql.len < 400 ? sql.len : 400),
                     (const char *)sql.data);
        assert_false(c == '-' && i + 1 < sql.len && sql.data[i + 1] == '-');
        depth += (c == '(') - (c == ')');
        assert_true(depth >= 0);
        i++;
    }
    assert_int_equal(depth, 0);
    line_free(&text);
    return count;
}

static struct query *parse(struct slice text, unsigned streams)
{
    const struct query_options opt = {streams, {1796022000, 0}};
    struct query *q = NULL;
    struct query_error err;
    return query_parse(text, &opt, &q, &err) ? NULL : q;
}

/* The question's SQL, "WITH ... SELECT ..."; false: it is no query. */
static bool ask(struct slice text, enum stream_index stream, struct line *sql)
{
    struct query *q = parse(text, 1u << stream);
    struct chask a = {.stream = stream, .tables = tables, .folds = folds, .last_day = 30000};
    struct line where = {0};
    if (!q)
        return false;
    chask_begin(&a);
    chask_where(&a, q->root, &where);
    line_clear(sql);
    line_add(sql, line_slice(&a.with));
    line_str(sql, "SELECT ");
    line_add(sql, line_slice(&where));
    chask_free(&a);
    line_free(&where);
    query_free(&q);
    return true;
}

static void has(const char *query, const char *part)
{
    struct line sql = {0};
    assert_true(ask(slice_str(query), STREAM_SMTP, &sql));
    if (slice_find(line_slice(&sql), part) == sql.len)
        fail_msg("%s: %.*s", query, (int)sql.len, (const char *)sql.data);
    check_sql(line_slice(&sql));
    line_free(&sql);
}

static void conditions(void **state)
{
    (void)state;
    has("", "SELECT 1");
    has("subject:*a*'b", "WITH '(?s)^.*a.*\\\\\\'b$' AS t0");
    has("subject:*a", "match(lower(`subject`), t0)");
    has("uid:ABC", "WITH 'abc' AS t0 SELECT ((lower(`uid`) = t0))");
    has("file:a", "(match(arrayStringConcat(`files_name`, '\\x0a7316048592\\x0a'), t0))");
    has("file:7316048592", "arrayExists(x -> (match(x, t0)), `files_name`)");
    has("rcpt:a@b.c", "arrayExists(x -> (lower(x) = t0), `rcptto`)");
    has("rcpts:<5", "(length(`rcptto`) < 5 AND notEmpty(`rcptto`))");
    has("code:<500", "(`reply_code` < 500 AND (`reply_code` != 0 OR has(empties, 'reply_code')))");
    has("size:>1k", "`message_bytes` > 1000");
    has("encrypted:no", "NOT (arrayExists(x -> (x = 1), `files_encrypted`)");
    has("-tls:yes", "(NOT (");
    has("ip:192.0.2.1", "`id_orig_h` = '192.0.2.1'");
    has("ip:192.0.2.0/24", "BETWEEN 3221225984 AND 3221226239");
    has("ip:2001:db8::/32", "upper('20010db8000000000000000000000000') AND upper('20010db8ffffffff");
    has("domain:x.org", "WITH 'x.org' AS t0 , '@x.org' AS t1 , '.x.org' AS t2 ");
    has("domain:*a@b", "(0)");
    has("since:1970-01-01", "id BETWEEN 0 AND 18446744073709551615");
    has("id:5", "id BETWEEN 5 AND 5");
    has("flag:gap", "arrayExists(x -> (lower(x) = t0), `flags`)");
    has("has:notice", "GLOBAL IN (SELECT day, uid, trans_depth FROM `notice` WHERE day BETWEEN");
    has("subject:\"..\"", "position(`subject`, t0) > 0");
    has("subject:\"a b c d e f g h i j k l m\"", "extractAll(`subject`, any_word)");
}

/* None of these gets out of its quotation marks; each text of a query comes as a literal. */
static void hostile_values(void **state)
{
    static const char *const pieces[] = {
        "'", "\\", "\\'", "''", "\"", "%", "--", ";", "*", "`",    "\n", "\x01",  "\xc3\xa9",     " OR 1=1",
        ")", "(",  "{",   "}",  "?",  "[", "]",  "^", "$", "\x7f", "a",  "\\x27", "\xe2\x80\xae", "@",
        "0"};
    static const char *const fields[] = {"subject", "from", "domain", "uid", "msgid", "file",
                                         "any",     "rcpt", "host",   "url", "helo",  "list"};
    struct line text = {0}, sql = {0};
    uint32_t seed = 11;
    size_t asked = 0;
    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        line_clear(&text);
        line_printf(&text, "%s:%s", fields[next(&seed) % 12], i % 3 ? "\"" : "");
        size_t count = i % 50 ? 1 + next(&seed) % 12 : 1500;
        for (size_t k = 0; k < count; k++) {
            const char *piece = pieces[next(&seed) % (sizeof pieces / sizeof *pieces)];
            if (i % 3 && (*piece == '"' || *piece == '\\'))
                line_byte(&text, '\\');
            line_str(&text, piece);
        }
        line_str(&text, i % 3 ? "\"" : "");
        if (!ask(line_slice(&text), STREAM_SMTP, &sql))
            continue;
        asked++;
        check_sql(line_slice(&sql));
    }
    assert_true(asked > ROUNDS / 2);
    line_free(&text);
    line_free(&sql);
}

static int count_word(void *ctx, int flags, const char *word, int len, int from, int to)
{
    (void)flags, (void)word, (void)len, (void)from, (void)to;
    ++*(size_t *)ctx;
    return 0;
}

static void add_odd(struct line *out, uint32_t *seed)
{
    static const struct {
        uint32_t from, count;
    } blocks[] = {{0x20, 0x60},   {0xa0, 0x2ff},   {0x300, 0x70},  {0x1e00, 0x1ff}, {0x2000, 0x200},
                  {0x400, 0x100}, {0x4e00, 0x100}, {0xfb00, 0x50}, {0x10400, 0x80}, {0x590, 0x400}};
    uint8_t bytes[4];
    size_t block = next(seed) % (sizeof blocks / sizeof *blocks);
    uint32_t code = blocks[block].from + next(seed) % blocks[block].count;
    line_add(out, (struct slice){bytes, utf8_put(code, bytes)});
}

/* In a pattern of many words each has a blank before it, and there are no others. */
static void words_are_those_of_the_index(void **state)
{
    struct words *words = NULL;
    struct error err;
    struct line text = {0}, pattern = {0};
    uint32_t seed = 5;
    (void)state;
    assert_int_equal(words_open(&words, &err), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t count = 0, found = 0;
        line_clear(&text);
        line_clear(&pattern);
        for (size_t k = 0; k < i; k++)
            add_odd(&text, &seed);
        words_each(words, line_slice(&text), count_word, &count);
        enum folds_found what = folds_phrase(folds, line_slice(&text), true, &pattern);
        assert_int_equal(what == FOLDS_NONE, count == 0);
        for (size_t k = 0; k < pattern.len; k++)
            found += pattern.data[k] == ' ';
        if (what == FOLDS_JOINED)
            assert_int_equal(found, count);
    }
    words_close(&words);
    line_free(&text);
    line_free(&pattern);
}

static void letters(void **state)
{
    static const char *const same[] = {"e", "E", "\xc3\xa9", "\xc3\x89", "\xc4\x97", "\xe1\xba\xb8"};
    struct line one = {0}, other = {0};
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        line_clear(&one);
        line_clear(&other);
        assert_int_equal(folds_phrase(folds, slice_str("e"), false, &one), FOLDS_PATTERN);
        assert_int_equal(folds_phrase(folds, slice_str(same[i]), false, &other), FOLDS_PATTERN);
        assert_true(slice_eq(line_slice(&one), line_slice(&other)));
        assert_true(slice_find(line_slice(&one), same[i]) < one.len);
    }
    line_clear(&one);
    assert_int_equal(folds_phrase(folds, slice_str(". \xcc\x81 -"), false, &one), FOLDS_NONE);
    assert_int_equal(one.len, 0);
    line_free(&one);
    line_free(&other);
}

static void bounds(void **state)
{
    static const struct {
        const char *text;
        uint64_t from, to;
    } cases[] = {{"", 0, UINT64_MAX},
                 {"a", 0, UINT64_MAX},
                 {"id:>5 id:<=9 a", 6, 9},
                 {"id:5 OR id:7", 0, UINT64_MAX},
                 {"since:1 until:2 a", (uint64_t)1000000 << 10, ((uint64_t)2000000 << 10) - 1},
                 {"-since:1", 0, UINT64_MAX},
                 {"until:0", 1, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct query *q = parse(slice_str(cases[i].text), QUERY_SMTP);
        assert_non_null(q);
        struct chask_bounds b = chask_bounds(q->root);
        if (b.from != cases[i].from || b.to != cases[i].to)
            fail_msg("%s: %llu to %llu", cases[i].text, (unsigned long long)b.from, (unsigned long long)b.to);
        query_free(&q);
    }
    assert_true(chask_id_at(-5) == 0 && chask_id_at(INT64_MAX) == UINT64_MAX && chask_id_at(1) == 1024);
}

/* Each place that a query looks at is a column of the tables, by the name that the reader gives it. */
static void places(void **state)
{
    const struct place *p;
    struct locus at;
    (void)state;
    for (size_t s = 0; s < STREAMS; s++)
        for (enum query_field_index f = 0; f < QUERY_FIELDS; f++)
            for (size_t i = 0; (p = place_of(s, f, PLACE_BOTH | PLACE_NET, i)); i++) {
                locus_of(p, &at);
                if (!chtable_find(chtable_of(s), slice_str(at.name)))
                    fail_msg("%s", p->path);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places),
                                       cmocka_unit_test(literals_stay_literals),
                                       cmocka_unit_test(conditions),
                                       cmocka_unit_test(hostile_values),
                                       cmocka_unit_test(words_are_those_of_the_index),
                                       cmocka_unit_test(letters),
                                       cmocka_unit_test(bounds)};
    struct folds *f = NULL;
    struct error err;
    if (folds_new(&f, &err))
        return 1;
    struct tables *t = tables_new();
    tables_assume(t);
    folds = f;
    tables = t;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tables_free(&t);
    folds_free(&f);
    return failed;
}
