/* zeek.c: Zeek's own smtp.log, tab-separated.
 * In: records of stream smtp. Out: its header lines, a row a mail, its closing line. Owns: the line under construction.
 * Knowingly: fuids is always unset, as there is no files.log. Spec: Zeek's ASCII writer. */
#include <time.h>
#include "sink/output.h"

static const struct {
    const char *name, *type;
} columns[] = {
    {"ts", "time"},
    {"uid", "string"},
    {"id.orig_h", "addr"},
    {"id.orig_p", "port"},
    {"id.resp_h", "addr"},
    {"id.resp_p", "port"},
    {"trans_depth", "count"},
    {"helo", "string"},
    {"mailfrom", "string"},
    {"rcptto", "set[string]"},
    {"date", "string"},
    {"from", "string"},
    {"to", "set[string]"},
    {"cc", "set[string]"},
    {"reply_to", "string"},
    {"msg_id", "string"},
    {"in_reply_to", "string"},
    {"subject", "string"},
    {"x_originating_ip", "addr"},
    {"first_received", "string"},
    {"second_received", "string"},
    {"last_reply", "string"},
    {"path", "vector[addr]"},
    {"user_agent", "string"},
    {"tls", "bool"},
    {"fuids", "vector[string]"},
    {"is_webmail", "bool"},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void add_text(struct buf *out, struct slice s, bool in_set)
{
    if (!s.len) {
        buf_add_str(out, "(empty)");
        return;
    }
    if (slice_eq(s, slice_str("-"))) {
        buf_add_str(out, "\\x2d");
        return;
    }
    bool like_empty = slice_eq(s, slice_str("(empty)"));
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c < 32 || c == 127 || c == '\\' || (in_set && c == ',') || (like_empty && i == 0))
            c == '\\' ? buf_add_str(out, "\\\\") : buf_printf(out, "\\x%02x", c);
        else
            buf_add_byte(out, c);
    }
}

static void add_address(struct buf *out, const struct address *a)
{
    char text[ADDRESS_TEXT];
    size_t len = address_text(a, text);
    buf_add(out, (struct slice){(uint8_t *)text, len});
}

static void add_value(struct buf *out, const struct field *f, const void *value)
{
    switch (f->kind) {
    case FIELD_TIME: {
        const struct timespec *t = value;
        buf_printf(out, "%lld.%06ld", (long long)t->tv_sec, t->tv_nsec / 1000);
        break;
    }
    case FIELD_TEXT:
        add_text(out, *(const struct slice *)value, false);
        break;
    case FIELD_ADDRESS:
        add_address(out, value);
        break;
    case FIELD_PORT:
        buf_printf(out, "%u", *(const uint16_t *)value);
        break;
    case FIELD_COUNT:
        buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)value);
        break;
    case FIELD_BOOL:
        buf_add_byte(out, *(const bool *)value ? 'T' : 'F');
        break;
    case FIELD_TEXTS: {
        const struct text_list *list = value;
        for (size_t i = 0; i < list->len; i++) {
            if (i)
                buf_add_byte(out, ',');
            add_text(out, list->items[i], true);
        }
        break;
    }
    case FIELD_ADDRESSES: {
        const struct address_list *list = value;
        for (size_t i = 0; i < list->len; i++) {
            if (i)
                buf_add_byte(out, ',');
            add_address(out, &list->items[i]);
        }
        break;
    }
    case FIELD_DOUBLE:
    case FIELD_FILES:
    case FIELD_FLAGS:
        break;
    }
}

static const struct field *field_named(const char *name)
{
    for (size_t i = 0; i < stream_smtp.count; i++)
        if (strcmp(stream_smtp.fields[i].name, name) == 0)
            return &stream_smtp.fields[i];
    return NULL;
}

static int clock_line(struct sink *snk, const char *word, struct error *reterr)
{
    char text[64];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%Y-%m-%d-%H-%M-%S", &tm);
    buf_clear(&snk->line);
    buf_printf(&snk->line, "#%s\t%s\n", word, text);
    return output_write(snk, 0, buf_slice(&snk->line), reterr);
}

static int zeek_header(struct sink *snk, struct error *reterr)
{
    buf_clear(&snk->line);
    buf_add_str(&snk->line, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tsmtp\n");
    int err = output_write(snk, 0, buf_slice(&snk->line), reterr);
    if (!err)
        err = clock_line(snk, "open", reterr);
    buf_clear(&snk->line);
    for (int types = 0; types < 2; types++) {
        buf_add_str(&snk->line, types ? "#types" : "#fields");
        for (size_t i = 0; i < COLUMNS; i++) {
            buf_add_byte(&snk->line, '\t');
            buf_add_str(&snk->line, types ? columns[i].type : columns[i].name);
        }
        buf_add_byte(&snk->line, '\n');
    }
    return err ? err : output_write(snk, 0, buf_slice(&snk->line), reterr);
}

static int zeek_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    struct sink *snk = output_new(set);
    int err = output_open(snk, 0, "smtp", reterr);
    if (!err)
        err = zeek_header(snk, reterr);
    if (err)
        output_close(&snk, &(struct error){{0}});
    *ret = snk;
    return err;
}

static int zeek_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    struct buf *line = &snk->line;
    if (rec->stream != &stream_smtp)
        return 0;
    buf_clear(line);
    for (size_t i = 0; i < COLUMNS; i++) {
        const struct field *f = field_named(columns[i].name);
        if (i)
            buf_add_byte(line, '\t');
        if (!f || output_is_absent(f, output_value(rec, f)))
            buf_add_byte(line, '-');
        else
            add_value(line, f, output_value(rec, f));
    }
    buf_add_byte(line, '\n');
    return output_write(snk, 0, buf_slice(line), reterr);
}

static int zeek_close(struct sink **snk, struct error *reterr)
{
    int err = clock_line(*snk, "close", reterr);
    int closed = output_close(snk, reterr);
    return err ? err : closed;
}

const struct sink_ops sink_zeek = {"zeek", "Zeek's smtp.log", zeek_open, zeek_write, zeek_close};
