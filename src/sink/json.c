/* json.c: a JSON object a line.
 * In: records. Out: lines, always valid JSON in valid UTF-8. Owns: the line under construction. Spec: RFC 8259. */
#include "sink/json.h"

#include "sink/output.h"

static void add_escaped(struct buf *out, uint8_t c)
{
    static const char short_forms[] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (c == '"' || c == '\\') {
        buf_add_byte(out, '\\');
        buf_add_byte(out, c);
    } else if (c < sizeof short_forms && short_forms[c]) {
        buf_add_byte(out, '\\');
        buf_add_byte(out, (uint8_t)short_forms[c]);
    } else {
        buf_printf(out, "\\u%04x", c);
    }
}

static void add_text(struct buf *out, struct slice s)
{
    size_t plain = 0, i = 0;
    buf_add_byte(out, '"');
    while (i < s.len) {
        uint8_t c = s.data[i];
        size_t n = c < 0x80 ? 1 : output_utf8(slice_sub(s, i, s.len));
        if (n && c >= 32 && c != '"' && c != '\\') {
            i += n;
            continue;
        }
        buf_add(out, slice_sub(s, plain, i));
        if (n)
            add_escaped(out, c);
        else
            buf_add_str(out, "\xef\xbf\xbd");
        plain = ++i;
    }
    buf_add(out, slice_sub(s, plain, i));
    buf_add_byte(out, '"');
}

static void add_address(struct buf *out, const struct address *a)
{
    char text[ADDRESS_TEXT];
    size_t len = address_text(a, text);
    buf_add_byte(out, '"');
    buf_add(out, (struct slice){(uint8_t *)text, len});
    buf_add_byte(out, '"');
}

static void add_number(struct buf *out, uint64_t v)
{
    uint8_t digits[20];
    size_t i = sizeof digits;
    do {
        digits[--i] = (uint8_t)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_add(out, (struct slice){digits + i, sizeof digits - i});
}

static void add_texts(struct buf *out, const struct text_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        buf_add_byte(out, i ? ',' : '[');
        add_text(out, list->items[i]);
    }
    buf_add_byte(out, ']');
}

static void add_addresses(struct buf *out, const struct address_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        buf_add_byte(out, i ? ',' : '[');
        add_address(out, &list->items[i]);
    }
    buf_add_byte(out, ']');
}

static void add_files(struct buf *out, const struct file_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        buf_add_str(out, i ? ",{\"name\":" : "[{\"name\":");
        add_text(out, list->items[i].name);
        buf_add_str(out, ",\"type\":");
        add_text(out, list->items[i].type);
        buf_add_str(out, ",\"size\":");
        add_number(out, list->items[i].size);
        buf_add_byte(out, '}');
    }
    buf_add_byte(out, ']');
}

static void add_flags(struct buf *out, const struct flags *flags)
{
    bool first = true;
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (!*(const bool *)((const char *)flags + flag_table[i].offset))
            continue;
        buf_add_str(out, first ? "{\"" : ",\"");
        buf_add_str(out, flag_table[i].name);
        buf_add_str(out, "\":true");
        first = false;
    }
    buf_add_byte(out, '}');
}

static void add_value(struct buf *out, const struct field *f, const void *value)
{
    switch (f->kind) {
    case FIELD_TIME: {
        const struct timespec *t = value;
        buf_printf(out, "%lld.%06ld", (long long)t->tv_sec, t->tv_nsec / 1000);
        break;
    }
    case FIELD_DOUBLE:
        buf_printf(out, "%.6f", *(const double *)value);
        break;
    case FIELD_TEXT:
        add_text(out, *(const struct slice *)value);
        break;
    case FIELD_ADDRESS:
        add_address(out, value);
        break;
    case FIELD_PORT:
        add_number(out, *(const uint16_t *)value);
        break;
    case FIELD_COUNT:
        add_number(out, *(const uint64_t *)value);
        break;
    case FIELD_BOOL:
        buf_add_str(out, *(const bool *)value ? "true" : "false");
        break;
    case FIELD_TEXTS:
        add_texts(out, value);
        break;
    case FIELD_ADDRESSES:
        add_addresses(out, value);
        break;
    case FIELD_FILES:
        add_files(out, value);
        break;
    case FIELD_FLAGS:
        add_flags(out, value);
        break;
    }
}

static int json_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    struct sink *snk = output_new(set);
    int err = output_open(snk, 0, stream_smtp.path, reterr);
    if (!err)
        err = output_open(snk, 1, stream_session.path, reterr);
    if (err)
        output_close(&snk, &(struct error){{0}});
    *ret = snk;
    return err;
}

void json_line(const struct record *rec, struct buf *out)
{
    buf_add_str(out, "{\"_path\":\"");
    buf_add_str(out, rec->stream->path);
    buf_add_byte(out, '"');
    for (size_t i = 0; i < rec->stream->count; i++) {
        const struct field *f = &rec->stream->fields[i];
        const void *value = output_value(rec, f);
        if (output_is_absent(f, value))
            continue;
        buf_add_str(out, ",\"");
        buf_add_str(out, f->name);
        buf_add_str(out, "\":");
        add_value(out, f, value);
    }
    buf_add_str(out, "}\n");
}

static int json_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    buf_clear(&snk->line);
    json_line(rec, &snk->line);
    return output_write(snk, rec->stream == &stream_smtp ? 0 : 1, buf_slice(&snk->line), reterr);
}

const struct sink_ops sink_json = {"json", "JSON lines, an object a record", json_open, json_write, output_close};
