/* Answers: JSON value by value, tables in three formats, both for those to whom persons are not shown. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "web/gzip.h"
#include "web/json_read.h"
#include "web/say.h"
#include "web/table.h"

static void is_body(struct answer *a, const char *want)
{
    buf_add_byte(&a->body, 0);
    assert_string_equal((char *)a->body.data, want);
    answer_free(a);
}

static void values(void **state)
{
    (void)state;
    struct answer a;
    answer_init(&a);
    say_object(&a);
    say_key(&a, "a");
    say_list(&a);
    say_count(&a, UINT64_MAX);
    say_number(&a, -0.5);
    say_number(&a, NAN);
    say_number(&a, INFINITY);
    say_seconds(&a, 1.5);
    say_id(&a, 1764484200000000);
    say_flag(&a, true);
    say_null(&a);
    say_str(&a, NULL);
    say_list(&a);
    say_end(&a);
    say_object(&a);
    say_end(&a);
    say_end(&a);
    say_key(&a, "b");
    say_raw(&a, NULL, NULL, slice_str(" {\"x\":\"<&>\"}\n"));
    say_key(&a, "c");
    say_record(&a, "smtp", 7, slice_str("{\"ts\":1}\n"));
    say_key(&a, "d");
    say_record(&a, "smtp", 7, slice_str("{}"));
    say_key(&a, "e");
    say_record(&a, "smtp", 0, slice_str("{\"ts\":1}"));
    say_end(&a);
    is_body(&a,
            "{\"a\":[18446744073709551615,-0.5,null,null,1.500000,\"1764484200000000\",true,null,null,[],{}],"
            "\"b\":{\"x\":\"\\u003c\\u0026\\u003e\"},\"c\":{\"id\":\"7\",\"ts\":1},\"d\":{\"id\":\"7\"},"
            "\"e\":{\"ts\":1}}");
}

static void quotes(const char *text, size_t len, const char *want)
{
    struct answer a;
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    answer_init(&a);
    say_text(&a, (struct slice){copy, len});
    free(copy);
    is_body(&a, want);
}

static void texts(void **state)
{
    (void)state;
    quotes("", 0, "\"\"");
    quotes("a\"\\/b", 5, "\"a\\\"\\\\/b\"");
    quotes("</script>&\x7f", 11, "\"\\u003c/script\\u003e\\u0026\\u007f\"");
    quotes("\0\1\n\x1b", 4, "\"\\u0000\\u0001\\u000a\\u001b\"");
    quotes("\xc3\xa4\xf0\x9f\x98\x80", 6, "\"\xc3\xa4\xf0\x9f\x98\x80\"");
    quotes("\xc3", 1, "\"\xef\xbf\xbd\"");
    quotes("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    quotes("\xe2\x80\xa8\xe2\x80\xae", 6, "\"\\u2028\\u202e\"");
    quotes("\xc2\x9b", 2, "\"\\u009b\"");
}

static void errors(void **state)
{
    (void)state;
    struct answer a;
    answer_init(&a);
    say_object(&a);
    say_key(&a, "half");
    answer_header(&a, "X-Old", "1");
    answer_error(&a, 404, "no %s", "<it>");
    assert_int_equal(a.status, 404);
    assert_int_equal(a.header_count, 0);
    is_body(&a, "{\"error\":{\"text\":\"no \\u003cit\\u003e\"}}");
    answer_init(&a);
    answer_query_error(&a, slice_str("no field"), 3, 5, slice_str("from"));
    assert_int_equal(a.status, 400);
    is_body(&a, "{\"error\":{\"text\":\"no field\",\"at\":3,\"len\":5,\"nearest\":\"from\"}}");
    answer_init(&a);
    answer_header(&a, "X", "%s", "a\r\nSet-Cookie: b\xff");
    assert_string_equal(a.headers[0].value, "aSet-Cookie: b");
    answer_free(&a);
}

static const char *const columns[] = {"id", "subject", "rcptto", "n", "tls"};

static void fill(struct answer *a, int format, bool redacts)
{
    struct request r = {.values = {[PARAM_format] = {.given = true, .number = (uint64_t)format}}};
    struct table t;
    answer_init(a);
    a->redacts = redacts;
    table_open(&t, a, &r, "smtp", "mails", columns, 5);
    assert_true(table_row(&t));
    table_id(&t, 12);
    table_text(&t, slice_str("=1+1, \"x\"\n"));
    table_raw(&t, slice_str("[\"a@b.example\"]"));
    table_count(&t, 3);
    table_flag(&t, true);
    assert_true(table_row(&t));
    table_id(&t, 11);
    table_raw(&t, slice_str("\"@x \\u00e4\""));
    table_absent(&t);
    table_number(&t, -2.5);
    assert_true(table_row(&t));
    table_close(
        &t,
        &(struct table_end){.pages = true, .next = 11, .searches = true, .complete = false, .searched_to = 5},
        false);
    assert_int_equal(a->rows, 3);
}

static void tables(void **state)
{
    (void)state;
    struct answer a;
    fill(&a, FORMAT_JSON, false);
    is_body(&a, "{\"mails\":[{\"id\":\"12\",\"subject\":\"=1+1, "
                "\\\"x\\\"\\u000a\",\"rcptto\":[\"a@b.example\"],\"n\":3,\"tls\":true},"
                "{\"id\":\"11\",\"subject\":\"@x "
                "\\u00e4\",\"n\":-2.5},{}],\"next\":\"11\",\"complete\":false,\"searched_to\":5.000000}");
    fill(&a, FORMAT_NDJSON, false);
    assert_string_equal(a.type, "application/x-ndjson");
    is_body(&a, "{\"id\":\"12\",\"subject\":\"=1+1, "
                "\\\"x\\\"\\u000a\",\"rcptto\":[\"a@b.example\"],\"n\":3,\"tls\":true}\n"
                "{\"id\":\"11\",\"subject\":\"@x \\u00e4\",\"n\":-2.5}\n{}\n");
    fill(&a, FORMAT_CSV, false);
    assert_int_equal(a.header_count, 3);
    assert_string_equal(a.headers[0].value, "11");
    is_body(&a, "id,subject,rcptto,n,tls\r\n12,\"'=1+1, "
                "\"\"x\"\"\n\",\"[\"\"a@b.example\"\"]\",3,true\r\n11,\"'@x \xc3\xa4\",,-2.5,\r\n,,,,\r\n");
}

static void redacted_tables(void **state)
{
    (void)state;
    struct answer a;
    fill(&a, FORMAT_JSON, true);
    is_body(
        &a,
        "{\"mails\":[{\"id\":\"12\",\"subject\":\"***\",\"rcptto\":[\"***@b.example\"],\"n\":3,\"tls\":true},"
        "{\"id\":\"11\",\"subject\":\"***\",\"n\":-2.5},{}],\"next\":\"11\",\"complete\":false,\"searched_"
        "to\":5.000000}");
    fill(&a, FORMAT_CSV, true);
    is_body(
        &a,
        "id,subject,rcptto,n,tls\r\n12,***,\"[\"\"***@b.example\"\"]\",3,true\r\n11,***,,-2.5,\r\n,,,,\r\n");
    answer_init(&a);
    a.redacts = true;
    say_list(&a);
    say_text(&a, slice_str("to anna@b.example"));
    say_record(&a, "smtp", 3, slice_str("{\"mailfrom\":\"anna@b.example\"}"));
    say_record(&a, "smtp", 3, slice_str("no JSON of anna"));
    say_raw(&a, "smtp", "subject", slice_str("\"x\""));
    say_raw(&a, NULL, NULL, slice_str("{\"broken"));
    say_end(&a);
    is_body(
        &a,
        "[\"to ***@b.example\",{\"id\":\"3\",\"mailfrom\":\"***@b.example\"},{\"id\":\"3\"},\"***\",null]");
}

/* The msg of a notice is shown where it is a sentence of ours, whatever stood in the row before. */
static void notices(int format, const char *const names[], const char *want)
{
    struct request r = {.values = {[PARAM_format] = {.given = true, .number = (uint64_t)format}}};
    struct answer a;
    struct table t;
    static const char *const rows[][2] = {{"\"Capture::Loss\"", "\"2 % of a@b\""},
                                          {"\"Own::Note\"", "\"about anna\""},
                                          {"\"Capture::Loss\"", "\"1 %\""}};
    answer_init(&a);
    a.redacts = true;
    table_open(&t, &a, &r, "notice", "n", names, 2);
    for (size_t i = 0; i < 3; i++) {
        assert_true(table_row(&t));
        for (size_t c = 0; c < 2; c++)
            table_raw(&t, slice_str(rows[i][strcmp(names[c], "msg") == 0]));
    }
    table_close(&t, &(struct table_end){0}, false);
    is_body(&a, want);
}

static void redacted_notices(void **state)
{
    (void)state;
    static const char *const right[] = {"note", "msg"}, *const wrong[] = {"msg", "note"};
    notices(FORMAT_CSV, right,
            "note,msg\r\nCapture::Loss,2 % of ***@b\r\nOwn::Note,***\r\nCapture::Loss,1 %\r\n");
    notices(FORMAT_CSV, wrong, "msg,note\r\n***,Capture::Loss\r\n***,Own::Note\r\n***,Capture::Loss\r\n");
    notices(
        FORMAT_NDJSON, right,
        "{\"note\":\"Capture::Loss\",\"msg\":\"2 % of "
        "***@b\"}\n{\"note\":\"Own::Note\",\"msg\":\"***\"}\n{\"note\":\"Capture::Loss\",\"msg\":\"1 %\"}\n");
    notices(FORMAT_NDJSON, wrong,
            "{\"msg\":\"***\",\"note\":\"Capture::Loss\"}\n{\"msg\":\"***\",\"note\":\"Own::Note\"}\n{"
            "\"msg\":\"***\",\"note\":\"Capture::Loss\"}\n");
}

static void packs(void **state)
{
    (void)state;
    struct buf in, out;
    buf_init(&in, 1 << 20);
    buf_init(&out, 1 << 20);
    for (int i = 0; i < 20000; i++)
        buf_printf(&in, "%d ", i);
    assert_true(gzip_whole(buf_slice(&in), &out));
    assert_true(out.data[0] == 0x1f && out.data[1] == 0x8b && out.len < in.len / 2);
    buf_clear(&out);
    assert_false(gzip_whole(slice_str("x"), &out));
    buf_free(&in);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values), cmocka_unit_test(texts),           cmocka_unit_test(errors),
        cmocka_unit_test(tables), cmocka_unit_test(redacted_tables), cmocka_unit_test(redacted_notices),
        cmocka_unit_test(packs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
