/* Parameters of requests, times, JSON bodies, paths; names that a server goes by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "web/guard.h"
#include "web/json_read.h"
#include "web/moment.h"
#include "web/route.h"

static const double NOW = 1764484200;

static const struct web_settings settings = {
    .certificate = "", .key = "", .users = "", .audit = "", .page_rows = 1000};

static const struct route *route(const char *path, enum method m)
{
    struct route_match match = route_find(m, slice_str(path));
    assert_non_null(match.route);
    return match.route;
}

static bool takes(struct request *r, const char *query, struct refusal *why)
{
    struct slice in = slice_str(query);
    uint8_t *copy = malloc(in.len ? in.len : 1);
    memcpy(copy, in.data, in.len);
    request_init(r);
    r->set = &settings;
    r->route = route("/mails", METHOD_GET);
    bool good = request_take_query(r, (struct slice){copy, in.len}, NOW, why);
    free(copy);
    return good;
}

static void is_text(struct slice got, const char *want)
{
    if (!slice_eq(got, slice_str(want)))
        fail_msg("'%.*s' is not '%s'", (int)got.len, (const char *)got.data, want);
}

static void parameters_are_decoded_once(void **state)
{
    (void)state;
    struct request r;
    struct refusal why;
    assert_true(
        takes(&r, "q=from%3Aanna+subject%3A%22a%2Bb%22&limit=5&since=7d&format=csv&fields=ts%2Cfrom", &why));
    is_text(request_text(&r, PARAM_q), "from:anna subject:\"a+b\"");
    assert_int_equal(request_number(&r, PARAM_limit, 100), 5);
    assert_true(request_time(&r, PARAM_since, 0) == NOW - 7 * 86400);
    assert_int_equal(request_number(&r, PARAM_format, 0), 1);
    assert_false(request_has(&r, PARAM_until));
    assert_true(request_time(&r, PARAM_until, 3) == 3);
    size_t at = 0;
    struct slice name;
    assert_true(request_name(request_text(&r, PARAM_fields), &at, &name));
    is_text(name, "ts");
    assert_true(request_name(request_text(&r, PARAM_fields), &at, &name));
    is_text(name, "from");
    assert_false(request_name(request_text(&r, PARAM_fields), &at, &name));
    request_free(&r);
    assert_true(takes(&r, "q=%2525", &why));
    is_text(request_text(&r, PARAM_q), "%25");
    request_free(&r);
    assert_true(takes(&r, "q", &why));
    is_text(request_text(&r, PARAM_q), "");
    assert_true(request_has(&r, PARAM_q));
    request_free(&r);
    assert_true(takes(&r, "limit=100000000", &why));
    assert_int_equal(request_limit(&r, 100), 1000);
    request_free(&r);
    assert_true(takes(&r, "", &why));
    assert_int_equal(request_limit(&r, 100), 100);
    request_free(&r);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *query, *text;
    } cases[] = {{"q=%", "percent"},
                 {"q=%f", "percent"},
                 {"q=%fg", "percent"},
                 {"q=%00", "percent"},
                 {"q=%ed%a0%80", "percent"},
                 {"q=%f5%80%80%80", "percent"},
                 {"%00=1", "percent"},
                 {"limit=", "a number"},
                 {"limit=1x", "a number"},
                 {"limit=9223372036854775808", "a number"},
                 {"limit=99999999999999999999999", "a number"},
                 {"limit=%2b1", "a number"},
                 {"q=a&q=b", "twice"},
                 {"q=a&%71=b", "twice"},
                 {"lmit=1", "nearest is limit"},
                 {"user=anna", "takes no 'user'"},
                 {"since=", "a time"},
                 {"format=", "there are: json csv ndjson"},
                 {"format=jsn", "nearest is json"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request r;
        struct refusal why = {0};
        assert_false(takes(&r, cases[i].query, &why));
        assert_int_equal(why.status, 400);
        if (!strstr(why.text.text, cases[i].text))
            fail_msg("%s: '%s' has no '%s'", cases[i].query, why.text.text, cases[i].text);
        request_free(&r);
    }
}

static bool takes_body(struct request *r, const char *body, struct refusal *why)
{
    request_init(r);
    r->set = &settings;
    r->route = route("/log-in", METHOD_POST);
    return request_take_body(r, slice_str(body), NOW, why);
}

static void bodies(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "[]",
                                        "{",
                                        "{\"user\":\"a\"",
                                        "{\"user\":{}}",
                                        "{\"user\":[]}",
                                        "{\"user\":true}",
                                        "{\"user\":\"a\"}x",
                                        "{\"user\":\"a\",\"user\":\"b\"}",
                                        "{\"usr\":\"a\"}",
                                        "{\"user\":\"\\u0000\"}",
                                        "{\"user\":\"a\",}",
                                        "{user:\"a\"}"};
    struct request r;
    struct refusal why = {0};
    assert_true(
        takes_body(&r, " {\"user\" : \"an\\u006ea \\ud83d\\ude00\", \"password\": \"\\\"\\\\\\n\"} ", &why));
    is_text(request_text(&r, PARAM_user), "anna \xf0\x9f\x98\x80");
    is_text(request_text(&r, PARAM_password), "\"\\\n");
    request_free(&r);
    assert_true(takes_body(&r, "{\"user\":null}", &why));
    assert_false(request_has(&r, PARAM_user));
    request_free(&r);
    assert_true(takes_body(&r, "{\"user\":\"\"}", &why));
    assert_true(request_has(&r, PARAM_user) && request_text(&r, PARAM_user).data);
    request_free(&r);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (takes_body(&r, wrong[i], &why))
            fail_msg("%s is taken", wrong[i]);
        assert_int_equal(why.status, 400);
        request_free(&r);
    }
}

static void moments(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double want; /* negative: none */
    } cases[] = {{"0", 0},
                 {"1764484200", 1764484200},
                 {"1764484200.25", 1764484200.25},
                 {"2026-11-30", 1795996800},
                 {"2026-11-30T06:30:00Z", 1796020200},
                 {"2026-11-30T06:30:00.5z", 1796020200.5},
                 {"2026-11-30 06:30:00+01:00", 1796016600},
                 {"2026-11-30t06:30:00-01:30", 1796025600},
                 {"2024-02-29", 1709164800},
                 {"1970-01-01", 0},
                 {"9999-12-31T23:59:60Z", -1},
                 {"7d", 1764484200 - 7 * 86400},
                 {"24h", 1764484200 - 86400},
                 {"30m", 1764484200 - 1800},
                 {"2w", 1764484200 - 14 * 86400},
                 {"90s", 1764484200 - 90},
                 {"999999999999d", 0},
                 {"", -1},
                 {"d", -1},
                 {"-7d", -1},
                 {"7", 7},
                 {"7y", -1},
                 {"7dd", -1},
                 {"7 d", -1},
                 {"2026-13-01", -1},
                 {"2026-00-01", -1},
                 {"2023-02-29", -1},
                 {"2026-11-31", -1},
                 {"1969-12-31", -1},
                 {"2026-11-30T", -1},
                 {"2026-11-30T06:30", -1},
                 {"2026-11-30T24:00:00Z", -1},
                 {"2026-11-30T06:30:00", -1},
                 {"2026-11-30T06:30:00+1", -1},
                 {"2026-11-30T06:30:00Zx", -1},
                 {"2026-1-30", -1},
                 {"99999999999999999999", -1},
                 {"253402300800", -1},
                 {"1e9", -1},
                 {"nan", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double got = -1;
        bool good = moment_parse(slice_str(cases[i].text), NOW, &got);
        if (good != (cases[i].want >= 0) || got != cases[i].want)
            fail_msg("%s: %d %f, not %f", cases[i].text, good, got, cases[i].want);
    }
}

static void routes(void **state)
{
    (void)state;
    struct route_match m = route_find(METHOD_GET, slice_str("/notices/12"));
    assert_string_equal(m.route->name, "notice");
    assert_int_equal(m.which, PARAM_id);
    is_text(m.part, "12");
    assert_string_equal(route_find(METHOD_GET, slice_str("/notices/kinds")).route->name, "kinds");
    assert_string_equal(route_find(METHOD_DELETE, slice_str("/notices/7/acknowledge")).route->name, "reopen");
    m = route_find(METHOD_GET, slice_str("/notices/7/acknowledge"));
    assert_null(m.route);
    assert_int_equal(m.allowed, 1 << METHOD_POST | 1 << METHOD_DELETE);
    static const char *const none[] = {"",
                                       "/",
                                       "/m",
                                       "/mail",
                                       "/mailss",
                                       "/mails/",
                                       "/mails//",
                                       "/mails/1/",
                                       "/mails/1/2",
                                       "mails",
                                       "/Mails",
                                       "//mails",
                                       "/notices//acknowledge"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (route_find(METHOD_GET, slice_str(none[i])).route ||
            route_find(METHOD_GET, slice_str(none[i])).allowed)
            fail_msg("%s is a path", none[i]);
    assert_string_equal(route_nearest(slice_str("/maisl")), "/mails");
}

static void hosts(void **state)
{
    (void)state;
    static struct guard g;
    struct web_settings set = settings;
    const struct endpoint at = {{4, {127, 0, 0, 1}}, 8025}, far = {{4, {192, 0, 2, 10}}, 443},
                          any = {{6, {0}}, 8443};
    set.hosts[0] = "Mail.example.org";
    set.hosts[1] = "other.example:99";
    set.host_count = 2;
    guard_init(&g, &set, &at, (struct slice){NULL, 0});
    static const char *const good[] = {"localhost:8025",  "127.0.0.1:8025",   "[::1]:8025",
                                       "LocalHost:8025",  "mail.example.org", "mail.example.org:1",
                                       "other.example:99"};
    static const char *const bad[] = {"localhost",
                                      "localhost:80",
                                      "localhost:08025",
                                      "",
                                      ":8025",
                                      "[::1]",
                                      "mail.example.org:",
                                      "mail.example.org:x",
                                      "x.mail.example.org",
                                      "mail.example.org.",
                                      "other.example",
                                      "other.example:9",
                                      "evil",
                                      "localhost:8025 ",
                                      "localhost:8025\0"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!guard_host(&g, slice_str(good[i])))
            fail_msg("%s is refused", good[i]);
    for (size_t i = 0; i + 1 < sizeof bad / sizeof *bad; i++)
        if (guard_host(&g, slice_str(bad[i])))
            fail_msg("%s is taken", bad[i]);
    assert_false(guard_host(&g, (struct slice){(const uint8_t *)"localhost:8025\0", 15}));
    set.certificate = "x";
    set.host_count = 0;
    guard_init(&g, &set, &far, (struct slice){NULL, 0});
    assert_true(guard_host(&g, slice_str("192.0.2.10")) && guard_host(&g, slice_str("192.0.2.10:443")));
    assert_false(guard_host(&g, slice_str("localhost:443")) || guard_host(&g, slice_str("192.0.2.10:80")));
    guard_init(&g, &set, &any, (struct slice){NULL, 0});
    assert_int_equal(g.count, 0);
}

static void origins(void **state)
{
    (void)state;
    static struct guard g;
    const struct endpoint at = {{4, {127, 0, 0, 1}}, 8025};
    guard_init(&g, &settings, &at, (struct slice){NULL, 0});
    struct heads h = {.host = slice_str("localhost:8025")};
    assert_true(guard_origin(&g, &h));
    h.origin = slice_str("http://localhost:8025");
    assert_true(guard_origin(&g, &h));
    static const char *const bad[] = {"null",
                                      "",
                                      "http://127.0.0.1:8025",
                                      "http://localhost",
                                      "http://localhost:8025/",
                                      "ftp://localhost:8025",
                                      "localhost:8025",
                                      "http://evil"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        h.origin = slice_str(bad[i]);
        if (guard_origin(&g, &h))
            fail_msg("%s is taken", bad[i]);
    }
    assert_false(guard_is_foreign(&h));
    h.fetch_site = slice_str("same-site");
    assert_true(guard_is_foreign(&h));
    assert_true(guard_same(slice_str("abc"), "abc"));
    assert_false(guard_same(slice_str("abd"), "abc") || guard_same(slice_str("ab"), "abc") ||
                 guard_same(slice_str(""), ""));
}

static void headers(void **state)
{
    (void)state;
    struct heads h = {.cookie = slice_str("a=1; mailtap=xyz; b=2"), .accept_encoding = slice_str("br, gzip")};
    is_text(heads_cookie(&h, "mailtap"), "xyz");
    assert_null(heads_cookie(&h, "mail").data);
    h.cookie = slice_str("mailtap=1; mailtap=2");
    assert_null(heads_cookie(&h, "mailtap").data);
    h.cookie = slice_str("mailtap");
    assert_null(heads_cookie(&h, "mailtap").data);
    assert_true(heads_take_gzip(&h));
    static const char *const no[] = {"", "br", "gzip;q=0", "gzip; q=0.000", "xgzip", "gzipx"};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        h.accept_encoding = slice_str(no[i]);
        assert_false(heads_take_gzip(&h));
    }
    h.accept_encoding = slice_str("GZIP ; q=0.5");
    assert_true(heads_take_gzip(&h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parameters_are_decoded_once),
                                       cmocka_unit_test(what_is_wrong_is_said),
                                       cmocka_unit_test(bodies),
                                       cmocka_unit_test(moments),
                                       cmocka_unit_test(routes),
                                       cmocka_unit_test(hosts),
                                       cmocka_unit_test(origins),
                                       cmocka_unit_test(headers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
