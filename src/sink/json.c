/* json.c: a JSON object a line.
 * In: records. Out: lines, always valid JSON in valid UTF-8. Owns: the line under construction. Spec: RFC
 * 8259. */
#include "sink/json.h"

#include <math.h>
#include "base/steers.h"
#include "record/notice.h"
#include "sink/output.h"

static void add_escaped(struct line *out, uint8_t c)
{
    static const char short_forms[] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (c == '"' || c == '\\') {
        line_byte(out, '\\');
        line_byte(out, c);
    } else if (c < sizeof short_forms && short_forms[c]) {
        line_byte(out, '\\');
        line_byte(out, (uint8_t)short_forms[c]);
    } else {
        line_printf(out, "\\u%04x", c);
    }
}

/* A character that is not plain ASCII; returns its length. What steers a terminal is escaped: whoever parses
 * the line gets it back. */
static size_t add_special(struct line *out, struct slice rest)
{
    uint8_t c = rest.data[0];
    if (c < 0x80) {
        add_escaped(out, c);
        return 1;
    }
    size_t n = line_utf8(rest);
    if (n && steers((struct slice){rest.data, n}))
        line_printf(out, "\\u%04x", line_code((struct slice){rest.data, n}));
    else if (n)
        line_add(out, (struct slice){rest.data, n});
    else
        line_str(out, "\xef\xbf\xbd");
    return n ? n : 1;
}

static void add_text(struct line *out, struct slice s)
{
    if (line_short(out, s, '"', '\\'))
        return;
    if (line_plain(s, '"', '\\') == s.len) {
        line_quoted(out, s);
        return;
    }
    line_byte(out, '"');
    while (s.len) {
        size_t n = line_plain(s, '"', '\\');
        line_add(out, (struct slice){s.data, n});
        s = slice_sub(s, n, s.len);
        if (s.len)
            s = slice_sub(s, add_special(out, s), s.len);
    }
    line_byte(out, '"');
}

static void add_address(struct line *out, const struct address *a)
{
    line_byte(out, '"');
    line_address(out, a);
    line_byte(out, '"');
}

static void add_texts(struct line *out, const struct text_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        line_byte(out, i ? ',' : '[');
        add_text(out, list->items[i]);
    }
    line_byte(out, ']');
}

static void add_addresses(struct line *out, const struct address_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        line_byte(out, i ? ',' : '[');
        add_address(out, &list->items[i]);
    }
    line_byte(out, ']');
}

static void add_flags(struct line *out, const struct flags *flags)
{
    bool first = true;
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (!*(const bool *)((const char *)flags + flag_table[i].offset))
            continue;
        line_str(out, first ? "{\"" : ",\"");
        line_str(out, flag_table[i].name);
        line_str(out, "\":true");
        first = false;
    }
    line_byte(out, '}');
}

static void add_number(struct line *out, double v)
{
    line_seconds(out, isfinite(v) ? v : 0.0);
}

static void add_object(struct line *out, const struct shape *of, const char *object);

static void add_list(struct line *out, const struct shape *of, const struct object_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        line_byte(out, i ? ',' : '[');
        add_object(out, of, (const char *)list->items + i * of->size);
    }
    line_byte(out, ']');
}

static void add_value(struct line *out, const struct field *f, const void *value)
{
    switch (f->kind) {
    case FIELD_TIME:
        line_time(out, *(const struct timespec *)value);
        break;
    case FIELD_SPAN:
        add_number(out, ((const struct interval *)value)->seconds);
        break;
    case FIELD_DOUBLE:
        add_number(out, *(const double *)value);
        break;
    case FIELD_TEXT:
        add_text(out, *(const struct slice *)value);
        break;
    case FIELD_ADDRESS:
        add_address(out, value);
        break;
    case FIELD_PORT:
    case FIELD_SOME_PORT:
        line_number(out, *(const uint16_t *)value);
        break;
    case FIELD_COUNT:
    case FIELD_SOME:
        line_number(out, *(const uint64_t *)value);
        break;
    case FIELD_BOOL:
    case FIELD_TRUE:
        line_str(out, *(const bool *)value ? "true" : "false");
        break;
    case FIELD_MAYBE:
        line_str(out, *(const enum maybe *)value == MAYBE_YES ? "true" : "false");
        break;
    case FIELD_TEXTS:
        add_texts(out, value);
        break;
    case FIELD_ADDRESSES:
        add_addresses(out, value);
        break;
    case FIELD_ANOMALY:
        line_byte(out, '"');
        line_str(out, anomaly_name(*(const enum anomaly *)value));
        line_byte(out, '"');
        break;
    case FIELD_OBJECT:
        add_object(out, f->of, value);
        break;
    case FIELD_APART:
        add_object(out, f->of, field_apart(value));
        break;
    case FIELD_LIST:
        add_list(out, f->of, value);
        break;
    case FIELD_FLAGS:
        add_flags(out, value);
        break;
    }
}

/* Behind others, so each with a comma before it; true where there were any. */
static void add_fields(struct line *out, const struct field *fields, size_t count, const char *body)
{
    for (size_t i = 0; i < count; i++) {
        const void *value = body + fields[i].offset;
        if (field_is_absent(&fields[i], value))
            continue;
        line_add(out, fields[i].key);
        add_value(out, &fields[i], value);
    }
}

static void add_object(struct line *out, const struct shape *of, const char *object)
{
    size_t at = out->len;
    add_fields(out, of->fields, of->count, object);
    if (out->len == at)
        line_byte(out, '{');
    out->data[at] = '{'; /* in place of the first comma */
    line_byte(out, '}');
}

static void add_pair(struct line *out, const struct entry_pair *p)
{
    line_byte(out, ',');
    add_text(out, p->name);
    line_byte(out, ':');
    switch (p->kind) {
    case ENTRY_TEXT:
        add_text(out, p->text);
        break;
    case ENTRY_INTEGER:
        line_printf(out, "%lld", (long long)p->integer);
        break;
    case ENTRY_NUMBER:
        line_printf(out, "%.15g", isfinite(p->number) ? p->number : 0.0);
        break;
    case ENTRY_BOOL:
        line_str(out, p->boolean ? "true" : "false");
        break;
    case ENTRY_TEXTS:
        line_str(out, p->texts.len ? "" : "[");
        add_texts(out, &p->texts);
        break;
    }
}

static int json_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    struct sink *snk = output_new(set, NULL);
    int err = 0;
    /* Files are not read for long enough to have stats. */
    size_t count = set->lasting ? STREAM_ENTRY : STREAM_STATS;
    for (size_t i = 0; i < count && !err; i++)
        err = output_open(snk, i, stream_table[i]->path, reterr);
    if (err)
        output_close(&snk, &(struct error){{0}});
    *ret = snk;
    return err;
}

static void add_record(struct line *out, const struct record *rec)
{
    const struct stream *stream = rec->stream;
    const struct entry *entry = stream == &stream_entry ? rec->body : NULL;
    line_str(out, "{\"_path\":\"");
    line_add(out, entry ? entry->stream : slice_str(stream->path));
    line_byte(out, '"');
    add_fields(out, stream->fields, stream->count, rec->body);
    for (size_t i = 0; entry && i < entry->count; i++)
        add_pair(out, &entry->pairs[i]);
    line_str(out, "}\n");
}

void json_line(const struct record *rec, struct buf *out)
{
    struct line line = {0};
    add_record(&line, rec);
    buf_add(out, line_slice(&line));
    line_free(&line);
}

static int json_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    line_clear(&snk->line);
    add_record(&snk->line, rec);
    struct slice line = line_slice(&snk->line);
    if (rec->stream == &stream_entry)
        return output_write_entry(snk, ((const struct entry *)rec->body)->stream, line, reterr);
    return output_write(snk, rec->stream->index, line, reterr);
}

const struct sink_ops sink_json = {"json",        "JSON lines, an object a record",
                                   json_open,     json_write,
                                   output_close,  output_tick,
                                   output_reopen, output_counts};
