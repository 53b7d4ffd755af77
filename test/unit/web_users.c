/* Users, passwords, tokens, sessions, and how often somebody may try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "web/sessions.h"
#include "web/throttle.h"

/* Of RFC 7914 12: scrypt("pleaseletmein", "SodiumChloride", 16384, 8, 1), its first 32 bytes. */
static const char PLEASE[] =
    "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI";

static void passwords(void **state)
{
    (void)state;
    assert_true(password_is_line(slice_str(PLEASE)));
    assert_true(password_check(slice_str("pleaseletmein"), slice_str(PLEASE)));
    assert_false(password_check(slice_str("pleaseletmeim"), slice_str(PLEASE)));
    assert_false(password_check(slice_str(""), slice_str(PLEASE)));
    assert_int_equal(password_cost(slice_str(PLEASE)), 128 * 16384 * 8);
    char line[PASSWORD_LINE];
    struct error err;
    assert_int_equal(password_make(slice_str("x"), line, &err), 0);
    assert_true(password_check(slice_str("x"), slice_str(line)));
    assert_false(password_check(slice_str("y"), slice_str(line)));
    assert_true(password_make(slice_str(""), line, &err) < 0);
}

static void lines_that_are_none(void **state)
{
    (void)state;
    static const char tail[] = "$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI";
    static const char *const costs[] = {"ln=9,r=8,p=1",    "ln=19,r=8,p=1",
                                        "ln=18,r=9,p=1",   "ln=14,r=0,p=1",
                                        "ln=14,r=17,p=1",  "ln=14,r=8,p=0",
                                        "ln=14,r=8,p=17",  "ln=18,r=8,p=5",
                                        "ln=14,r=8",       "r=8,ln=14,p=1",
                                        "ln=14,r=8,p=1,",  "ln=14 ,r=8,p=1",
                                        "ln=-14,r=8,p=1",  "",
                                        "ln=0x14,r=8,p=1", "ln=14,r=8,p=1a"};
    char line[200];
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        snprintf(line, sizeof line, "$scrypt$%s%s", costs[i], tail);
        if (password_is_line(slice_str(line)))
            fail_msg("%s is taken", line);
    }
    snprintf(line, sizeof line, "$scrypt$ln=14,r=8,p=1%s", tail);
    assert_true(password_is_line(slice_str(line)));
    for (size_t cut = 0; cut < strlen(line); cut++)
        if (password_is_line((struct slice){(const uint8_t *)line, cut}))
            fail_msg("%zu bytes are taken", cut);
    static const char *const wrong[] = {
        "",
        "x",
        "$",
        "$$$$$",
        "secret",
        "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI$",
        "$scrypt$ln=14,r=8,p=1$U29k$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI",
        "$2y$10$abcdefghijklmnopqrstuv",
        "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44-qbVD9lRdofI"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(password_is_line(slice_str(wrong[i])) ||
                     password_check(slice_str("x"), slice_str(wrong[i])));
}

static void tokens(void **state)
{
    (void)state;
    char a[TOKEN_TEXT], b[TOKEN_TEXT], line[TOKEN_LINE];
    uint8_t hash[TOKEN_HASH], again[TOKEN_HASH];
    token_make(a);
    token_make(b);
    assert_int_equal(strlen(a), 43);
    assert_string_not_equal(a, b);
    token_line(slice_str(a), line);
    assert_true(token_parse_line(slice_str(line), hash));
    token_hash(slice_str(a), again);
    assert_true(token_same(hash, again));
    token_hash(slice_str(b), again);
    assert_false(token_same(hash, again));
    token_hash(slice_str("abc"), again);
    assert_int_equal(again[0], 0xba);
    line[10] = 'g';
    assert_false(token_parse_line(slice_str(line), hash));
    assert_false(token_parse_line(slice_str("$sha256$"), hash));
}

static struct users *users_of(const char *yaml, const char *fault)
{
    struct users *u = NULL;
    struct error err = {""};
    int code = users_open_text("u", slice_str(yaml), &u, &err);
    if ((code != 0) != (fault != NULL) || (fault && !strstr(err.text, fault)))
        fail_msg("%s: %d %s", yaml, code, err.text);
    return u;
}

static void files_of_users(void **state)
{
    (void)state;
    char yaml[1024];
    snprintf(yaml, sizeof yaml,
             "- {name: anna, role: full, password: \"%s\"}\n- name: \xc3\xb6tto\n  role: redacted\n"
             "  tokens: [\"$sha256$ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"]\n",
             PLEASE);
    struct users *u = users_of(yaml, NULL);
    const struct user *anna = users_find(u, slice_str("anna")),
                      *otto = users_find(u, slice_str("\xc3\xb6tto"));
    assert_true(anna && anna->role == ROLE_FULL && strcmp(anna->password, PLEASE) == 0);
    assert_true(otto && otto->role == ROLE_REDACTED && !*otto->password && otto->token_count == 1);
    assert_null(users_find(u, slice_str("ann")));
    assert_null(users_find(u, slice_str("")));
    assert_ptr_equal(users_by_token(u, slice_str("abc")), otto);
    assert_null(users_by_token(u, slice_str("abd")));
    assert_null(users_by_token(u, slice_str("")));
    /* That of new ones is dearer than hers. */
    assert_true(password_cost(slice_str(users_nobody(u))) >= password_cost(slice_str(PLEASE)));
    assert_false(token_same(anna->mark, otto->mark));
    users_close(u);
    snprintf(yaml, sizeof yaml, "- {name: anna, role: redacted, password: \"%s\"}\n", PLEASE);
    struct users *v = users_of(yaml, NULL);
    snprintf(yaml, sizeof yaml, "- {name: anna, role: full, password: \"%s\"}\n", PLEASE);
    struct users *w = users_of(yaml, NULL);
    assert_false(token_same(users_find(v, slice_str("anna"))->mark, users_find(w, slice_str("anna"))->mark));
    users_close(v);
    users_close(w);
    users_of("", "nobody");
    users_of("x", "u:1:1");
    users_of("- {name: a}", "no role");
    users_of("- {name: a, role: admin}", "no role 'admin'");
    users_of("- {name: a, role: full, password: x}", "--hash-password");
    users_of("- {name: a, role: full}", "neither");
    users_of("- {name: \"a\\n\", role: full}", "name wants");
}

static const struct user anna = {.name = "anna", .role = ROLE_FULL};

static void sessions_that_end(void **state)
{
    (void)state;
    struct sessions *s = sessions_new(10, 25);
    struct session got;
    char cookie[TOKEN_TEXT], other[TOKEN_TEXT];
    sessions_begin(s, &anna, 100, cookie);
    assert_true(sessions_find(s, slice_str(cookie), 109, &got));
    assert_string_equal(got.user, "anna");
    assert_true(sessions_find(s, slice_str(cookie), 118, &got));
    assert_true(sessions_find(s, slice_str(cookie), 125, &got));
    assert_false(sessions_find(s, slice_str(cookie), 126, &got));
    assert_false(sessions_find(s, slice_str(cookie), 101, &got));
    sessions_begin(s, &anna, 200, cookie);
    assert_false(sessions_find(s, slice_str(cookie), 211, &got));
    sessions_begin(s, &anna, 300, cookie);
    sessions_begin(s, &anna, 300, other);
    assert_string_not_equal(cookie, other);
    assert_false(sessions_find(s, slice_str(""), 300, &got));
    assert_false(sessions_find(s, slice_sub(slice_str(cookie), 0, 42), 300, &got));
    sessions_free(s);
}

static void sessions_are_bounded(void **state)
{
    (void)state;
    struct sessions *s = sessions_new(1e6, 1e6);
    struct session got;
    char first[TOKEN_TEXT], second[TOKEN_TEXT], last[TOKEN_TEXT];
    sessions_begin(s, &anna, 1, first);
    sessions_begin(s, &anna, 2, second);
    for (int i = 2; i < SESSIONS_MOST; i++)
        sessions_begin(s, &anna, 3, last);
    assert_true(sessions_find(s, slice_str(first), 4, &got));
    sessions_begin(s, &anna, 5, last);
    assert_true(sessions_find(s, slice_str(first), 6, &got));
    assert_true(sessions_find(s, slice_str(last), 6, &got));
    assert_false(sessions_find(s, slice_str(second), 6, &got));
    sessions_free(s);
}

static void tries_are_counted(void **state)
{
    (void)state;
    struct throttle *t = throttle_new(6);
    const struct address a = {4, {192, 0, 2, 1}}, b = {4, {192, 0, 2, 2}},
                         six = {6, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 1}},
                         same = {6, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 2}},
                         next = {6, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 2, 1}};
    for (int i = 0; i < 6; i++)
        assert_int_equal(throttle_try(t, &a, slice_str("anna"), 100), 0);
    assert_int_equal(throttle_try(t, &a, slice_str("otto"), 100), 10);
    assert_int_equal(throttle_try(t, &b, slice_str("anna"), 100), 10);
    assert_int_equal(throttle_try(t, &b, slice_str("otto"), 100), 0);
    assert_int_equal(throttle_try(t, &a, slice_str("eve"), 110), 0);
    assert_int_equal(throttle_try(t, &a, slice_str("eve"), 110), 10);
    throttle_forgive(t, &a, slice_str("eve"));
    assert_int_equal(throttle_try(t, &a, slice_str("eve"), 110), 0);
    char name[16];
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(throttle_try(t, &six, slice_str(name), 200), 0);
    }
    assert_true(throttle_try(t, &same, slice_str("x"), 200) > 0);
    assert_int_equal(throttle_try(t, &next, slice_str("x"), 200), 0);
    throttle_free(t);
}

static void all_tries_are_counted_too(void **state)
{
    (void)state;
    struct throttle *t = throttle_new(1);
    unsigned good = 0;
    for (unsigned i = 0; i < 5000; i++) {
        const struct address from = {4, {10, 0, (uint8_t)(i >> 8), (uint8_t)i}};
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        good += throttle_try(t, &from, slice_str(name), 1000) == 0;
    }
    assert_int_equal(good, 10);
    const struct address from = {4, {10, 1}};
    assert_int_equal(throttle_try(t, &from, slice_str("x"), 1006), 0);
    throttle_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(passwords),
                                       cmocka_unit_test(lines_that_are_none),
                                       cmocka_unit_test(tokens),
                                       cmocka_unit_test(files_of_users),
                                       cmocka_unit_test(sessions_that_end),
                                       cmocka_unit_test(sessions_are_bounded),
                                       cmocka_unit_test(tries_are_counted),
                                       cmocka_unit_test(all_tries_are_counted_too)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
