/* folds.c: words as regular expressions.
 * In: the tokenizer, phrases. Out: patterns for RE2 over UTF-8. Owns: the tables of letters. Limits:
 * JOINED_FROM words in a pattern that knows by itself where words end, as each such place costs the server
 * thousands of instructions. Knowingly: text that is no UTF-8 is between words; no record has any. Spec:
 * SQLite's unicode61, RE2's syntax. */
#include "clickhouse/folds.h"

#include <errno.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "view/words.h"

enum { CODES = 0x110000, BLOCK = 0x1000, JOINED_FROM = 12 };

struct range {
    uint32_t first, last;
};

struct ranges {
    struct range *items;
    size_t count, room;
};

/* What the tokenizer makes of a letter, where that is another one. */
struct fold {
    uint32_t code, to;
};

struct folds {
    struct ranges letters; /* what words are of */
    struct ranges marks;   /* go on with a word, but begin none */
    struct ranges dropped; /* those of them that are not part of it */
    struct fold *by_code;  /* in the order of code */
    struct fold *by_to;    /* in the order of to, then of code */
    size_t count, room;
    struct line letter;      /* all letters, as what stands between [ and ] */
    struct line letter_mark; /* letters and marks */
};

static void add_range(struct ranges *r, uint32_t code)
{
    if (r->count && r->items[r->count - 1].last + 1 == code) {
        r->items[r->count - 1].last = code;
        return;
    }
    if (r->count == r->room) {
        r->room = r->room ? 2 * r->room : 64;
        r->items = reallocarray(r->items, r->room, sizeof *r->items);
        memory_check(r->items);
    }
    r->items[r->count++] = (struct range){code, code};
}

static bool has(const struct ranges *r, uint32_t code)
{
    size_t from = 0, to = r->count;
    while (from < to) {
        size_t mid = (from + to) / 2;
        if (r->items[mid].last < code)
            from = mid + 1;
        else
            to = mid;
    }
    return from < r->count && r->items[from].first <= code;
}

static void add_fold(struct folds *f, uint32_t code, uint32_t to)
{
    if (f->count == f->room) {
        f->room = f->room ? 2 * f->room : 1024;
        f->by_code = reallocarray(f->by_code, f->room, sizeof *f->by_code);
        memory_check(f->by_code);
    }
    f->by_code[f->count++] = (struct fold){code, to};
}

/* Code points asked about together, each in a piece of text of its own. */
struct block {
    struct folds *folds;
    uint32_t first;
    bool behind_letter;
    size_t at; /* index of the piece that the next word may be in */
    int from[BLOCK + 1];
};

/* A word of one of the pieces; behind a letter one that is that letter alone ended before the code point. */
static int take_word(void *ctx, int flags, const char *word, int len, int from, int to)
{
    struct block *b = ctx;
    struct slice text = {(const uint8_t *)word, (size_t)len};
    (void)flags;
    while (b->from[b->at + 1] <= from)
        b->at++;
    uint32_t code = b->first + (uint32_t)b->at;
    if (b->behind_letter) {
        if (to - from == 1 || has(&b->folds->letters, code))
            return 0;
        add_range(&b->folds->marks, code);
        text = slice_sub(text, 1, text.len);
        if (!text.len)
            add_range(&b->folds->dropped, code);
    } else {
        add_range(&b->folds->letters, code);
    }
    size_t n = utf8_length(text);
    uint32_t to_code = n ? utf8_code(text.data, n) : code;
    if (to_code != code)
        add_fold(b->folds, code, to_code);
    return 0;
}

static void ask_block(struct words *w, struct block *b, struct buf *text)
{
    uint8_t bytes[4];
    buf_clear(text);
    b->at = 0;
    for (uint32_t i = 0; i < BLOCK; i++) {
        uint32_t code = b->first + i;
        b->from[i] = (int)text->len;
        buf_add_str(text, b->behind_letter ? " a" : " ");
        if (code < 0xd800 || code > 0xdfff)
            buf_add(text, (struct slice){bytes, utf8_put(code, bytes)});
    }
    b->from[BLOCK] = INT32_MAX;
    words_each(w, buf_slice(text), take_word, b);
}

static int in_order(const void *a, const void *b)
{
    const struct fold *x = a, *y = b;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return (x->code > y->code) - (x->code < y->code);
}

static int by_code(const void *a, const void *b)
{
    const struct fold *x = a, *y = b;
    return (x->code > y->code) - (x->code < y->code);
}

static void add_code(struct line *out, uint32_t code)
{
    uint8_t bytes[4];
    line_add(out, (struct slice){bytes, utf8_put(code, bytes)});
}

/* None of them is a sign that RE2 knows. */
static void add_ranges(struct line *out, const struct ranges *r)
{
    for (size_t i = 0; i < r->count; i++) {
        add_code(out, r->items[i].first);
        if (r->items[i].last == r->items[i].first)
            continue;
        line_byte(out, '-');
        add_code(out, r->items[i].last);
    }
}

int folds_new(struct folds **ret, struct error *reterr)
{
    struct words *w = NULL;
    struct buf text;
    int err = words_open(&w, reterr);
    if (err)
        return err;
    struct folds *f = calloc(1, sizeof *f);
    struct block *b = calloc(1, sizeof *b);
    memory_check(f);
    memory_check(b);
    buf_init(&text, SIZE_MAX);
    b->folds = f;
    for (int pass = 0; pass < 2; pass++) {
        b->behind_letter = pass;
        for (b->first = 0; b->first < CODES; b->first += BLOCK)
            ask_block(w, b, &text);
    }
    buf_free(&text);
    free(b);
    words_close(&w);
    f->by_to = calloc(f->count + 1, sizeof *f->by_to);
    memory_check(f->by_to);
    memcpy(f->by_to, f->by_code, f->count * sizeof *f->by_to);
    qsort(f->by_code, f->count, sizeof *f->by_code, by_code);
    qsort(f->by_to, f->count, sizeof *f->by_to, in_order);
    add_ranges(&f->letter, &f->letters);
    add_ranges(&f->letter_mark, &f->letters);
    add_ranges(&f->letter_mark, &f->marks);
    *ret = f;
    return 0;
}

void folds_free(struct folds **pf)
{
    struct folds *f = *pf;
    *pf = NULL;
    if (!f)
        return;
    free(f->letters.items);
    free(f->marks.items);
    free(f->dropped.items);
    free(f->by_code);
    free(f->by_to);
    line_free(&f->letter);
    line_free(&f->letter_mark);
    free(f);
}

static uint32_t folded(const struct folds *f, uint32_t code)
{
    const struct fold key = {.code = code}, *found = bsearch(&key, f->by_code, f->count, sizeof key, by_code);
    return found ? found->to : code;
}

/* Any letter that is the same, and the marks behind it that are passed over. */
static void add_letter(const struct folds *f, uint32_t to, struct line *out)
{
    size_t at = 0, end = f->count;
    while (at < end) {
        size_t mid = (at + end) / 2;
        if (f->by_to[mid].to < to)
            at = mid + 1;
        else
            end = mid;
    }
    line_byte(out, '[');
    if ((has(&f->letters, to) || has(&f->marks, to)) && folded(f, to) == to)
        add_code(out, to);
    for (; at < f->count && f->by_to[at].to == to; at++)
        add_code(out, f->by_to[at].code);
    line_byte(out, ']');
    if (f->dropped.count) {
        line_byte(out, '[');
        add_ranges(out, &f->dropped);
        line_str(out, "]*");
    }
}

static void add_gap(const struct folds *f, struct line *out)
{
    line_str(out, "[^");
    line_add(out, line_slice(&f->letter_mark));
    line_str(out, "][^");
    line_add(out, line_slice(&f->letter));
    line_str(out, "]*");
}

static void add_begin(const struct folds *f, struct line *out)
{
    line_str(out, "(?:^|[^");
    line_add(out, line_slice(&f->letter_mark));
    line_str(out, "])");
    if (!f->marks.count)
        return;
    line_byte(out, '[');
    add_ranges(out, &f->marks);
    line_str(out, "]*");
}

static void add_end(const struct folds *f, struct line *out)
{
    line_str(out, "(?:$|[^");
    line_add(out, line_slice(&f->letter_mark));
    line_str(out, "])");
}

/* Takes the next word's letters, as the tokenizer has them, from *rest; false: there is none. */
static bool next_word(const struct folds *f, struct slice *rest, struct line *letters)
{
    bool inside = false;
    line_clear(letters);
    while (rest->len) {
        size_t n = utf8_length(*rest), step = n ? n : 1;
        uint32_t code = n ? utf8_code(rest->data, n) : 0;
        bool letter = n && has(&f->letters, code), mark = n && inside && has(&f->marks, code);
        if (inside && !letter && !mark)
            break;
        *rest = slice_sub(*rest, step, rest->len);
        inside |= letter;
        if (letter || (mark && !has(&f->dropped, code)))
            add_code(letters, folded(f, code));
    }
    return inside;
}

static size_t count_words(const struct folds *f, struct slice phrase, struct line *letters)
{
    size_t count = 0;
    while (next_word(f, &phrase, letters))
        count++;
    return count;
}

enum folds_found folds_phrase(const struct folds *f, struct slice phrase, bool start, struct line *out)
{
    struct line letters = {0};
    size_t count = count_words(f, phrase, &letters);
    bool joined = count >= JOINED_FROM;
    for (size_t i = 0; i < count; i++) {
        next_word(f, &phrase, &letters);
        if (joined)
            line_byte(out, ' ');
        else if (i)
            add_gap(f, out);
        else
            add_begin(f, out);
        for (struct slice s = line_slice(&letters); s.len;) {
            size_t n = utf8_length(s);
            add_letter(f, utf8_code(s.data, n), out);
            s = slice_sub(s, n, s.len);
        }
    }
    if (count && !start) {
        if (joined)
            line_byte(out, ' ');
        else
            add_end(f, out);
    }
    line_free(&letters);
    return !count ? FOLDS_NONE : joined ? FOLDS_JOINED : FOLDS_PATTERN;
}

void folds_word(const struct folds *f, struct line *out)
{
    line_byte(out, '[');
    line_add(out, line_slice(&f->letter));
    line_str(out, "][");
    line_add(out, line_slice(&f->letter_mark));
    line_str(out, "]*");
}
