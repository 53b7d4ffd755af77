/* zeek.c: Zeek's own smtp.log, notice.log and software.log, tab-separated.
 * In: records of streams smtp, notice and software. Out: header lines, a row a record, closing lines. Owns:
 * the line under construction. Knowingly: fuids is always unset, as there is no files.log; notices and
 * software are written to a folder alone, as one output has room for one table. Spec: Zeek's ASCII writer. */
#include <assert.h>
#include <time.h>
#include "base/steers.h"
#include "record/notice.h"
#include "sink/output.h"
#include "sink/version.h"

struct column {
    const char *name, *type;
    const char *field; /* NULL: the field has the column's name */
};
static const struct column smtp_columns[] = {
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
static const struct column notice_columns[] = {
    {"ts", "time"},
    {"uid", "string"},
    {"id.orig_h", "addr"},
    {"id.orig_p", "port"},
    {"id.resp_h", "addr"},
    {"id.resp_p", "port"},
    {"fuid", "string"},
    {"file_mime_type", "string"},
    {"file_desc", "string"},
    {"proto", "enum"},
    {"note", "enum"},
    {"msg", "string"},
    {"sub", "string"},
    {"src", "addr"},
    {"dst", "addr"},
    {"p", "port", "id.resp_p"},
    {"n", "count", "folded"},
    {"peer_descr", "string"},
    {"actions", "set[enum]"},
    {"email_dest", "set[string]"},
    {"suppress_for", "interval"},
    {"remote_location.country_code", "string", "country"},
    {"remote_location.region", "string"},
    {"remote_location.city", "string"},
    {"remote_location.latitude", "double"},
    {"remote_location.longitude", "double"},
};

static const struct column software_columns[] = {
    {"ts", "time"},
    {"host", "addr"},
    {"host_p", "port"},
    {"software_type", "enum"},
    {"name", "string"},
    {"version.major", "count", "version"},
    {"version.minor", "count", "version"},
    {"version.minor2", "count", "version"},
    {"version.minor3", "count", "version"},
    {"version.addl", "string", "version"},
    {"unparsed_version", "string"},
};

struct table {
    const struct stream *stream;
    const struct column *columns;
    size_t count;
};
enum { TABLES = 3 };
static const struct table tables[TABLES] = {
    {&stream_smtp, smtp_columns, sizeof smtp_columns / sizeof *smtp_columns},
    {&stream_notice, notice_columns, sizeof notice_columns / sizeof *notice_columns},
    {&stream_software, software_columns, sizeof software_columns / sizeof *software_columns},
};

/* A text that reads like the sign for "unset" or "empty" has its first byte escaped. What steers a
 * terminal, which Zeek lets through, is escaped; whoever unescapes gets the same bytes. */
static void add_text(struct line *out, struct slice s, bool in_set)
{
    if (!s.len) {
        line_str(out, "(empty)");
        return;
    }
    if (slice_eq(s, slice_str("-")) || slice_eq(s, slice_str("(empty)"))) {
        line_hex(out, s.data[0]);
        s = slice_sub(s, 1, s.len);
    }
    while (s.len) {
        size_t n = line_plain(s, '\\', in_set ? ',' : '\\');
        line_add(out, (struct slice){s.data, n});
        s = slice_sub(s, n, s.len);
        if (!s.len)
            return;
        uint8_t c = s.data[0];
        n = c < 0x80 ? 0 : line_utf8(s);
        if (c == '\\') {
            line_str(out, "\\\\");
        } else if (!n) {
            line_hex(out, c);
        } else if (steers((struct slice){s.data, n})) {
            for (size_t i = 0; i < n; i++)
                line_hex(out, s.data[i]);
        } else {
            line_add(out, (struct slice){s.data, n});
        }
        s = slice_sub(s, n ? n : 1, s.len);
    }
}

static void add_texts(struct line *out, const struct text_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        if (output_is_repeat(list, i))
            continue;
        if (i)
            line_byte(out, ',');
        add_text(out, list->items[i], true);
    }
}

/* Zeek's names of the actions. */
static void add_actions(struct line *out, const struct text_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        line_str(out, i ? ",Notice::ACTION_" : "Notice::ACTION_");
        for (size_t k = 0; k < list->items[i].len; k++) {
            uint8_t c = list->items[i].data[k];
            line_byte(out, c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c);
        }
    }
}

static void add_addresses(struct line *out, const struct address_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        if (i)
            line_byte(out, ',');
        line_address(out, &list->items[i]);
    }
}

/* A text in a column of type addr: only an address fits there, in the form that Zeek gives it. */
static void add_address_text(struct line *out, struct slice text)
{
    struct address a;
    if (address_parse(text, &a))
        line_address(out, &a);
    else
        line_byte(out, '-');
}

static void add_value(struct line *out, const struct column *col, const struct field *f, const void *value)
{
    switch (f->kind) {
    case FIELD_TIME:
        line_time(out, *(const struct timespec *)value);
        break;
    case FIELD_TEXT:
        if (strcmp(col->type, "addr") == 0)
            add_address_text(out, *(const struct slice *)value);
        else
            add_text(out, *(const struct slice *)value, false);
        break;
    case FIELD_ADDRESS:
        line_address(out, value);
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
        line_byte(out, *(const bool *)value ? 'T' : 'F');
        break;
    case FIELD_TEXTS:
        if (strcmp(col->type, "set[enum]") == 0)
            add_actions(out, value);
        else
            add_texts(out, value);
        break;
    case FIELD_ADDRESSES:
        add_addresses(out, value);
        break;
    case FIELD_DOUBLE:
        line_printf(out, "%.6f", *(const double *)value);
        break;
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_APART:
    case FIELD_TRUE:
    case FIELD_MAYBE:
    case FIELD_SPAN:
    case FIELD_ANOMALY:
    case FIELD_FLAGS:
        break;
    }
}

/* Where each column stands in the table of fields; NULL for a column that mailtap has no field for. */
static void find_fields(const struct table *table, const struct field *fields[static OUTPUT_COLUMNS])
{
    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->columns[i].field ? table->columns[i].field : table->columns[i].name;
        fields[i] = NULL;
        for (size_t k = 0; k < table->stream->count; k++)
            if (strcmp(table->stream->fields[k].name, name) == 0)
                fields[i] = &table->stream->fields[k];
    }
}

static void clock_line(struct line *out, const char *word, time_t now)
{
    char text[64];
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%Y-%m-%d-%H-%M-%S", &tm);
    line_printf(out, "#%s\t%s\n", word, text);
}

static void zeek_head(size_t file, time_t now, struct line *out)
{
    const struct table *table = &tables[file];
    line_printf(out,
                "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t%s\n",
                table->stream->path);
    clock_line(out, "open", now);
    for (int types = 0; types < 2; types++) {
        line_str(out, types ? "#types" : "#fields");
        for (size_t i = 0; i < table->count; i++) {
            line_byte(out, '\t');
            line_str(out, types ? table->columns[i].type : table->columns[i].name);
        }
        line_byte(out, '\n');
    }
}

static void zeek_tail(size_t file, time_t now, struct line *out)
{
    (void)file;
    clock_line(out, "close", now);
}

static int zeek_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    static const struct frame frame = {zeek_head, zeek_tail, true};
    struct sink *snk = output_new(set, &frame);
    int err = 0;
    static_assert(sizeof smtp_columns / sizeof *smtp_columns <= OUTPUT_COLUMNS,
                  "struct sink has room for them");
    static_assert(sizeof notice_columns / sizeof *notice_columns <= OUTPUT_COLUMNS, "and for these");
    static_assert((int)TABLES <= (int)OUTPUT_TABLES, "and for as many tables");
    for (size_t i = 0; i < (set->directory ? TABLES : 1) && !err; i++) {
        find_fields(&tables[i], snk->columns[i]);
        err = output_open(snk, i, tables[i].stream->path, reterr);
    }
    if (err)
        output_close(&snk, &(struct error){{0}});
    *ret = snk;
    return err;
}

static void add_version_part(struct line *line, const char *column, struct slice version)
{
    static const char *const columns[VERSION_NUMBERS] = {"version.major", "version.minor", "version.minor2",
                                                         "version.minor3"};
    struct version_parts parts = version_split(version);
    for (size_t i = 0; i < parts.count; i++)
        if (strcmp(column, columns[i]) == 0) {
            line_number(line, parts.numbers[i]);
            return;
        }
    if (strcmp(column, "version.addl") == 0 && parts.more.len)
        add_text(line, parts.more, false);
    else
        line_byte(line, '-');
}

static void add_cell(struct line *line, const struct column *column, const struct field *f,
                     const struct record *rec)
{
    bool tcp = strcmp(column->name, "proto") == 0;
    if (tcp)
        line_str(line, ((const struct notice *)rec->body)->id.uid.len ? "tcp" : "-");
    else if (!f || field_is_absent(f, output_value(rec, f)))
        line_byte(line, '-');
    else if (strncmp(column->name, "version.", 8) == 0)
        add_version_part(line, column->name, *(const struct slice *)output_value(rec, f));
    else
        add_value(line, column, f, output_value(rec, f));
}

static int zeek_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    struct line *line = &snk->line;
    size_t file = 0;
    while (file < TABLES && tables[file].stream != rec->stream)
        file++;
    if (file == TABLES || !output_is_open(snk, file))
        return 1;
    line_clear(line);
    for (size_t i = 0; i < tables[file].count; i++) {
        if (i)
            line_byte(line, '\t');
        add_cell(line, &tables[file].columns[i], snk->columns[file][i], rec);
    }
    line_byte(line, '\n');
    return output_write(snk, file, line_slice(line), reterr);
}

const struct sink_ops sink_zeek = {
    "zeek",        "Zeek's smtp.log, and in a folder its notice.log and software.log",
    zeek_open,     zeek_write,
    output_close,  output_tick,
    output_reopen, output_counts,
    NULL};
