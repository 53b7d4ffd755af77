/* Lines of the outbox as rows of ClickHouse: blocks that give each line back, or it is refused as a whole,
 * whatever it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <stdlib.h>
#include <cmocka.h>
#include "clickhouse/rows.h"
#include "clickhouse/scan.h"
#include "clickhouse/schema.h"
#include "sink/json.h"
#include "view/kind.h"
#include "view/row.h"

/* From memory of its own size, so that a byte too far is seen. */
static int add(struct clickrows *r, const void *data, size_t len)
{
    struct error err = {{0}};
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    int got = clickrows_add(r, (struct slice){copy, len}, &err);
    free(copy);
    assert_int_equal(got < 0, *err.text != '\0');
    return got;
}

/* A block as somebody else reads it. */
enum { COLUMNS = CHTABLE_MOST, ITEMS = 4096 };
struct seen_column {
    char name[CHCOLUMN_NAME], type[32];
    bool list;
    size_t ends[64];           /* of items, by row */
    struct slice texts[ITEMS]; /* items; of numbers their bytes */
};
struct seen {
    uint8_t *bytes;
    size_t count, rows;
    struct seen_column columns[COLUMNS];
};

static uint64_t count_at(struct slice *s)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert_true(s->len && shift < 64);
        uint8_t c = s->data[0];
        *s = slice_sub(*s, 1, s->len);
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return v;
    }
}

static struct slice bytes_at(struct slice *s, size_t len)
{
    assert_true(len <= s->len);
    struct slice got = slice_sub(*s, 0, len);
    *s = slice_sub(*s, len, s->len);
    return got;
}

static void name_at(struct slice *s, char *to, size_t room)
{
    struct slice got = bytes_at(s, count_at(s));
    assert_true(got.len < room);
    memcpy(to, got.data, got.len);
    to[got.len] = '\0';
}

static size_t size_of(const char *type)
{
    static const struct {
        const char *type;
        size_t size;
    } sizes[] = {{"Date", 2},   {"DateTime('UTC')", 4}, {"Int64", 8},   {"UInt8", 1},
                 {"UInt16", 2}, {"UInt64", 8},          {"Float64", 8}, {"String", 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (strcmp(type, sizes[i].type) == 0)
            return sizes[i].size;
    fail_msg("type %s", type);
    return 0;
}

static void column_at(struct slice *s, size_t rows, struct seen_column *c)
{
    char inner[32];
    name_at(s, c->name, sizeof c->name);
    name_at(s, c->type, sizeof c->type);
    c->list = strncmp(c->type, "Array(", 6) == 0;
    snprintf(inner, sizeof inner, "%.*s", (int)strlen(c->type) - 7 * c->list, c->type + 6 * c->list);
    size_t size = size_of(inner), items = rows;
    for (size_t i = 0; i < rows; i++) {
        uint64_t end = i + 1;
        if (c->list)
            memcpy(&end, bytes_at(s, 8).data, 8);
        assert_true(end >= (i ? c->ends[i - 1] : 0) && end < ITEMS);
        c->ends[i] = end;
        items = end;
    }
    for (size_t i = 0; i < items; i++)
        c->texts[i] = bytes_at(s, size ? size : count_at(s));
}

static struct seen *see(struct clickrows *r, enum stream_index stream, const bool *wanted)
{
    struct line block = {0};
    struct seen *seen = calloc(1, sizeof *seen);
    clickrows_block(r, stream, wanted, &block);
    seen->bytes = malloc(block.len);
    memcpy(seen->bytes, block.data, block.len);
    struct slice s = {seen->bytes, block.len};
    line_free(&block);
    seen->count = count_at(&s);
    seen->rows = count_at(&s);
    assert_true(seen->count <= COLUMNS && seen->rows <= 64);
    for (size_t i = 0; i < seen->count; i++)
        column_at(&s, seen->rows, &seen->columns[i]);
    assert_int_equal(s.len, 0);
    return seen;
}

static void unsee(struct seen *seen)
{
    free(seen->bytes);
    free(seen);
}

/* Items of a column in a row; *from to the end. */
static const struct seen_column *cell(const struct seen *seen, const char *name, size_t row, size_t *from,
                                      size_t *to)
{
    for (size_t i = 0; i < seen->count; i++) {
        const struct seen_column *c = &seen->columns[i];
        if (strcmp(c->name, name) != 0)
            continue;
        *from = c->list && row ? c->ends[row - 1] : c->list ? 0 : row;
        *to = c->ends[row];
        return c;
    }
    *from = *to = 0;
    return NULL;
}

static bool empties_have(const struct seen *seen, size_t row, const char *name)
{
    size_t from, to;
    const struct seen_column *c = cell(seen, "empties", row, &from, &to);
    for (; c && from < to; from++)
        if (slice_eq(c->texts[from], slice_str(name)))
            return true;
    return false;
}

static uint64_t number(struct slice bytes)
{
    uint64_t v = 0;
    assert_true(bytes.len <= sizeof v);
    memcpy(&v, bytes.data, bytes.len);
    return v;
}

/* "a|b": texts as they are, numbers decimal. */
static void assert_cell(const struct seen *seen, size_t row, const char *name, const char *wanted)
{
    size_t from, to;
    struct line out = {0};
    const struct seen_column *c = cell(seen, name, row, &from, &to);
    for (size_t i = from; c && i < to; i++) {
        double real;
        line_str(&out, i > from ? "|" : "");
        if (strstr(c->type, "String"))
            line_add(&out, c->texts[i]);
        else if (strstr(c->type, "Float")) {
            memcpy(&real, c->texts[i].data, sizeof real);
            line_printf(&out, "%g", real);
        } else
            line_printf(&out, "%lld", (long long)number(c->texts[i]));
    }
    if (!slice_eq(line_slice(&out), slice_str(wanted)))
        fail_msg("%s: %.*s, not %s", name, (int)out.len, (const char *)out.data, wanted);
    line_free(&out);
}

static void add_list(const struct seen_column *c, size_t from, size_t to, bool flags, struct line *out)
{
    line_byte(out, flags ? '{' : '[');
    for (size_t i = from; c && i < to; i++) {
        line_str(out, i > from ? "," : "");
        json_text(c->texts[i], out);
        line_str(out, flags ? ":true" : "");
    }
    line_byte(out, flags ? '}' : ']');
}

static void add_value(const struct column *column, const struct seen *seen, size_t row, const char *name,
                      struct line *out)
{
    size_t from, to;
    enum field_kind kind = column->field->kind;
    struct reader_value v = {.kind = READER_TEXT};
    if (kind == FIELD_TIME)
        name = "ts_us";
    const struct seen_column *c = cell(seen, name, row, &from, &to);
    if (kind == FIELD_TEXTS || kind == FIELD_ADDRESSES || kind == FIELD_FLAGS) {
        add_list(c, from, to, kind == FIELD_FLAGS, out);
        return;
    }
    v.text = c ? c->texts[from] : (struct slice){0};
    if (column->type == COLUMN_INTEGER)
        v = (struct reader_value){READER_INTEGER, c ? (int64_t)number(v.text) : 0, 0, {0}};
    if (column->type == COLUMN_REAL) {
        double real = 0;
        if (c)
            memcpy(&real, v.text.data, sizeof real);
        v = (struct reader_value){READER_REAL, 0, real, {0}};
    }
    row_value_json(column, &v, out);
}

/* Is it there, by the rules of docs/clickhouse.md? */
static bool is_there(enum field_kind kind, const struct seen *seen, size_t row, const char *name)
{
    char missing[CHCOLUMN_NAME + 1];
    size_t from, to;
    snprintf(missing, sizeof missing, "-%s", name);
    if (empties_have(seen, row, missing))
        return false;
    if (kind == FIELD_TIME || kind == FIELD_DOUBLE || kind == FIELD_PORT || kind == FIELD_COUNT ||
        kind == FIELD_BOOL || empties_have(seen, row, name))
        return true;
    const struct seen_column *c = cell(seen, name, row, &from, &to);
    if (!c || c->list || strcmp(c->type, "String") == 0)
        return c && (c->list ? to > from : c->texts[from].len);
    return number(c->texts[from]) != 0;
}

/* The line of a row, out of nothing but its columns. */
static void line_of(const struct seen *seen, enum stream_index stream, size_t row, struct line *out)
{
    static struct columns columns;
    columns_of(stream_table[stream], &columns);
    line_printf(out, "{\"_path\":\"%s\"", stream_table[stream]->path);
    for (size_t i = 0; i < columns.count; i++) {
        const struct column *c = &columns.items[i];
        if (!is_there(c->field->kind, seen, row, c->name))
            continue;
        line_add(out, c->field->key);
        add_value(c, seen, row, c->name, out);
    }
    line_str(out, "}");
}

static void assert_gives_back(struct clickrows *r, enum stream_index stream, const char *const *lines,
                              size_t count)
{
    struct seen *seen = see(r, stream, NULL);
    struct line out = {0};
    assert_int_equal(seen->rows, count);
    for (size_t i = 0; i < count; i++) {
        out.len = 0;
        line_of(seen, stream, i, &out);
        if (!slice_eq(line_slice(&out), slice_str(lines[i])))
            fail_msg("%.*s\nnot %s", (int)out.len, (const char *)out.data, lines[i]);
    }
    line_free(&out);
    unsee(seen);
}

static const char mail[] =
    "{\"_path\":\"smtp\",\"ts\":1257170000.012345,\"uid\":\"C1\",\"id.orig_h\":\"2001:db8::1\",\"id.orig_p\":"
    "40000,\"id.resp_h\":\"192.0.2.25\",\"id.resp_p\":25,\"trans_depth\":2,\"helo\":\"Client.example\","
    "\"mailfrom\":\"A@b@Example.ORG\",\"rcptto\":[\"x@A.example\",\"postmaster\",\"\\\"q@\\\"@B\"],"
    "\"subject\":\"a \\\"b\\\" \\\\ \\u202e \\u0000 \xf0\x9f\x93\xa7\",\"disposition\":\"rejected\","
    "\"reply\":{\"code\":550,\"text\":\"5.7.1 \\\"no\\\"\",\"stage\":\"rcpt\"},"
    "\"seconds\":{\"envelope\":0.5},\"tls\":false,\"is_webmail\":false,\"agent\":{\"name\":"
    "\"Mail\\u0041gent\"},"
    "\"files\":[{\"name\":\"a.zip\",\"sha256\":\"ab\",\"members\":[{\"name\":\"in\"},{\"size\":5}],"
    "\"encrypted\":true},"
    "{\"size\":7},{\"name\":\"b\"}],"
    "\"urls\":[{\"url\":\"http://h/\",\"host\":\"h\"}],"
    "\"hops\":[{\"from_helo\":\"h1\",\"from_rdns\":\"R1\",\"by\":\"B1\",\"delay\":-1.000000},{\"from_ip\":"
    "\"192.0.2.7\","
    "\"by\":\"b2\",\"delay\":2.500000},{\"from_ip\":\"192.0.2.8\"}],"
    "\"flags\":{\"gap\":true,\"truncated\":true}}";

static const char *const mails[] = {
    mail,
    "{\"_path\":\"smtp\",\"ts\":0.000001,\"uid\":\"\",\"id.orig_h\":\"192.0.2.1\",\"id.orig_p\":0,\"id.resp_"
    "h\":\"192.0.2.2\","
    "\"id.resp_p\":0,\"trans_depth\":0,\"mailfrom\":\"\",\"rcptto\":[\"\",\"a\",\"\"],\"reply\":{\"code\":0,"
    "\"enhanced\":\"\"},"
    "\"message_bytes\":0,\"path\":[\"192.0.2.2\",\"\"],\"tls\":true,\"is_webmail\":true,\"files\":[],"
    "\"flags\":{}}",
    "{\"_path\":\"smtp\",\"uid\":\"of another, that lacks much\",\"tags\":[],\"sensor\":\"\"}",
    "{\"_path\":\"smtp\",\"ts\":-3.500000,\"id.orig_p\":1,\"id.resp_p\":1,\"trans_depth\":"
    "18446744073709551615,\"tls\":true,"
    "\"is_webmail\":false}",
};
enum { MAILS = sizeof mails / sizeof *mails };

/* A line with what the outbox adds to it. */
static void add_written(struct clickrows *r, const char *line, const char *when)
{
    char text[4096];
    size_t at = slice_index(slice_sub(slice_str(line), 10, 100), '"') + 11;
    int len = snprintf(text, sizeof text, "%.*s,\"_write_ts\":%s%s", (int)at, line, when, line + at);
    assert_int_equal(add(r, text, (size_t)len), 0);
}

static void whole(void **state)
{
    (void)state;
    struct clickrows *r = clickrows_new();
    for (size_t i = 0; i < MAILS; i++) {
        /* What is refused between them leaves nothing. */
        assert_true(add(r, mail, sizeof mail - 5) < 0);
        add_written(r, mails[i], "1257170001.500000");
    }
    assert_gives_back(r, STREAM_SMTP, mails, MAILS);
    clickrows_clear(r);
    assert_int_equal(clickrows_count(r, STREAM_SMTP), 0);
    assert_int_equal(add(r, mails[1], strlen(mails[1])), 0);
    assert_gives_back(r, STREAM_SMTP, mails + 1, 1);
    clickrows_free(r);
}

static void others(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "{\"_path\":\"stats\",\"ts\":5.500000,\"worker\":\"1\",\"sensor\":\"x\",\"packets\":"
        "18446744073709551615}",
        "{\"_path\":\"smtp_session\",\"ts\":1.000000,\"uid\":\"u\",\"id.orig_p\":1,\"id.resp_p\":2,"
        "\"duration\":0.000000,\"tls\":false,"
        "\"ssl\":{\"version\":\"TLSv13\",\"established\":false},\"logins\":[{\"user\":5},{\"user\":\"u\"}],"
        "\"mails\":0,\"anomalies\":[]}",
        "{\"_path\":\"notice\",\"ts\":1.000000,\"id.orig_p\":5,\"note\":\"N\",\"asn\":0,\"actions\":[\"log\","
        "\"email\"],\"suppress_for\":3600.125000}",
        "{\"_path\":\"software\",\"ts\":1.000000,\"host\":\"192.0.2.1\",\"host_p\":0,\"name\":\"\"}"};
    static const enum stream_index streams[] = {STREAM_STATS, STREAM_SESSION, STREAM_NOTICE, STREAM_SOFTWARE};
    struct clickrows *r = clickrows_new();
    for (size_t i = 0; i < 4; i++) {
        add_written(r, lines[i], "7.0");
        assert_gives_back(r, streams[i], &lines[i], 1);
    }
    struct seen *seen = see(r, STREAM_SESSION, NULL);
    assert_cell(seen, 0, "logins_user", "u");
    assert_cell(seen, 0, "ssl_version", "TLSv13");
    unsee(seen);
    clickrows_free(r);
}

static void entries(void **state)
{
    (void)state;
    struct clickrows *r = clickrows_new();
    add_written(r,
                "{\"_path\":\"mine\",\"ts\":5.000001,\"ts\":\"own\",\"_write_ts\":8,\"sensor\":\"o\\\"n\"}",
                "6.000000");
    const char *bare = " { \"_path\" : \"mine\" ,\t\"ts\" : 5.0 , \"sensor\" : 5 } ";
    assert_int_equal(add(r, bare, strlen(bare)), 0);
    struct seen *seen = see(r, STREAM_ENTRY, NULL);
    assert_cell(seen, 0, "path", "mine");
    assert_cell(seen, 0, "sensor", "o\"n");
    assert_cell(seen, 0, "ts_us", "5000001");
    assert_cell(seen, 0, "record",
                "{\"_path\":\"mine\",\"ts\":5.000001,\"ts\":\"own\",\"_write_ts\":8,\"sensor\":\"o\\\"n\"}");
    assert_cell(seen, 1, "sensor", "");
    assert_cell(seen, 1, "record", " { \"_path\" : \"mine\" , \"ts\" : 5.0 , \"sensor\" : 5 } ");
    unsee(seen);
    clickrows_free(r);
}

/* What lies inside, and what is computed. */
static void columns(void **state)
{
    (void)state;
    struct clickrows *r = clickrows_new();
    for (size_t i = 0; i < MAILS; i++)
        add_written(r, mails[i], "1257170001.500000");
    struct seen *seen = see(r, STREAM_SMTP, NULL);
    static const struct {
        size_t row;
        const char *column, *value;
    } wanted[] = {{0, "day", "14550"},
                  {0, "ts", "1257170000"},
                  {0, "ts_us", "1257170000012345"},
                  {0, "sender_key", "example.org"},
                  {0, "recipient_keys", "a.example|postmaster@|b"},
                  {0, "reason_key", "550 rcpt"},
                  {0, "agent_key", "mailagent"},
                  {0, "agent_name", "MailAgent"},
                  {0, "relays", "r1\tb1|192.0.2.7\tb2|b1\t192.0.2.25"},
                  {0, "relay_delays", "nan|2.5|nan"},
                  {0, "reply_code", "550"},
                  {0, "reply_text", "5.7.1 \"no\""},
                  {0, "files_name", "a.zip|b"},
                  {0, "files_members_name", "in"},
                  {0, "files_sha256", "ab"},
                  {0, "files_encrypted", "1"},
                  {0, "hops_from_ip", "192.0.2.7|192.0.2.8"},
                  {0, "hops_by", "B1|b2"},
                  {0, "urls_host", "h"},
                  {0, "flags", "gap|truncated"},
                  {0, "empties", ""},
                  {1, "sender_key", ""},
                  {1, "recipient_keys", "|a@|"},
                  {1, "relays", "192.0.2.1\t192.0.2.2"},
                  {1, "empties", "uid|mailfrom|reply_code|reply_enhanced|message_bytes|flags"},
                  {2, "ts", "0"},
                  {2, "day", "14550"},
                  {3, "ts", "0"},
                  {3, "ts_us", "-3500000"}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_cell(seen, wanted[i].row, wanted[i].column, wanted[i].value);
    for (size_t i = 0; i < MAILS; i++) {
        size_t from, to;
        const struct seen_column *id = cell(seen, "id", i, &from, &to),
                                 *hash = cell(seen, "record_hash", i, &from, &to);
        assert_int_equal(number(id->texts[i]),
                         UINT64_C(1257170001500000) << 10 | (number(hash->texts[i]) & 1023));
    }
    unsee(seen);
    clickrows_free(r);
}

/* Where the line does not say when it was complete, its own time stands for that. */
static void times(void **state)
{
    (void)state;
    static const struct {
        const char *ts, *day, *seconds, *micros;
        uint64_t place;
    } cases[] = {
        {"5.5", "0", "5", "5500000", 5500000},
        {"-3.5", "0", "0", "-3500000", 0},
        {"4.1234567891", "0", "4", "4123456", 4123456},
        {"4291747199.9", "49672", "4291747199", "4291747199900000", 4291747199900000},
        {"4291747200", "49672", "4291747199", "4291747200000000", 4291747200000000},
        {"99999999999999999999999.5", "49672", "4291747199", "9223372036853500000", (UINT64_C(1) << 53) - 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[128];
        struct clickrows *r = clickrows_new();
        int len = snprintf(line, sizeof line, "{\"_path\":\"smtp\",\"ts\":%s}", cases[i].ts);
        assert_int_equal(add(r, line, (size_t)len), 0);
        struct seen *seen = see(r, STREAM_SMTP, NULL);
        size_t from, to;
        assert_cell(seen, 0, "day", cases[i].day);
        assert_cell(seen, 0, "ts", cases[i].seconds);
        assert_cell(seen, 0, "ts_us", cases[i].micros);
        assert_int_equal(number(cell(seen, "id", 0, &from, &to)->texts[0]) >> 10, cases[i].place);
        unsee(seen);
        clickrows_free(r);
    }
}

static void chosen(void **state)
{
    (void)state;
    const struct chtable *t = chtable_of(STREAM_SMTP);
    bool wanted[CHTABLE_MOST] = {0};
    struct clickrows *r = clickrows_new();
    add_written(r, mail, "1.0");
    wanted[chtable_find(t, slice_str("subject")) - t->columns] = true;
    wanted[chtable_find(t, slice_str("list")) - t->columns] = true; /* the mail has none */
    struct seen *seen = see(r, STREAM_SMTP, wanted);
    assert_int_equal(seen->count, 1);
    assert_string_equal(seen->columns[0].name, "subject");
    unsee(seen);
    clickrows_free(r);
}

static void refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"",
                                        "{",
                                        "[]",
                                        "null",
                                        "{}",
                                        "{\"_path\":\"smtp\"}",
                                        "{\"ts\":1.0,\"_path\":\"smtp\"}",
                                        "{\"_path\":5,\"ts\":1.0}",
                                        "{\"_path\":\"smtp\",\"ts\":1.0",
                                        "{\"_path\":\"smtp\",\"ts\":1.0}x",
                                        "{\"_path\":\"smtp\",\"ts\":1.0,}",
                                        "{\"_path\":\"smtp\",\"ts\":1.}",
                                        "{\"_path\":\"smtp\",\"ts\":01.0}",
                                        "{\"_path\":\"smtp\",\"ts\":\"1\"}",
                                        "{\"_path\":\"smtp\",\"ts\":true}",
                                        "{\"_path\":\"smtp\",\"ts\":1.0,\"ts\":2.0}",
                                        "{\"_path\":\"smtp\",\"uid\":7}",
                                        "{\"_path\":\"smtp\",\"uid\":\"\\x\"}",
                                        "{\"_path\":\"smtp\",\"uid\":\"\\u12g4\"}",
                                        "{\"_path\":\"smtp\",\"uid\":\"\t\"}",
                                        "{\"_path\":\"smtp\",\"uid\":[\"a\"]}",
                                        "{\"_path\":\"smtp\",\"rcptto\":\"a\"}",
                                        "{\"_path\":\"smtp\",\"rcptto\":[1]}",
                                        "{\"_path\":\"smtp\",\"rcptto\":[[\"a\"]]}",
                                        "{\"_path\":\"smtp\",\"rcptto\":[\"a\",]}",
                                        "{\"_path\":\"smtp\",\"tls\":1}",
                                        "{\"_path\":\"smtp\",\"tls\":yes}",
                                        "{\"_path\":\"smtp\",\"trans_depth\":1.5}",
                                        "{\"_path\":\"smtp\",\"trans_depth\":-1}",
                                        "{\"_path\":\"smtp\",\"trans_depth\":18446744073709551616}",
                                        "{\"_path\":\"smtp\",\"id.orig_p\":65536}",
                                        "{\"_path\":\"smtp\",\"reply\":[]}",
                                        "{\"_path\":\"smtp\",\"files\":{}}",
                                        "{\"_path\":\"smtp\",\"files\":[{\"name\":}]}",
                                        "{\"_path\":\"smtp\",\"flags\":[]}",
                                        "{\"_path\":\"smtp\",\"flags\":{\"gap\":{}}}",
                                        "{\"_path\":\"smtp\",\"_write_ts\":1.0}",
                                        "{\"_path\":\"smtp\",\"future\":1}",
                                        "{\"_path\":\"smtp_session\",\"duration\":1e999}",
                                        "{\"_path\":\"smtp\",\"future\":nul}",
                                        "{\"_path\":\"smtp\",\"future\":+1}"};
    struct clickrows *r = clickrows_new();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (add(r, lines[i], strlen(lines[i])) == 0)
            fail_msg("taken: %s", lines[i]);
        for (size_t k = 0; k < STREAMS; k++)
            assert_int_equal(clickrows_count(r, k), 0);
    }
    clickrows_free(r);
}

static void depth(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    static const char *const heads[] = {"{\"_path\":\"smtp\",\"ts\":1.0,\"future\":",
                                        "{\"_path\":\"smtp\",\"ts\":1.0,\"files\":"};
    struct clickrows *r = clickrows_new();
    for (size_t i = 0; i < 2; i++)
        for (size_t n = 0; n <= DEEP; n = n < 4 ? n + 1 : n * 5) {
            char *text = malloc(2 * DEEP + 100);
            size_t len = (size_t)sprintf(text, "%s", heads[i]);
            memset(text + len, '[', n + 1);
            memset(text + len + n + 1, ']', n + 1);
            text[len + 2 * n + 2] = '}';
            assert_int_equal(add(r, text, len + 2 * n + 3) == 0, n < SCAN_DEPTH - 1);
            free(text);
        }
    unsee(see(r, STREAM_SMTP, NULL));
    clickrows_free(r);
}

/* Cut anywhere it is no record; with any byte changed it may be one, and then its row is sound. */
static void damaged(void **state)
{
    (void)state;
    static const uint8_t bytes[] = "\"\\{}[],:0-.en \x01\xff";
    struct clickrows *r = clickrows_new();
    for (size_t n = 0; n < sizeof mail - 1; n++)
        assert_true(add(r, mail, n) < 0);
    for (size_t i = 0; i < sizeof mail - 1; i++)
        for (size_t k = 0; k < sizeof bytes; k++) {
            char copy[sizeof mail];
            memcpy(copy, mail, sizeof mail);
            copy[i] = (char)bytes[k];
            clickrows_clear(r);
            add(r, copy, sizeof mail - 1);
            for (size_t stream = 0; stream < STREAMS; stream++)
                if (clickrows_count(r, stream))
                    unsee(see(r, stream, NULL));
        }
    clickrows_free(r);
}

static void names(void **state)
{
    (void)state;
    assert_true(clickhouse_name_fits(slice_str("mail_1")) && clickhouse_name_fits(slice_str("_M")));
    static const char *const bad[] = {"", "1a", "a-b", "a.b", "a b", "a`", "a;DROP"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(clickhouse_name_fits(slice_str(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whole),   cmocka_unit_test(others),
                                       cmocka_unit_test(entries), cmocka_unit_test(columns),
                                       cmocka_unit_test(times),   cmocka_unit_test(chosen),
                                       cmocka_unit_test(refused), cmocka_unit_test(depth),
                                       cmocka_unit_test(damaged), cmocka_unit_test(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
