/* json.c: a JSON object a line.
 * In: records. Out: lines, always valid JSON in valid UTF-8. Owns: the line under construction. Spec: RFC
 * 8259. */
#include "sink/json.h"

#include <math.h>
#include "record/absent.h"
#include "record/notice.h"
#include "sink/output.h"

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
        json_text(list->items[i], out);
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

/* Takes the room of the longest, of which what is behind the key is written over. */
static inline void add_key(struct line *out, const struct field *f)
{
    memcpy(line_room(out, FIELD_KEY), f->key.data, FIELD_KEY);
    out->len += f->key.len;
}

/* The name, where there is a value; `kind` is that of the field. */
static inline __attribute__((always_inline)) bool begin(struct line *out, const struct field *f,
                                                        enum field_kind kind, const void *value)
{
    if (value_is_absent(kind, value))
        return false;
    add_key(out, f);
    return true;
}

static void add_bool(struct line *out, bool v)
{
    line_str(out, v ? "true" : "false");
}

static void add_anomaly(struct line *out, enum anomaly which)
{
    line_byte(out, '"');
    line_str(out, anomaly_name(which));
    line_byte(out, '"');
}

static void add_fields(struct line *out, const struct field *fields, size_t count, const char *body);

/* False where it has no fields; then nothing was added. */
static bool add_members(struct line *out, const struct shape *of, const char *object)
{
    size_t at = out->len;
    add_fields(out, of->fields, of->count, object);
    if (out->len == at)
        return false;
    out->data[at] = '{'; /* in place of the first comma */
    line_byte(out, '}');
    return true;
}

/* An object without fields is left out, but only what is in it tells. */
static __attribute__((noinline)) void add_object(struct line *out, const struct field *f, const char *object)
{
    size_t at = out->len;
    add_key(out, f);
    if (!add_members(out, f->of, object))
        out->len = at;
}

static __attribute__((noinline)) void add_list(struct line *out, const struct shape *of,
                                               const struct object_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        line_byte(out, i ? ',' : '[');
        if (!add_members(out, of, (const char *)list->items + i * of->size))
            line_str(out, "{}");
    }
    line_byte(out, ']');
}

/* Each asks for its own kind's absence, so that the kind is branched on once. A part of the loop over fields,
 * as a call that only finds absence would cost more than it. */
static inline __attribute__((always_inline)) void add_field(struct line *out, const struct field *f,
                                                            const void *value)
{
    switch (f->kind) {
    case FIELD_TEXT:
        if (begin(out, f, FIELD_TEXT, value))
            json_text(*(const struct slice *)value, out);
        break;
    case FIELD_ADDRESS:
        if (begin(out, f, FIELD_ADDRESS, value))
            add_address(out, value);
        break;
    case FIELD_SOME_PORT:
        if (begin(out, f, FIELD_SOME_PORT, value))
            line_number(out, *(const uint16_t *)value);
        break;
    case FIELD_SOME:
        if (begin(out, f, FIELD_SOME, value))
            line_number(out, *(const uint64_t *)value);
        break;
    case FIELD_TRUE:
        if (begin(out, f, FIELD_TRUE, value))
            add_bool(out, true);
        break;
    case FIELD_MAYBE:
        if (begin(out, f, FIELD_MAYBE, value))
            add_bool(out, *(const enum maybe *)value == MAYBE_YES);
        break;
    case FIELD_SPAN:
        if (begin(out, f, FIELD_SPAN, value))
            add_number(out, ((const struct interval *)value)->seconds);
        break;
    case FIELD_TEXTS:
        if (begin(out, f, FIELD_TEXTS, value))
            add_texts(out, value);
        break;
    case FIELD_ADDRESSES:
        if (begin(out, f, FIELD_ADDRESSES, value))
            add_addresses(out, value);
        break;
    case FIELD_LIST:
        if (begin(out, f, FIELD_LIST, value))
            add_list(out, f->of, value);
        break;
    case FIELD_FLAGS:
        if (begin(out, f, FIELD_FLAGS, value))
            add_flags(out, value);
        break;
    case FIELD_OBJECT:
        add_object(out, f, value);
        break;
    case FIELD_APART:
        if (field_pointer(value))
            add_object(out, f, field_pointer(value));
        break;
    case FIELD_TIME:
        begin(out, f, FIELD_TIME, value);
        line_time(out, *(const struct timespec *)value);
        break;
    case FIELD_DOUBLE:
        begin(out, f, FIELD_DOUBLE, value);
        add_number(out, *(const double *)value);
        break;
    case FIELD_PORT:
        begin(out, f, FIELD_PORT, value);
        line_number(out, *(const uint16_t *)value);
        break;
    case FIELD_COUNT:
        begin(out, f, FIELD_COUNT, value);
        line_number(out, *(const uint64_t *)value);
        break;
    case FIELD_BOOL:
        begin(out, f, FIELD_BOOL, value);
        add_bool(out, *(const bool *)value);
        break;
    case FIELD_ANOMALY:
        begin(out, f, FIELD_ANOMALY, value);
        add_anomaly(out, *(const enum anomaly *)value);
        break;
    }
}

/* Behind others, so each with a comma before it. Most are texts, and many of these absent. */
static void add_fields(struct line *out, const struct field *fields, size_t count, const char *body)
{
    for (const struct field *f = fields; f < fields + count; f++) {
        const char *value = body + f->offset;
        if (f->kind != FIELD_TEXT) {
            add_field(out, f, value);
        } else if (!value_is_absent(FIELD_TEXT, value)) {
            add_key(out, f);
            json_text(*(const struct slice *)value, out);
        }
    }
}

static void add_pair(struct line *out, const struct entry_pair *p)
{
    line_byte(out, ',');
    json_text(p->name, out);
    line_byte(out, ':');
    switch (p->kind) {
    case ENTRY_TEXT:
        json_text(p->text, out);
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

void json_pairs(const struct entry *entry, struct line *out)
{
    for (size_t i = 0; i < entry->count; i++)
        add_pair(out, &entry->pairs[i]);
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
    if (entry)
        json_pairs(entry, out);
    line_str(out, "}\n");
}

void json_record(const struct record *rec, struct line *out)
{
    add_record(out, rec);
}

void json_field(const struct field *f, const void *value, struct line *out)
{
    add_field(out, f, value);
}

void json_value(const struct field *f, const void *value, struct line *out)
{
    size_t at = out->len;
    add_field(out, f, value);
    if (out->len == at)
        return;
    out->len -= f->key.len;
    memmove(out->data + at, out->data + at + f->key.len, out->len - at);
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
                                   output_reopen, output_counts,
                                   NULL};
