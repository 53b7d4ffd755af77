/* say.c: JSON, value by value.
 * In: values, in the order in which they stand. Out: text in an answer's body. Owns: nothing. Limits:
 * ANSWER_DEPTH of nesting, ANSWER_BYTES. Knowingly: what is JSON already is not parsed again, but for people
 * to whom it is redacted. Spec: RFC 8259. */
#include "web/say.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include "base/steers.h"
#include "base/utf8.h"
#include "web/redact.h"

static void put(struct answer *a, struct slice s)
{
    a->over |= !buf_add(&a->body, s);
}

static void put_str(struct answer *a, const char *s)
{
    put(a, slice_str(s));
}

/* What stands before a value: a comma behind another one, nothing behind a key. */
static void begin(struct answer *a)
{
    if (a->key || !a->depth) {
        a->key = false;
        return;
    }
    assert(a->closing[a->depth - 1] == ']');
    if (a->filled[a->depth - 1])
        put_str(a, ",");
    a->filled[a->depth - 1] = true;
}

static void nest(struct answer *a, const char *opening, char closing)
{
    begin(a);
    assert(a->depth < ANSWER_DEPTH);
    put_str(a, opening);
    a->closing[a->depth] = closing;
    a->filled[a->depth++] = false;
}

void say_object(struct answer *a)
{
    a->own_note = false;
    nest(a, "{", '}');
}

void say_list(struct answer *a)
{
    nest(a, "[", ']');
}

void say_end(struct answer *a)
{
    assert(a->depth && !a->key);
    put(a, (struct slice){(const uint8_t *)&a->closing[--a->depth], 1});
}

void say_key(struct answer *a, const char *name)
{
    assert(a->depth && a->closing[a->depth - 1] == '}' && !a->key);
    put_str(a, a->filled[a->depth - 1] ? ",\"" : "\"");
    put_str(a, name);
    put_str(a, "\":");
    a->filled[a->depth - 1] = a->key = true;
}

/* What may stand in a text as it is: so is nearly all of it. */
static bool is_plain(uint8_t c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

/* A character that may not; returns its length. */
static size_t quote_odd(struct buf *out, struct slice s)
{
    uint8_t c = s.data[0];
    size_t n = utf8_length(s);
    if (c == '"' || c == '\\') {
        const uint8_t two[] = {'\\', c};
        buf_add(out, (struct slice){two, 2});
    } else if (c < 0x80) {
        buf_printf(out, "\\u%04x", c);
    } else if (!n) {
        buf_add_str(out, "\xef\xbf\xbd");
    } else if (steers((struct slice){s.data, n})) {
        buf_printf(out, "\\u%04x", utf8_code(s.data, n));
    } else {
        buf_add(out, (struct slice){s.data, n});
    }
    return n ? n : 1;
}

void say_quote(struct buf *out, struct slice text)
{
    buf_add_byte(out, '"');
    while (text.len) {
        size_t n = 0;
        while (n < text.len && is_plain(text.data[n]))
            n++;
        buf_add(out, (struct slice){text.data, n});
        text = slice_sub(text, n, text.len);
        if (text.len)
            text = slice_sub(text, quote_odd(out, text), text.len);
    }
    buf_add_byte(out, '"');
}

void say_text(struct answer *a, struct slice text)
{
    struct buf shown;
    begin(a);
    buf_init(&shown, ANSWER_BYTES);
    if (a->redacts) {
        redact_text(REDACT_TEXT, text, &shown);
        text = buf_slice(&shown);
    }
    say_quote(&a->body, text);
    a->over |= a->body.len == a->body.max;
    buf_free(&shown);
}

void say_str(struct answer *a, const char *text)
{
    if (text)
        say_text(a, slice_str(text));
    else
        say_null(a);
}

static void put_literal(struct answer *a, const char *text)
{
    begin(a);
    put_str(a, text);
}

void say_count(struct answer *a, uint64_t v)
{
    begin(a);
    a->over |= !buf_add_number(&a->body, v);
}

static void put_number(struct answer *a, const char *format, double v)
{
    char text[400];
    if (!isfinite(v)) {
        put_literal(a, "null");
        return;
    }
    snprintf(text, sizeof text, format, v);
    put_literal(a, text);
}

void say_number(struct answer *a, double v)
{
    put_number(a, "%.15g", v);
}

void say_seconds(struct answer *a, double v)
{
    put_number(a, "%.6f", v);
}

void say_id(struct answer *a, uint64_t id)
{
    begin(a);
    a->over |= !buf_printf(&a->body, "\"%llu\"", (unsigned long long)id);
}

void say_flag(struct answer *a, bool v)
{
    put_literal(a, v ? "true" : "false");
}

void say_null(struct answer *a)
{
    put_literal(a, "null");
}

/* Where it is JSON these stand in texts alone, which may escape them. */
static void put_harmless(struct answer *a, struct slice json)
{
    while (json.len) {
        size_t n = 0;
        while (n < json.len && json.data[n] != '<' && json.data[n] != '>' && json.data[n] != '&')
            n++;
        put(a, (struct slice){json.data, n});
        if (n < json.len)
            a->over |= !buf_printf(&a->body, "\\u%04x", json.data[n++]);
        json = slice_sub(json, n, json.len);
    }
}

static struct slice name_of(const char *text)
{
    return slice_str(text ? text : "");
}

/* The columns of a notice come one after another, so what its msg is is known once its note was written. */
void say_redacted(struct answer *a, const char *stream, const char *field, struct slice json, struct buf *out)
{
    struct slice of = name_of(stream), path = name_of(field);
    bool notice = slice_eq(of, slice_str("notice"));
    json = slice_trim(json);
    if (notice && slice_eq(path, slice_str("note")))
        a->own_note = json.len > 2 && redact_is_own_note(slice_sub(json, 1, json.len - 1));
    if (notice && slice_eq(path, slice_str("msg")) && a->own_note)
        of = path = slice_str("");
    if (!redact_json(of, path, json, out))
        buf_add_str(out, "null");
}

void say_raw(struct answer *a, const char *stream, const char *field, struct slice json)
{
    begin(a);
    if (a->redacts)
        say_redacted(a, stream, field, json, &a->body);
    else
        put_harmless(a, slice_trim(json));
    a->over |= a->body.len == a->body.max;
}

void say_record(struct answer *a, const char *stream, uint64_t id, struct slice line)
{
    struct buf shown;
    line = slice_trim(line);
    begin(a);
    buf_init(&shown, ANSWER_BYTES);
    if (a->redacts)
        line =
            redact_json(name_of(stream), slice_str(""), line, &shown) ? buf_slice(&shown) : slice_str("{}");
    if (id && line.len > 1 && line.data[0] == '{') {
        bool empty = line.len == 2;
        a->over |= !buf_printf(&a->body, "{\"id\":\"%llu\"%s", (unsigned long long)id, empty ? "" : ",");
        line = slice_sub(line, 1, line.len);
    }
    put_harmless(a, line);
    buf_free(&shown);
}
