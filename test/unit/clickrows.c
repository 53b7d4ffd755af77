/* Lines of the outbox as rows of ClickHouse: each is one line of JSON of the tables' columns, or refused as a
 * whole, whatever it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "clickhouse/rows.h"
#include "clickhouse/schema.h"
#include "clickhouse/scan.h"

static const char mail[] =
    "{\"_path\":\"smtp\",\"ts\":1257170000.012345,\"uid\":\"C1\",\"id.orig_h\":\"2001:db8::1\",\"id.orig_p\":"
    "40000,"
    "\"trans_depth\":2,\"mailfrom\":\"A@b@Example.ORG\",\"rcptto\":[\"x@A.example\",\"postmaster\","
    "\"\\\"q\\u0040\\\"@B\"],"
    "\"subject\":\"a \\\"b\\\" \\\\ \\u202e\",\"reply\":{\"code\":550,\"text\":\"5.7.1 \\\"no\\\"\"},"
    "\"seconds\":{\"envelope\":0.5},\"tls\":false,\"files\":[{\"name\":\"a.zip\",\"sha256\":\"ab\","
    "\"members\":[{\"name\":\"in\"}]},{\"name\":\"b\"}],"
    "\"urls\":[{\"url\":\"http://h/"
    "\",\"host\":\"h\"}],\"tags\":null,\"future\":{\"x\":[1,{}]},\"flags\":{\"gap\":true,\"truncated\":true}"
    "}";
static const char mail_row[] =
    "{\"day\":\"2009-11-02\",\"ts\":1257170000,\"ts_us\":12345,\"uid\":\"C1\",\"id_orig_h\":\"2001:db8::1\","
    "\"id_orig_p\":40000,"
    "\"trans_depth\":2,\"mailfrom\":\"A@b@Example.ORG\",\"rcptto\":[\"x@A.example\",\"postmaster\","
    "\"\\\"q\\u0040\\\"@B\"],"
    "\"subject\":\"a \\\"b\\\" \\\\ \\u202e\",\"reply\":\"{\\\"code\\\":550,\\\"text\\\":\\\"5.7.1 "
    "\\\\\\\"no\\\\\\\"\\\"}\","
    "\"seconds\":\"{\\\"envelope\\\":0.5}\",\"tls\":false,\"files\":\"[{\\\"name\\\":\\\"a.zip\\\","
    "\\\"sha256\\\":\\\"ab\\\",\\\"members\\\":[{\\\"name\\\":\\\"in\\\"}]},{\\\"name\\\":\\\"b\\\"}]\","
    "\"urls\":\"[{\\\"url\\\":\\\"http://h/"
    "\\\",\\\"host\\\":\\\"h\\\"}]\",\"flags\":[\"gap\",\"truncated\"],\"sensor\":\"we\\\"st\","
    "\"sender_domain\":\"example.org\",\"rcpt_domains\":[\"a.example\",\"\",\"b\"],\"reply_code\":550,\"file_"
    "names\":[\"a.zip\",\"b\"],"
    "\"sha256s\":[\"ab\"],\"url_hosts\":[\"h\"],\"record_hash\":";

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

static bool begins(struct slice s, const char *text)
{
    return s.len >= strlen(text) && memcmp(s.data, text, strlen(text)) == 0;
}

/* The rows of all tables are JSON, one a line. */
static void assert_rows(const struct clickrows *r)
{
    for (size_t i = 0; i < STREAMS; i++) {
        struct slice rest = clickrows_of(r, i);
        while (rest.len) {
            size_t end = slice_index(rest, '\n');
            struct scan s = {rest.data, rest.data + end};
            assert_true(end < rest.len);
            assert_int_equal(*s.at, '{');
            assert_true(scan_skip(&s, 0) && s.at == s.end);
            rest = slice_sub(rest, end + 1, rest.len);
        }
    }
}

static void whole(void **state)
{
    (void)state;
    struct clickrows *r = clickrows_new("we\"st");
    assert_int_equal(add(r, mail, sizeof mail - 1), 0);
    struct slice row = clickrows_of(r, STREAM_SMTP);
    if (!begins(row, mail_row))
        fail_msg("%.*s", (int)row.len, (const char *)row.data);
    assert_rows(r);
    clickrows_clear(r);
    assert_int_equal(clickrows_of(r, STREAM_SMTP).len, 0);
    clickrows_free(r);
}

static void assert_row(enum stream_index stream, const char *line, const char *row)
{
    struct clickrows *r = clickrows_new("s");
    assert_int_equal(add(r, line, strlen(line)), 0);
    struct slice got = clickrows_of(r, stream);
    if (!begins(got, row))
        fail_msg("%.*s", (int)got.len, (const char *)got.data);
    assert_rows(r);
    clickrows_free(r);
}

static void others(void **state)
{
    (void)state;
    assert_row(
        STREAM_STATS,
        "{\"_path\":\"stats\",\"ts\":5.5,\"worker\":\"1\",\"sensor\":\"x\",\"packets\":18446744073709551615}",
        "{\"day\":\"1970-01-01\",\"ts\":5,\"ts_us\":500000,\"worker\":\"1\",\"sensor\":\"x\",\"packets\":"
        "18446744073709551615,\"record_hash\":");
    assert_row(STREAM_ENTRY, "{\"_path\":\"mine\",\"ts\":5.000001,\"ts\":\"own\",\"sensor\":\"own\"}",
               "{\"day\":\"1970-01-01\",\"ts\":5,\"ts_us\":1,\"sensor\":\"s\",\"path\":\"mine\",\"record\":"
               "\"{\\\"_path\\\":\\\"mine\\\",\\\"ts\\\":5.000001,\\\"ts\\\":\\\"own\\\",");
    assert_row(STREAM_NOTICE,
               " { \"_path\" : \"notice\" , \"ts\" : 1.0 , \"note\" : \"N\" , \"actions\" : [ \"log\" , "
               "\"email\" ] } ",
               "{\"day\":\"1970-01-01\",\"ts\":1,\"ts_us\":0,\"note\":\"N\",\"actions\":[ \"log\" , "
               "\"email\" ],\"sensor\":\"s\"");
    assert_row(STREAM_SMTP, "{\"_path\":\"smtp\",\"ts\":-3.5}",
               "{\"day\":\"1970-01-01\",\"ts\":0,\"ts_us\":0,");
    assert_row(STREAM_SMTP, "{\"_path\":\"smtp\",\"ts\":99999999999999999999999.5}",
               "{\"day\":\"2105-12-31\",\"ts\":4291747199,\"ts_us\":999999,");
    assert_row(STREAM_SMTP, "{\"_path\":\"smtp\",\"ts\":4.1234567891}",
               "{\"day\":\"1970-01-01\",\"ts\":4,\"ts_us\":123456,");
    assert_row(STREAM_SESSION,
               "{\"_path\":\"smtp_session\",\"flags\":{},\"anomalies\":[],\"logins\":[{\"user\":5},{\"user\":"
               "\"u\"}]}",
               "{\"flags\":[],\"anomalies\":\"[]\",\"logins\":\"[{\\\"user\\\":5},{\\\"user\\\":\\\"u\\\"}]"
               "\",\"sensor\":\"s\",\"login_users\":[\"u\"],\"record_hash\":");
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
                                        "{\"_path\":\"smtp\",\"future\":nul}",
                                        "{\"_path\":\"smtp\",\"future\":+1}"};
    struct clickrows *r = clickrows_new("s");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (add(r, lines[i], strlen(lines[i])) == 0)
            fail_msg("taken: %s", lines[i]);
        for (size_t k = 0; k < STREAMS; k++)
            assert_int_equal(clickrows_of(r, k).len, 0);
    }
    clickrows_free(r);
}

static void depth(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    static const char *const heads[] = {"{\"_path\":\"smtp\",\"ts\":1.0,\"future\":",
                                        "{\"_path\":\"smtp\",\"ts\":1.0,\"files\":"};
    struct clickrows *r = clickrows_new("s");
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
    assert_rows(r);
    clickrows_free(r);
}

/* Cut anywhere it is no record; with any byte changed it may be one, and then its row is JSON. */
static void damaged(void **state)
{
    (void)state;
    static const uint8_t bytes[] = "\"\\{}[],:0-.en \x01\xff";
    struct clickrows *r = clickrows_new("s");
    for (size_t n = 0; n < sizeof mail - 1; n++)
        assert_true(add(r, mail, n) < 0);
    for (size_t i = 0; i < sizeof mail - 1; i++)
        for (size_t k = 0; k < sizeof bytes; k++) {
            char copy[sizeof mail];
            memcpy(copy, mail, sizeof mail);
            copy[i] = (char)bytes[k];
            clickrows_clear(r);
            add(r, copy, sizeof mail - 1);
            assert_rows(r);
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
                                       cmocka_unit_test(refused), cmocka_unit_test(depth),
                                       cmocka_unit_test(damaged), cmocka_unit_test(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
