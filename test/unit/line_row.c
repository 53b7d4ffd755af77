/* A record printed as JSON and read from it is the same record, and nothing that anybody writes breaks it. */
#include "view/line_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "any_record.h"
#include "sink/json.h"
#include "view/record_of.h"

enum { RECORDS = 60, DAMAGES = 12, SMALL = 3000 };

static struct line_row *rows;
static struct record_of *records;

/* Reads it in memory of its own size, and prints it again; false: it is no record. */
static bool again(struct slice line, struct line *out)
{
    struct line_head head;
    struct record rec;
    uint8_t *copy = malloc(line.len + !line.len);
    memcpy(copy, line.data, line.len);
    const struct reader_row *row = line_row_take(rows, (struct slice){copy, line.len});
    bool read = row && line_head_of(line, &head) && record_of_row(records, head.stream, row, &rec);
    line_clear(out);
    if (read)
        json_record(&rec, out);
    free(copy);
    return read;
}

static bool same(struct slice a, struct slice b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static void print(struct any *any, enum stream_index stream, struct line *out)
{
    line_clear(out);
    json_record(&(struct record){stream_table[stream], any_body(any, stream_table[stream], false), {0}, NULL},
                out);
}

static void there_and_back(void **state)
{
    (void)state;
    struct line line = {0}, back = {0};
    for (enum stream_index s = 0; s < STREAM_ENTRY; s++)
        for (uint64_t i = 0; i < RECORDS; i++) {
            struct any any = {.state = i + 1};
            print(&any, s, &line);
            assert_true(again((struct slice){line.data, line.len - 1}, &back));
            assert_true(same(line_slice(&line), line_slice(&back)));
            any_free(&any);
        }
    line_free(&line);
    line_free(&back);
}

/* A line that is damaged is no record, or one that stays as it was read. */
static void damaged(void **state)
{
    (void)state;
    struct line line = {0}, once = {0}, twice = {0};
    struct any any = {.state = 7};
    unsigned read = 0, tried = 0;
    static const char odd[] = "\"\\{}[],:0-.eu\n\x80\x01 t";
    for (uint64_t i = 0; i < RECORDS; i++) {
        print(&any, i % STREAM_ENTRY, &line);
        size_t len = line.len - 1;
        for (unsigned k = 0; k < DAMAGES; k++, tried++) {
            size_t at = any_draw(&any, len);
            uint8_t was = line.data[at];
            line.data[at] = (uint8_t)odd[any_draw(&any, sizeof odd - 1)];
            if (again((struct slice){line.data, len}, &once)) {
                read++;
                assert_true(again((struct slice){once.data, once.len - 1}, &twice));
                assert_true(same(line_slice(&once), line_slice(&twice)));
            }
            line.data[at] = was;
        }
        for (size_t cut = 0; cut < len && len < SMALL; cut += 1 + any_draw(&any, 40))
            assert_false(again((struct slice){line.data, cut}, &once));
        any_free(&any);
    }
    assert_true(read > tried / 10 && read < tried);
    line_free(&line);
    line_free(&once);
    line_free(&twice);
}

static bool is_record(const char *text)
{
    struct line out = {0};
    bool read = again(slice_str(text), &out);
    line_free(&out);
    return read;
}

static void hostile(void **state)
{
    (void)state;
    static char deep[1 << 20];
    assert_true(is_record("{\"_path\":\"smtp\",\"ts\":1.5}"));
    assert_true(is_record(
        "{\"_path\":\"smtp\",\"_write_ts\":2.25,\"ts\":1.5,\"x\":[{\"y\":\"\\u00e4]\"}],\"subject\":null}"));
    assert_false(is_record(""));
    assert_false(is_record("{}"));
    assert_false(is_record("{\"_path\":\"smtp\"}"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":1e9}"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":99999999999999999999.0}"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":1.5"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":1.5}}"));
    assert_false(is_record("{\"_path\":\"other\",\"ts\":1.5}"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":1.5,\"subject\":5}"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":1.5,\"subject\":[\"a\"]}"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":1.5,\"rcptto\":\"a\"}"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":1.5,\"rcptto\":{\"a\":1}}"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":1.5,\"trans_depth\":-1}"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":1.5,\"tls\":1}"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":1.5,\"id.orig_h\":\"nowhere\"}"));
    assert_false(is_record("{\"_path\":\"notice\",\"ts\":1.5,\"suppress_for\":1e999}"));
    assert_false(is_record("{\"_path\":\"smtp\",\"ts\":1.5,\"subject\":\"\\ud83d\\"));
    int n = snprintf(deep, sizeof deep, "{\"_path\":\"smtp\",\"ts\":1.5,\"x\":");
    memset(deep + n, '[', sizeof deep - 1 - (size_t)n);
    assert_false(is_record(deep));
    n = snprintf(deep, sizeof deep, "{\"_path\":\"smtp\",\"ts\":1.5,\"files\":");
    memset(deep + n, '[', sizeof deep - 1 - (size_t)n);
    assert_false(is_record(deep));
}

static void heads(void **state)
{
    (void)state;
    struct line_head head;
    assert_true(line_head_of(slice_str("{\"_path\":\"notice\",\"_write_ts\":12.000345,\"ts\":1"), &head));
    assert_true(head.written && head.timed && head.stream == STREAM_NOTICE);
    assert_true(head.time.tv_sec == 12 && head.time.tv_nsec == 345000);
    assert_true(line_head_of(slice_str("{\"_path\":\"mine\",\"ts\":-1.5}"), &head));
    assert_true(!head.written && head.timed && head.stream == STREAM_ENTRY);
    assert_true(head.time.tv_sec == -2 && head.time.tv_nsec == 500000000);
    assert_true(line_head_of(slice_str("{\"_path\":\"smtp\",\"_write_ts\":\"now\"}"), &head));
    assert_true(!head.written && !head.timed);
    assert_false(line_head_of(slice_str("{\"_path\":\"smtp"), &head));
    assert_false(line_head_of(slice_str("<13>mail"), &head));
}

static int set_up(void **state)
{
    (void)state;
    rows = line_row_new();
    records = record_of_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    line_row_free(&rows);
    record_of_free(&records);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(damaged),
                                       cmocka_unit_test(hostile), cmocka_unit_test(heads)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
