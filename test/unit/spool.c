/* The queue of a target, and its copy on disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "courier/own.h"
#include "courier/spool.h"

static char path[64];

static int make(void **state)
{
    (void)state;
    strcpy(path, "/tmp/mailtap-spool-XXXXXX");
    return mkdtemp(path) ? 0 : -1;
}

/* Calls unlink for each entry, or only counts them. */
static size_t entries(const char *prefix, bool remove)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (*entry->d_name != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            n++;
            if (remove)
                unlinkat(dirfd(dir), entry->d_name, 0);
        }
    closedir(dir);
    return n;
}

static int unmake(void **state)
{
    (void)state;
    entries("", true);
    return rmdir(path);
}

static int open_directory(void)
{
    struct error err;
    int fd = spool_directory(path, 0, &err);
    if (fd < 0)
        fail_msg("%s", err.text);
    return fd;
}

static bool add(struct spool *s, const char *text)
{
    return spool_add(s, slice_str(text));
}

static void assert_first(const struct spool *s, const char *text)
{
    assert_non_null(s->first);
    if (!slice_eq(spool_bytes(s->first), slice_str(text)))
        fail_msg("the first is '%.*s', not '%s'", (int)s->first->len, s->first->bytes, text);
}

static void in_memory(void **state)
{
    struct spool s;
    (void)state;
    spool_init(&s, "email", -1, 3 * (sizeof(struct spool_item) + 4));
    assert_int_equal(spool_load(&s), 0);
    assert_true(add(&s, "one"));
    assert_true(add(&s, "two"));
    assert_true(add(&s, "tri"));
    assert_false(add(&s, "four")); /* one byte too many */
    assert_true(s.count == 3 && spool_unkept(&s) == 3);
    assert_first(&s, "one");
    spool_drop(&s);
    assert_true(add(&s, "five"));
    assert_false(add(&s, ""));
    static const char *const rest[] = {"two", "tri", "five"};
    for (size_t i = 0; i < 3; i++) {
        assert_first(&s, rest[i]);
        spool_drop(&s);
    }
    assert_null(s.first);
    assert_true(add(&s, "")); /* into an empty queue again */
    assert_first(&s, "");
    spool_free(&s);
    assert_int_equal(s.count, 0);
}

static void survives(void **state)
{
    struct spool s, other;
    struct stat st;
    char text[64];
    (void)state;
    int dir = open_directory();
    spool_init(&s, "email", dir, 1 << 20);
    spool_init(&other, "webhook", dir, 1 << 20);
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "item %d\n%c", i, i);
        assert_true(spool_add(&s, (struct slice){(const uint8_t *)text, strlen(text) + 1}));
    }
    assert_true(add(&other, "{}"));
    assert_int_equal(spool_unkept(&s), 0);
    assert_int_equal(entries("email-", false), 300);
    assert_int_equal(fstatat(dir, "email.tmp", &st, 0), -1);
    for (int i = 0; i < 100; i++)
        spool_drop(&s);
    assert_int_equal(entries("email-", false), 200);
    spool_free(&s); /* what a killed process leaves */
    spool_free(&other);

    /* Half an item, and what is none. */
    close(openat(dir, "email.tmp", O_WRONLY | O_CREAT, 0600));
    close(openat(dir, "email-12", O_WRONLY | O_CREAT, 0600));
    close(openat(dir, "email-000000000000000g", O_WRONLY | O_CREAT, 0600));
    assert_int_equal(mkdirat(dir, "email-0000000000000001", 0700), 0);
    spool_init(&s, "email", dir, 10); /* what was taken is not refused by a bound of today */
    assert_int_equal(spool_load(&s), 0);
    assert_int_equal(unlinkat(dir, "email-0000000000000001", AT_REMOVEDIR), 0);
    assert_int_equal(s.count, 200);
    assert_false(add(&s, "new"));
    for (int i = 100; i < 300; i++) {
        snprintf(text, sizeof text, "item %d\n%c", i, i);
        assert_true(s.first->len == strlen(text) + 1 && memcmp(s.first->bytes, text, s.first->len) == 0);
        spool_drop(&s);
    }
    spool_free(&s);
    spool_init(&other, "webhook", dir, 1 << 20);
    assert_int_equal(spool_load(&other), 0);
    assert_first(&other, "{}");
    spool_free(&other);
    close(dir);
}

static void order_outlives_the_clock(void **state)
{
    struct spool s;
    (void)state;
    int dir = open_directory();
    close(openat(dir, "email-f000000000000000", O_WRONLY | O_CREAT, 0600)); /* from a clock that was wrong */
    spool_init(&s, "email", dir, 1 << 20);
    assert_int_equal(spool_load(&s), 0);
    assert_true(add(&s, "later"));
    spool_free(&s);
    spool_init(&s, "email", dir, 1 << 20);
    assert_int_equal(spool_load(&s), 0);
    assert_first(&s, "");
    spool_drop(&s);
    assert_first(&s, "later");
    spool_free(&s);
    close(dir);
}

static void rights(void **state)
{
    struct spool s;
    struct stat st;
    struct error err;
    (void)state;
    assert_int_equal(rmdir(path), 0);
    int dir = open_directory();
    assert_true(fstat(dir, &st) == 0 && (st.st_mode & 0777) == 0700);
    mode_t before = umask(0);
    spool_init(&s, "email", dir, 1000);
    assert_true(add(&s, "x"));
    umask(before);
    char name[64];
    snprintf(name, sizeof name, "email-%016llx", (unsigned long long)s.first->number);
    assert_true(fstatat(dir, name, &st, 0) == 0 && (st.st_mode & 0777) == 0600);
    spool_free(&s);
    assert_int_equal(spool_directory(path, 0, &err), -EBUSY);
    close(dir);
    assert_int_equal(chmod(path, 0770), 0);
    assert_int_equal(spool_directory(path, 0, &err), -EPERM);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(spool_directory("/nowhere/at/all", 0, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    assert_int_equal(spool_directory("/dev/null", 0, &err), -ENOTDIR);
}

/* A directory that takes nothing more costs safety, not notices. */
static void disk_fails(void **state)
{
    struct spool s;
    (void)state;
    int dir = open("/proc/self", O_RDONLY | O_DIRECTORY);
    spool_init(&s, "email", dir, 1000);
    assert_true(add(&s, "one"));
    assert_true(add(&s, "two"));
    assert_int_equal(spool_unkept(&s), 2);
    assert_first(&s, "one");
    spool_drop(&s);
    assert_first(&s, "two");
    spool_free(&s);
    close(dir);
}

static void key_is_kept(void **state)
{
    uint8_t a[OWN_KEY], b[OWN_KEY];
    struct error err;
    struct stat st;
    (void)state;
    int dir = open_directory();
    assert_int_equal(own_key_kept(dir, path, a, &err), 0);
    assert_int_equal(own_key_kept(dir, path, b, &err), 0);
    assert_memory_equal(a, b, OWN_KEY);
    assert_true(fstatat(dir, "key", &st, 0) == 0 && (st.st_mode & 0777) == 0600);
    unlinkat(dir, "key", 0);
    assert_int_equal(own_key_kept(dir, path, b, &err), 0);
    assert_memory_not_equal(a, b, OWN_KEY);
    int fd = openat(dir, "key", O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, a, 5), 5);
    close(fd);
    assert_int_equal(own_key_kept(dir, path, b, &err), -EINVAL);
    close(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_memory),
        cmocka_unit_test_setup_teardown(survives, make, unmake),
        cmocka_unit_test_setup_teardown(order_outlives_the_clock, make, unmake),
        cmocka_unit_test_setup_teardown(rights, make, unmake),
        cmocka_unit_test(disk_fails),
        cmocka_unit_test_setup_teardown(key_is_kept, make, unmake),
    };
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
