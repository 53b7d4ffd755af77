/* Rotated logs: when, under which names, and which of them go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "sink/rotate.h"

enum { DAY = 86400 };
static const time_t friday = 4102444800; /* 1 January 2100, 00:00 UTC */

struct folder {
    char path[32];
    int fd;
};

static void folder_make(struct folder *ret)
{
    strcpy(ret->path, "mailtap-rotate-XXXXXX");
    assert_non_null(mkdtemp(ret->path));
    ret->fd = open(ret->path, O_RDONLY | O_DIRECTORY);
    assert_true(ret->fd >= 0);
}

static void folder_remove(struct folder *f)
{
    close(f->fd);
    assert_int_equal(rmdir(f->path), 0);
}

static void make(const struct folder *f, const char *name)
{
    int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    close(fd);
}

/* Removes it too. */
static void has(const struct folder *f, const char *name)
{
    if (unlinkat(f->fd, name, 0) < 0)
        fail_msg("%s is not there", name);
}

static void periods(void **state)
{
    (void)state;
    assert_int_equal(rotate_period(friday, 0), rotate_period(0, 0));
    assert_int_equal(rotate_period(friday, 3600), rotate_period(friday + 3599, 3600));
    assert_int_equal(rotate_period(friday, 3600), rotate_period(friday - 1, 3600) + 1);
    assert_int_equal(rotate_period(friday, DAY), rotate_period(friday - 1, DAY) + 1);
    assert_int_equal(rotate_period(friday, 7 * DAY), rotate_period(friday - 4 * DAY, 7 * DAY));
    assert_int_equal(rotate_period(friday, 7 * DAY), rotate_period(friday - 4 * DAY - 1, 7 * DAY) + 1);
    assert_int_equal(rotate_period(0, DAY), rotate_period(DAY - 1, DAY));
    assert_int_equal(rotate_period(0, DAY), rotate_period(-1, DAY) + 1);
}

static void names(void **state)
{
    struct folder f;
    struct rotated last = {0};
    (void)state;
    folder_make(&f);
    assert_int_equal(rotate_aside(f.fd, "a", friday, &last), -ENOENT);
    make(&f, "a-21000101T000000Z-1.log");
    for (int i = 0; i < 3; i++) {
        make(&f, "a.log");
        assert_int_equal(rotate_aside(f.fd, "a", friday, &last), 0);
    }
    has(&f, "a-21000101T000000Z.log");
    has(&f, "a-21000101T000000Z-1.log");
    has(&f, "a-21000101T000000Z-2.log");
    make(&f, "a.log");
    assert_int_equal(rotate_aside(f.fd, "a", friday, &last), 0);
    has(&f, "a-21000101T000000Z-4.log");
    has(&f, "a-21000101T000000Z-3.log");
    make(&f, "a.log");
    assert_int_equal(rotate_aside(f.fd, "a", friday + 365L * 8000 * DAY, &last), -EOVERFLOW);
    assert_int_equal(rotate_aside(f.fd, "a", friday + 1, &last), 0);
    has(&f, "a-21000101T000001Z.log");
    folder_remove(&f);
}

static void oldest_go(void **state)
{
    static const char *const ours[] = {"a-20991231T235959Z.log", "a-21000101T000000Z.log",
                                       "a-21000101T000000Z-2.log", "a-21000101T000000Z-10.log",
                                       "a-21000101T000001Z.log"};
    static const char *const others[] = {
        "a.log",
        "b-20991231T235959Z.log",
        "a-b-20991231T235959Z.log",
        "a-20991231T235959Z.log.gz",
        "a-20991231T235959Z-.log",
        "a-20991231T235959Z-0.log",
        "a-20991231T235959Z-01.log",
        "a-20991231T235959Z-99999999999999999999999.log",
        "a-20991231X235959Z.log",
        "a-2099123aT235959Z.log",
        "a-",
        "a-20991231T235959Z",
    };
    enum { OURS = sizeof ours / sizeof *ours, OTHERS = sizeof others / sizeof *others };
    (void)state;
    for (size_t keep = 0; keep <= OURS; keep++) {
        struct folder f;
        folder_make(&f);
        for (size_t i = 0; i < OTHERS; i++)
            make(&f, others[i]);
        for (size_t i = 0; i < OURS; i++)
            make(&f, ours[(i * 3 + keep) % OURS]);
        assert_int_equal(rotate_prune(f.fd, "a", keep), 0);
        for (size_t i = OURS - keep; i < OURS; i++)
            has(&f, ours[i]);
        for (size_t i = 0; i < OTHERS; i++)
            has(&f, others[i]);
        folder_remove(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(periods), cmocka_unit_test(names),
                                       cmocka_unit_test(oldest_go)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
