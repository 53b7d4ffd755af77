/* The driver of the MIME tests: a mail in, its events as text out; whole, at every cut in two, byte by byte.
 * In the input LF stands for CRLF, \x01 for LF alone, \x02 for a bare CR, \x03 for a NUL, \x04 for a gap of
 * 100 bytes. */
#ifndef TEST_MIME_RUN_H
#define TEST_MIME_RUN_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mail/mime.h"

static const struct mime_limits run_limits = {
    .header_bytes = 300, .headers_bytes = 2000, .depth = 8, .parts = 20, .head_bytes = 64};

enum shown { SHOW_ALL, SHOW_USUAL, SHOW_PARTS, SHOW_ODD };

enum { DEPTHS = 64 };

struct events {
    struct buf text;
    enum shown shown;
    struct mime *mime;
    uint64_t told[DEPTHS]; /* bytes of the part that is open there */
    bool gap[DEPTHS], asked[DEPTHS];
};

/* All bytes of all parts are asked for: they are as many as a part has. */
static inline void hold_to_size(struct events *e, const struct mime_event *ev)
{
    if (!e->mime)
        return;
    assert_true(ev->depth < DEPTHS);
    if (ev->kind == MIME_PART_BEGIN) {
        assert_false(e->asked[ev->depth]);
        e->asked[ev->depth] = true;
        e->told[ev->depth] = 0;
        e->gap[ev->depth] = ev->cut;
        mime_bodies(e->mime, WANT_ALL);
    } else if (ev->kind == MIME_BODY) {
        assert_true(e->asked[ev->depth] && (ev->cut || ev->value.len));
        e->told[ev->depth] += ev->value.len;
        e->gap[ev->depth] |= ev->cut;
    } else if (ev->kind == MIME_PART) {
        assert_true(e->asked[ev->depth]);
        e->asked[ev->depth] = false;
        if (!e->gap[ev->depth])
            assert_int_equal(e->told[ev->depth], ev->size);
    }
}

static inline void note_event(void *ctx, const struct mime_event *ev)
{
    struct events *e = ctx;
    static char line[1 << 17];
    assert_true(utf8_valid(ev->filename));
    bool odd = ev->kind == MIME_ANOMALY;
    hold_to_size(e, ev);
    if (ev->kind > MIME_PART)
        return;
    if ((e->shown == SHOW_PARTS && ev->kind != MIME_PART) || (e->shown == SHOW_USUAL && odd) ||
        (e->shown == SHOW_ODD && !odd))
        return;
    size_t len = mime_dump(ev, line, sizeof line);
    assert_int_equal(len, strlen(line));
    buf_add(&e->text, (struct slice){(const uint8_t *)line, len});
    buf_add_str(&e->text, "\n");
}

/* A copy of its own for each piece, so that a read past it is seen. */
static inline void feed_copy(struct mime *m, struct slice piece)
{
    while (piece.len) {
        size_t gap = slice_index(piece, 4);
        uint8_t *copy = malloc(gap ? gap : 1);
        assert_non_null(copy);
        memcpy(copy, piece.data, gap);
        mime_feed(m, (struct slice){copy, gap});
        free(copy);
        if (gap < piece.len)
            mime_gap(m, 100);
        piece = slice_sub(piece, gap + 1, piece.len);
    }
}

/* `cut`: length of the first piece; 0 feeds byte by byte. Ends with the overruns where there were any. */
static inline void run_mime(struct mime *m, struct events *e, struct slice in, size_t cut)
{
    mime_reset(m);
    buf_clear(&e->text);
    e->mime = m;
    if (cut)
        feed_copy(m, slice_sub(in, 0, cut));
    for (size_t i = cut; i < in.len; i += cut ? in.len : 1)
        feed_copy(m, slice_sub(in, i, cut ? in.len : i + 1));
    mime_finish(m, true);
    if (mime_overruns(m))
        buf_printf(&e->text, "overruns %llu\n", (unsigned long long)mime_overruns(m));
    buf_add_byte(&e->text, 0);
}

static inline void wire_form(const char *text, size_t len, struct buf *out)
{
    static const char *const signs[] = {[1] = "\n", [2] = "\r", [4] = "\x04", ['\n'] = "\r\n"};
    buf_init(out, 1 << 24);
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c == 3)
            buf_add_byte(out, 0);
        else if (c < sizeof signs / sizeof *signs && signs[c])
            buf_add_str(out, signs[c]);
        else
            buf_add_byte(out, c);
    }
}

static inline void check_with(const struct mime_limits *lim, enum shown shown, const char *text,
                              const char *want)
{
    struct charsets *cs = charsets_new();
    struct events whole = {.shown = shown}, cut = whole;
    struct mime *m = mime_new(lim, cs, note_event, &whole), *again = mime_new(lim, cs, note_event, &cut);
    struct buf in;
    wire_form(text, strlen(text), &in);
    buf_init(&whole.text, 1 << 24);
    buf_init(&cut.text, 1 << 24);
    run_mime(m, &whole, buf_slice(&in), in.len);
    assert_string_equal((char *)whole.text.data, want);
    for (size_t i = 0; i < in.len; i++) {
        run_mime(again, &cut, buf_slice(&in), i);
        if (strcmp((char *)cut.text.data, want) != 0)
            print_message("cut at %zu\n", i);
        assert_string_equal((char *)cut.text.data, want);
    }
    buf_free(&in);
    buf_free(&whole.text);
    buf_free(&cut.text);
    mime_free(&m);
    mime_free(&again);
    charsets_free(&cs);
}

static inline void check(const char *text, const char *want)
{
    check_with(&run_limits, SHOW_USUAL, text, want);
}

static inline void check_parts(const char *text, const char *want)
{
    check_with(&run_limits, SHOW_PARTS, text, want);
}

/* Its anomalies alone, of which the text gives name, place and evidence. */
static inline void check_odd(const char *text, const char *want)
{
    check_with(&run_limits, SHOW_ODD, text, want);
}

#endif
