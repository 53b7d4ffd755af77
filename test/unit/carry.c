/* What the carrier's process does with answers of the other side: it is forked, and its other side is a
 * function here whose log is in shared memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/now.h"
#include "carrier/carry.h"
#include "carrier/outbox.h"

enum { CALLS = 200, TEXT = 4096 };

struct log {
    struct carrier_page page;
    unsigned calls, again; /* so many calls are answered by CARRY_AGAIN first */
    bool open_fails;
    char ids[CALLS][160];
    size_t counts[CALLS];
    char taken[TEXT]; /* all lines that were carried */
    char ahead[TEXT]; /* what was shown of those behind, each call in brackets */
};

static struct log *shared;
static char path[64];
static int folder;
static pid_t pid;
static int wake;

static int fake_check(const struct carrier_settings *set, struct error *reterr)
{
    (void)set, (void)reterr;
    return 0;
}

static int fake_open(const struct carrier_settings *set, const char *password, void **ret,
                     struct error *reterr)
{
    (void)set, (void)password;
    *ret = shared;
    return shared->open_fails ? error_set(reterr, -EINVAL, "no") : 0;
}

/* Whatever holds "bad" is refused. */
static enum carried fake_send(void *ctx, const struct carrier_batch *batch, struct error *reterr)
{
    struct log *log = ctx;
    unsigned i = log->calls++;
    if (i < CALLS) {
        snprintf(log->ids[i], sizeof log->ids[i], "%s", batch->id);
        log->counts[i] = batch->count;
    }
    if (i < log->again) {
        error_set(reterr, 0, "not \"now\"");
        return CARRY_AGAIN;
    }
    if (memmem(batch->lines.data, batch->lines.len, "bad", 3)) {
        error_set(reterr, 0, "it is \"bad\"");
        return CARRY_REFUSED;
    }
    size_t len = strlen(log->taken);
    snprintf(log->taken + len, TEXT - len, "%.*s", (int)batch->lines.len, (const char *)batch->lines.data);
    return CARRIED;
}

static void fake_close(void *ctx)
{
    (void)ctx;
}

static const struct carrier_ops fake = {"fake", "", fake_check, fake_open, fake_send, fake_close};

static void fake_ahead(void *ctx, struct slice lines)
{
    struct log *log = ctx;
    size_t len = strlen(log->ahead);
    snprintf(log->ahead + len, TEXT - len, "[%.*s]", (int)lines.len, (const char *)lines.data);
}

static const struct carrier_ops fake_groups = {.scheme = "fake",
                                               .check = fake_check,
                                               .open = fake_open,
                                               .send = fake_send,
                                               .close = fake_close,
                                               .ahead = fake_ahead};
static const struct carrier_ops *ops = &fake;
static struct carrier_settings set = {
    .url = "fake://x", .sensor = "west", .outbox_bytes = 1 << 20, .timeout = 1, .wait_most = 5};

static int make(void **state)
{
    (void)state;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(path, "/tmp/mailtap-carry-XXXXXX");
    folder = mkdtemp(path) ? outbox_open(path, &(struct error){{0}}) : -1;
    set.outbox = path;
    set.wait_most = 5;
    ops = &fake;
    return shared == MAP_FAILED || folder < 0 ? -1 : 0;
}

static int clear(void **state)
{
    (void)state;
    char command[128];
    close(folder);
    munmap(shared, sizeof *shared);
    snprintf(command, sizeof command, "rm -r %s", path);
    return system(command) ? -1 : 0;
}

static void put(const char *text, uint64_t lines)
{
    static uint64_t last;
    struct error err;
    last = outbox_number(last);
    assert_int_equal(outbox_put(folder, last, lines, slice_str(text), false, &err), 0);
}

static void begin(void)
{
    int pair[2];
    assert_int_equal(pipe2(pair, O_CLOEXEC | O_NONBLOCK), 0);
    pid = fork();
    if (pid == 0) {
        /* Its own, as the lock belongs to it. */
        const struct carry_start start = {.ops = ops,
                                          .set = &set,
                                          .folder = outbox_open(path, &(struct error){{0}}),
                                          .wake = pair[0],
                                          .page = &shared->page};
        close(pair[1]);
        carry_run(&start);
    }
    close(pair[0]);
    wake = pair[1];
}

static int end(void)
{
    int status = 0;
    close(wake);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static size_t refused(char ret[static TEXT])
{
    int fd = openat(folder, "refused.ndjson", O_RDONLY);
    ssize_t got = fd < 0 ? 0 : read(fd, ret, TEXT - 1);
    if (fd >= 0)
        close(fd);
    ret[got > 0 ? got : 0] = '\0';
    return strlen(ret);
}

static void all_is_well(void **state)
{
    (void)state;
    put("1\n2\n", 2);
    put("3\n", 1);
    begin();
    assert_int_equal(end(), 0);
    assert_string_equal(shared->taken, "1\n2\n3\n");
    assert_int_equal(shared->page.lines, 3);
    assert_int_equal(shared->page.batches, 2);
    assert_int_equal(shared->page.bytes, 6);
    assert_int_equal(outbox_sum(folder).batches, 0);
}

/* A name may hold anything; an id goes into headers. */
static void plain_ids(void **state)
{
    (void)state;
    set.sensor = "w\r\nX: y\xc3\xbc.1";
    put("1\n", 1);
    begin();
    set.sensor = "west";
    assert_int_equal(end(), 0);
    assert_int_equal(strncmp(shared->ids[0], "w__X__y__.1-", 12), 0);
}

/* The same lines, the same id, a pause that grows. */
static void tries_again(void **state)
{
    (void)state;
    shared->again = 3;
    put("1\n", 1);
    double began = now_monotonic();
    begin();
    assert_int_equal(end(), 0);
    assert_true(now_monotonic() - began > 0.1 + 0.2);
    assert_int_equal(shared->calls, 4);
    for (int i = 1; i < 4; i++)
        assert_string_equal(shared->ids[i], shared->ids[0]);
    assert_string_equal(shared->taken, "1\n");
    assert_int_equal(shared->page.down, 0);
}

static void puts_aside_the_bad_one(void **state)
{
    char text[TEXT];
    (void)state;
    put("{1}\n{2}\n{3}\n{\"bad\"}\n{5}\n{6}\n{7}\n", 7);
    begin();
    assert_int_equal(end(), 0);
    assert_string_equal(shared->taken, "{1}\n{2}\n{3}\n{5}\n{6}\n{7}\n");
    refused(text);
    assert_string_equal(text, "{\"error\":\"it is \\\"bad\\\"\",\"record\":{\"bad\"}}\n");
    assert_int_equal(shared->page.refused, 1);
    assert_int_equal(shared->page.lines, 6);
    assert_int_equal(outbox_sum(folder).batches, 0);
    for (unsigned i = 0; i < shared->calls; i++)
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(shared->ids[i], shared->ids[k]);
}

/* A try that ends in the midst of a batch in halves goes on, in the next run, under the same ids. */
static void same_halves_in_the_next_run(void **state)
{
    static char first[CALLS][160];
    (void)state;
    put("1\n2\n{bad}\n4\n", 4);
    begin();
    assert_int_equal(end(), 0);
    unsigned calls = shared->calls;
    memcpy(first, shared->ids, sizeof first);
    assert_true(calls >= 4);
    /* The same file again, as it would be where the process died before it took it out. */
    char name[OUTBOX_NAME];
    unsigned long long number;
    unsigned salt;
    assert_int_equal(sscanf(first[0], "west-%16llx-%8x", &number, &salt), 2);
    snprintf(name, sizeof name, "%016llx-%08x-4.ndjson", number, salt);
    int fd = openat(folder, name, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "1\n2\n{bad}\n4\n", 12), 12);
    close(fd);
    shared->calls = 0;
    begin();
    assert_int_equal(end(), 0);
    assert_int_equal(shared->calls, calls);
    for (unsigned i = 0; i < calls; i++)
        assert_string_equal(shared->ids[i], first[i]);
}

static void torn_files(void **state)
{
    char text[TEXT];
    (void)state;
    put("1\n2\n{\"subject\": \"ha", 3);
    put("", 1);
    put("half", 1);
    begin();
    assert_int_equal(end(), 0);
    assert_string_equal(shared->taken, "1\n2\n");
    refused(text);
    assert_non_null(strstr(text, "\"record\":\"{\\\"subject\\\": \\\"ha\"}\n"));
    assert_non_null(strstr(text, "\"record\":\"half\"}\n"));
    assert_int_equal(outbox_sum(folder).batches, 0);
    assert_int_equal(shared->page.refused, 2);
}

static void zeros_at_the_end(void **state)
{
    (void)state;
    int fd = openat(folder, "0000000000000001-00000001-3.ndjson", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "1\n2\n3\0\0\0\n\0", 11), 11);
    close(fd);
    begin();
    assert_int_equal(end(), 0);
    assert_string_equal(shared->taken, "1\n2\n");
    assert_int_equal(shared->page.refused, 1);
    assert_int_equal(outbox_sum(folder).batches, 0);
}

static void time_is_over(void **state)
{
    (void)state;
    shared->again = 1000;
    set.wait_most = 0.3;
    put("1\n", 1);
    begin();
    double began = now_monotonic();
    assert_int_equal(end(), 0);
    assert_true(now_monotonic() - began < 1.5);
    assert_int_equal(outbox_sum(folder).batches, 1);
    assert_int_equal(shared->page.down, 1);
}

static void cannot_open(void **state)
{
    (void)state;
    shared->open_fails = true;
    begin();
    assert_int_equal(end(), 2);
}

/* Of two that share an outbox one waits; nothing is sent twice. */
static void one_at_a_time(void **state)
{
    (void)state;
    begin();
    pid_t first = pid;
    int first_wake = wake;
    begin();
    for (int i = 0; i < 20; i++)
        put("1\n", 1);
    assert_int_equal(end(), 0);
    pid = first;
    wake = first_wake;
    assert_int_equal(end(), 0);
    assert_int_equal(shared->page.lines, 20);
    assert_int_equal(strlen(shared->taken), 40);
}

/* What waits goes together, up to group_bytes; a file that is torn goes alone. */
static void groups(void **state)
{
    (void)state;
    ops = &fake_groups;
    set.group_bytes = 6;
    put("1\n2\n", 2);
    put("3\n", 1);
    put("4\n", 1);
    put("5\n6", 2);
    put("7 is longer\n", 1);
    put("{bad}\n", 1);
    put("9\n", 1);
    begin();
    assert_int_equal(end(), 0);
    assert_string_equal(shared->taken, "1\n2\n3\n4\n5\n7 is longer\n9\n");
    assert_string_equal(shared->ahead, "[4\n][][{bad}\n][9\n][][]");
    assert_int_equal(shared->counts[0], 3);
    assert_int_equal(shared->page.lines, 7);
    assert_int_equal(shared->page.refused, 2);
    assert_int_equal(shared->page.batches, 7);
    assert_int_equal(outbox_sum(folder).batches, 0);
}

/* None is gone before all of its group are carried. */
static void groups_wait(void **state)
{
    (void)state;
    ops = &fake_groups;
    set.group_bytes = 100;
    set.wait_most = 0.3;
    shared->again = CALLS;
    put("1\n", 1);
    put("2\n", 1);
    begin();
    assert_int_equal(end(), 0);
    assert_int_equal(outbox_sum(folder).batches, 2);
    shared->again = 0;
    set.wait_most = 5;
    begin();
    assert_int_equal(end(), 0);
    assert_string_equal(shared->taken, "1\n2\n");
    assert_int_equal(outbox_sum(folder).batches, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_well, make, clear),
        cmocka_unit_test_setup_teardown(plain_ids, make, clear),
        cmocka_unit_test_setup_teardown(tries_again, make, clear),
        cmocka_unit_test_setup_teardown(puts_aside_the_bad_one, make, clear),
        cmocka_unit_test_setup_teardown(same_halves_in_the_next_run, make, clear),
        cmocka_unit_test_setup_teardown(torn_files, make, clear),
        cmocka_unit_test_setup_teardown(zeros_at_the_end, make, clear),
        cmocka_unit_test_setup_teardown(time_is_over, make, clear),
        cmocka_unit_test_setup_teardown(cannot_open, make, clear),
        cmocka_unit_test_setup_teardown(one_at_a_time, make, clear),
        cmocka_unit_test_setup_teardown(groups, make, clear),
        cmocka_unit_test_setup_teardown(groups_wait, make, clear)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
