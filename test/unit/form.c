/* Lines on their way out: what they say of themselves, made short, as messages of syslog; and the answer that
 * tells what became of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "carrier/bulk_answer.h"
#include "carrier/form.h"
#include "carrier/shorten.h"
#include "carrier/syslog_line.h"

/* A copy that ends where its memory ends, so that a read beyond is seen. */
static struct slice tight(const char *text, size_t len, uint8_t **retmem)
{
    *retmem = malloc(len ? len : 1);
    memcpy(*retmem, text, len);
    return (struct slice){*retmem, len};
}

static void looks(const char *line, const char *path, const char *time)
{
    struct form_facts facts;
    form_look(slice_str(line), &facts);
    assert_int_equal(facts.path.len, strlen(path));
    assert_memory_equal(facts.path.data ? facts.path.data : (const uint8_t *)"", path, strlen(path));
    assert_string_equal(facts.time, time);
}

static void facts(void **state)
{
    (void)state;
    looks(
        "{\"_path\":\"smtp\",\"_write_ts\":5.000001,\"ts\":1257170000.012345,\"event\":{\"dataset\":\"x\"}}",
        "smtp", "2009-11-02T13:53:20.012345Z");
    looks("{\"@timestamp\":\"2009-11-02T13:53:20.012345Z\",\"event\":{\"kind\":\"event\",\"dataset\":"
          "\"mailtap.notice\"}}",
          "notice", "2009-11-02T13:53:20.012345Z");
    looks("{\"time\":1,\"metadata\":{\"log_name\":\"software\",\"labels\":[],\"original_time\":\"1970-01-"
          "01T00:00:00.000000Z\"}}",
          "software", "1970-01-01T00:00:00.000000Z");
    looks("{\"timestamp\":\"2009-11-02T13:53:20.012345+0000\",\"mailtap\":{\"_path\":\"my_stream\"}}",
          "my_stream", "2009-11-02T13:53:20.012345Z");
    looks("{\"ts\":0.5}", "", "1970-01-01T00:00:00.500000Z");
    /* The year 9999 is the last one. */
    looks("{\"ts\":253402300799}", "", "9999-12-31T23:59:59.000000Z");
    looks("{\"ts\":253402300800}", "", "");
    looks("{\"ts\":-1.5}", "", "");
    looks("{\"ts\":99999999999999999999999}", "", "");
    looks("{\"@timestamp\":\"2009-11-02\"}", "", "");
    looks("{\"@timestamp\":7,\"_path\":7}", "", "");
    looks("{\"x\":{\"_path\":\"smtp\"},\"_path\":\"\"}", "", "");
    looks("{}", "", "");
    looks("", "", "");
    assert_true(slice_eq(form_uid(slice_str("{\"_path\":\"smtp\",\"ts\":1,\"uid\":\"C1\",\"x\":{")),
                         slice_str("C1")));
    assert_true(slice_eq(
        form_uid(slice_str("{\"event\":{\"id\":\"C2\"},\"smtp\":{\"a\":{\"uid\":\"C3\"},\"uid\":\"C1\"}}")),
        slice_str("C1")));
    assert_true(
        slice_eq(form_uid(slice_str("{\"metadata\":{\"uid\":\"C1-2\"},\"unmapped\":{\"uid\":\"C1\"}}")),
                 slice_str("C1")));
    assert_int_equal(form_uid(slice_str("{\"_path\":\"stats\",\"ts\":1,\"uid\":7}")).len, 0);
    looks("[1]", "", "");
    looks("{\"_path\":\"a\",,", "a", "");
}

static const char record[] =
    "{\"_path\":\"smtp\",\"ts\":1257170000.012345,\"uid\":\"C1\",\"a\":[1,{\"b\":"
    "\"\\\"}\"}],\"c\":\"\\u00e4\","
    "\"d\":{},\"e\":{\"f\":\"0123456789012345678901234567890123456789012345678901234567890123456789\",\"g\":["
    "{"
    "\"h\":{\"i\":1}}],\"j\":true},\"k\":\"short\","
    "\"l\":\"012345678901234567890123456789\",\"m\":null}";

static void cuts(void **state)
{
    (void)state;
    for (size_t len = 0; len <= strlen(record); len++) {
        uint8_t *mem;
        struct form_facts found;
        struct line out = {0};
        struct error why;
        struct slice s = tight(record, len, &mem);
        form_look(s, &found);
        for (size_t room = 100; room < 300; room += 50)
            assert_int_equal(shorten(s, room, &out, &why) && len < strlen(record), 0);
        line_free(&out);
        free(mem);
    }
}

static bool ends_with(const struct line *l, const char *text)
{
    size_t len = strlen(text);
    return l->len >= len && memcmp(l->data + l->len - len, text, len) == 0;
}

static void shortened(void **state)
{
    (void)state;
    struct error why;
    size_t fitting = 0;
    for (size_t room = 0; room < strlen(record); room++) {
        struct line out = {0};
        line_str(&out, "before ");
        bool fits = shorten(slice_str(record), room, &out, &why);
        assert_true(fits ? out.len - 7 <= room : out.len == 7);
        assert_false(fits && !ends_with(&out, "]}"));
        assert_true(!fits || memmem(out.data, out.len, "\"_path\":\"smtp\",\"ts\":", 20) || room < 150);
        fitting += fits;
        line_free(&out);
    }
    assert_true(fitting > 40);
    struct line out = {0};
    assert_true(shorten(slice_str(record), 200, &out, &why));
    line_byte(&out, 0);
    assert_string_equal((char *)out.data, "{\"_path\":\"smtp\",\"ts\":1257170000.012345,\"uid\":\"C1\",\"a\":"
                                          "[1,{\"b\":\"\\\"}\"}],\"c\":\"\\u00e4\",\"d\":{},"
                                          "\"e\":{\"g\":[{\"h\":{\"i\":1}}],\"j\":true},\"k\":\"short\","
                                          "\"m\":null,\"_left_out\":[\"e.f\",\"l\"]}");
    assert_non_null(strstr(why.text, "without \"e.f\",\"l\""));
    line_free(&out);
}

static void messages(void **state)
{
    (void)state;
    const struct carrier_syslog set = {.facility = 2, .severity = 6, .notice_severity = 4, .bytes = 350};
    struct syslog_head head;
    struct error why;
    struct line out = {0};
    syslog_head_init(&head, &set, 65507, "a b\xc3\xa4");
    assert_int_equal(syslog_message(&head, slice_str("{\"_path\":\"notice\",\"ts\":1.000000}"), &out, &why),
                     SYSLOG_WHOLE);
    line_byte(&out, 0);
    assert_non_null(strstr((char *)out.data, "<20>1 1970-01-01T00:00:01.000000Z a_b__ mailtap "));
    assert_non_null(
        strstr((char *)out.data, "[meta sequenceId=\"1\"] {\"_path\":\"notice\",\"ts\":1.000000}"));
    assert_non_null(strstr((char *)out.data, " notice [origin software=\"mailtap\" swVersion=\""));
    line_clear(&out);
    assert_int_equal(syslog_message(&head, slice_str(record), &out, &why), SYSLOG_SHORT);
    assert_true(out.len <= 350 && head.sequence == 2);
    line_clear(&out);
    head.most = 100;
    assert_int_equal(syslog_message(&head, slice_str(record), &out, &why), SYSLOG_NONE);
    assert_true(out.len == 0 && head.sequence == 2);
    head.most = 1000;
    head.sequence = 2147483647;
    syslog_head_init(&head, &set, 65507, "");
    head.sequence = 2147483647;
    assert_int_equal(syslog_message(&head, slice_str("{}"), &out, &why), SYSLOG_WHOLE);
    line_byte(&out, 0);
    assert_non_null(strstr((char *)out.data, "<22>1 - - mailtap "));
    assert_non_null(strstr((char *)out.data, "sequenceId=\"1\""));
    line_free(&out);
}

struct heard {
    unsigned statuses[8];
    size_t count;
    struct bulk_item last;
};

static void hear(void *ctx, const struct bulk_item *item)
{
    struct heard *h = ctx;
    h->statuses[h->count++ % 8] = item->status;
    h->last = *item;
}

static void answers(void **state)
{
    (void)state;
    static const char good[] =
        "{\"took\":3,\"errors\":true,\"items\":[{\"create\":{\"_index\":\"a\",\"status\":201}},{\"create\":{"
        "\"status\":409,\"error\":{\"type\":"
        "\"version\",\"reason\":\"a "
        "\\\"b\\\"\",\"caused_by\":{\"type\":\"x\"}}}},{\"create\":{}},{\"create\":{\"status\":\"no\"}}]}";
    struct heard h = {0};
    assert_false(bulk_answer(slice_str(good), hear, &h)); /* a status is no text */
    char whole[sizeof good];
    memcpy(whole, good, sizeof good);
    memcpy(strstr(whole, "\"no\""), "1e99", 4);
    h = (struct heard){0};
    assert_true(bulk_answer(slice_str(whole), hear, &h));
    assert_int_equal(h.count, 4);
    assert_int_equal(h.statuses[0], 201);
    assert_int_equal(h.statuses[1], 409);
    assert_int_equal(h.statuses[2], 0);
    assert_int_equal(h.statuses[3], 1);
    for (size_t len = 0; len < strlen(whole); len++) {
        uint8_t *mem;
        h = (struct heard){0};
        assert_false(bulk_answer(tight(whole, len, &mem), hear, &h));
        free(mem);
    }
    assert_false(bulk_answer(slice_str("{\"errors\":false}"), hear, &h));
    assert_false(bulk_answer(slice_str("<html>"), hear, &h));
    h = (struct heard){0};
    assert_true(bulk_answer(slice_str("{\"items\":[]}"), hear, &h) && !h.count);
    struct slice reason = bulk_reason(
        slice_str("{\"error\":{\"root_cause\":[],\"type\":\"t\",\"reason\":\"why\"},\"status\":400}"));
    assert_true(slice_eq(reason, slice_str("why")));
    assert_int_equal(bulk_reason(slice_str("{\"error\":\"plain\"}")).len, 0);
    assert_int_equal(bulk_reason(slice_str("")).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(facts), cmocka_unit_test(cuts),
                                       cmocka_unit_test(shortened), cmocka_unit_test(messages),
                                       cmocka_unit_test(answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
