/* outbox.c: batches as files.
 * In: lines. Out: files of a folder, and back. Owns: nothing. Limits: those of whoever asks;
 * OUTBOX_BATCH_MOST.
 * Knowingly: what is not forced to the disk a machine without power loses, the last seconds of it; a process
 * that is killed loses nothing that has its name. A removal is not forced there: what comes back by it is
 * sent again under its id. */
#include "carrier/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/io.h"
#include "base/memory.h"
#include "base/now.h"

#define PART    ".part"
#define NUMBERS (UINT64_C(1) << 62)

/* Seconds after which a batch that is being written is nobody's any more. */
enum { PART_OLD = 3600 };

/* The name of a folder that was made is on the disk once the folder above it is. */
static void sync_parent(const char *path)
{
    char *copy = strdup(path);
    memory_check(copy);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

int outbox_open(const char *path, struct error *reterr)
{
    if (mkdir(path, 0700) == 0)
        sync_parent(path);
    else if (errno != EEXIST)
        return error_set(reterr, -errno, "%.300s: %s", path, strerror(errno));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 ? fd : error_set(reterr, -errno, "%.300s: %s", path, strerror(errno));
}

uint64_t outbox_number(uint64_t last)
{
    struct timespec now = now_wall();
    uint64_t number = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    return number > last ? number : last + 1;
}

static void print_name(const struct outbox_batch *batch, char ret[static OUTBOX_NAME])
{
    snprintf(ret, OUTBOX_NAME, "%016" PRIx64 "-%08" PRIx32 "-%" PRIu64 ".ndjson", batch->number, batch->salt,
             batch->lines);
}

/* Only a name that we would have given. */
static bool parse_name(const char *name, struct outbox_batch *ret)
{
    if (strlen(name) >= OUTBOX_NAME ||
        sscanf(name, "%16" SCNx64 "-%8" SCNx32 "-%10" SCNu64, &ret->number, &ret->salt, &ret->lines) != 3)
        return false;
    print_name(ret, ret->name);
    return ret->number < NUMBERS && strcmp(ret->name, name) == 0;
}

/* First the bytes, then the name that says that they are whole, then that name to the disk. */
static int write_as(int folder, const char *part, const char *name, struct slice bytes, bool sync)
{
    int fd = openat(folder, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int err = io_write(fd, bytes);
    if (!err && sync && fdatasync(fd) < 0)
        err = -errno;
    if (close(fd) < 0 && !err)
        err = -errno;
    if (!err && renameat(folder, part, folder, name) < 0)
        err = -errno;
    if (!err && sync && fsync(folder) < 0) {
        err = -errno;
        unlinkat(folder, name, 0);
    }
    if (err)
        unlinkat(folder, part, 0);
    return err;
}

int outbox_put(int folder, uint64_t number, uint64_t lines, struct slice bytes, bool sync,
               struct error *reterr)
{
    struct outbox_batch batch = {.number = number, .lines = lines};
    char part[32];
    if (getrandom(&batch.salt, sizeof batch.salt, 0) != sizeof batch.salt)
        return error_set(reterr, -EIO, "outbox: no random numbers");
    print_name(&batch, batch.name);
    /* Two processes may fill one outbox, and have the same number in two containers. */
    snprintf(part, sizeof part, "%08" PRIx32 PART, batch.salt);
    int err = write_as(folder, part, batch.name, bytes, sync);
    return err ? error_set(reterr, err, "outbox: %s: %s", batch.name, strerror(-err)) : 0;
}

static int older_first(const void *a, const void *b)
{
    const struct outbox_batch *x = a, *y = b;
    int by_number = (x->number > y->number) - (x->number < y->number);
    return by_number ? by_number : strcmp(x->name, y->name);
}

static DIR *open_list(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir && fd >= 0)
        close(fd);
    return dir;
}

int outbox_list(int folder, size_t most, struct outbox_batch **ret, struct error *reterr)
{
    DIR *dir = open_list(folder);
    size_t count = 0, room = 0;
    struct outbox_batch *items = NULL, one;
    struct stat st;
    *ret = NULL;
    if (!dir)
        return error_set(reterr, -errno, "outbox: %s", strerror(errno));
    for (struct dirent *e; (e = readdir(dir));) {
        if (!parse_name(e->d_name, &one) || fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        one.bytes = (uint64_t)st.st_size;
        if (count == room) {
            room = room ? 2 * room : 64;
            items = reallocarray(items, room, sizeof *items);
            memory_check(items);
        }
        items[count++] = one;
    }
    closedir(dir);
    if (count)
        qsort(items, count, sizeof *items, older_first);
    *ret = items;
    return (int)(count < most ? count : most);
}

struct outbox_sum outbox_sum(int folder)
{
    struct outbox_batch *items;
    struct error err;
    struct outbox_sum sum = {0};
    int count = outbox_list(folder, INT32_MAX, &items, &err);
    for (int i = 0; i < count; i++) {
        sum.batches++;
        sum.lines += items[i].lines;
        sum.bytes += items[i].bytes;
        if (items[i].number < NUMBERS / 2)
            sum.last = items[i].number;
    }
    free(items);
    return sum;
}

void outbox_tidy(int folder)
{
    DIR *dir = open_list(folder);
    struct stat st;
    const time_t now = now_wall().tv_sec;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        size_t len = strlen(e->d_name), end = strlen(PART);
        if (len > end && strcmp(e->d_name + len - end, PART) == 0 &&
            fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime < now - PART_OLD)
            unlinkat(folder, e->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

int outbox_read(int folder, const struct outbox_batch *batch, uint8_t **ret, struct error *reterr)
{
    int fd = openat(folder, batch->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_set(reterr, -errno, "outbox: %s: %s", batch->name, strerror(errno));
    if (batch->bytes > OUTBOX_BATCH_MOST) {
        close(fd);
        return error_set(reterr, -EFBIG, "outbox: %s: larger than any batch", batch->name);
    }
    *ret = malloc(batch->bytes + 1);
    memory_check(*ret);
    ssize_t got = io_read(fd, *ret, batch->bytes);
    close(fd);
    if (got == (ssize_t)batch->bytes)
        return 0;
    free(*ret);
    *ret = NULL;
    return error_set(reterr, got < 0 ? (int)got : -EIO, "outbox: %s: %s", batch->name,
                     strerror(got < 0 ? (int)-got : EIO));
}

void outbox_spoil(int folder, const struct outbox_batch *batch)
{
    char bad[OUTBOX_NAME + 4];
    snprintf(bad, sizeof bad, "%s.bad", batch->name);
    renameat(folder, batch->name, folder, bad);
}

int outbox_remove(int folder, const struct outbox_batch *batch, struct error *reterr)
{
    if (unlinkat(folder, batch->name, 0) == 0 || errno == ENOENT)
        return 0;
    return error_set(reterr, -errno, "outbox: %s: %s", batch->name, strerror(errno));
}
