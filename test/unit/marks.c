/* Marks of notices: what is decided stays, with who and when; a folder that cannot be written can still be
 * read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "store/marks.h"
#include <sqlite3.h>

static char path[64];
static struct error err;

static int make(void **state)
{
    (void)state;
    strcpy(path, "/tmp/mailtap-marks-XXXXXX");
    return mkdtemp(path) ? 0 : -1;
}

static int drop(void **state)
{
    static const char *const names[] = {"page.sqlite", "page.sqlite-journal"};
    char name[128];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s/%s", path, names[i]);
        unlink(name);
    }
    return rmdir(path);
}

static struct marks *open_marks(bool write)
{
    struct marks *m;
    assert_int_equal(marks_open(path, write, &m, &err), 0);
    return m;
}

static struct slice text(const char *s)
{
    return s ? slice_str(s) : (struct slice){0};
}

static struct marked notice(int64_t id, const char *identifier, const char *host)
{
    return (struct marked){id, id, slice_str("SMTP::Blocked_Host"), text(identifier), text(host)};
}

static enum mark_state state_of(struct marks *m, int64_t id, const char *identifier, const char *host)
{
    struct marked n = notice(id, identifier, host);
    struct mark mark;
    assert_int_equal(marks_state(m, &n, &mark, &err), 0);
    return mark.state;
}

static struct mark_act act(const char *by, const char *remark, int64_t at)
{
    return (struct mark_act){text(by), text(remark), at};
}

static void none(void **state)
{
    (void)state;
    struct marks *m = open_marks(false);
    assert_int_equal(state_of(m, 1000, "a", "192.0.2.1"), MARK_OPEN);
    marks_close(&m);
    char name[128];
    snprintf(name, sizeof name, "%s/page.sqlite", path);
    assert_int_equal(access(name, F_OK), -1); /* who reads makes nothing */
}

static void acknowledged(void **state)
{
    (void)state;
    struct marks *m = open_marks(true);
    struct mark_act by_anna = act("anna", "called them", 5000);
    assert_int_equal(marks_acknowledge(m, 1000, &by_anna, &err), 0);
    marks_close(&m);
    m = open_marks(false);
    struct marked n = notice(1000, "a", NULL);
    struct mark mark;
    assert_int_equal(marks_state(m, &n, &mark, &err), 0);
    assert_int_equal(mark.state, MARK_ACKNOWLEDGED);
    assert_int_equal(mark.at, 5000);
    assert_true(slice_eq(mark.by, slice_str("anna")));
    assert_true(slice_eq(mark.remark, slice_str("called them")));
    assert_int_equal(state_of(m, 1001, "a", NULL), MARK_OPEN);
    marks_close(&m);
    m = open_marks(true);
    assert_int_equal(marks_reopen(m, 1000, &by_anna, &err), 0);
    assert_int_equal(state_of(m, 1000, "a", NULL), MARK_OPEN);
    assert_int_equal(marks_reopen(m, 1000, &by_anna, &err), -ENOENT);
    marks_close(&m);
}

static int64_t mute(struct marks *m, const char *identifier, const char *host, int64_t until)
{
    int64_t id = 0;
    const struct mute mute = {.note = slice_str("SMTP::Blocked_Host"),
                              .identifier = text(identifier),
                              .host = text(host),
                              .until = until,
                              .act = act("bert", NULL, 7000)};
    assert_int_equal(marks_mute(m, &mute, &id, &err), 0);
    return id;
}

static void muted(void **state)
{
    (void)state;
    struct marks *m = open_marks(true);
    int64_t by_identifier = mute(m, "a", NULL, 0), by_host = mute(m, NULL, "192.0.2.1", 9000);
    assert_int_equal(state_of(m, 1000, "a", NULL), MARK_MUTED);
    assert_int_equal(state_of(m, 99000, "a", "192.0.2.9"), MARK_MUTED);
    assert_int_equal(state_of(m, 1000, "b", "192.0.2.9"), MARK_OPEN);
    assert_int_equal(state_of(m, 1000, NULL, "192.0.2.1"), MARK_MUTED);
    assert_int_equal(state_of(m, 9000, NULL, "192.0.2.1"), MARK_OPEN); /* it is over */
    assert_int_equal(marks_unmute(m, by_identifier, &(struct mark_act){.at = 8000}, &err), 0);
    assert_int_equal(state_of(m, 1000, "a", NULL), MARK_OPEN);
    assert_int_equal(marks_unmute(m, by_identifier, &(struct mark_act){.at = 8000}, &err), -ENOENT);
    int64_t whole = mute(m, NULL, NULL, 0);
    assert_true(whole > by_host);
    assert_int_equal(state_of(m, 99000, "b", NULL), MARK_MUTED);
    struct mark_act by_anna = act("anna", NULL, 8000);
    assert_int_equal(marks_acknowledge(m, 99000, &by_anna, &err), 0);
    assert_int_equal(state_of(m, 99000, "b", NULL), MARK_ACKNOWLEDGED);
    marks_close(&m);
}

static void muted_host(void **state)
{
    (void)state;
    struct marks *m = open_marks(true);
    int64_t id;
    const struct mute all = {.host = slice_str("192.0.2.1"), .act = act(NULL, NULL, 1)};
    assert_int_equal(marks_mute(m, &all, &id, &err), 0);
    assert_int_equal(state_of(m, 1000, "a", "192.0.2.1"), MARK_MUTED);
    assert_int_equal(state_of(m, 1000, "a", "192.0.2.2"), MARK_OPEN);
    assert_int_equal(state_of(m, 1000, "a", NULL), MARK_OPEN);
    marks_close(&m);
}

struct heard {
    size_t count;
    char what[8][16];
};

static void hear(void *ctx, const char *what, const struct mark_act *a)
{
    struct heard *h = ctx;
    (void)a;
    assert_true(h->count < 8);
    snprintf(h->what[h->count++], 16, "%s", what);
}

static void hear_mute(void *ctx, const struct mute *m)
{
    hear(ctx, m->host.len ? "host" : m->identifier.len ? "identifier" : "all", &m->act);
}

static void history(void **state)
{
    (void)state;
    struct marks *m = open_marks(true);
    struct marked n = notice(1000, "a", "192.0.2.1"), other = notice(2000, "b", NULL);
    struct mark_act by_anna = act("anna", "seen", 1);
    struct heard h = {0};
    assert_int_equal(marks_acknowledge(m, 1000, &by_anna, &err), 0);
    assert_int_equal(marks_reopen(m, 1000, &by_anna, &err), 0);
    int64_t id = mute(m, "a", NULL, 0);
    assert_int_equal(marks_unmute(m, id, &by_anna, &err), 0);
    assert_int_equal(marks_history(m, &n, hear, &h, &err), 0);
    assert_int_equal(h.count, 4);
    assert_string_equal(h.what[0], "unmuted");
    assert_string_equal(h.what[1], "muted");
    assert_string_equal(h.what[2], "reopened");
    assert_string_equal(h.what[3], "acknowledged");
    h.count = 0;
    assert_int_equal(marks_history(m, &other, hear, &h, &err), 0);
    assert_int_equal(h.count, 0);
    mute(m, NULL, "192.0.2.1", 0);
    mute(m, NULL, NULL, 0);
    assert_int_equal(marks_mutes(m, hear_mute, &h, &err), 0);
    assert_int_equal(h.count, 2);
    assert_string_equal(h.what[0], "all");
    assert_string_equal(h.what[1], "host");
    marks_close(&m);
}

/* All mutes but one. */
static void fill_up(void)
{
    sqlite3 *db;
    char name[128], sql[200];
    snprintf(name, sizeof name, "%s/page.sqlite", path);
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (VALUES(2) UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
             "INSERT INTO mute(note, at) SELECT 'x', 1 FROM n",
             MARKS_MUTES);
    assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void full(void **state)
{
    (void)state;
    struct marks *m = open_marks(true);
    int64_t id;
    const struct mute one = {.note = slice_str("x"), .act = act(NULL, NULL, 1)};
    fill_up();
    assert_int_equal(marks_mute(m, &one, &id, &err), 0);
    assert_int_equal(marks_mute(m, &one, &id, &err), -ENOSPC);
    struct marked n = {1, 1, slice_str("x"), {0}, {0}};
    assert_int_equal(state_of(m, 1, NULL, NULL), MARK_OPEN);
    struct mark mark;
    assert_int_equal(marks_state(m, &n, &mark, &err), 0); /* a refused act leaves no transaction open */
    assert_int_equal(mark.state, MARK_MUTED);
    marks_close(&m);
}

/* As root everything can be written, so the folder is none. */
static void cannot_write(void **state)
{
    (void)state;
    struct marks *m;
    assert_int_equal(marks_open("/proc/self/no-such-folder", true, &m, &err), -ENOENT);
    assert_null(m);
    assert_int_equal(marks_open("/proc/self", true, &m, &err) < 0, 1);
    assert_null(m);
    assert_int_equal(marks_open("/proc/self", false, &m, &err), 0);
    marks_close(&m);
}

static void newer(void **state)
{
    (void)state;
    sqlite3 *db;
    char name[128];
    struct marks *m;
    snprintf(name, sizeof name, "%s/page.sqlite", path);
    assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(marks_open(path, false, &m, &err), -EPROTO);
    assert_int_equal(marks_open(path, true, &m, &err), -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(none, make, drop),
        cmocka_unit_test_setup_teardown(acknowledged, make, drop),
        cmocka_unit_test_setup_teardown(muted, make, drop),
        cmocka_unit_test_setup_teardown(muted_host, make, drop),
        cmocka_unit_test_setup_teardown(history, make, drop),
        cmocka_unit_test_setup_teardown(full, make, drop),
        cmocka_unit_test(cannot_write),
        cmocka_unit_test_setup_teardown(newer, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
