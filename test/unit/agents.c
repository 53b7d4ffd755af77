/* Agents: what a file may say, which row wins, where a pattern is found. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/buf.h"
#include "record/agents.h"

static int open_text(const char *text, size_t len, struct agents **ret, struct error *err, char *path)
{
    strcpy(path, "/tmp/agents-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    int rc = agents_open(path, ret, err);
    unlink(path);
    return rc;
}

static struct agents *agents_of(const char *text)
{
    struct agents *a = NULL;
    struct error err = {""};
    char path[32];
    if (open_text(text, strlen(text), &a, &err, path) < 0)
        fail_msg("%s", err.text);
    return a;
}

/* `want` is what stands behind the file's name. */
static void refused(const char *text, const char *want)
{
    struct agents *a = NULL;
    struct error err = {""};
    char path[32];
    assert_true(open_text(text, strlen(text), &a, &err, path) < 0);
    assert_null(a);
    if (strncmp(err.text, path, strlen(path)) != 0)
        fail_msg("no path: %s", err.text);
    if (strcmp(err.text + strlen(path), want) != 0)
        fail_msg("got  %s\nwant %s", err.text + strlen(path), want);
}

static void same(struct slice got, const char *want, const char *text)
{
    if (!slice_eq(got, slice_str(want)))
        fail_msg("'%s': got '%.*s', wanted '%s'", text, (int)got.len, (const char *)got.data, want);
}

/* The text speaks of NAME VERSION; "" : nothing. */
static void speaks(const struct agents *a, bool greeting, const char *text, const char *name,
                   const char *version, enum agent_kind kind)
{
    struct product p;
    uint8_t *copy = malloc(strlen(text) + !*text);
    assert_non_null(copy);
    memcpy(copy, text, strlen(text));
    const struct slice s = {copy, strlen(text)};
    enum agent_kind got = greeting ? agents_of_greeting(a, s, &p) : agents_of_mail(a, s, &p);
    same(p.name, name, text);
    same(p.version, version, text);
    same(p.kind, kind < AGENT_KINDS ? agent_kind_name(kind) : "", text);
    assert_int_equal(got, kind);
    free(copy);
}

static void rows(void **state)
{
    struct agents *a = agents_of("- {name: Foo, kind: webmail, pattern: Foo, example: Foo/1.2}\n"
                                 "- {name: FooBar, kind: tool, pattern: Foo Bar}\n"
                                 "- {name: Start, kind: library, pattern: ^Begin}\n"
                                 "- {name: Stars, kind: security_gateway, pattern: '^****'}\n"
                                 "- {name: Paren, kind: mailing, pattern: '(X y)', version: 'build: '}\n"
                                 "- {name: Cloud, kind: hosted, pattern: 'cloud.example ESMTP'}\n"
                                 "- {name: Serv, kind: mta, pattern: Serv, example: [a Serv 1, 'Serv']}\n");
    (void)state;
    assert_int_equal(agents_rows(a), 7);
    /* The first row that fits, wherever it is in the text. */
    speaks(a, false, "Foo Bar 2.0", "Foo", "", AGENT_WEBMAIL);
    speaks(a, false, "Begin 1 foo/3", "Foo", "3", AGENT_WEBMAIL);
    speaks(a, false, "Begin 1", "Start", "1", AGENT_LIBRARY);
    speaks(a, false, "x Begin 1", "x Begin", "1", AGENT_KINDS);
    /* Words are whole ones. */
    speaks(a, false, "Food/1", "Food", "1", AGENT_KINDS);
    speaks(a, false, "aFoo/1", "aFoo", "1", AGENT_KINDS);
    speaks(a, false, "FOO5", "Foo", "5", AGENT_WEBMAIL);
    speaks(a, false, "x-foo_2", "Foo", "2", AGENT_WEBMAIL);
    speaks(a, false, "some (x Y) thing, Build: 77", "Paren", "77", AGENT_MAILING);
    speaks(a, false, "some (x Y) 3", "Paren", "3", AGENT_MAILING);
    speaks(a, false, "X y) 3", "X y)", "3", AGENT_KINDS);
    /* Each side has its kinds. */
    speaks(a, false, "Serv 1", "Serv", "1", AGENT_KINDS);
    speaks(a, true, "a Foo/1 Serv 2", "Serv", "2", AGENT_MTA);
    /* What stands in the host name alone does not count. */
    speaks(a, true, "serv.example ESMTP", "", "", AGENT_KINDS);
    speaks(a, true, "serv.example ESMTP serv", "Serv", "", AGENT_MTA);
    speaks(a, true, "mx1.cloud.example ESMTP", "Cloud", "", AGENT_HOSTED);
    speaks(a, true, "cloud.example", "", "", AGENT_KINDS);
    speaks(a, true, "mx1.cloud.example ESMTPS", "", "", AGENT_KINDS);
    speaks(a, true, "******2***", "Stars", "", AGENT_SECURITY_GATEWAY);
    speaks(a, true, " ****", "", "", AGENT_KINDS);
    speaks(a, false, "", "", "", AGENT_KINDS);
    speaks(NULL, false, "Foo/1.2", "Foo", "1.2", AGENT_KINDS);
    agents_close(a);
    agents_close(NULL);
}

static void no_rows(void **state)
{
    static const char *const texts[] = {"", "# a comment\n", "[]\n", "---\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct agents *a = agents_of(texts[i]);
        assert_int_equal(agents_rows(a), 0);
        speaks(a, false, "Foo/1", "Foo", "1", AGENT_KINDS);
        agents_close(a);
    }
}

static void bad_files(void **state)
{
    (void)state;
    refused("- {name: A, kind: webmial, pattern: A}\n", ":1:19: no kind 'webmial'; the nearest is 'webmail'");
    refused("- {name: A, kind: mta, patern: A}\n", ":1:24: no key 'patern'; the nearest is 'pattern'");
    refused("- {name: A, kind: mta}\n", ":1:3: this row has no pattern");
    refused("- {name: A, pattern: A}\n", ":1:3: this row has no kind");
    refused("- {kind: mta, pattern: A}\n", ":1:3: this row has no name");
    refused("- {name: A, name: B}\n", ":1:13: name is there twice in this row");
    refused("- {name: '', kind: mta, pattern: A}\n", ":1:10: name wants 1 to 64 bytes of text");
    refused("- {name: A, kind: mta, pattern: \"A\\n\"}\n", ":1:33: pattern wants 1 to 128 bytes of text");
    refused("- {name: A, kind: mta, pattern: [A]}\n", ":1:33: pattern wants a text");
    refused("- {name: A, kind: mta, pattern: }\n", ":1:33: pattern wants a text");
    refused("- {name: A, kind: mta, pattern: '***'}\n", ":1:3: the pattern wants a word, or ^ and a text");
    refused("- {name: A, kind: mta, pattern: ^}\n", ":1:3: the pattern wants a word, or ^ and a text");
    refused("- {name: A, kind: mta, pattern: A, example: {}}\n",
            ":1:45: example wants a text, or a list of texts");
    refused("- {name: A, kind: mta, pattern: A, example: [x, b a]}\n",
            ":1:46: the pattern of line 1 does not fit this example");
    refused(
        "- {name: A, kind: tool, pattern: A}\n\n- {name: B, kind: webmail, pattern: A B,\n   example: A B}\n",
        ":4:13: this example goes to the row of line 1, 'A'");
    refused("name: A\n", ":1:1: wants a list of rows: '- name: ...'");
    refused("- A\n", ":1:3: wants a row: '- name: ...'");
    refused("- {name: &x A, kind: mta, pattern: *x}\n",
            ":1:10: anchors (&), aliases (*) and tags (!) have no place in agents");
    struct agents *a = NULL;
    struct error err = {""};
    assert_true(agents_open("/nonexistent/agents.yaml", &a, &err) < 0);
    assert_string_equal(err.text, "/nonexistent/agents.yaml: No such file or directory");
}

/* Up to AGENTS_ROWS rows; all of them with one first word, asked by a text of it. */
static void many(void **state)
{
    struct buf text;
    (void)state;
    for (int more = 0; more < 2; more++) {
        buf_init(&text, AGENTS_FILE);
        for (int i = 0; i < AGENTS_ROWS + more; i++) {
            char row[80];
            int len = snprintf(row, sizeof row, "- {name: N%d, kind: tool, pattern: word %d.}\n", i, i);
            assert_true(buf_add(&text, (struct slice){(const uint8_t *)row, (size_t)len}));
        }
        struct agents *a = NULL;
        struct error err = {""};
        char path[32];
        int code = open_text((const char *)text.data, text.len, &a, &err, path);
        assert_int_equal(code < 0, more);
        if (!more) {
            speaks(a, false, "word 3999. 7", "N3999", "7", AGENT_TOOL);
            speaks(a, false, "word 17. word 3. x", "N3", "", AGENT_TOOL);
        }
        agents_close(a);
        buf_free(&text);
    }
}

/* The rows that come with the program read well: each of its examples is won by its own row. */
static void builtin(void **state)
{
    struct agents *a = NULL, *file = NULL;
    struct error err = {""};
    char path[512];
    const char *source = getenv("MAILTAP_SOURCE");
    (void)state;
    if (agents_open(NULL, &a, &err) < 0)
        fail_msg("%s", err.text);
    snprintf(path, sizeof path, "%s/data/agents.yaml", source ? source : ".");
    if (agents_open(path, &file, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(agents_rows(a) > 300);
    assert_int_equal(agents_rows(a), agents_rows(file));
    speaks(a, false, "Roundcube Webmail/1.4.11", "Roundcube", "1.4.11", AGENT_WEBMAIL);
    speaks(a, true, "mail.example.com ESMTP Postfix (Debian/GNU)", "Postfix", "", AGENT_MTA);
    agents_close(a);
    agents_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows), cmocka_unit_test(no_rows), cmocka_unit_test(bad_files),
        cmocka_unit_test(many), cmocka_unit_test(builtin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
