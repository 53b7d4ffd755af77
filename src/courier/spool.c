/* spool.c: a bounded queue, and its copy on disk.
 * In: items. Out: the same, in their order. Owns: the items; of the directory the files that begin with its
 * name. Limits: `most`; ITEM_MOST for a file. Knowingly: over the bound the newest item is refused, as the
 * first notices of an outage say most and what was taken is never undone. Nothing is fsynced: items survive
 * the death of every process, not always that of the machine. An item whose file cannot be removed would be
 * delivered again by the next process; that is said. */
#include "courier/spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/io.h"
#include "base/memory.h"

enum { NAME = 64, DIGITS = 16, ITEM_MOST = 16 * 1024 * 1024 };

int spool_directory(const char *path, double wait, struct error *reterr)
{
    struct stat st;
    int err = 0;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_set(reterr, -errno, "spool_directory: %.300s: %s", path, strerror(errno));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        err = error_set(reterr, -errno, "spool_directory: %.300s: %s", path, strerror(errno));
    else if (st.st_uid != geteuid() || st.st_mode & 022)
        err = error_set(reterr, -EPERM,
                        "spool_directory: %.300s: must belong to the user who writes in it, uid %u, and be "
                        "writable for nobody else",
                        path, geteuid());
    else if (faccessat(fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) < 0)
        err = error_set(reterr, -errno, "spool_directory: %.300s: %s", path, strerror(errno));
    for (double waited = 0; !err && flock(fd, LOCK_EX | LOCK_NB) < 0; waited += 0.05) {
        if (errno != EINTR && errno != EWOULDBLOCK)
            err = error_set(reterr, -errno, "spool_directory: %.300s: %s", path, strerror(errno));
        else if (waited >= wait)
            err = error_set(reterr, -EBUSY, "spool_directory: %.300s: another mailtap uses it", path);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    if (!err)
        return fd;
    if (fd >= 0)
        close(fd);
    return err;
}

void spool_init(struct spool *s, const char *name, int directory, size_t most)
{
    *s = (struct spool){.name = name, .directory = directory, .most = most};
    s->end = &s->first;
}

static void file_name(const struct spool *s, uint64_t number, char ret[static NAME])
{
    snprintf(ret, NAME, "%s-%016" PRIx64, s->name, number);
}

/* True: it is the name of an item of this spool. */
static bool number_of(const struct spool *s, const char *file, uint64_t *ret)
{
    size_t len = strlen(s->name);
    if (strncmp(file, s->name, len) != 0 || file[len] != '-' || strlen(file) != len + 1 + DIGITS ||
        strspn(file + len + 1, "0123456789abcdef") != DIGITS)
        return false;
    *ret = strtoull(file + len + 1, NULL, 16);
    return true;
}

static struct spool_item *item_new(size_t len)
{
    struct spool_item *item = malloc(sizeof *item + len);
    memory_check(item);
    *item = (struct spool_item){.len = len};
    return item;
}

static void append(struct spool *s, struct spool_item *item)
{
    *s->end = item;
    s->end = &item->next;
    s->count++;
    s->bytes += sizeof *item + item->len;
}

/* Under another name first, so that there is never half an item. */
static int item_write(const struct spool *s, const struct spool_item *item)
{
    char name[NAME], scratch[NAME];
    file_name(s, item->number, name);
    snprintf(scratch, sizeof scratch, "%s.tmp", s->name);
    int fd = openat(s->directory, scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int err = io_write(fd, spool_bytes(item));
    if (close(fd) < 0 && !err)
        err = -errno;
    if (!err && renameat(s->directory, scratch, s->directory, name) < 0)
        err = -errno;
    if (err)
        unlinkat(s->directory, scratch, 0);
    return err;
}

/* NULL: said, or nothing was in it. */
static struct spool_item *item_read(const struct spool *s, uint64_t number)
{
    char name[NAME];
    struct stat st;
    struct spool_item *item = NULL;
    file_name(s, number, name);
    int fd = openat(s->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= ITEM_MOST;
    if (good) {
        item = item_new((size_t)st.st_size);
        item->number = number;
        item->kept = true;
        good = io_read(fd, item->bytes, item->len) == (ssize_t)item->len;
    }
    if (!good) {
        fprintf(stderr, "mailtap: %s: %s in the spool directory cannot be read; it stays there\n", s->name,
                name);
        free(item);
        item = NULL;
    }
    if (fd >= 0)
        close(fd);
    return item;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

int spool_load(struct spool *s)
{
    int fd = s->directory < 0 ? -1 : openat(s->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    uint64_t *numbers = NULL, number;
    size_t len = 0, room = 0;
    int err = 0;
    if (s->directory < 0)
        return 0;
    if (!dir)
        err = -errno;
    if (!dir && fd >= 0)
        close(fd);
    if (!dir)
        return err;
    errno = 0;
    for (struct dirent *entry; (entry = readdir(dir)); errno = 0) {
        if (!number_of(s, entry->d_name, &number))
            continue;
        if (len == room) {
            room = room ? 2 * room : 64;
            numbers = reallocarray(numbers, room, sizeof *numbers);
            memory_check(numbers);
        }
        numbers[len++] = number;
    }
    err = -errno;
    closedir(dir);
    if (len)
        qsort(numbers, len, sizeof *numbers, by_number);
    for (size_t i = 0; i < len; i++) {
        struct spool_item *item = item_read(s, numbers[i]);
        if (item)
            append(s, item);
        s->number = numbers[i];
    }
    free(numbers);
    return err;
}

bool spool_add(struct spool *s, struct slice bytes)
{
    struct timespec now;
    if (s->bytes > s->most || sizeof(struct spool_item) + bytes.len > s->most - s->bytes)
        return false;
    struct spool_item *item = item_new(bytes.len);
    if (bytes.len)
        memcpy(item->bytes, bytes.data, bytes.len);
    clock_gettime(CLOCK_REALTIME, &now);
    item->number = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    if (item->number <= s->number)
        item->number = s->number + 1;
    s->number = item->number;
    if (s->directory >= 0) {
        int err = item_write(s, item);
        item->kept = !err;
        if (err && !s->failing)
            fprintf(stderr, "mailtap: %s: spool directory: %s; notices wait in memory alone\n", s->name,
                    strerror(-err));
        s->failing = err;
    }
    append(s, item);
    return true;
}

void spool_drop(struct spool *s)
{
    struct spool_item *item = s->first;
    char name[NAME];
    assert(item);
    s->first = item->next;
    if (!s->first)
        s->end = &s->first;
    s->count--;
    s->bytes -= sizeof *item + item->len;
    file_name(s, item->number, name);
    if (item->kept && unlinkat(s->directory, name, 0) < 0 && errno != ENOENT)
        fprintf(stderr, "mailtap: %s: %s in the spool directory was delivered and cannot be removed: %s\n",
                s->name, name, strerror(errno));
    free(item);
}

size_t spool_unkept(const struct spool *s)
{
    size_t n = 0;
    for (const struct spool_item *item = s->first; item; item = item->next)
        n += !item->kept;
    return n;
}

void spool_free(struct spool *s)
{
    for (struct spool_item *next; s->first; s->first = next) {
        next = s->first->next;
        free(s->first);
    }
    spool_init(s, s->name, s->directory, s->most);
}
