/* Records without persons: each kind of text, the table's paths, and what is no JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "web/redact.h"

static void shows(enum redact_how how, const char *text, const char *want)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    struct slice in = slice_str(text);
    uint8_t *copy = malloc(in.len ? in.len : 1);
    memcpy(copy, in.data, in.len);
    redact_text(how, (struct slice){copy, in.len}, &out);
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, want);
    buf_free(&out);
    free(copy);
}

static void addresses_inside_of_texts(void **state)
{
    (void)state;
    shows(REDACT_TEXT, "", "");
    shows(REDACT_TEXT, "no address here", "no address here");
    shows(REDACT_TEXT, "550 5.1.1 <anna@example.org>: unknown", "550 5.1.1 <***@example.org>: unknown");
    shows(REDACT_TEXT, "anna@example.org", "***@example.org");
    shows(REDACT_TEXT, "mailto:anna@example.org?x", "mailto:***@example.org?x");
    shows(REDACT_TEXT, "a@b.example,c@d.example", "***@b.example,***@d.example");
    shows(REDACT_TEXT, "anna.b+tag=x@example.org", "***@example.org");
    shows(REDACT_TEXT, "for \"anna b\"@example.org now", "for ***@example.org now");
    shows(REDACT_TEXT, "x anna.\"b c\".d@example.org", "x ***@example.org");
    shows(REDACT_TEXT, "user \"anna@example.org\" unknown", "user \"***@example.org\" unknown");
    shows(REDACT_TEXT, "\"hi\" \"anna@example.org\"", "\"hi\" \"***@example.org\"");
    shows(REDACT_TEXT, "x \"a \\\"b\"@example.org", "x ***@example.org");
    shows(REDACT_TEXT, "\"anna@home\"@example.org", "\"***@***@example.org");
    shows(REDACT_TEXT, "j\xc3\xbcrgen@example.org", "***@example.org");
    shows(REDACT_TEXT, "see https://x.example/?u=anna%40example.org", "see https:***%40example.org");
    shows(REDACT_TEXT,
          "anna\xef\xbc\xa0"
          "example.org",
          "***\xef\xbc\xa0"
          "example.org");
    shows(REDACT_TEXT, "anna @ example.org", "*** @ example.org");
    shows(REDACT_TEXT, "anna\t@example.org", "***\t@example.org");
    shows(REDACT_TEXT, "@example.org", "@example.org");
    shows(REDACT_TEXT, "@@", "@@");
    shows(REDACT_TEXT, "a@b@c", "***@***@c");
    shows(REDACT_TEXT, "\"@x", "***@x");
    shows(REDACT_TEXT, "<SRS0=h=tt=example.org=anna@relay.example>", "<***@relay.example>");
}

static void whole_addresses(void **state)
{
    (void)state;
    shows(REDACT_ADDRESS, "anna@example.org", "***@example.org");
    shows(REDACT_ADDRESS, "<>", "<>");
    shows(REDACT_ADDRESS, "anna", "***");
    shows(REDACT_ADDRESS, "DOMAIN\\anna", "***");
    shows(REDACT_ADDRESS, "anna@b@example.org", "***@example.org");
    shows(REDACT_ADDRESS, "@relay.example:anna@example.org", "***@example.org");
    shows(REDACT_ADDRESS, "rfc822;anna@example.org", "***@example.org");
    shows(REDACT_ADDRESS, "anna@[192.0.2.1]", "***@[192.0.2.1]");
    shows(REDACT_ADDRESS, "anna@example.org> (Anna Blum)", "***@example.org");
    shows(REDACT_ADDRESS, "anna@", "***@");
    shows(REDACT_ADDRESS, "@example.org", "***@example.org");
    shows(REDACT_MAILBOXES, "Anna Blum <anna@example.org>", "***@example.org");
    shows(REDACT_MAILBOXES, "Anna <a@b.example>, \"B, C\" <c@d.example>", "***@b.example, ***@d.example");
    shows(REDACT_MAILBOXES, "Anna Blum", "***");
    shows(REDACT_MAILBOXES, "@", "***");
}

static void files_and_urls(void **state)
{
    (void)state;
    shows(REDACT_WHOLE, "anything", "***");
    shows(REDACT_WHOLE, "", "");
    shows(REDACT_FILE, "invoice of anna.pdf", "***.pdf");
    shows(REDACT_FILE, "invoice.pdf.exe", "***.exe");
    shows(REDACT_FILE, "invoice", "***");
    shows(REDACT_FILE, ".profile", "***.profile");
    shows(REDACT_FILE, "x.anna blum", "***");
    shows(REDACT_FILE, "x.", "***");
    shows(REDACT_FILE, "x.annablumen", "***");
    shows(REDACT_FILE, "anna/secret.d/letter", "***");
    shows(REDACT_URL, "https://example.org/a/b?c=d#e", "https://example.org/***");
    shows(REDACT_URL, "https://example.org", "https://example.org");
    shows(REDACT_URL, "https://example.org:8443?u=anna", "https://example.org:8443/***");
    shows(REDACT_URL, "http://anna:pw@example.org/x", "http://example.org/***");
    shows(REDACT_URL, "http://anna%40b@example.org/x", "http://example.org/***");
    shows(REDACT_URL, "http:\\\\example.org\\anna", "http://example.org/***");
    shows(REDACT_URL, "www.example.org/anna", "www.example.org/***");
    shows(REDACT_URL, "mailto:anna@example.org?subject=x", "mailto:***@example.org");
    shows(REDACT_URL, "mailto:list-anna", "mailto:***");
    shows(REDACT_URL, "http://exa mple.org/x", "http://exa/***");
    shows(REDACT_PROPERTY, "smtp.mailfrom=anna@example.org", "smtp.mailfrom=***@example.org");
    shows(REDACT_PROPERTY, "header.d=example.org", "header.d=example.org");
    shows(REDACT_PROPERTY, "anna@example.org", "***@example.org");
}

static void becomes(const char *stream, const char *path, const char *json, const char *want)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    bool good = redact_json(slice_str(stream), slice_str(path), slice_str(json), &out);
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, want ? want : "");
    assert_int_equal(good, want != NULL);
    buf_free(&out);
}

static void records(void **state)
{
    (void)state;
    becomes("smtp", "",
            "{\"ts\":1.5,\"mailfrom\":\"anna@example.org\",\"rcptto\":[\"b@c.example\",\"<>\"],\"tls\":true}",
            "{\"ts\":1.5,\"mailfrom\":\"***@example.org\",\"rcptto\":[\"***@c.example\",\"\\u003c\\u003e\"],"
            "\"tls\":true}");
    becomes("smtp", "",
            "{\"subject\":\"for "
            "you\",\"subject2\":\"x\",\"files\":[{\"name\":\"a.pdf\",\"size\":3,\"members\":[{\"name\":\"b/"
            "c.doc\"}],"
            "\"attached\":{\"from\":\"Anna <a@b.example>\",\"subject\":\"x\"}},{}]}",
            "{\"subject\":\"***\",\"subject2\":\"x\",\"files\":[{\"name\":\"***.pdf\",\"size\":3,\"members\":"
            "[{\"name\":\"***.doc\"}],"
            "\"attached\":{\"from\":\"***@b.example\",\"subject\":\"***\"}},{}]}");
    becomes(
        "smtp", "",
        "{\"addresses\":{\"to\":[{\"name\":\"Anna\",\"addr\":\"a@b.example\",\"domain\":\"b.example\"}]}}",
        "{\"addresses\":{\"to\":[{\"name\":\"***\",\"addr\":\"***@b.example\",\"domain\":\"b.example\"}]}}");
    becomes("smtp", "",
            "{\"last_reply\":\"550 "
            "<a@b.example>\",\"id.orig_h\":\"192.0.2.1\",\"hops\":[{\"for\":\"x\",\"by\":\"mx.example\"}]}",
            "{\"last_reply\":\"550 "
            "\\u003c***@b.example\\u003e\",\"id.orig_h\":\"192.0.2.1\",\"hops\":[{\"for\":\"***\",\"by\":"
            "\"mx.example\"}]}");
    becomes("my_script", "", "{\"subject\":\"x\",\"who\":\"a@b.example\",\"a@b\":1}",
            "{\"subject\":\"***\",\"who\":\"***@b.example\",\"***@b\":1}");
    becomes("smtp_session", "", "{\"logins\":[{\"user\":\"anna\"}]}", "{\"logins\":[{\"user\":\"***\"}]}");
    becomes("notice", "", "{\"note\":\"Own::Thing\",\"msg\":\"about anna\",\"sub\":\"subject\"}",
            "{\"note\":\"Own::Thing\",\"msg\":\"***\",\"sub\":\"***\"}");
    becomes("notice", "", "{\"note\":\"Capture::Loss\",\"msg\":\"2 % lost\"}",
            "{\"note\":\"Capture::Loss\",\"msg\":\"2 % lost\"}");
    becomes("notice", "", "{\"x\":{\"note\":\"Capture::Loss\"},\"msg\":\"about anna\"}",
            "{\"x\":{\"note\":\"Capture::Loss\"},\"msg\":\"***\"}");
    becomes("smtp", "", "{\"s\\u0075bject\":\"x\"}", "{\"subject\":\"***\"}");
    becomes("smtp", "", "{\"mailfrom\":\"anna\\u0040example.org\"}", "{\"mailfrom\":\"***@example.org\"}");
}

static void fields(void **state)
{
    (void)state;
    becomes("smtp", "rcptto", "[\"a@b.example\"]", "[\"***@b.example\"]");
    becomes("smtp", "subject", "\"x\"", "\"***\"");
    becomes("smtp", "files", "[{\"name\":\"a.pdf\"}]", "[{\"name\":\"***.pdf\"}]");
    becomes("smtp", "message_bytes", "12", "12");
    becomes("notice", "msg", "\"x\"", "\"***\"");
    becomes("", "from", "\"mx.example\"", "\"mx.example\"");
    becomes("", "", "{\"subject\":\"a@b\"}", "{\"subject\":\"***@b\"}");
    becomes("smtp", "", "{}", "{}");
    becomes("smtp", "", "[[],[{}],null]", "[[],[{}],null]");
}

static void what_is_no_json(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",      "{",      "{\"a\"}", "{\"a\":}",  "{\"a\":1,}", "[1,]", "[1 2]",     "tru",
        "01",    "1.",     "-",       "1e",        "\"\\x\"",    "\"a",  "\"\\u12\"", "{} {}",
        "{a:1}", "\"\n\"", "[1}",     "{\"a\":1]", "nul",        "+1",   ",",         ":"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        becomes("smtp", "", wrong[i], NULL);
    char deep[400];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 199);
    deep[399] = '\0';
    becomes("smtp", "", deep, NULL);
}

static void a_path_too_long_hides(void **state)
{
    (void)state;
    char json[700], want[700];
    int n = snprintf(json, sizeof json, "{\"");
    memset(json + n, 'k', 300);
    strcpy(json + n + 300, "\":\"anna\"}");
    memcpy(want, json, sizeof want);
    strcpy(strstr(want, "anna"), "***\"}");
    becomes("smtp", "", json, want);
    strcpy(json + n + 300, "\":{\"k\":\"anna\"},\"k\":\"anna\"}");
    memcpy(want, json, sizeof want);
    strcpy(strstr(want, "anna"), "***\"},\"k\":\"anna\"}");
    becomes("smtp", "", json, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(addresses_inside_of_texts),
                                       cmocka_unit_test(whole_addresses),
                                       cmocka_unit_test(files_and_urls),
                                       cmocka_unit_test(records),
                                       cmocka_unit_test(fields),
                                       cmocka_unit_test(what_is_no_json),
                                       cmocka_unit_test(a_path_too_long_hides)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
