/* schema.c: the tables, out of the field tables.
 * In: those, taken.def. Out: SQL. Owns: nothing. Knowingly: kept to what ClickHouse 18.16 knows, but for
 * the modern form, which no test has run. A row is replaced by a later one of the same key, so what is sent
 * twice is there once, for who asks with FINAL. */
#include "clickhouse/schema.h"

#include <stdlib.h>
#include "record/record.h"

const struct taken taken_table[] = {
#define TAKEN(stream, column, kind, path, doc) {STREAM_##stream, #column, TAKEN_##kind, path},
#include "clickhouse/taken.def"
#undef TAKEN
    {0}};

/* Rows of the same key are one. Each ends with the hash of the line, so that two are one only where all that
 * they tell is the same; what stands before it is what questions ask for. */
static const char *const keys[STREAMS] = {
    [STREAM_SMTP] = "day, sensor, ts, ts_us, uid, trans_depth, record_hash",
    [STREAM_SESSION] = "day, sensor, ts, ts_us, uid, record_hash",
    [STREAM_NOTICE] = "day, sensor, note, ts, ts_us, record_hash",
    [STREAM_SOFTWARE] = "day, sensor, name, ts, ts_us, record_hash",
    [STREAM_STATS] = "day, sensor, worker, ts, ts_us, record_hash",
    [STREAM_ENTRY] = "day, sensor, path, ts, ts_us, record_hash",
};

/* A row must come to the same server whenever it is sent. */
static const char *shard_of(const struct stream *s)
{
    switch (s->index) {
    case STREAM_SMTP:
    case STREAM_SESSION:
        return "cityHash64(sensor, uid)";
    case STREAM_NOTICE:
    case STREAM_SOFTWARE:
    case STREAM_STATS:
    case STREAM_ENTRY:
    case STREAMS:
        break;
    }
    return "record_hash";
}

const char *clickhouse_table(const struct stream *s)
{
    return s->index == STREAM_ENTRY ? "entry" : s->path;
}

bool clickhouse_name_fits(struct slice name)
{
    if (!name.len || name.len > 64 || byte_is_digit(name.data[0]))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = byte_lower(name.data[i]);
        if (!(c >= 'a' && c <= 'z') && !byte_is_digit(c) && c != '_')
            return false;
    }
    return true;
}

void clickhouse_column(const char *field, char ret[static FIELD_KEY + 1])
{
    size_t i = 0;
    for (; field[i] && i < FIELD_KEY; i++)
        ret[i] = field[i];
    ret[i] = '\0';
    for (; i-- > 0;)
        if (ret[i] == '.')
            ret[i] = '_';
}

static const char *type_of(const struct field *f, bool modern)
{
    switch (f->kind) {
    case FIELD_TIME:
        return "DateTime('UTC')";
    case FIELD_DOUBLE:
    case FIELD_SPAN:
        return "Float64";
    case FIELD_ADDRESS:
        return modern ? "IPv6" : "String";
    case FIELD_TEXT:
    case FIELD_ANOMALY:
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_APART:
        return "String";
    case FIELD_PORT:
    case FIELD_SOME_PORT:
        return "UInt16";
    case FIELD_COUNT:
    case FIELD_SOME:
        return "UInt64";
    case FIELD_BOOL:
    case FIELD_TRUE:
        return "UInt8";
    case FIELD_MAYBE:
        return "Nullable(UInt8)";
    case FIELD_TEXTS:
    case FIELD_ADDRESSES:
    case FIELD_FLAGS:
        return "Array(String)";
    }
    abort();
}

/* Of texts with few values. */
static bool repeats(const char *name)
{
    static const char *const known[] = {"sensor",         "disposition",   "end",
                                        "tls_start",      "note",          "country",
                                        "list",           "kind",          "dialect",
                                        "enhanced",       "worker",        "retired",
                                        "auto_submitted", "software_type", "origin_country",
                                        "tls_version",    "server_name",   "path"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return false;
}

static const char *taken_type(const struct taken *t, bool modern)
{
    if (t->kind == TAKEN_NUMBER)
        return "UInt32";
    if (t->kind == TAKEN_TEXTS || t->kind == TAKEN_DOMAINS)
        return "Array(String)";
    return modern && repeats(t->column) ? "LowCardinality(String)" : "String";
}

void clickhouse_columns(const struct stream *s, bool modern,
                        void (*each)(void *ctx, const char *name, const char *type), void *ctx)
{
    char name[FIELD_KEY + 1];
    each(ctx, "day", "Date");
    for (size_t i = 0; i < s->count; i++) {
        const struct field *f = &s->fields[i];
        clickhouse_column(f->name, name);
        each(ctx, name,
             modern && f->kind == FIELD_TEXT && repeats(name) ? "LowCardinality(String)"
                                                              : type_of(f, modern));
        if (f->kind == FIELD_TIME)
            each(ctx, "ts_us", "UInt32");
    }
    if (s->index == STREAM_ENTRY) {
        each(ctx, "sensor", modern ? "LowCardinality(String)" : "String");
        each(ctx, "path", modern ? "LowCardinality(String)" : "String");
        each(ctx, "record", "String");
    }
    for (const struct taken *t = taken_table; t->column; t++)
        if (t->stream == s->index)
            each(ctx, t->column, taken_type(t, modern));
    each(ctx, "record_hash", "UInt64");
}

struct columns_text {
    struct line *out;
    const char *between;
};

static void add_column(void *ctx, const char *name, const char *type)
{
    struct columns_text *text = ctx;
    line_printf(text->out, "%s    `%s` %s", text->between, name, type);
    text->between = ",\n";
}

static void add_modern(const struct stream *s, struct line *out)
{
    line_str(out,
             ",\n    `time` DateTime64(6, 'UTC') ALIAS addMicroseconds(toDateTime64(ts, 6, 'UTC'), ts_us)");
    if (s->index == STREAM_SMTP)
        line_str(out, ",\n    INDEX by_msg_id msg_id TYPE bloom_filter GRANULARITY 4,\n"
                      "    INDEX by_mailfrom mailfrom TYPE bloom_filter GRANULARITY 4,\n"
                      "    INDEX by_rcptto rcptto TYPE bloom_filter GRANULARITY 4,\n"
                      "    INDEX by_sha256s sha256s TYPE bloom_filter GRANULARITY 4,\n"
                      "    INDEX by_url_hosts url_hosts TYPE bloom_filter GRANULARITY 4,\n"
                      "    INDEX by_subject subject TYPE tokenbf_v1(8192, 3, 0) GRANULARITY 4");
    if (s->index == STREAM_SMTP || s->index == STREAM_SESSION)
        line_str(out, ",\n    INDEX by_uid uid TYPE bloom_filter GRANULARITY 4");
}

void clickhouse_create(const struct stream *s, const struct clickhouse_form *form, bool over,
                       struct line *out)
{
    struct columns_text text = {out, ""};
    const char *name = clickhouse_table(s);
    line_printf(out, "CREATE TABLE IF NOT EXISTS `%s%s` (\n", name, form->cluster && !over ? "_local" : "");
    clickhouse_columns(s, form->modern, add_column, &text);
    if (form->modern && !over)
        add_modern(s, out);
    if (over) {
        line_printf(out, "\n) ENGINE = Distributed(%s, %s, %s_local, %s)", form->cluster, form->database,
                    name, shard_of(s));
        return;
    }
    line_printf(out, "\n) ENGINE = ReplacingMergeTree() PARTITION BY toYYYYMMDD(day) ORDER BY (%s)",
                keys[s->index]);
    if (form->modern)
        line_str(out, "\nTTL day + INTERVAL 400 DAY");
}

void clickhouse_print(FILE *out, const struct clickhouse_form *form)
{
    struct line line = {0};
    fprintf(out, "-- Tables of mailtap %s. Made by: mailtap schema --clickhouse%s%s%s\n",
            form->modern ? "for current servers (NOT TESTED)" : "for ClickHouse 18.16 and later",
            form->cluster ? " --cluster " : "", form->cluster ? form->cluster : "",
            form->modern ? " --modern" : "");
    fputs("-- Ask with FINAL: what was sent twice is there twice until ClickHouse merges it.\n", out);
    if (form->cluster)
        fprintf(out, "-- To be run on every server of the cluster, in its database %s.\n", form->database);
    for (size_t i = 0; i < STREAMS; i++)
        for (int over = 0; over <= (form->cluster != NULL); over++) {
            line_clear(&line);
            clickhouse_create(stream_table[i], form, over, &line);
            fprintf(out, "\n%.*s;\n", (int)line.len, (const char *)line.data);
        }
    line_free(&line);
}
