/* Batches as files: what is a name of one, and in which order they go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "carrier/outbox.h"
#include "carrier/servers.h"

static char path[64];
static int folder;

static int make(void **state)
{
    (void)state;
    strcpy(path, "/tmp/mailtap-outbox-XXXXXX");
    folder = mkdtemp(path) ? outbox_open(path, &(struct error){{0}}) : -1;
    return folder < 0 ? -1 : 0;
}

static int clear(void **state)
{
    (void)state;
    char command[128];
    close(folder);
    snprintf(command, sizeof command, "rm -r %s", path);
    return system(command) ? -1 : 0;
}

static void put_file(const char *name, const char *text)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void put(uint64_t number, const char *text)
{
    struct error err;
    assert_int_equal(outbox_put(folder, number, 1, slice_str(text), false, &err), 0);
}

static void gives_back(void **state)
{
    struct outbox_batch *list;
    struct error err;
    uint8_t *bytes;
    (void)state;
    put(7, "seven\n");
    put(5, "five\n");
    assert_int_equal(outbox_list(folder, 10, &list, &err), 2);
    assert_int_equal(list[0].number, 5);
    assert_int_equal(list[0].lines, 1);
    assert_int_equal(outbox_read(folder, &list[1], &bytes, &err), 0);
    assert_int_equal(list[1].bytes, 6);
    assert_memory_equal(bytes, "seven\n", 6);
    free(bytes);
    assert_int_equal(outbox_remove(folder, &list[0], &err), 0);
    assert_int_equal(outbox_remove(folder, &list[0], &err), 0);
    free(list);
    assert_int_equal(outbox_list(folder, 10, &list, &err), 1);
    free(list);
    const struct outbox_sum sum = outbox_sum(folder);
    assert_int_equal(sum.batches, 1);
    assert_int_equal(sum.bytes, 6);
    assert_int_equal(sum.last, 7);
}

static void one_number_twice(void **state)
{
    struct outbox_batch *list;
    struct error err;
    (void)state;
    put(9, "one\n");
    put(9, "two\n");
    assert_int_equal(outbox_list(folder, 10, &list, &err), 2);
    assert_int_not_equal(list[0].salt, list[1].salt);
    free(list);
}

static void odd_names(void **state)
{
    static const char *const odd[] = {"0000000000000001-00000001-1.ndjson.bad",
                                      "0000000000000001-00000001-1",
                                      "1-00000001-1.ndjson",
                                      " 000000000000001-00000001-1.ndjson",
                                      "-000000000000001-00000001-1.ndjson",
                                      "0x00000000000001-00000001-1.ndjson",
                                      "000000000000000A-00000001-1.ndjson",
                                      "0000000000000001-00000001-01.ndjson",
                                      "0000000000000001-00000001--1.ndjson",
                                      "0000000000000001-00000001-.ndjson",
                                      "7fffffffffffffff-00000001-1.ndjson",
                                      "ffffffffffffffff-00000001-1.ndjson",
                                      "0000000000000001-1.ndjson",
                                      "refused.ndjson",
                                      "123.part",
                                      "0000000000000001-00000001-99999999999999999999999999999999999.ndjson"};
    struct outbox_batch *list;
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        put_file(odd[i], "x\n");
    assert_int_equal(mkdirat(folder, "0000000000000001-00000001-1.ndjson", 0700), 0);
    assert_int_equal(symlinkat("refused.ndjson", folder, "0000000000000002-00000001-1.ndjson"), 0);
    assert_int_equal(outbox_list(folder, 100, &list, &err), 0);
    free(list);
    put_file("0000000000000001-00000002-1.ndjson", "x\n");
    assert_int_equal(outbox_list(folder, 100, &list, &err), 1);
    free(list);
}

/* A number that no clock gave must not lead the next ones over the edge. */
static void clock_jumps(void **state)
{
    const uint64_t now = outbox_number(0);
    (void)state;
    assert_true(outbox_number(now + 1000000000) == now + 1000000001);
    put_file("3ffffffffffffffe-00000001-1.ndjson", "x\n");
    assert_int_equal(outbox_sum(folder).last, 0);
    assert_int_equal(outbox_sum(folder).batches, 1);
    put(now + 1000000000, "later\n");
    assert_true(outbox_sum(folder).last == now + 1000000000);
}

static void half_written(void **state)
{
    struct timespec old[2] = {{1, 0}, {1, 0}};
    struct outbox_batch *list;
    struct error err;
    struct stat st;
    (void)state;
    put_file("77.part", "half");
    put_file("78.part", "half");
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    assert_int_equal(utimensat(folder, "77.part", old, 0), 0);
    outbox_tidy(folder);
    assert_int_equal(fstatat(folder, "77.part", &st, 0), -1);
    assert_int_equal(fstatat(folder, "78.part", &st, 0), 0);
    assert_int_equal(outbox_list(folder, 100, &list, &err), 0);
    free(list);
}

static void too_large(void **state)
{
    static const char name[] = "0000000000000001-00000001-1.ndjson";
    struct outbox_batch *list;
    struct error err;
    uint8_t *bytes;
    (void)state;
    put_file(name, "");
    int fd = openat(folder, name, O_WRONLY);
    assert_int_equal(ftruncate(fd, (off_t)OUTBOX_BATCH_MOST + 1), 0);
    close(fd);
    assert_int_equal(outbox_list(folder, 100, &list, &err), 1);
    assert_int_equal(outbox_read(folder, list, &bytes, &err), -EFBIG);
    outbox_spoil(folder, list);
    free(list);
    assert_int_equal(outbox_list(folder, 100, &list, &err), 0);
    free(list);
}

static void servers_of(const char *url, int want, size_t count, const char *last, const char *name)
{
    struct servers servers;
    struct error err;
    int got = servers_parse(url, "STREAM", 4222, &servers, &err);
    if (got != want)
        fprintf(stderr, "%s: %d %s\n", url, got, got ? err.text : "");
    assert_int_equal(got, want);
    if (got)
        return;
    assert_int_equal(servers.count, count);
    assert_string_equal(servers.items[count - 1], last);
    assert_string_equal(servers.name, name);
}

static void addresses(void **state)
{
    (void)state;
    servers_of("nats://a/S", 0, 1, "a:4222", "S");
    servers_of("nats://a:1,b.example.org:65535/mail-2_x", 0, 2, "b.example.org:65535", "mail-2_x");
    servers_of("nats://[::1]/S", 0, 1, "[::1]:4222", "S");
    servers_of("nats://[2001:db8::1]:99/S", 0, 1, "[2001:db8::1]:99", "S");
    servers_of("nats://a", -EINVAL, 0, "", "");
    servers_of("nats://a/", -EINVAL, 0, "", "");
    servers_of("nats:///S", -EINVAL, 0, "", "");
    servers_of("nats://,/S", -EINVAL, 0, "", "");
    servers_of("nats://a:/S", -EINVAL, 0, "", "");
    servers_of("nats://a:0/S", -EINVAL, 0, "", "");
    servers_of("nats://a:65536/S", -EINVAL, 0, "", "");
    servers_of("nats://a:1x/S", -EINVAL, 0, "", "");
    servers_of("nats://a b/S", -EINVAL, 0, "", "");
    servers_of("nats://[::1/S", -EINVAL, 0, "", "");
    servers_of("nats://a/S/T", -EINVAL, 0, "", "");
    servers_of("nats://a/S*", -EINVAL, 0, "", "");
    servers_of("nats://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17/S", -EINVAL, 0, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(gives_back, make, clear),
                                       cmocka_unit_test_setup_teardown(one_number_twice, make, clear),
                                       cmocka_unit_test_setup_teardown(odd_names, make, clear),
                                       cmocka_unit_test_setup_teardown(clock_jumps, make, clear),
                                       cmocka_unit_test_setup_teardown(half_written, make, clear),
                                       cmocka_unit_test_setup_teardown(too_large, make, clear),
                                       cmocka_unit_test(addresses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
