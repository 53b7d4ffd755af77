/* The reader: cursors, deadlines, files that come and go, sums, facets; rows that become records again; the
 * tables of where things are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "any_record.h"
#include "sink/json.h"
#include "store/book.h"
#include "store/day.h"
#include "store/open.h"
#include "store/walk.h"
#include "view/places.h"
#include "view/reader.h"
#include "view/record_of.h"

enum { DAYS = 5, EACH = 40, FIRST_DAY = 20780, ROWS = DAYS * EACH, FACETS = 3 };
static const struct timespec now = {(time_t)(FIRST_DAY + DAYS) * 86400, 0};

struct fixture {
    char folder[64];
    struct columns columns[STREAM_ENTRY];
    struct book_settings set;
    struct reader *reader;
};

static struct book *open_book(struct fixture *f, int32_t day)
{
    struct book *b;
    struct error err = {{0}};
    if (book_open(&f->set, day, &b, &err) < 0 || book_begin(b, &err) < 0)
        fail_msg("%s", err.text);
    return b;
}

static void end_book(struct book *b, bool over)
{
    struct error err = {{0}};
    if (book_commit(b, &err) < 0 || (over && book_close(&b, true, &err) < 0))
        fail_msg("%s", err.text);
}

/* Where the reader has it open it stays as it is. */
static void close_book(struct book *b)
{
    struct error err;
    int closed = book_close(&b, true, &err);
    assert_true(closed == 0 || closed == -EBUSY);
}

static int64_t put(struct book *b, const struct stream *stream, void *body, int32_t day, long second)
{
    struct error err;
    const struct record rec = {stream, body, {(time_t)day * 86400 + second, 0}, NULL};
    int64_t id = day_id(rec.end);
    assert_int_equal(book_put(b, &rec, &id, &err), BOOK_PUT);
    return id;
}

/* Mail i: of sender i % 7, every third one rejected, TLS for the even ones. */
static void put_mail(struct book *b, int32_t day, int i)
{
    char uid[16], from[40];
    struct slice rcpt[3] = {slice_str("a@example.net"), slice_str("A@Example.NET"),
                            slice_str("b@example.net")};
    snprintf(uid, sizeof uid, "C%d", i);
    snprintf(from, sizeof from, "s%d@example.org", i % 7);
    struct transaction t = {.id = {.uid = slice_str(uid), .orig = {{4, {192, 0, 2, 1}}, 1024}},
                            .trans_depth = 1,
                            .mailfrom = slice_str(from),
                            .rcptto = {rcpt, i % 2 ? 3 : 1, 3},
                            .tls = i % 2 == 0,
                            .disposition = slice_str(i % 3 ? "accepted" : "rejected")};
    put(b, &stream_smtp, &t, day, i % EACH * 60);
}

static void setup(struct fixture *f, size_t files)
{
    struct error err;
    memset(f, 0, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "reader-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    for (size_t i = 0; i < STREAM_ENTRY; i++)
        columns_of(stream_table[i], &f->columns[i]);
    f->set = (struct book_settings){.directory = f->folder,
                                    .keys = 10000,
                                    .find_bytes = 16384,
                                    .cache_bytes = 1 << 20,
                                    .columns = f->columns};
    for (int day = 0; day < DAYS; day++) {
        struct book *b = open_book(f, FIRST_DAY + day);
        for (int i = 0; i < EACH; i++)
            put_mail(b, FIRST_DAY + day, day * EACH + i);
        end_book(b, true);
    }
    const struct store_settings set = {.directory = f->folder, .files = files};
    assert_int_equal(store_open(&set, &f->reader, &err), 0);
}

static void teardown(struct fixture *f)
{
    char path[320];
    reader_close(&f->reader);
    DIR *dir = opendir(f->folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", f->folder, e->d_name);
        if (e->d_name[0] != '.')
            assert_int_equal(unlink(path), 0);
    }
    closedir(dir);
    assert_int_equal(rmdir(f->folder), 0);
}

static struct query *parse(const char *text)
{
    const struct query_options opt = {QUERY_SMTP, now};
    struct query *q = NULL;
    struct query_error err;
    if (query_parse(slice_str(text), &opt, &q, &err))
        fail_msg("%s: %s", text, err.text);
    return q;
}

struct taken {
    uint64_t ids[2 * ROWS];
    size_t count, stop_at;
};

static int take(void *ctx, const struct reader_row *row)
{
    struct taken *t = ctx;
    assert_true(t->count < 2 * ROWS);
    t->ids[t->count++] = reader_row_id(row);
    return t->count == t->stop_at;
}

static struct reader_result find(struct fixture *f, const struct reader_question *q, struct taken *t)
{
    struct reader_result res;
    struct error err;
    int stopped = reader_find(f->reader, q, take, t, &res, &err);
    assert_int_equal(stopped, t->stop_at && t->count == t->stop_at);
    return res;
}

static uint64_t count(struct fixture *f, const char *text)
{
    struct query *q = parse(text);
    const struct reader_question question = {.query = q};
    struct reader_result res;
    struct error err;
    assert_int_equal(reader_count(f->reader, &question, &res, &err), 0);
    assert_true(res.complete);
    query_free(&q);
    return res.rows;
}

/* Pages of every size, in both directions, with more files than are kept open. */
static void pages_are_the_whole(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, 2);
    for (int order = 0; order < 2; order++) {
        struct taken all = {0};
        find(&f, &(struct reader_question){.oldest_first = order}, &all);
        assert_int_equal(all.count, ROWS);
        for (uint64_t size = 1; size <= ROWS + 1; size += 13) {
            struct taken t = {0};
            struct reader_question q = {.oldest_first = order, .limit = size};
            for (;;) {
                struct reader_result res = find(&f, &q, &t);
                assert_true(res.complete && res.rows <= size && res.more == (t.count < ROWS));
                if (!res.more)
                    break;
                *(order ? &q.after : &q.before) = res.last;
            }
            assert_int_equal(t.count, ROWS);
            assert_memory_equal(t.ids, all.ids, sizeof all.ids);
        }
    }
    teardown(&f);
}

static void any_number_ends_it(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, 0);
    struct taken t = {.stop_at = 3};
    struct reader_result res = find(&f, &(struct reader_question){0}, &t);
    assert_int_equal(t.count, 3);
    assert_int_equal(res.rows, 3);
    teardown(&f);
}

/* A deadline that is always over, or nearly: what it tells is where to go on, and nothing is missed or twice.
 */
static void goes_on_behind_a_deadline(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, 0);
    for (int order = 0; order < 2; order++) {
        struct query *q = parse("subject:nothing* OR disposition:rejected OR rcpts:3");
        struct reader_question question = {.query = q, .oldest_first = order};
        struct taken all = {0}, t = {0};
        reader_deadline(f.reader, 0);
        find(&f, &question, &all);
        double seconds = 1e-9;
        for (int round = 0; round < 1000; round++) {
            reader_deadline(f.reader, seconds);
            struct reader_result res = find(&f, &question, &t);
            assert_int_equal(res.complete, reader_complete(f.reader));
            if (res.complete)
                break;
            assert_true(res.searched_to && res.searched_to == reader_searched_to(f.reader));
            *(order ? &question.after : &question.before) = res.searched_to;
            seconds *= 1.5;
        }
        assert_true(reader_complete(f.reader));
        assert_int_equal(t.count, all.count);
        assert_memory_equal(t.ids, all.ids, sizeof all.ids);
        query_free(&q);
        reader_deadline(f.reader, 0);
    }
    teardown(&f);
}

static void counts_on_behind_a_deadline(void **state)
{
    struct fixture f;
    struct error err;
    (void)state;
    setup(&f, 0);
    for (int order = 0; order < 2; order++) {
        struct query *q = parse("disposition:rejected OR tls:yes");
        struct reader_question question = {.query = q, .oldest_first = order};
        uint64_t sum = 0;
        double seconds = 1e-9;
        for (int round = 0; round < 1000; round++) {
            struct reader_result res;
            reader_deadline(f.reader, seconds);
            assert_int_equal(reader_count(f.reader, &question, &res, &err), 0);
            sum += res.rows;
            if (res.complete)
                break;
            *(order ? &question.after : &question.before) = res.searched_to;
            seconds *= 1.5;
        }
        assert_true(reader_complete(f.reader));
        reader_deadline(f.reader, 0);
        assert_int_equal(sum, count(&f, "disposition:rejected OR tls:yes"));
        query_free(&q);
    }
    teardown(&f);
}

static void counts(void **state)
{
    struct fixture f;
    (void)state;
    setup(&f, 0);
    assert_int_equal(count(&f, ""), ROWS);
    assert_int_equal(count(&f, "disposition:rejected"), 67);
    assert_int_equal(count(&f, "-disposition:rejected"), ROWS - 67);
    assert_int_equal(count(&f, "from:s3@example.org"), 29);
    assert_int_equal(count(&f, "from:*@example.org tls:yes"), ROWS / 2);
    assert_int_equal(count(&f, "rcpt:*@example.ne"), 0);
    assert_int_equal(count(&f, "since:1d"), EACH);
    assert_int_equal(count(&f, "since:1d from:s3@example.org"), 6);
    assert_int_equal(count(&f, "uid:c7"), 1);
    assert_int_equal(count(&f, "has:file"), 0);
    teardown(&f);
}

/* What is written while it reads, a new day, one that is deleted, one that is replaced. */
static void follows_the_folder(void **state)
{
    char path[DAY_PATH];
    struct fixture f;
    (void)state;
    setup(&f, 0);
    assert_int_equal(count(&f, ""), ROWS);
    struct book *b = open_book(&f, FIRST_DAY + DAYS);
    put_mail(b, FIRST_DAY + DAYS, 1000);
    assert_int_equal(count(&f, ""), ROWS);
    end_book(b, false);
    assert_int_equal(count(&f, ""), ROWS + 1);
    struct error err;
    assert_int_equal(book_begin(b, &err), 0);
    put_mail(b, FIRST_DAY + DAYS, 1001);
    end_book(b, false);
    assert_int_equal(count(&f, ""), ROWS + 2);
    close_book(b);
    assert_int_equal(count(&f, ""), ROWS + 2);
    assert_true(day_path(f.folder, FIRST_DAY, path));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(count(&f, ""), ROWS + 2 - EACH);
    b = open_book(&f, FIRST_DAY);
    put_mail(b, FIRST_DAY, 0);
    end_book(b, true);
    assert_int_equal(count(&f, ""), ROWS + 3 - EACH);
    struct reader_span span;
    assert_int_equal(reader_span(f.reader, &span, &err), 0);
    assert_int_equal(span.files, DAYS + 1);
    assert_int_equal(span.first, (int64_t)FIRST_DAY * 86400 * 1000000);
    teardown(&f);
}

static bool add_up(void *ctx, sqlite3_stmt *row)
{
    int64_t *sum = ctx;
    sum[0] += sqlite3_column_int64(row, 0);
    sum[1]++;
    return sum[1] != sum[2];
}

static void sums_over_days(void **state)
{
    struct fixture f;
    struct error err;
    const int64_t day = (int64_t)86400 * 1000000, first = FIRST_DAY * day;
    const struct reader_value values[] = {{.kind = READER_TEXT, .text = {(const uint8_t *)"rejected", 8}},
                                          {.kind = READER_INTEGER, .integer = 5}};
    (void)state;
    setup(&f, 0);
    struct folder_sql sql = {"SELECT count(*) FROM smtp WHERE disposition = ?1", values, 2, first,
                             first + DAYS * day};
    int64_t sum[3] = {0};
    assert_int_equal(folder_each_day(folder_of(f.reader), &sql, add_up, sum, &err), 0);
    assert_true(sum[0] == 67 && sum[1] == DAYS);
    sql.since = first + day;
    sql.until = first + 2 * day + 1;
    memset(sum, 0, sizeof sum);
    assert_int_equal(folder_each_day(folder_of(f.reader), &sql, add_up, sum, &err), 0);
    assert_int_equal(sum[1], 2);
    sum[1] = 0, sum[2] = 1;
    assert_int_equal(folder_each_day(folder_of(f.reader), &sql, add_up, sum, &err), 0);
    assert_int_equal(sum[1], 1);
    sql.text = "SELECT nothing FROM nowhere";
    memset(sum, 0, sizeof sum);
    assert_int_equal(folder_each_day(folder_of(f.reader), &sql, add_up, sum, &err), 0);
    assert_true(sum[1] == 0 && reader_complete(f.reader));
    teardown(&f);
}

/* The first value of each field, and how many there are. */
struct facets {
    char first[FACETS][32];
    uint64_t count[FACETS], values[FACETS], told;
};

static int take_facet(void *ctx, const struct reader_facet *facet)
{
    struct facets *t = ctx;
    t->values[t->told] = facet->count;
    if (facet->count) {
        snprintf(t->first[t->told], 32, "%.*s", (int)facet->values[0].value.len,
                 (const char *)facet->values[0].value.data);
        t->count[t->told] = facet->values[0].count;
    }
    t->told++;
    return 0;
}

static void names_values(void **state)
{
    static const enum query_field_index fields[FACETS] = {QUERY_FIELD_RCPT, QUERY_FIELD_TLS,
                                                          QUERY_FIELD_FROM};
    struct fixture f;
    struct reader_result res;
    struct error err;
    struct facets t = {0};
    (void)state;
    setup(&f, 0);
    assert_int_equal(
        reader_facets(f.reader, &(struct reader_question){0}, fields, FACETS, 5, take_facet, &t, &res, &err),
        0);
    assert_true(res.complete && res.rows == ROWS && t.told == FACETS);
    assert_true(slice_case_eq(slice_str(t.first[0]), slice_str("a@example.net")));
    assert_int_equal(t.count[0], ROWS); /* once a mail, in whatever case */
    assert_int_equal(t.values[0], 2);
    assert_string_equal(t.first[1], "no");
    assert_int_equal(t.count[1], ROWS / 2);
    assert_int_equal(t.values[2], 5);
    assert_string_equal(t.first[2], "s0@example.org");
    assert_int_equal(t.count[2], 29);
    memset(&t, 0, sizeof t);
    assert_int_equal(reader_facets(f.reader, &(struct reader_question){.limit = 10}, fields, FACETS, 50,
                                   take_facet, &t, &res, &err),
                     0);
    assert_true(!res.complete && res.rows == 10 && t.count[0] == 10 && t.values[2] == 7);
    teardown(&f);
}

static const struct record *expected;
static struct record_of *made;

/* Less than half a millionth below zero comes back as zero. */
static void plain_zeros(struct line *l)
{
    size_t at;
    while ((at = slice_find(line_slice(l), "-0.000000")) < l->len) {
        memmove(l->data + at, l->data + at + 1, l->len - at - 1);
        l->len--;
    }
}

static int compare_record(void *ctx, const struct reader_row *row)
{
    enum stream_index *stream = ctx;
    struct line want = {0}, got = {0};
    struct record rec;
    struct buf line;
    buf_init(&line, 64 << 20);
    assert_true(record_of_row(made, *stream, row, &rec));
    json_record(expected, &want);
    json_record(&rec, &got);
    reader_row_line(row, &line);
    assert_true(slice_eq(buf_slice(&line), line_slice(&want)));
    plain_zeros(&want);
    plain_zeros(&got);
    if (!slice_eq(line_slice(&want), line_slice(&got))) {
        size_t at = 0;
        while (at < want.len && at < got.len && want.data[at] == got.data[at])
            at++;
        at = at > 60 ? at - 60 : 0;
        fail_msg("wanted %.200s\ngot    %.200s", want.data + at, got.data + at);
    }
    buf_free(&line);
    line_free(&want);
    line_free(&got);
    return 0;
}

static void rows_become_records(void **state)
{
    struct fixture f;
    struct any any = {.state = 7};
    struct error err;
    (void)state;
    setup(&f, 0);
    made = record_of_new();
    for (int i = 0; i < 400; i++) {
        enum stream_index stream = (enum stream_index)(i % STREAM_ENTRY);
        struct book *b = open_book(&f, FIRST_DAY + DAYS);
        struct record rec = {
            stream_table[stream], any_body(&any, stream_table[stream], i < STREAM_ENTRY), {0}, NULL};
        int64_t id = put(b, rec.stream, rec.body, FIRST_DAY + DAYS, i);
        end_book(b, false);
        expected = &rec;
        const struct reader_question q = {
            .stream = stream, .before = (uint64_t)id + 1, .after = (uint64_t)id - 1};
        struct reader_result res;
        assert_int_equal(reader_find(f.reader, &q, compare_record, &stream, &res, &err), 0);
        assert_int_equal(res.rows, 1);
        close_book(b);
    }
    any_free(&any);
    record_of_free(&made);
    teardown(&f);
}

/* Each field has a place in each of its streams, and each place's column is there. */
static void every_field_has_a_place(void **state)
{
    static struct columns cols;
    (void)state;
    for (size_t i = 0; i < QUERY_FIELDS; i++) {
        enum query_kind kind = query_fields[i].kind;
        for (unsigned s = 0; s < STREAMS; s++) {
            if (i == QUERY_FIELD_ANY || kind == QUERY_HAS || kind == QUERY_TIME || kind == QUERY_ID)
                continue;
            bool has = place_of((enum stream_index)s, (enum query_field_index)i, 15, 0) != NULL;
            if (has != !!(query_fields[i].streams & 1u << s))
                fail_msg("%s in stream %u", query_fields[i].name, s);
            const struct place *p;
            for (size_t n = 0;
                 s != STREAM_ENTRY && (p = place_of((enum stream_index)s, (enum query_field_index)i, 15, n));
                 n++) {
                bool found = false;
                columns_of(stream_table[s], &cols);
                for (size_t c = 0; c < cols.count; c++)
                    found |= slice_eq(slice_str(cols.items[c].name), place_column(p));
                if (!found)
                    fail_msg("no column of %s", p->path);
            }
        }
    }
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        size_t at = 0;
        while (query_choice(QUERY_FIELD_FLAG, at) &&
               strcmp(query_choice(QUERY_FIELD_FLAG, at), flag_table[i].name) != 0)
            at++;
        assert_non_null(query_choice(QUERY_FIELD_FLAG, at));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_the_whole),
        cmocka_unit_test(any_number_ends_it),
        cmocka_unit_test(goes_on_behind_a_deadline),
        cmocka_unit_test(counts_on_behind_a_deadline),
        cmocka_unit_test(counts),
        cmocka_unit_test(follows_the_folder),
        cmocka_unit_test(sums_over_days),
        cmocka_unit_test(names_values),
        cmocka_unit_test(rows_become_records),
        cmocka_unit_test(every_field_has_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
