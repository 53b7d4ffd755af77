/* The store: a row gives back the JSON of its record; ids are found again; sums are those of the rows; files
 * of days are opened, brought up, put aside. */
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
#include "record/entry.h"
#include "record/notice.h"
#include "sink/json.h"
#include "store/book.h"
#include "store/day.h"
#include "store/find.h"
#include "store/queue.h"
#include "store/schema.h"
#include "store/shelf.h"
#include "../store_rows.h"

enum { DAY = 20787 /* 2026-11-30 */ };
static const int64_t noon = (int64_t)DAY * 86400 + 43200;

struct fixture {
    char folder[64];
    struct columns columns[STREAM_ENTRY];
    struct book_settings set;
    struct any any;
};

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "store-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    for (size_t i = 0; i < STREAM_ENTRY; i++)
        columns_of(stream_table[i], &f->columns[i]);
    f->set = (struct book_settings){.directory = f->folder,
                                    .keys = 10000,
                                    .find_bytes = 16384,
                                    .cache_bytes = 1 << 20,
                                    .columns = f->columns};
    f->any.state = 1;
}

static void teardown(struct fixture *f)
{
    char path[320];
    DIR *dir = opendir(f->folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", f->folder, e->d_name);
        if (e->d_name[0] != '.')
            assert_int_equal(unlink(path), 0);
    }
    closedir(dir);
    assert_int_equal(rmdir(f->folder), 0);
    any_free(&f->any);
}

static struct book *open_book(struct fixture *f, int32_t day)
{
    struct book *b;
    struct error err = {{0}};
    if (book_open(&f->set, day, &b, &err) < 0)
        fail_msg("%s", err.text);
    return b;
}

static void begin(struct book *b)
{
    struct error err;
    assert_int_equal(book_begin(b, &err), 0);
}

static void commit(struct book *b)
{
    struct error err;
    assert_int_equal(book_commit(b, &err), 0);
}

static int put(struct book *b, const struct record *rec, int64_t *id)
{
    struct error err;
    *id = day_id(rec->end);
    return book_put(b, rec, id, &err);
}

static void close_book(struct book **b)
{
    struct error err;
    assert_int_equal(book_close(b, true, &err), 0);
}

static sqlite3 *open_read(struct fixture *f, int32_t day)
{
    char path[DAY_PATH];
    sqlite3 *db;
    struct error err;
    assert_true(day_path(f->folder, day, path));
    assert_int_equal(day_open_read(path, &db, &err), 0);
    return db;
}

/* One number that a statement gives. */
static int64_t number(struct fixture *f, int32_t day, const char *sql)
{
    sqlite3 *db = open_read(f, day);
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t ret = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return ret;
}

static void check_row(sqlite3 *db, const struct columns *cols, int64_t id, const struct record *rec)
{
    struct line sql = {0}, want = {0}, got = {0};
    sqlite3_stmt *stmt;
    line_str(&sql, "SELECT ");
    rows_select_list(cols, &sql);
    line_printf(&sql, " FROM %s WHERE id = %lld", cols->stream->path, (long long)id);
    assert_int_equal(sqlite3_prepare_v2(db, (const char *)sql.data, (int)sql.len, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    rows_json(stmt, cols, &got);
    json_record(rec, &want);
    want.len--;
    if (want.len != got.len || memcmp(want.data, got.data, want.len) != 0)
        fail_msg("wanted %.*s\ngot    %.*s", (int)want.len, want.data, (int)got.len, got.data);
    sqlite3_finalize(stmt);
    line_free(&sql);
    line_free(&want);
    line_free(&got);
}

/* Of every stream, whatever is in the record. */
static void rows_give_back_json(void **state)
{
    enum { EACH = 150 };
    struct fixture f;
    static struct record recs[STREAM_ENTRY * EACH];
    static int64_t ids[STREAM_ENTRY * EACH];
    (void)state;
    setup(&f);
    struct book *b = open_book(&f, DAY);
    begin(b);
    for (size_t i = 0; i < STREAM_ENTRY * EACH; i++) {
        const struct stream *stream = stream_table[i % STREAM_ENTRY];
        recs[i] = (struct record){
            stream, any_body(&f.any, stream, i < STREAM_ENTRY), {noon + (time_t)i, 123456789}, NULL};
        assert_int_equal(put(b, &recs[i], &ids[i]), BOOK_PUT);
    }
    commit(b);
    close_book(&b);
    sqlite3 *db = open_read(&f, DAY);
    for (size_t i = 0; i < STREAM_ENTRY * EACH; i++)
        check_row(db, &f.columns[i % STREAM_ENTRY], ids[i], &recs[i]);
    sqlite3_close(db);
    teardown(&f);
}

static struct transaction mail_of(const char *uid, uint64_t depth)
{
    return (struct transaction){.id = {.uid = slice_str(uid), .orig = {{4, {192, 0, 2, 1}}, 1024}},
                                .trans_depth = depth,
                                .disposition = slice_str("accepted")};
}

/* One after the other where they end at one time; the same ones again have the same ids. */
static void ids_are_found_again(void **state)
{
    enum { MANY = 3000 };
    static char uids[MANY][16];
    struct fixture f;
    (void)state;
    setup(&f);
    for (int round = 0; round < 3; round++) {
        /* In the last round another process has written meanwhile, as it seems: a new book. */
        struct book *b = open_book(&f, DAY);
        int64_t id;
        begin(b);
        for (int i = 0; i < MANY; i++) {
            snprintf(uids[i], sizeof uids[i], "C%d", i);
            struct transaction t = mail_of(uids[i], 1);
            struct session s = {.id = t.id, .disposition = t.disposition};
            /* Two times, in turn, and two streams. */
            const struct record rec = {i % 3 ? &stream_smtp : &stream_session,
                                       i % 3 ? (void *)&t : (void *)&s,
                                       {noon, i % 2 * 500000000},
                                       NULL};
            assert_int_equal(put(b, &rec, &id), round ? BOOK_KNOWN : BOOK_PUT);
            assert_int_equal(id, noon * 1000000 + i % 2 * 500000 + i / 2);
        }
        commit(b);
        if (round == 1)
            book_close(&b, false, NULL);
        else
            close_book(&b);
    }
    assert_int_equal(number(&f, DAY, "SELECT count(*) FROM smtp"), MANY * 2 / 3);
    assert_int_equal(number(&f, DAY, "SELECT count(*) FROM smtp_session"), MANY / 3);
    assert_int_equal(number(&f, DAY, "SELECT sum(mails) * 10000 + sum(sessions) FROM minute"),
                     (int64_t)MANY * 2 / 3 * 10000 + MANY / 3);
    teardown(&f);
}

/* Which of them are the same. */
static void what_is_known(void **state)
{
    struct fixture f;
    int64_t id;
    (void)state;
    setup(&f);
    struct transaction t = mail_of("Ca", 1);
    struct notice n = {
        .id = t.id, .note = slice_str("N"), .identifier = slice_str("x"), .msg = slice_str("m")};
    struct entry_pair pair = {.name = slice_str("k"), .kind = ENTRY_INTEGER, .integer = 7};
    struct entry e = {.stream = slice_str("mine"), .pairs = &pair, .count = 1};
    struct record mail = {&stream_smtp, &t, {noon, 0}, NULL}, notice = {&stream_notice, &n, {noon, 0}, NULL},
                  entry = {&stream_entry, &e, {noon, 0}, NULL};
    const struct record *const all[] = {&mail, &notice, &entry};
    struct book *b = open_book(&f, DAY);
    begin(b);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(put(b, all[i], &id), round ? BOOK_KNOWN : BOOK_PUT);
        commit(b);
        close_book(&b);
        b = open_book(&f, DAY);
        begin(b);
    }
    t.trans_depth = 2;
    assert_int_equal(put(b, &mail, &id), BOOK_PUT);
    t.id.uid = slice_str("Cb");
    assert_int_equal(put(b, &mail, &id), BOOK_PUT);
    n.identifier = slice_str("y");
    assert_int_equal(put(b, &notice, &id), BOOK_PUT);
    n.id.uid = (struct slice){0};
    assert_int_equal(put(b, &notice, &id), BOOK_PUT);
    pair.integer = 8;
    assert_int_equal(put(b, &entry, &id), BOOK_PUT);
    commit(b);
    close_book(&b);
    assert_int_equal(number(&f, DAY, "SELECT count(*) FROM entry"), 2);
    assert_int_equal(number(&f, DAY, "SELECT count(*) FROM notice"), 3);
    assert_int_equal(
        number(&f, DAY, "SELECT count(*) FROM entry WHERE record LIKE '{\"_path\":\"mine\",%\"k\":8}'"), 1);
    teardown(&f);
}

/* What was rolled back is not there, nor in sums, and gets its place again. */
static void rolls_back(void **state)
{
    struct fixture f;
    int64_t id;
    (void)state;
    setup(&f);
    struct transaction t = mail_of("Ca", 1);
    const struct record mail = {&stream_smtp, &t, {noon, 0}, NULL};
    struct book *b = open_book(&f, DAY);
    for (uint64_t i = 0; i < 4; i++) {
        t.trans_depth = i / 2;
        begin(b);
        assert_int_equal(put(b, &mail, &id), BOOK_PUT);
        assert_int_equal(id, noon * 1000000 + (int64_t)i / 2);
        if (i % 2)
            commit(b);
        else
            book_roll_back(b);
    }
    close_book(&b);
    assert_int_equal(number(&f, DAY, "SELECT count(*) * 10 + (SELECT sum(mails) FROM minute) FROM smtp"), 22);
    assert_int_equal(number(&f, DAY, "SELECT mails FROM hourly WHERE dimension = 'client'"), 2);
    assert_int_equal(number(&f, DAY, "SELECT count(*) FROM find WHERE find MATCH 'key : kuca'"), 2);
    teardown(&f);
}

/* The last microsecond of a day has one place. */
static void over_midnight(void **state)
{
    struct fixture f;
    struct error err;
    (void)state;
    setup(&f);
    struct shelf *s = shelf_new(&f.set);
    struct transaction mails[6];
    struct record recs[6];
    struct shelf_item items[6];
    struct shelf_counts counts = {0};
    static const char *const uids[] = {"a", "b", "c", "d", "e", "f"};
    for (size_t i = 0; i < 6; i++) {
        mails[i] = mail_of(uids[i], 1);
        recs[i] = (struct record){&stream_smtp, &mails[i], {(int64_t)(DAY + 1) * 86400 - 1, 999999000}, NULL};
        items[i] = (struct shelf_item){&recs[i], day_id(recs[i].end), false};
    }
    /* And one of two days before, late. */
    recs[5].end.tv_sec -= 2 * 86400;
    items[5].id = day_id(recs[5].end);
    assert_int_equal(shelf_write(s, items, 6, &counts, &err), 0);
    assert_int_equal(counts.written, 6);
    for (size_t i = 0; i < 6; i++)
        items[i] = (struct shelf_item){&recs[i], day_id(recs[i].end), false};
    assert_int_equal(shelf_write(s, items, 6, &counts, &err), 0);
    assert_int_equal(counts.known, 6);
    assert_int_equal(shelf_free(&s, &err), 0);
    assert_int_equal(number(&f, DAY, "SELECT count(*) FROM smtp"), 1);
    assert_int_equal(number(&f, DAY + 1, "SELECT count(*) FROM smtp"), 4);
    assert_int_equal(number(&f, DAY + 1, "SELECT min(minute) FROM minute"), (DAY + 1) * 1440);
    assert_int_equal(number(&f, DAY - 2, "SELECT count(*) FROM smtp"), 1);
    teardown(&f);
}

/* Over store_keys the rest counts under "", however it comes. */
static void keys_are_bounded(void **state)
{
    struct fixture f;
    int64_t id;
    (void)state;
    setup(&f);
    f.set.keys = 16;
    struct book *b = open_book(&f, DAY);
    for (int round = 0; round < 4; round++) {
        begin(b);
        for (int i = 0; i < 40; i++) {
            struct transaction t = mail_of("C", (uint64_t)(round * 40 + i));
            t.id.orig.addr.bytes[3] = (uint8_t)i;
            const struct record rec = {&stream_smtp, &t, {noon + round, 0}, NULL};
            assert_int_equal(put(b, &rec, &id), BOOK_PUT);
        }
        commit(b);
        if (round == 1) {
            close_book(&b);
            b = open_book(&f, DAY);
        }
    }
    close_book(&b);
    assert_int_equal(number(&f, DAY, "SELECT count(*) FROM hourly WHERE dimension = 'client' AND mails = 4"),
                     16);
    assert_int_equal(number(&f, DAY, "SELECT mails FROM hourly WHERE dimension = 'client' AND key = ''"), 96);
    teardown(&f);
}

static void names_of_days(void **state)
{
    static const char *const wrong[] = {"2026-11-31.sqlite",
                                        "2026-13-01.sqlite",
                                        "2026-11-30.sqlite-wal",
                                        "2026-11-30.sqlit",
                                        "page.sqlite",
                                        "1969-12-31.sqlite",
                                        "2026-11-30.sqlite.damaged",
                                        "x2026-11-30.sqlite",
                                        "",
                                        "2026-11-3",
                                        "2026-02-29.sqlite"};
    char path[DAY_PATH], *longest = calloc(1, DAY_PATH);
    int32_t day;
    (void)state;
    for (int32_t d = 0; d < 40000; d += 13) {
        assert_true(day_path("d", d, path));
        assert_true(day_parse(path + 2, &day) && day == d);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(day_parse(wrong[i], &day));
    memset(longest, 'x', DAY_PATH - 1);
    assert_false(day_path(longest, 1, path));
    free(longest);
    assert_int_equal(day_id((struct timespec){-1, 0}), 1);
    assert_int_equal(day_id((struct timespec){0, 0}), 1);
    assert_int_equal(day_id((struct timespec){5, 1999}), 5000001);
    int64_t last = day_id((struct timespec){INT64_MAX, 999999999});
    assert_true(day_path("d", day_of_id(last) + 1, path) && strcmp(path, "d/9999-12-31.sqlite") == 0);
}

static void run(sqlite3 *db, const char *sql)
{
    char *text = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
        fail_msg("%s: %s", sql, text);
}

/* A file of an older program lacks columns; what it has stays. */
static void older_files(void **state)
{
    struct fixture f;
    char path[DAY_PATH];
    sqlite3 *db;
    int64_t id;
    (void)state;
    setup(&f);
    struct book *b = open_book(&f, DAY);
    struct transaction t = mail_of("Cold", 1);
    t.subject = slice_str("old");
    const struct record rec = {&stream_smtp, &t, {noon, 0}, NULL};
    begin(b);
    assert_int_equal(put(b, &rec, &id), BOOK_PUT);
    commit(b);
    close_book(&b);
    day_path(f.folder, DAY, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    run(db, "ALTER TABLE smtp DROP COLUMN urls; ALTER TABLE smtp DROP COLUMN helo; ALTER TABLE notice DROP "
            "COLUMN folded");
    sqlite3_close(db);
    b = open_book(&f, DAY);
    t = mail_of("Cnew", 1);
    t.helo = slice_str("new");
    begin(b);
    assert_int_equal(put(b, &rec, &id), BOOK_PUT);
    commit(b);
    close_book(&b);
    assert_int_equal(
        number(&f, DAY, "SELECT count(*) FROM smtp WHERE subject = 'old' AND helo IS NULL OR helo = 'new'"),
        2);
    assert_int_equal(number(&f, DAY, "PRAGMA user_version"), SCHEMA_VERSION);
    teardown(&f);
}

static void wrong_files(void **state)
{
    struct fixture f;
    char path[DAY_PATH], aside[DAY_PATH + 16];
    struct error err;
    struct book *b;
    sqlite3 *db;
    (void)state;
    setup(&f);
    day_path(f.folder, DAY, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    run(db, "PRAGMA user_version = 2");
    sqlite3_close(db);
    assert_int_equal(book_open(&f.set, DAY, &b, &err), -EPROTO);
    assert_non_null(strstr(err.text, "newer"));
    for (int i = 0; i < 3; i++) {
        FILE *file = fopen(path, "w");
        fprintf(file, "%1000d no file of SQLite", i);
        fclose(file);
        assert_int_equal(book_open(&f.set, DAY, &b, &err), -EBADMSG);
        assert_int_equal(day_put_aside(f.folder, DAY, &err), 0);
        snprintf(aside, sizeof aside, i ? "%s.damaged-%d" : "%s.damaged", path, i);
        assert_int_equal(access(aside, F_OK), 0);
        assert_int_equal(access(path, F_OK), -1);
    }
    f.set.directory = "no/such/folder";
    assert_int_equal(book_open(&f.set, DAY, &b, &err), -ENOENT);
    teardown(&f);
}

static void check_domains(const char *domain, const char *want, bool whole)
{
    struct line out = {0};
    assert_int_equal(find_key_domains(FIND_SENDER_DOMAIN, slice_str(domain), &out), whole);
    line_byte(&out, '\0');
    assert_string_equal((const char *)out.data, want);
    line_free(&out);
}

static void tokens(void **state)
{
    struct line out = {0};
    (void)state;
    check_domains("A.b.Example.com", "kfabexamplecom kfbexamplecom kfexamplecom ", true);
    check_domains("localhost", "kflocalhost ", true);
    check_domains("example.com.", "kfexamplecom kfcom ", true);
    check_domains("...", "", true);
    check_domains("1.2.3.4.5.6.7.8.9.x",
                  "kf23456789x kf3456789x kf456789x kf56789x kf6789x kf789x kf89x kf9x ", false);
    assert_true(find_key_text(FIND_ANOMALY, slice_str("Command_Pipelined-2"), &out));
    assert_false(find_key_text(FIND_ANOMALY, slice_str("_-\xc3\xa4"), &out));
    find_key_address(FIND_CLIENT, &(struct address){4, {192, 0, 2, 1}}, 24, &out);
    find_key_address(FIND_CLIENT, &(struct address){6, {0x20, 1, 0xd, 0xb8}}, 128, &out);
    line_byte(&out, '\0');
    assert_string_equal((const char *)out.data,
                        "kacommandpipelined2kic00002ki20010db8000000000000000000000000");
    line_free(&out);
}

/* A mail with all that it may have is found by little, and says so. */
static void texts_are_bounded(void **state)
{
    enum { MANY = 20000, MOST = 4096 };
    struct slice *rcpts = calloc(MANY, sizeof *rcpts);
    struct line out = {0};
    size_t ends[FIND_COLUMNS];
    char *text = calloc(MANY, 32);
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(text + i * 32, 32, "u%zu@d%zu.example", i, i);
        rcpts[i] = slice_str(text + i * 32);
    }
    struct transaction t = mail_of("C", 1);
    t.subject = slice_str("some words");
    t.rcptto = (struct text_list){rcpts, MANY, MANY};
    find_texts(&t, MOST, &out, ends);
    assert_true(out.len < 2 * MOST + 100);
    assert_memory_equal(out.data, "some words ", 11);
    assert_memory_equal(out.data + out.len - 6, "kzcut ", 6);
    t.rcptto.len = 3;
    find_texts(&t, MOST, &out, ends);
    assert_memory_not_equal(out.data + out.len - 6, "kzcut ", 6);
    assert_int_equal(ends[FIND_SUBJECT], 11);
    line_free(&out);
    free(rcpts);
    free(text);
}

/* All that goes in comes out, in its order, until there is no room. */
static void queue_keeps_order(void **state)
{
    struct queue *q = queue_new(1 << 20, 0.001);
    struct queue_batch batch = {0};
    static struct any any = {.state = 7};
    char uid[16];
    size_t in = 0, out = 0;
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct record rec = {.stream = &stream_smtp, .end = {noon, 0}};
        bool room = true;
        for (int i = 0; i < 3000 && room; i++, in += room) {
            struct transaction *t = rec.body = any_body(&any, &stream_smtp, i % 8);
            snprintf(uid, sizeof uid, "C%zu", in);
            t->id.uid = slice_str(uid);
            room = queue_add(q, &rec, false);
            any_free(&any);
        }
        assert_int_equal(queue_waiting(q), in - out);
        while (out < in) {
            assert_true(queue_take(q, 1, &batch));
            for (size_t i = 0; i < batch.count; i++) {
                snprintf(uid, sizeof uid, "C%zu", out++);
                assert_true(
                    slice_eq(((const struct transaction *)batch.items[i]->body)->id.uid, slice_str(uid)));
            }
            queue_give_back(q, &batch);
        }
        assert_true(round || !room);
    }
    /* One that is larger than all of it goes alone. */
    struct transaction t = mail_of("C", 1);
    uint8_t *large = calloc(1, 4 << 20);
    t.subject = (struct slice){large, 4 << 20};
    const struct record rec = {&stream_smtp, &t, {noon, 0}, NULL};
    assert_true(queue_add(q, &rec, false));
    assert_false(queue_add(q, &rec, false));
    assert_true(queue_take(q, 1, &batch) && batch.count == 1);
    queue_give_back(q, &batch);
    queue_close(q);
    assert_false(queue_add(q, &rec, true));
    assert_false(queue_take(q, 1, &batch));
    free(large);
    free(batch.items);
    queue_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_give_back_json), cmocka_unit_test(ids_are_found_again),
        cmocka_unit_test(what_is_known),       cmocka_unit_test(rolls_back),
        cmocka_unit_test(over_midnight),       cmocka_unit_test(keys_are_bounded),
        cmocka_unit_test(names_of_days),       cmocka_unit_test(older_files),
        cmocka_unit_test(wrong_files),         cmocka_unit_test(tokens),
        cmocka_unit_test(texts_are_bounded),   cmocka_unit_test(queue_keeps_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
