/* Block lists: what a file may say, which row wins, what hostile texts and patterns cost; the enhanced code.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <pthread.h>
#include "base/buf.h"
#include "mail/reply.h"
#include "rule/blocklist.h"

/* Writes `text` to a file, opens it, and removes it. */
static int open_text(const char *text, size_t len, struct blocklists **ret, struct error *err, char *path)
{
    strcpy(path, "/tmp/blocklist-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    int rc = blocklists_open(path, ret, err);
    unlink(path);
    return rc;
}

static struct blocklists *lists_of(const char *text)
{
    struct blocklists *lists = NULL;
    struct error err = {""};
    char path[32];
    if (open_text(text, strlen(text), &lists, &err, path) < 0)
        fail_msg("%s", err.text);
    return lists;
}

/* `want` is what stands behind the file's name. */
static void refused(const char *text, const char *want)
{
    struct blocklists *lists = NULL;
    struct error err = {""};
    char path[32];
    assert_true(open_text(text, strlen(text), &lists, &err, path) < 0);
    assert_null(lists);
    if (strncmp(err.text, path, strlen(path)) != 0)
        fail_msg("no path: %s", err.text);
    if (strcmp(err.text + strlen(path), want) != 0)
        fail_msg("got  %s\nwant %s", err.text + strlen(path), want);
}

static const struct blocklist *match(struct blocklists *lists, const char *text)
{
    /* A copy of its very length, so that a read beyond it is seen. */
    uint8_t *copy = malloc(strlen(text) + !*text);
    assert_non_null(copy);
    memcpy(copy, text, strlen(text));
    const struct blocklist *row = blocklists_match(lists, (struct slice){copy, strlen(text)});
    free(copy);
    return row;
}

static void speaks(struct blocklists *lists, const char *text, const char *name)
{
    const struct blocklist *row = match(lists, text);
    if (!row != !name || (row && !slice_eq(row->name, slice_str(name))))
        fail_msg("%.60s: got %.*s", text, row ? (int)row->name.len : 4,
                 row ? (const char *)row->name.data : "none");
}

static void rows(void **state)
{
    (void)state;
    struct blocklists *lists = lists_of("# a comment\n"
                                        "- name: One\n  kind: listed\n  pattern: 'one\\.example'\n"
                                        "  removal: https://one.example/remove\n  retired: 2024-06-05\n"
                                        "- name: Two\n  kind: rate_limit\n  pattern: [two, 'zwei, drei']\n");
    assert_int_equal(blocklists_rows(lists), 2);
    const struct blocklist *row = match(lists, "blocked using ONE.example");
    assert_non_null(row);
    assert_true(slice_eq(row->name, slice_str("One")));
    assert_int_equal(row->kind, BLOCKLIST_LISTED);
    assert_true(slice_eq(row->removal, slice_str("https://one.example/remove")));
    assert_true(slice_eq(row->retired, slice_str("2024-06-05")));
    row = match(lists, "eins, Zwei, drei");
    assert_non_null(row);
    assert_int_equal(row->kind, BLOCKLIST_RATE_LIMIT);
    assert_int_equal(row->removal.len, 0);
    assert_int_equal(row->retired.len, 0);
    speaks(lists, "one-example", NULL);
    speaks(lists, "", NULL);
    assert_null(blocklists_match(lists, (struct slice){NULL, 0}));
    struct blocklists_counts counts = blocklists_counts(lists);
    assert_int_equal(counts.texts, 5);
    assert_int_equal(counts.matched, 2);
    assert_int_equal(counts.cut + counts.limits, 0);
    blocklists_close(lists);
}

static void no_rows(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# nothing\n", "---\n", "[]\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct blocklists *lists = lists_of(texts[i]);
        assert_int_equal(blocklists_rows(lists), 0);
        speaks(lists, "blocked", NULL);
        blocklists_close(lists);
    }
    blocklists_close(NULL);
}

static void precedence(void **state)
{
    (void)state;
    struct blocklists *lists = lists_of("- {name: Zen, kind: listed, pattern: 'zen\\.'}\n"
                                        "- {name: Haus, kind: listed, pattern: 'haus'}\n"
                                        "- {name: Broken, kind: query_failed, pattern: 'open resolver'}\n"
                                        "- {name: Any, kind: listed, pattern: 'blocked'}\n");
    speaks(lists, "blocked using haus", "Haus");
    speaks(lists, "blocked using haus, that is zen.haus", "Zen");
    speaks(lists, "blocked", "Any");
    speaks(lists, "blocked using zen.haus; Error: open resolver", "Broken");
    blocklists_close(lists);
}

static void bytes(void **state)
{
    (void)state;
    struct blocklists *lists = lists_of("- {name: Any, kind: listed, pattern: 'bloqu\xc3\xa9'}\n");
    speaks(lists, "bloqu\xc3\xa9", "Any");
    static const uint8_t odd[] = {'x', 0, 0xff, 0xc3, 'b', 'l', 'o', 'q', 'u', 0xc3, 0xa9};
    assert_non_null(blocklists_match(lists, (struct slice){odd, sizeof odd}));
    blocklists_close(lists);
}

static void wrong_files(void **state)
{
    (void)state;
    struct error err = {""};
    struct blocklists *lists = NULL;
    assert_true(blocklists_open("/nowhere/lists.yaml", &lists, &err) < 0);
    assert_string_equal(err.text, "/nowhere/lists.yaml: No such file or directory");
    assert_true(blocklists_open("/tmp", &lists, &err) < 0);
    assert_string_equal(err.text, "/tmp: Is a directory");
    refused("name: x\n", ":1:1: wants a list of rows: '- name: ...'");
    refused("just words\n", ":1:1: wants a list of rows: '- name: ...'");
    refused("- x\n", ":1:3: wants a row: '- name: ...'");
    refused("- name: x\n  pattern: [a\n", ":3:1: not YAML: did not find expected ',' or ']'");
    refused("- name: \"\x01\"\n", ":1:10: not YAML: control characters are not allowed");
    refused("- &a {name: x}\n", ":1:3: anchors (&), aliases (*) and tags (!) have no place in block lists");
    refused("--- []\n--- []\n", ":2:1: a second document; block lists are one");
    refused("%TAG ! tag:example.org,2000:\n---\n[]\n", ":1:1: tags have no place in block lists");
}

static void wrong_rows(void **state)
{
    (void)state;
    refused("- kind: listed\n  pattern: x\n", ":1:3: this row has no name");
    refused("- name: x\n  kind: listed\n", ":1:3: this row has no pattern");
    refused("- name: x\n  kind: listed\n  pattern: []\n", ":1:3: this row has no pattern");
    refused("- name: x\n  pattern: x\n", ":1:3: this row has no kind");
    refused("- {}\n", ":1:3: this row has no name");
    refused("- name: x\n  patern: x\n", ":2:3: no key 'patern'; the nearest is 'pattern'");
    refused("- name: x\n  kind: lsited\n", ":2:9: no kind 'lsited'; the nearest is 'listed'");
    refused("- name: x\n  kind: rate-limit\n", ":2:9: no kind 'rate-limit'; the nearest is 'rate_limit'");
    refused("- name: x\n  name: y\n", ":2:3: name is there twice in this row");
    refused("- name:\n", ":1:8: name wants a text");
    refused("- name: [x]\n", ":1:9: name wants a text");
    refused("- name: ''\n", ":1:9: name wants 1 to 64 bytes of text");
    refused("- name: \"a\\nb\"\n", ":1:9: name wants 1 to 64 bytes of text");
    refused("- [x]\n", ":1:3: wants a row: '- name: ...'");
    refused("- ? [x]\n  : y\n", ":1:5: wants 'name: value' lines");
    refused("- removal: www.example.com\n",
            ":1:12: removal wants a URL (http, https or mailto), not 'www.example.com'");
    refused("- removal: 'https://a b.example'\n",
            ":1:12: removal wants a URL (http, https or mailto), not 'https://a b.example'");
    static const char *const dates[] = {"24-06-05", "2024-13", "2024-06-32", "2024/06",
                                        "2024-6-5", "1024",    "202a"};
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        char text[64], want[128];
        snprintf(text, sizeof text, "- retired: '%s'\n", dates[i]);
        snprintf(want, sizeof want, ":1:12: retired wants a date (YYYY-MM-DD, YYYY-MM or YYYY), not '%s'",
                 dates[i]);
        refused(text, want);
    }
}

static void wrong_patterns(void **state)
{
    (void)state;
    refused("- name: x\n  kind: listed\n  pattern:\n    - good\n    - 'a(b'\n",
            ":5:7: the pattern does not compile at its byte 4: missing closing parenthesis");
    refused(
        "- name: x\n  kind: listed\n  pattern: 'a**'\n  removal: https://x.example\n- name: y\n",
        ":3:12: the pattern does not compile at its byte 3: quantifier does not follow a repeatable item");
    refused("- name: x\n  kind: listed\n  pattern: 'a*'\n",
            ":3:12: the pattern fits an empty text, hence every reply");
    refused("- name: x\n  kind: listed\n  pattern: '(*UTF)a'\n",
            ":3:12: the pattern does not compile at its byte 7: using UTF is disabled by the application");
    refused("- name: x\n  kind: listed\n  pattern: [[a]]\n",
            ":3:13: pattern wants a text, or a list of texts");
    refused("- name: x\n  kind: listed\n  pattern:\n", ":3:11: pattern wants a text, or a list of texts");
}

/* A file of `n` rows with `patterns` patterns each. */
static char *many(size_t n, size_t patterns)
{
    struct buf text;
    buf_init(&text, BLOCKLISTS_FILE);
    for (size_t i = 0; i < n; i++) {
        buf_printf(&text, "- name: n%zu\n  kind: listed\n  pattern: [", i);
        for (size_t j = 0; j < patterns; j++)
            buf_printf(&text, "a%zu,", j);
        buf_add_str(&text, "]\n");
    }
    assert_true(buf_add_byte(&text, 0));
    return (char *)text.data;
}

static void most(void **state)
{
    (void)state;
    char want[64];
    char *text = many(BLOCKLISTS_ROWS, 1);
    struct blocklists *lists = lists_of(text);
    assert_int_equal(blocklists_rows(lists), BLOCKLISTS_ROWS);
    blocklists_close(lists);
    free(text);
    text = many(BLOCKLISTS_ROWS + 1, 1);
    snprintf(want, sizeof want, ":%d:3: more than %d rows", BLOCKLISTS_ROWS * 3 + 1, BLOCKLISTS_ROWS);
    refused(text, want);
    free(text);
    text = many(BLOCKLISTS_PATTERNS / 100 + 1, 100);
    snprintf(want, sizeof want, ":%d:13: more than %d patterns", BLOCKLISTS_PATTERNS / 100 * 3 + 3,
             BLOCKLISTS_PATTERNS);
    refused(text, want);
    free(text);
    text = many(1, 101);
    char *place = strstr(text, "a100");
    assert_non_null(place);
    snprintf(want, sizeof want, ":3:%zu: more than 100 patterns in one row",
             (size_t)(place - strstr(text, "  pattern")) + 1);
    refused(text, want);
    free(text);
    size_t len = BLOCKLISTS_FILE + 1;
    text = malloc(len + 1);
    assert_non_null(text);
    memset(text, '\n', len);
    text[len] = 0;
    snprintf(want, sizeof want, ": larger than %d bytes, which no file of block lists is", BLOCKLISTS_FILE);
    refused(text, want);
    free(text);
}

static double seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Patterns that a careless hand wrote, and texts for them: given up, counted; the next row still speaks. */
static void limits_of(const char *careless)
{
    char yaml[512];
    snprintf(yaml, sizeof yaml, "%s- {name: Good, kind: listed, pattern: 'fin'}\n", careless);
    struct blocklists *lists = lists_of(yaml);
    static char text[BLOCKLISTS_TEXT + 1];
    static const char fillers[][2] = {{'a', 'a'}, {'x', 'y'}, {'b', 'c'}};
    double begun = seconds();
    memcpy(text + sizeof text - 5, " fin", 5);
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < sizeof text - 5; j++)
            text[j] = fillers[i][j % 2];
        const struct blocklist *row = match(lists, text);
        assert_non_null(row);
        assert_true(slice_eq(row->name, slice_str("Good")));
        if (!i)
            assert_int_equal(blocklists_counts(lists).limits, 1);
    }
    assert_int_equal(blocklists_counts(lists).matched, 3);
    print_message("# three hostile texts for careless patterns: %.2f s, %u limits hit\n", seconds() - begun,
                  (unsigned)blocklists_counts(lists).limits);
    assert_true(seconds() - begun < 10);
    blocklists_close(lists);
}

static void limits(void **state)
{
    (void)state;
    limits_of("- {name: Bad, kind: listed, pattern: '(?:a|aa|a+)+$'}\n"
              "- {name: Deep, kind: listed, pattern: '((?:x|y)*?)[zw]\\1[zw]'}\n"
              "- {name: Square, kind: listed, pattern: 'b.*c.*[qj]'}\n");
}

/* One place of a text, more steps than BLOCKLISTS_MATCH_STEPS, far fewer than PCRE2's own limit. */
static void steps(void **state)
{
    (void)state;
    static char text[BLOCKLISTS_TEXT];
    static const char *const how[] = {"", "(*NO_JIT)"};
    memset(text, 'a', sizeof text - 1);
    text[0] = 'x';
    for (size_t i = 0; i < 2; i++) {
        char yaml[128];
        snprintf(yaml, sizeof yaml,
                 "- {name: Long, kind: listed, pattern: '%sx(?:a|b){0,100}(?:a|b){0,100}[qj]'}\n", how[i]);
        struct blocklists *lists = lists_of(yaml);
        speaks(lists, text, NULL);
        assert_int_equal(blocklists_counts(lists).limits, 1);
        speaks(lists, "xabq", "Long");
        blocklists_close(lists);
    }
}

/* The same where there is no JIT. */
static void limits_interpreted(void **state)
{
    (void)state;
    limits_of("- {name: Bad, kind: listed, pattern: '(*NO_JIT)(?:a|aa|a+)+$'}\n"
              "- {name: Deep, kind: listed, pattern: '(*NO_JIT)((?:x|y)*?)[zw]\\1[zw]'}\n"
              "- {name: Square, kind: listed, pattern: '(*NO_JIT)b.*c.*[qj]'}\n");
}

static void cut(void **state)
{
    (void)state;
    struct blocklists *lists = lists_of("- {name: End, kind: listed, pattern: 'end'}\n");
    static char text[BLOCKLISTS_TEXT + 2];
    memset(text, 'a', sizeof text - 1);
    memcpy(text + BLOCKLISTS_TEXT - 3, "end", 3);
    text[BLOCKLISTS_TEXT] = 0;
    speaks(lists, text, "End");
    assert_int_equal(blocklists_counts(lists).cut, 0);
    memset(text, 'a', sizeof text - 1);
    memcpy(text + BLOCKLISTS_TEXT - 2, "end", 3);
    text[BLOCKLISTS_TEXT + 1] = 0;
    speaks(lists, text, NULL);
    assert_int_equal(blocklists_counts(lists).cut, 1);
    blocklists_close(lists);
}

static void shipped(void **state)
{
    (void)state;
    char path[4096];
    const char *source = getenv("MAILTAP_SOURCE");
    struct blocklists *lists = NULL;
    struct error err = {""};
    snprintf(path, sizeof path, "%s/data/blocklists.yaml", source ? source : ".");
    if (blocklists_open(path, &lists, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(blocklists_rows(lists) > 50);
    const struct blocklist *row = match(lists, "blocked using dnsbl.sorbs.net");
    assert_non_null(row);
    assert_true(slice_eq(row->retired, slice_str("2024-06-05")));
    blocklists_close(lists);
}

static void *ask_all(void *ctx)
{
    static const char *const texts[][2] = {
        {"5.7.1 Service unavailable; blocked using zen.spamhaus.org", "Spamhaus ZEN"},
        {"blocked using dnsbl.sorbs.net", "SORBS"},
        {"5.7.1 Recipient address rejected", NULL},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const struct blocklist *row = match(ctx, texts[i][0]);
        if (!row != !texts[i][1] || (row && !slice_eq(row->name, slice_str(texts[i][1]))))
            return (void *)texts[i][0];
    }
    return NULL;
}

/* Each of them may be the first to want a pattern of the built-in ones. */
static void threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    struct blocklists *lists[THREADS];
    struct error err = {""};
    pthread_t ids[THREADS];
    if (blocklists_open(NULL, &lists[0], &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 1; i < THREADS; i++)
        lists[i] = blocklists_share(lists[0]);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, ask_all, lists[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        pthread_join(ids[i], &wrong);
        if (wrong)
            fail_msg("%s", (const char *)wrong);
        blocklists_close(lists[i]);
    }
}

static void enhanced_is(const char *text, const char *want)
{
    struct slice got = {NULL, 0};
    bool found = reply_enhanced(slice_str(text), &got);
    if (found != (want != NULL) || (want && !slice_eq(got, slice_str(want))))
        fail_msg("%s: got %.*s", text, (int)got.len, got.len ? (const char *)got.data : "");
}

static void enhanced(void **state)
{
    (void)state;
    enhanced_is("5.7.1 blocked", "5.7.1");
    enhanced_is("4.7.650 x", "4.7.650");
    enhanced_is("2.0.0", "2.0.0");
    enhanced_is(" #5.1.0 Address rejected.", "5.1.0");
    enhanced_is("5.7.26: x", "5.7.26");
    enhanced_is("5.7.1\tx", "5.7.1");
    static const char *const none[] = {"",          "5",       "5.7",    "5.7.",   "5.7. 1", "5..1 x",
                                       "5.7.1.2 x", "3.7.1 x", "9.7.1",  "5.7.1a", "5.07.1", "5.7.1000",
                                       "x 5.7.1",   "##5.7.1", "55.7.1", "5.7.1-x"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        enhanced_is(none[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),           cmocka_unit_test(no_rows),
        cmocka_unit_test(precedence),     cmocka_unit_test(bytes),
        cmocka_unit_test(wrong_files),    cmocka_unit_test(wrong_rows),
        cmocka_unit_test(wrong_patterns), cmocka_unit_test(most),
        cmocka_unit_test(limits),         cmocka_unit_test(limits_interpreted),
        cmocka_unit_test(steps),          cmocka_unit_test(cut),
        cmocka_unit_test(shipped),        cmocka_unit_test(threads),
        cmocka_unit_test(enhanced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
