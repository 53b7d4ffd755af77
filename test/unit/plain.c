/* Text that needs no closer look, by both ways, held to one that looks at each byte. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mail/plain.h"

enum { MOST = 700, SHORT = 32 };

/* Where the first byte stands that is odd, or that shows what is; `line` goes on to there. */
static size_t by_hand(const struct plain *t, size_t *line)
{
    uint8_t last = t->last;
    for (size_t i = 0; i < t->text.len; i++) {
        uint8_t c = t->text.data[i];
        bool ends = last == '\r' || last == '\n';
        if (!c || (c == '.' && ends) || (c == '\n' && last != '\r' && t->bare_lf) ||
            (c != '\n' && last == '\r' && t->bare_cr))
            return i;
        if (c != '\r' && c != '\n' && *line >= t->line_most)
            return i;
        *line = c == '\n' ? 0 : *line + (c != '\r');
        last = c;
    }
    return t->text.len;
}

/* Bytes of the line that the first `len` bytes end in. */
static size_t line_of(const struct plain *t, size_t len)
{
    size_t line = t->line;
    for (size_t i = 0; i < len; i++)
        line = t->text.data[i] == '\n' ? 0 : line + (t->text.data[i] != '\r');
    return line;
}

/* The memory that it may read is no larger than it is told. */
static void check(const uint8_t *text, size_t len, uint8_t last, size_t line, size_t line_most)
{
    uint8_t *in = malloc(len + !len);
    memcpy(in, text, len);
    for (unsigned bare = 0; bare < 4; bare++) {
        struct plain t = {{in, len}, last, bare & 1, bare & 2, line, line_most}, plainly = t;
        size_t end = line, most = by_hand(&t, &end), before = line;
        size_t got = plain_pass(&t), plain = plain_pass_plainly(&plainly);
        assert_int_equal(got, plain);
        assert_int_equal(t.line, plainly.line);
        assert_true(got <= most);
        /* The CR or LF before what is odd is looked at again too. */
        bool begins = last == '.' || !most || line > line_most;
        if (len >= SHORT && !begins)
            assert_true(got + 2 >= most);
        t.line = before;
        assert_int_equal(plainly.line, line_of(&t, got));
    }
    free(in);
}

static void fill(uint8_t *text, size_t line, const char *end)
{
    size_t column = 0;
    for (size_t i = 0; i < MOST; i++) {
        bool ends = column >= line;
        text[i] = ends ? (uint8_t)end[column - line] : (uint8_t)('a' + rand() % 26);
        column = ends && !end[column - line + 1] ? 0 : column + 1;
    }
}

static void lines(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 5, 31, 32, 33, 47, 63, 64, 65, 76, 77, 95, 96, 97, 200, 2 * MOST};
    static const char *const ends[] = {"\r\n", "\n", "\r", "\r\r\n", "\t\r\n", "\r\n.", "\n."};
    uint8_t text[MOST];
    srand(1);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
            fill(text, widths[w], ends[e]);
            for (size_t from = 1; from < 100; from++)
                check(text + from, MOST - 100, text[from - 1], from % 7, from % 3 ? 998 : 70);
            for (size_t len = 0; len < 300; len++)
                check(text + 40, len, text[39], 40, 998);
        }
}

/* Each byte value that matters, at each place of three lines, behind each. */
static void any_byte(void **state)
{
    (void)state;
    enum { LINES = 3 * 78 };
    static const uint8_t odd[] = {0, 1, '\t', '\n', '\r', 14, '.', 'x', 0x7f, 0x80, 0xff};
    uint8_t text[MOST];
    fill(text, 76, "\r\n");
    for (size_t at = 0; at < LINES; at++) {
        uint8_t was[2] = {text[at], text[at + 1]};
        for (size_t a = 0; a < sizeof odd; a++)
            for (size_t b = 0; b < sizeof odd; b++) {
                text[at] = odd[a];
                text[at + 1] = odd[b];
                check(text, LINES + 10, 'x', 0, 998);
                check(text, LINES + 10, odd[b], 998, 998);
            }
        memcpy(text + at, was, sizeof was);
    }
}

/* A line reaches its most with any byte, before the text or in it, or has had more already. */
static void longest(void **state)
{
    (void)state;
    static const uint8_t at_border[] = {1, '\t', '\n', '\r', 'x', 0xff};
    uint8_t text[MOST];
    for (size_t i = 0; i < sizeof at_border; i++)
        for (size_t room = 0; room < 100; room++) {
            fill(text, 2 * MOST, "\r\n");
            text[room] = at_border[i];
            for (size_t len = SHORT; len < 140; len++)
                check(text, len, at_border[i], 998 - room, 998);
            check(text, MOST, at_border[i], 999 + room, 998);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(any_byte),
                                       cmocka_unit_test(longest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
