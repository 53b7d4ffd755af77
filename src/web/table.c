/* table.c: rows in the format that was asked for.
 * In: cells, column by column. Out: JSON, CSV or NDJSON in an answer. Owns: nothing. Limits: TABLE_COLUMNS.
 * Knowingly: a text that a spreadsheet would take for a formula has a ' before it, so such a text is not what
 * the record has. Lists and objects stand in a cell as JSON. Spec: RFC 4180. */
#include "web/table.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include "web/json_read.h"
#include "web/redact.h"
#include "web/say.h"

static void put(struct table *t, const char *text)
{
    t->a->over |= !buf_add_str(&t->a->body, text);
}

/* Quoted where it must be. */
static void put_csv(struct table *t, struct slice text, bool guarded)
{
    static const char formula[] = "=+-@\t\r";
    struct buf *out = &t->a->body;
    bool guard = guarded && text.len && memchr(formula, text.data[0], sizeof formula - 1);
    bool quoted = guard;
    for (size_t i = 0; i < text.len && !quoted; i++)
        quoted = text.data[i] == ',' || text.data[i] == '"' || text.data[i] == '\r' || text.data[i] == '\n';
    if (quoted)
        buf_add_byte(out, '"');
    if (guard)
        buf_add_byte(out, '\'');
    while (text.len) {
        size_t n = slice_index(text, '"');
        buf_add(out, (struct slice){text.data, n});
        if (n < text.len)
            buf_add_str(out, "\"\"");
        text = slice_sub(text, n + 1, text.len);
    }
    if (quoted)
        buf_add_byte(out, '"');
    t->a->over |= out->len == out->max;
}

void table_open(struct table *t, struct answer *a, const struct request *r, const char *stream,
                const char *member, const char *const *columns, size_t count)
{
    assert(count <= TABLE_COLUMNS);
    *t = (struct table){.a = a,
                        .format = (enum format)request_number(r, PARAM_format, FORMAT_JSON),
                        .stream = stream,
                        .columns = columns,
                        .count = count};
    if (t->format == FORMAT_JSON) {
        say_object(a);
        say_key(a, member);
        say_list(a);
        return;
    }
    a->type = t->format == FORMAT_CSV ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson";
    for (size_t i = 0; i < count && t->format == FORMAT_CSV; i++) {
        put(t, i ? "," : "");
        put_csv(t, slice_str(columns[i]), true);
    }
    if (t->format == FORMAT_CSV)
        put(t, "\r\n");
}

static void end_row(struct table *t)
{
    if (!t->open)
        return;
    t->open = false;
    if (t->format == FORMAT_CSV) {
        for (; t->at < t->count; t->at++)
            put(t, t->at ? "," : "");
        put(t, "\r\n");
        return;
    }
    say_end(t->a);
    if (t->format == FORMAT_NDJSON)
        put(t, "\n");
}

bool table_row(struct table *t)
{
    end_row(t);
    if (!answer_flows(t->a))
        return false;
    t->at = 0;
    t->open = true;
    t->a->rows++;
    t->a->own_note = false;
    if (t->format != FORMAT_CSV)
        say_object(t->a);
    return true;
}

/* Before a cell; true: it is one of JSON. */
static bool next(struct table *t)
{
    assert(t->open && t->at < t->count);
    if (t->format != FORMAT_CSV) {
        say_key(t->a, t->columns[t->at++]);
        return true;
    }
    put(t, t->at++ ? "," : "");
    return false;
}

void table_absent(struct table *t)
{
    assert(t->open && t->at < t->count);
    if (t->format == FORMAT_CSV)
        next(t);
    else
        t->at++;
}

static struct slice name_of(const char *text)
{
    return slice_str(text ? text : "");
}

/* A text of the column that is next, as the asker may see it; `shown` is emptied by the caller. */
static struct slice shown_text(const struct table *t, struct slice text, struct buf *shown)
{
    if (!t->a->redacts)
        return text;
    redact_text(redact_field(name_of(t->stream), slice_str(t->columns[t->at])), text, shown);
    return buf_slice(shown);
}

void table_text(struct table *t, struct slice text)
{
    struct buf shown;
    if (!text.data) {
        table_absent(t);
        return;
    }
    assert(t->at < t->count);
    buf_init(&shown, ANSWER_BYTES);
    text = shown_text(t, text, &shown);
    if (next(t))
        say_text(t->a, text);
    else
        put_csv(t, text, true);
    buf_free(&shown);
}

static void put_number(struct table *t, const char *format, double v)
{
    char text[400];
    snprintf(text, sizeof text, format, v);
    put_csv(t, slice_str(text), false);
}

void table_count(struct table *t, uint64_t v)
{
    if (next(t))
        say_count(t->a, v);
    else
        t->a->over |= !buf_add_number(&t->a->body, v);
}

void table_number(struct table *t, double v)
{
    if (!isfinite(v))
        table_absent(t);
    else if (next(t))
        say_number(t->a, v);
    else
        put_number(t, "%.15g", v);
}

void table_seconds(struct table *t, double v)
{
    if (!isfinite(v))
        table_absent(t);
    else if (next(t))
        say_seconds(t->a, v);
    else
        put_number(t, "%.6f", v);
}

void table_id(struct table *t, uint64_t id)
{
    if (next(t))
        say_id(t->a, id);
    else
        t->a->over |= !buf_add_number(&t->a->body, id);
}

void table_flag(struct table *t, bool v)
{
    if (next(t))
        say_flag(t->a, v);
    else
        put(t, v ? "true" : "false");
}

/* A text stands as it is; numbers and words too; lists and objects as JSON. */
static void put_csv_raw(struct table *t, struct slice json)
{
    struct json_reader j = json_reader_of(json);
    struct buf text;
    buf_init(&text, ANSWER_BYTES);
    enum json_token kind = json_read(&j);
    if (kind == JSON_TEXT) {
        json_unescape(j.raw, &text);
        put_csv(t, buf_slice(&text), true);
    } else if (kind != JSON_NULL) {
        put_csv(t, json, false);
    }
    buf_free(&text);
}

void table_raw(struct table *t, struct slice json)
{
    struct buf shown;
    if (!json.data) {
        table_absent(t);
        return;
    }
    assert(t->at < t->count);
    const char *column = t->columns[t->at];
    if (next(t)) {
        say_raw(t->a, t->stream, column, json);
        return;
    }
    buf_init(&shown, ANSWER_BYTES);
    if (t->a->redacts) {
        say_redacted(t->a, t->stream, column, json, &shown);
        json = buf_slice(&shown);
    }
    put_csv_raw(t, slice_trim(json));
    buf_free(&shown);
}

bool table_record(struct table *t, uint64_t id, struct slice line)
{
    assert(t->format != FORMAT_CSV);
    end_row(t);
    if (!answer_flows(t->a))
        return false;
    t->a->rows++;
    say_record(t->a, t->stream, id, line);
    if (t->format == FORMAT_NDJSON)
        put(t, "\n");
    return true;
}

static void tell_end(struct table *t, const struct table_end *end)
{
    struct answer *a = t->a;
    if (end->pages) {
        say_key(a, "next");
        if (end->next)
            say_id(a, end->next);
        else
            say_null(a);
    }
    if (end->searches) {
        say_key(a, "complete");
        say_flag(a, end->complete);
        say_key(a, "searched_to");
        say_seconds(a, end->searched_to);
    }
}

void table_close(struct table *t, const struct table_end *end, bool more)
{
    struct answer *a = t->a;
    end_row(t);
    if (t->format == FORMAT_JSON) {
        say_end(a);
        tell_end(t, end);
        if (!more)
            say_end(a);
        return;
    }
    if (a->out)
        return;
    if (end->pages && end->next)
        answer_header(a, "X-Mailtap-Next", "%llu", (unsigned long long)end->next);
    if (end->searches) {
        answer_header(a, "X-Mailtap-Complete", "%s", end->complete ? "true" : "false");
        answer_header(a, "X-Mailtap-Searched-To", "%.6f", end->searched_to);
    }
}
