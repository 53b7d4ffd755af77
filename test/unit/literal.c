/* The plain text of patterns: what is found of it, and that no text is refused which a pattern fits. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include "rule/literal.h"

static void found(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *literal;
    } cases[] = {
        {"spamhaus\\.org/returnc/", "spamhaus.org/returnc/"},
        {"Zen\\.SPAMHAUS", "zen.spamhaus"},
        {"abc", "abc"},
        {"ab", ""},
        {"", ""},
        {"one.{1,9}three", "three"},
        {"https?://x", "http"},
        {"colou*red", "colo"},
        {"abcd+efg", "abcd"},
        {"abcd{0,3}ef", "abc"},
        {"abcd{2}ef", "abc"},
        {"abc{d}ef", ""},
        {"(?:one|two) three", " three"},
        {"one(?: two)?", "one"},
        {"(?<![\\w@.-])bounce(?!@)", "bounce"},
        {"\\bround\\b.{0,30}(?:a|[)]b|\\))tail", "round"},
        {"[]abc]defg[^]hij]", "defg"},
        {"[\\]abc]defg", "defg"},
        {"a\\?bc", "a?bc"},
        {"1234567890123456789012345678", "12345678901234567890123"},
        /* What is not known, or hides what follows. */
        {"abcd|efgh", ""},
        {"(?i)abcd", ""},
        {"(?x)ab cd", ""},
        {"abcd(?x: e f)", ""},
        {"(?:(?i)a)bcd", ""},
        {"(*NO_JIT)abcd", ""},
        {"abcd(*ACCEPT)efgh", ""},
        {"(?:a(*ACCEPT)b)cdef", ""},
        {"\\Qabcd\\E", ""},
        {"\\x41bcd", ""},
        {"(?:\\Q)\\E)abcd", ""},
        {"\\101bcd", ""},
        {"[[:alpha:]]abcd", ""},
        {"abc\\Kdef", ""},
        {"(?<name>abcd)efgh", ""},
        {"(?#abcd)efgh", ""},
        {"(?|abc|def)ghij", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct literal got = literal_of(slice_str(cases[i].pattern));
        if (got.len != strlen(cases[i].literal) || memcmp(got.text, cases[i].literal, got.len) != 0)
            fail_msg("%s: '%.*s', not '%s'", cases[i].pattern, got.len, (const char *)got.text,
                     cases[i].literal);
    }
}

static uint32_t seed = 1;

static uint32_t below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

/* Patterns and texts of a few pieces at random: many of the first compile and fit some of the second. */
static size_t make(char *ret, size_t room)
{
    static const char *const pieces[] = {
        "a",     "b",   "c",    "A",   "B",         "ab",  "abc",  "cab",   ".",    "?", "*", "+",
        "{0,2}", "{2}", "|",    "(",   ")",         "(?:", "(?=",  "(?!",   "(?i)", "[", "]", "[^",
        "-",     "\\",  "\\b",  "\\d", "\\Q",       "\\E", "\\.",  "\\x61", "^",    "$", "{", "}",
        "#",     " ",   "(?x)", "(?#", "(*ACCEPT)", "\\1", "(?1)", "[:",    ":]",
    };
    size_t n = 0, count = 1 + below(9);
    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(ret + n, room - n, "%s", pieces[below(sizeof pieces / sizeof *pieces)]);
    return n;
}

static size_t make_text(char *ret)
{
    size_t n = below(24);
    for (size_t i = 0; i < n; i++)
        ret[i] = "abcABC.aab c{2}\\"[below(16)];
    return n;
}

/* PCRE2 is the judge. */
static void never_refused(void **state)
{
    (void)state;
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    unsigned compiled = 0, fitted = 0, literals = 0, kept_out = 0;
    for (unsigned i = 0; i < 60000; i++) {
        char pattern[128], text[32];
        int error;
        size_t at, len = make(pattern, sizeof pattern);
        pcre2_code *code =
            pcre2_compile((const uint8_t *)pattern, len, PCRE2_CASELESS | PCRE2_DOTALL, &error, &at, NULL);
        const struct literal literal = literal_of((struct slice){(const uint8_t *)pattern, len});
        if (!code)
            continue;
        compiled++;
        literals += literal.len > 0;
        for (unsigned k = 0; k < 30 && literal.len; k++) {
            struct slice s = {(const uint8_t *)text, make_text(text)};
            struct threes threes;
            threes_of(s, &threes);
            bool may = threes_may_have(&threes, &literal);
            bool fits = pcre2_match(code, s.data, s.len, 0, 0, data, NULL) >= 0;
            fitted += fits;
            kept_out += !may;
            if (fits && !may)
                fail_msg("%.*s fits %.*s, which cannot have '%.*s'", (int)len, pattern, (int)s.len, text,
                         literal.len, (const char *)literal.text);
        }
        pcre2_code_free(code);
    }
    printf("# %u patterns, %u with a literal; %u fits, %u texts kept out\n", compiled, literals, fitted,
           kept_out);
    pcre2_match_data_free(data);
    assert_true(literals > 1000 && fitted > 1000 && kept_out > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found),
        cmocka_unit_test(never_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
