/* outbox.c: batches as files.
 * In: lines. Out: files of a folder, and back. Owns: nothing. Limits: those of whoever asks.
 * Knowingly: nothing is forced to the disk, so a machine without power loses the last seconds; a process that
 * is killed loses nothing that has its name. */
#include "carrier/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/io.h"
#include "base/memory.h"
#include "base/now.h"

int outbox_open(const char *path, struct error *reterr)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
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

static bool parse_name(const char *name, struct outbox_batch *ret)
{
    int end = 0;
    if (strlen(name) >= OUTBOX_NAME ||
        sscanf(name, "%16" SCNx64 "-%10" SCNu64 ".ndjson%n", &ret->number, &ret->lines, &end) != 2)
        return false;
    snprintf(ret->name, sizeof ret->name, "%s", name);
    return end && !name[end];
}

int outbox_put(int folder, uint64_t number, uint64_t lines, struct slice bytes, struct error *reterr)
{
    static const char part[] = "batch.part";
    char name[OUTBOX_NAME];
    snprintf(name, sizeof name, "%016" PRIx64 "-%" PRIu64 ".ndjson", number, lines);
    int fd = openat(folder, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set(reterr, -errno, "outbox: %s: %s", part, strerror(errno));
    int err = io_write(fd, bytes);
    if (close(fd) < 0 && !err)
        err = -errno;
    if (!err && renameat(folder, part, folder, name) < 0)
        err = -errno;
    if (!err)
        return 0;
    unlinkat(folder, part, 0);
    return error_set(reterr, err, "outbox: %s: %s", name, strerror(-err));
}

static int older_first(const void *a, const void *b)
{
    const struct outbox_batch *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
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
        if (!parse_name(e->d_name, &one) || fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
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

uint64_t outbox_bytes(int folder)
{
    struct outbox_batch *items;
    struct error err;
    uint64_t sum = 0;
    int count = outbox_list(folder, INT32_MAX, &items, &err);
    for (int i = 0; i < count; i++)
        sum += items[i].bytes;
    free(items);
    return sum;
}

int outbox_read(int folder, const struct outbox_batch *batch, uint8_t **ret, struct error *reterr)
{
    int fd = openat(folder, batch->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_set(reterr, -errno, "outbox: %s: %s", batch->name, strerror(errno));
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

int outbox_remove(int folder, const struct outbox_batch *batch, struct error *reterr)
{
    if (unlinkat(folder, batch->name, 0) == 0 || errno == ENOENT)
        return 0;
    return error_set(reterr, -errno, "outbox: %s: %s", batch->name, strerror(errno));
}
