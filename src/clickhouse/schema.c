/* schema.c: how the tables are made.
 * In: the tables' columns. Out: SQL. Owns: nothing. Knowingly: kept to what ClickHouse 18.16 knows, but for
 * the modern form, which no test has run. A row is replaced by a later one of the same key, so what is sent
 * twice is there once, for who asks with FINAL. */
#include "clickhouse/schema.h"

#include "record/record.h"

/* Rows of the same key are one. It ends with the hash of the line, so that two are one only where all that
 * they tell is the same; what stands before it is what questions ask for, and the order of the records, so
 * that rows come sorted. */
static const char key[] = "day, id, record_hash";

/* Rows of 10 kB are fetched one by one: not 8192 of them for each. */
enum { GRANULE = 1024 };

/* A row must come to the same server whenever it is sent; a mail to its session's. */
static const char *shard_of(const struct stream *s)
{
    return s->index == STREAM_SMTP || s->index == STREAM_SESSION ? "cityHash64(uid)" : "record_hash";
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

void clickhouse_column(const struct chcolumn *c, struct line *out)
{
    if (c->kind == CHCOLUMN_ALIAS)
        line_printf(out, "`%s` %s ALIAS %s", c->name, c->alias_type, c->as);
    else
        line_printf(out, "`%s` %s", c->name, chtype_name(c->type));
}

static void add_modern(const struct stream *s, struct line *out)
{
    line_str(out, ",\n    `time` DateTime64(6, 'UTC') ALIAS fromUnixTimestamp64Micro(ts_us, 'UTC')");
    if (s->index == STREAM_SMTP)
        line_str(out, ",\n    INDEX by_msg_id msg_id TYPE bloom_filter GRANULARITY 4,\n"
                      "    INDEX by_mailfrom mailfrom TYPE bloom_filter GRANULARITY 4,\n"
                      "    INDEX by_rcptto rcptto TYPE bloom_filter GRANULARITY 4,\n"
                      "    INDEX by_sha256 files_sha256 TYPE bloom_filter GRANULARITY 4,\n"
                      "    INDEX by_url_host urls_host TYPE bloom_filter GRANULARITY 4,\n"
                      "    INDEX by_subject subject TYPE tokenbf_v1(8192, 3, 0) GRANULARITY 4");
    if (s->index == STREAM_SMTP || s->index == STREAM_SESSION)
        line_str(out, ",\n    INDEX by_uid uid TYPE bloom_filter GRANULARITY 4");
}

void clickhouse_create(const struct stream *s, const struct clickhouse_form *form, bool over,
                       struct line *out)
{
    const struct chtable *t = chtable_of(s->index);
    line_printf(out, "CREATE TABLE IF NOT EXISTS `%s%s` (\n", t->name,
                form->cluster && !over ? "_local" : "");
    for (size_t i = 0; i < t->count; i++) {
        line_str(out, i ? ",\n    " : "    ");
        clickhouse_column(&t->columns[i], out);
    }
    if (form->modern && !over)
        add_modern(s, out);
    if (over) {
        line_printf(out, "\n) ENGINE = Distributed(%s, %s, %s_local, %s)", form->cluster, form->database,
                    t->name, shard_of(s));
        return;
    }
    line_printf(out, "\n) ENGINE = ReplacingMergeTree() PARTITION BY toYYYYMMDD(day) ORDER BY (%s)", key);
    if (form->modern)
        line_str(out, "\nTTL day + INTERVAL 400 DAY");
    line_printf(out, "\nSETTINGS index_granularity = %d", GRANULE);
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
