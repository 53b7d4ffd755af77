/* What is on the disk when: the calls that decide it are wrapped by the linker, and their order is looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/now.h"
#include "carrier/carry.h"
#include "carrier/outbox.h"
#include "carrier/outbox_thread.h"

enum { TEXT = 4096 };

/* Also of a process that was forked. */
static struct {
    char text[TEXT];
    struct carrier_page page;
} * shared;

static char path[64];
static int folder;
static int fail_file, fail_folder; /* an error of the next calls */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static bool is_ours(int fd)
{
    char name[64], to[256] = "";
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return readlink(name, to, sizeof to - 1) > 0 && strstr(to, "mailtap-sync");
}

static void note(const char *what)
{
    size_t len = strlen(shared->text);
    snprintf(shared->text + len, TEXT - len, "%s%s", len ? " " : "", what);
}

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from, const char *a, int to, const char *b);
int __wrap_renameat(int from, const char *a, int to, const char *b);
int __real_unlinkat(int at, const char *name, int flags);
int __wrap_unlinkat(int at, const char *name, int flags);

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    if (is_ours(fd))
        note("write");
    return __real_write(fd, bytes, len);
}

int __wrap_fdatasync(int fd)
{
    struct stat st;
    note(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size ? "file" : "nothing");
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    errno = fail_file;
    return fail_file ? -1 : __real_fdatasync(fd);
}

int __wrap_fsync(int fd)
{
    struct stat st, ours;
    bool above =
        fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && fstat(folder, &ours) == 0 && st.st_ino != ours.st_ino;
    note(above ? "above" : "folder");
    errno = fail_folder;
    return fail_folder ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from, const char *a, int to, const char *b)
{
    note(strstr(b, ".ndjson") ? "name" : "other");
    return __real_renameat(from, a, to, b);
}

int __wrap_unlinkat(int at, const char *name, int flags)
{
    note(strstr(name, ".ndjson") ? "remove" : "drop");
    return __real_unlinkat(at, name, flags);
}

static int make(void **state)
{
    (void)state;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(path, "/tmp/mailtap-sync-XXXXXX");
    folder = mkdtemp(path) ? outbox_open(path, &(struct error){{0}}) : -1;
    fail_file = fail_folder = 0;
    shared->text[0] = '\0';
    return folder < 0 ? -1 : 0;
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

static size_t files(void)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    for (struct dirent *e; (e = readdir(dir));)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static int put(bool sync)
{
    struct error err;
    return outbox_put(folder, 7, 1, slice_str("seven\n"), sync, &err);
}

/* The name says that the bytes are whole, so they are on the disk first; and then the name. */
static void in_order(void **state)
{
    (void)state;
    assert_int_equal(put(true), 0);
    assert_string_equal(shared->text, "write file name folder");
}

static void without(void **state)
{
    (void)state;
    assert_int_equal(put(false), 0);
    assert_string_equal(shared->text, "write name");
}

static void disk_fails(void **state)
{
    (void)state;
    fail_file = EIO;
    assert_int_equal(put(true), -EIO);
    assert_string_equal(shared->text, "write file drop");
    assert_int_equal(files(), 0);
}

static void folder_fails(void **state)
{
    (void)state;
    fail_folder = ENOSPC;
    assert_int_equal(put(true), -ENOSPC);
    assert_int_equal(files(), 0);
}

static void folder_is_made(void **state)
{
    (void)state;
    char inside[96];
    snprintf(inside, sizeof inside, "%s/outbox", path);
    int fd = outbox_open(inside, &(struct error){{0}});
    assert_true(fd >= 0);
    assert_string_equal(shared->text, "folder");
    close(fd);
    fd = outbox_open(inside, &(struct error){{0}});
    assert_string_equal(shared->text, "folder");
    close(fd);
}

static void count(void *ctx)
{
    atomic_fetch_add((atomic_uint *)ctx, 1);
}

/* Whoever hands a batch over does not wait for a disk that stands still. */
static void nobody_waits(void **state)
{
    (void)state;
    atomic_uint done = 0;
    struct error err;
    struct outbox_batch *list;
    struct outbox_thread *t = outbox_thread_new(folder, count, &done);
    pthread_mutex_lock(&gate);
    for (uint64_t i = 0; i < OUTBOX_THREAD_MOST; i++)
        assert_int_equal(outbox_thread_put(t, i + 1, 3, slice_str("a\nb\nc\n"), &err), 0);
    assert_int_equal(outbox_thread_put(t, 100, 3, slice_str("a\nb\nc\n"), &err), -EAGAIN);
    struct outbox_result r = outbox_thread_results(t, false);
    assert_int_equal(r.lines_kept, 0);
    assert_int_equal(r.lines_waiting, 3 * OUTBOX_THREAD_MOST);
    assert_int_equal(atomic_load(&done), 0);
    pthread_mutex_unlock(&gate);
    r = outbox_thread_results(t, true);
    assert_int_equal(r.lines_kept, 3 * OUTBOX_THREAD_MOST);
    assert_int_equal(r.lines_waiting, 0);
    assert_int_equal(atomic_load(&done), OUTBOX_THREAD_MOST);
    assert_int_equal(outbox_list(folder, 1000, &list, &err), OUTBOX_THREAD_MOST);
    free(list);
    assert_int_equal(outbox_thread_results(t, true).lines_kept, 0);
    assert_int_equal(outbox_thread_put(t, 200, 1, slice_str("d\n"), &err), 0);
    outbox_thread_close(&t);
    assert_int_equal(outbox_list(folder, 1000, &list, &err), OUTBOX_THREAD_MOST + 1);
    free(list);
}

/* Nor do few of them fill the memory. */
static void bytes_are_bounded(void **state)
{
    (void)state;
    atomic_uint done = 0;
    struct error err;
    struct outbox_thread *t = outbox_thread_new(folder, count, &done);
    const struct slice large = {calloc(1, OUTBOX_THREAD_BYTES / 2 + 1), OUTBOX_THREAD_BYTES / 2 + 1};
    pthread_mutex_lock(&gate);
    assert_int_equal(outbox_thread_put(t, 1, 1, large, &err), 0);
    assert_int_equal(outbox_thread_put(t, 2, 1, large, &err), -EAGAIN);
    assert_int_equal(outbox_thread_put(t, 3, 1, slice_str("a\n"), &err), 0);
    pthread_mutex_unlock(&gate);
    assert_int_equal(outbox_thread_results(t, true).lines_kept, 2);
    assert_int_equal(outbox_thread_put(t, 4, 1, large, &err), 0);
    outbox_thread_close(&t);
    free((void *)large.data);
}

static void loss_is_told(void **state)
{
    (void)state;
    atomic_uint done = 0;
    struct error err;
    struct outbox_thread *t = outbox_thread_new(folder, count, &done);
    fail_file = EIO;
    assert_int_equal(outbox_thread_put(t, 1, 2, slice_str("a\nb\n"), &err), 0);
    struct outbox_result r = outbox_thread_results(t, true);
    assert_int_equal(r.lines_lost, 2);
    assert_int_equal(r.bytes_lost, 4);
    assert_non_null(strstr(r.why.text, "Input/output error"));
    fail_file = 0;
    assert_int_equal(outbox_thread_put(t, 2, 2, slice_str("c\nd\n"), &err), 0);
    r = outbox_thread_results(t, true);
    assert_int_equal(r.lines_kept, 2);
    assert_int_equal(r.lines_lost, 0);
    assert_int_equal(atomic_load(&done), 1);
    outbox_thread_close(&t);
}

static int fake_open(const struct carrier_settings *set, const char *password, void **ret,
                     struct error *reterr)
{
    (void)set, (void)password, (void)ret, (void)reterr;
    return 0;
}

/* The first time it is away. */
static enum carried fake_send(void *ctx, const struct carrier_batch *batch, struct error *reterr)
{
    static int asked;
    (void)ctx;
    error_set(reterr, 0, "it is said to be");
    if (memmem(batch->lines.data, batch->lines.len, "bad", 3)) {
        note("refused");
        return CARRY_REFUSED;
    }
    note(asked ? "sent" : "away");
    return asked++ ? CARRIED : CARRY_AGAIN;
}

static void fake_close(void *ctx)
{
    (void)ctx;
}

static void carry(void)
{
    static const struct carrier_ops fake = {
        .scheme = "fake", .open = fake_open, .send = fake_send, .close = fake_close};
    const struct carrier_settings set = {.url = "fake://x",
                                         .outbox = path,
                                         .sensor = "west",
                                         .sync = true,
                                         .outbox_bytes = 1 << 20,
                                         .timeout = 1,
                                         .wait_most = 5};
    int pair[2], status;
    shared->text[0] = '\0';
    assert_int_equal(pipe2(pair, O_CLOEXEC | O_NONBLOCK), 0);
    pid_t pid = fork();
    if (pid == 0) {
        const struct carry_start start = {.ops = &fake,
                                          .set = &set,
                                          .folder = outbox_open(path, &(struct error){{0}}),
                                          .wake = pair[0],
                                          .page = &shared->page};
        close(pair[1]);
        carry_run(&start);
    }
    close(pair[0]);
    close(pair[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(files(), strstr(shared->text, "refused") ? 1 : 0);
}

/* It goes once the other side has said that it has it. */
static void removed_last(void **state)
{
    (void)state;
    assert_int_equal(put(true), 0);
    carry();
    assert_string_equal(shared->text, "away sent remove");
}

/* And what is put aside is on the disk before that. */
static void aside_first(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(outbox_put(folder, 8, 1, slice_str("bad\n"), true, &err), 0);
    carry();
    assert_string_equal(shared->text, "refused write file remove");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(in_order, make, clear),
                                       cmocka_unit_test_setup_teardown(without, make, clear),
                                       cmocka_unit_test_setup_teardown(disk_fails, make, clear),
                                       cmocka_unit_test_setup_teardown(folder_fails, make, clear),
                                       cmocka_unit_test_setup_teardown(folder_is_made, make, clear),
                                       cmocka_unit_test_setup_teardown(nobody_waits, make, clear),
                                       cmocka_unit_test_setup_teardown(bytes_are_bounded, make, clear),
                                       cmocka_unit_test_setup_teardown(loss_is_told, make, clear),
                                       cmocka_unit_test_setup_teardown(removed_last, make, clear),
                                       cmocka_unit_test_setup_teardown(aside_first, make, clear)};
    return cmocka_run_group_tests_name("outbox_sync", tests, NULL, NULL);
}
