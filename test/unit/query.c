/* The query language: trees, what is wrong and where, hostile texts. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "query/query.h"

/* 2026-11-30T07:00:00Z */
static const struct query_options smtp = {QUERY_SMTP, {1796022000, 0}};
static const struct query_options all = {QUERY_ALL, {1796022000, 0}};

static void prints_as(const struct query_options *opt, const char *text, const char *want)
{
    struct query *q = NULL, *again = NULL;
    struct query_error err;
    struct buf out, twice;
    buf_init(&out, 1 << 16);
    buf_init(&twice, 1 << 16);
    if (query_parse(slice_str(text), opt, &q, &err))
        fail_msg("%s: %s at %zu", text, err.text, err.at);
    query_print(q, &out);
    buf_add_byte(&out, 0);
    assert_string_equal((const char *)out.data, want);
    out.len--;
    assert_int_equal(query_parse(buf_slice(&out), opt, &again, &err), 0);
    query_print(again, &twice);
    assert_true(slice_eq(buf_slice(&out), buf_slice(&twice)));
    query_free(&q);
    query_free(&again);
    buf_free(&out);
    buf_free(&twice);
}

static void fails_at(const struct query_options *opt, const char *text, size_t at, size_t len,
                     const char *nearest)
{
    struct query *q = NULL;
    struct query_error err;
    assert_int_not_equal(query_parse(slice_str(text), opt, &q, &err), 0);
    assert_null(q);
    if (err.at != at || err.len != len)
        fail_msg("%s: %s at %zu, %zu bytes", text, err.text, err.at, err.len);
    assert_string_equal(err.nearest, nearest);
    assert_int_not_equal(strlen(err.text), 0);
}

static void reads_terms(void **state)
{
    (void)state;
    prints_as(&smtp, "", "");
    prints_as(&smtp, " \t\n", "");
    prints_as(&smtp, "from:anna subject:\"invoice\" rcpt:*@example.com country:RU disposition:rejected",
              "from:anna subject:invoice rcpt:*@example.com country:RU disposition:rejected");
    prints_as(&smtp, "invoice", "invoice");
    prints_as(&smtp, "inv*", "any:inv*");
    prints_as(&smtp, "*inv*", "any:*inv*");
    prints_as(&smtp, "subject:inv*", "subject:inv*");
    prints_as(&smtp, "subject:\"a \\\"b\\\\c*\"", "subject:\"a \\\"b\\\\c*\"");
    prints_as(&smtp, "subject:*", "subject:*");
    prints_as(&smtp, "has:file has:sender has:notice", "file:* from:* has:notice");
    prints_as(&smtp, "SENDER:A IS:Rejected", "from:A disposition:rejected");
    prints_as(&smtp, "from:<> from:@example.com from:anna@", "from:\"<>\" from:*@example.com from:anna@*");
    prints_as(&smtp, "msgid:<a.b@c>", "msgid:a.b@c");
    prints_as(&smtp, "domain:*.example.com domain:@Example.com", "domain:example.com domain:Example.com");
    prints_as(&smtp, "ip:192.0.2.77/24 ip:2001:db8::1 ip:::ffff:192.0.2.1",
              "ip:192.0.2.0/24 ip:2001:db8::1 ip:192.0.2.1");
    prints_as(&smtp, "host:192.0.2.1 host:mx.example host:mx*", "host:192.0.2.1 host:mx.example host:mx*");
    prints_as(&smtp, "tls:TRUE tls:0 encrypted:yes", "tls:yes tls:no encrypted:yes");
    prints_as(&smtp, "code:>=500 code:<600 asn:AS64496 rcpts:=2", "code:>=500 code:<600 asn:64496 rcpts:2");
    prints_as(&smtp, "size:>10M size:<=10MiB size:1.5k", "size:>10000000 size:<=10485760 size:1500");
    prints_as(&all, "duration:>5m duration:250ms", "duration:>300.000000s duration:0.250000s");
    prints_as(&smtp, "https://example.com/x", "\"https://example.com/x\"");
    prints_as(&smtp, "12:30 \"NOT\"", "\"12:30\" \"NOT\"");
    prints_as(&smtp, "id:1764489600000000", "id:1764489600000000");
    prints_as(&smtp, "\xd0\xbf\xd1\x80\xd0\xb8", "\"\xd0\xbf\xd1\x80\xd0\xb8\"");
}

static void reads_times(void **state)
{
    (void)state;
    prints_as(&smtp, "since:7d", "since:2026-11-23T07:00:00Z");
    prints_as(&smtp, "since:24h", "since:2026-11-29T07:00:00Z");
    prints_as(&smtp, "until:2026-11-23", "until:2026-11-23T00:00:00Z");
    prints_as(&smtp, "since:2026-11-23T08:30:00.5+01:00", "since:2026-11-23T07:30:00.500000Z");
    prints_as(&smtp, "since:2026-11-23T08:30Z", "since:2026-11-23T08:30:00Z");
    prints_as(&smtp, "since:1764489600.25", "since:2025-11-30T08:00:00.250000Z");
    prints_as(&smtp, "since:today until:now", "since:2026-11-30T00:00:00Z until:2026-11-30T07:00:00Z");
    prints_as(&smtp, "since:99999w", "since:1970-01-01T00:00:00Z");
    fails_at(&smtp, "since:2026-02-30", 6, 10, "");
    fails_at(&smtp, "since:2026-11-23T25:00Z", 6, 17, "");
    fails_at(&smtp, "since:soon", 6, 4, "");
    fails_at(&smtp, "since:*", 6, 1, "");
}

static void groups(void **state)
{
    (void)state;
    prints_as(&smtp, "a b OR c d", "(a b) OR (c d)");
    prints_as(&smtp, "a (b OR c) d", "a (b OR c) d");
    prints_as(&smtp, "(a (b c))", "a b c");
    prints_as(&smtp, "(a OR (b OR c))", "a OR b OR c");
    prints_as(&smtp, "a AND b and", "a b and");
}

static void negates(void **state)
{
    (void)state;
    prints_as(&smtp, "-a NOT b", "-a -b");
    prints_as(&smtp, "-(a b) -(a OR b)", "-(a b) -(a OR b)");
    prints_as(&smtp, "--a NOT NOT a", "--a --a");
    prints_as(&smtp, "\"-a\" a-b", "\"-a\" a-b");
    prints_as(&smtp, "-from:a", "-from:a");
}

/* What would silently find nothing. */
static void says_what_is_meant(void **state)
{
    (void)state;
    prints_as(&smtp, "country:de country:XK country:*a country:\"DE\"",
              "country:de country:XK country:*a country:DE");
    fails_at(&smtp, "country:Germany", 8, 7, "DE");
    fails_at(&smtp, "country:\"united kingdom\"", 8, 16, "GB");
    fails_at(&smtp, "a country:UK", 10, 2, "GB");
    fails_at(&smtp, "country:Germny", 8, 6, "DE");
    fails_at(&smtp, "country:T\xc3\xbcrkiye", 8, 8, "TR");
    fails_at(&smtp, "country:Middleearth", 8, 11, "");
    fails_at(&smtp, "country:D", 8, 1, "");
    fails_at(&smtp, "country:D1", 8, 2, "");
    fails_at(&smtp, "a disposition=rejected", 2, 20, "disposition:rejected");
    fails_at(&smtp, "-is=rejected", 1, 11, "is:rejected");
    fails_at(&smtp, "(size>10M)", 1, 8, "size:>10M");
    fails_at(&smtp, "code>=500", 0, 9, "code:>=500");
    fails_at(&smtp, "code==500", 0, 9, "code:500");
    fails_at(&smtp, "from=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0,
             81, "");
    prints_as(&smtp, "\"size=10\" size= a=b =size https://x/?id=1 banner=x",
              "\"size=10\" \"size=\" \"a=b\" \"=size\" \"https://x/?id=1\" \"banner=x\"");
}

static void says_where(void **state)
{
    (void)state;
    fails_at(&smtp, "a sbject:b", 2, 6, "subject");
    fails_at(&smtp, "zzzzqqq:b", 0, 7, "");
    fails_at(&smtp, "disposition:rejcted", 12, 7, "rejected");
    fails_at(&smtp, "has:fle", 4, 3, "file");
    fails_at(&smtp, "note:x", 0, 4, "");
    fails_at(&smtp, "a (b", 2, 1, "");
    fails_at(&smtp, "a b)", 3, 1, "");
    fails_at(&smtp, "a ()", 2, 2, "");
    fails_at(&smtp, "subject:\"abc", 8, 4, "");
    fails_at(&smtp, "subject:\"abc\"d", 8, 5, "");
    fails_at(&smtp, "ab\"c\"", 2, 1, "");
    fails_at(&smtp, "subject: a", 0, 8, "");
    fails_at(&smtp, "subject:\"\"", 0, 10, "");
    fails_at(&smtp, "a OR", 4, 0, "");
    fails_at(&smtp, "OR a", 0, 2, "");
    fails_at(&smtp, "a AND", 5, 0, "");
    fails_at(&smtp, "a -", 2, 1, "");
    fails_at(&smtp, "a - b", 2, 1, "");
    fails_at(&smtp, "NOT", 0, 3, "");
    fails_at(&smtp, "ip:300.1.1.1", 3, 9, "");
    fails_at(&smtp, "code:many", 5, 4, "");
    fails_at(&smtp, "size:>10X", 5, 4, "");
    fails_at(&smtp, "tls:maybe", 4, 5, "");
    fails_at(&smtp, "id:*", 3, 1, "");
    fails_at(&smtp, "ab \xff", 3, 1, "");
    fails_at(&smtp, "a \xed\xa0\x80", 2, 1, "");
}

static void repeated(const char *piece, size_t times, bool good)
{
    struct buf b;
    struct query *q = NULL;
    struct query_error err;
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < times; i++)
        buf_add_str(&b, piece);
    assert_int_equal(query_parse(buf_slice(&b), &smtp, &q, &err) == 0, good);
    query_free(&q);
    buf_free(&b);
}

static void has_limits(void **state)
{
    (void)state;
    repeated("a ", QUERY_TERMS, true);
    repeated("a ", QUERY_TERMS + 1, false);
    repeated("-", 100000, false);
    repeated("(", 8000, false);
    repeated("(a OR ", 30, false);
    repeated("NOT ", 2000, false);
    repeated("\"", 8191, false);
    repeated("x", QUERY_BYTES, true);
    repeated("x", QUERY_BYTES + 1, false);
    struct query *q = NULL;
    struct query_error err;
    assert_int_not_equal(query_parse((struct slice){(const uint8_t *)"a\0b", 3}, &smtp, &q, &err), 0);
    assert_int_equal(err.at, 1);
}

/* What the table says of itself. */
static void has_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < QUERY_FIELDS; i++) {
        const struct query_options opt = {query_fields[i].streams, all.now};
        struct query *q = NULL;
        struct query_error err;
        if (query_parse(slice_str(query_fields[i].example), &opt, &q, &err))
            fail_msg("%s: %s", query_fields[i].example, err.text);
        if (query_fields[i].kind != QUERY_HAS)
            assert_int_equal(q->root->term.field, i);
        query_free(&q);
        assert_int_equal(query_field_find(slice_str(query_fields[i].name), QUERY_ALL), i);
        assert_int_equal(query_choice((enum query_field_index)i, 0) != NULL,
                         query_fields[i].kind == QUERY_CHOICE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_terms), cmocka_unit_test(reads_times),  cmocka_unit_test(groups),
        cmocka_unit_test(negates),     cmocka_unit_test(says_where),   cmocka_unit_test(says_what_is_meant),
        cmocka_unit_test(has_limits),  cmocka_unit_test(has_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
