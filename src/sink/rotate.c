/* rotate.c: log files that are set aside.
 * In: a folder, the name of a log. Out: renamed files, and fewer of them. Owns: nothing. Limits: SUFFIXES
 * files of one stream in one second. Knowingly: a name has the time of the rotation, so that all in the file
 * is older; a clock that is set back makes a younger file count as an older one; where the file system has no
 * RENAME_NOREPLACE, a file that somebody makes between the look and the rename is overwritten. */
#include "sink/rotate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"

enum { SUFFIXES = 100000, STAMP = sizeof "20260101T000000Z" - 1 };

int64_t rotate_period(time_t t, double interval)
{
    const double monday = 4 * 86400; /* 5 January 1970 was one */
    double periods = interval > 0 ? ((double)t - monday) / interval : 0;
    int64_t whole = (int64_t)periods;
    return whole - (periods < (double)whole);
}

static int rename_new(int dir, const char *from, const char *to)
{
    struct stat st;
    if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (fstatat(dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return -EEXIST;
    if (errno != ENOENT || renameat(dir, from, dir, to) < 0)
        return -errno;
    return 0;
}

int rotate_aside(int dir, const char *name, time_t now, struct rotated *last)
{
    char from[ROTATE_NAME], to[ROTATE_NAME], stamp[STAMP + 1];
    struct tm tm;
    if (!gmtime_r(&now, &tm) || strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm) != STAMP)
        return -EOVERFLOW;
    snprintf(from, sizeof from, "%s.log", name);
    int err = -EEXIST, i = last->at == now ? last->suffix : 0;
    for (; i < SUFFIXES && err == -EEXIST; i++) {
        char suffix[16] = "";
        if (i)
            snprintf(suffix, sizeof suffix, "-%d", i);
        snprintf(to, sizeof to, "%s-%s%s.log", name, stamp, suffix);
        err = rename_new(dir, from, to);
    }
    if (!err)
        *last = (struct rotated){now, i};
    return err;
}

/* A file of ours that was set aside: sorted by time, then by suffix. */
struct aside {
    char stamp[STAMP + 1];
    uint64_t suffix;
};

static bool is_stamp(struct slice s)
{
    for (size_t i = 0; i < STAMP; i++)
        if (i == 8 ? s.data[i] != 'T' : i == STAMP - 1 ? s.data[i] != 'Z' : !byte_is_digit(s.data[i]))
            return false;
    return true;
}

/* False: the file is none of this log's. */
static bool parse(const char *file, const char *name, struct aside *ret)
{
    struct slice s = slice_str(file);
    size_t len = strlen(name);
    if (s.len < len + 1 + STAMP || memcmp(file, name, len) != 0 || file[len] != '-')
        return false;
    s = slice_sub(s, len + 1, s.len);
    if (!is_stamp(s))
        return false;
    *ret = (struct aside){.suffix = 0};
    memcpy(ret->stamp, s.data, STAMP);
    s = slice_sub(s, STAMP, s.len);
    if (s.len && s.data[0] == '-') {
        size_t digits = slice_number(slice_sub(s, 1, s.len), &ret->suffix);
        if (!digits || s.data[1] == '0')
            return false;
        s = slice_sub(s, 1 + digits, s.len);
    }
    return slice_eq(s, slice_str(".log"));
}

static int by_age(const void *va, const void *vb)
{
    const struct aside *a = va, *b = vb;
    int order = strcmp(a->stamp, b->stamp);
    return order ? order : (a->suffix > b->suffix) - (a->suffix < b->suffix);
}

/* All of this log's, in *ret, which the caller frees. Returns how many, or -errno. */
static ssize_t find(int dir, const char *name, struct aside **ret)
{
    size_t len = 0, room = 0;
    *ret = NULL;
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list) {
        int err = -errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    for (struct dirent *e; (e = readdir(list));) {
        if (len == room) {
            room = room ? room * 2 : 64;
            *ret = realloc(*ret, room * sizeof **ret);
            memory_check(*ret);
        }
        len += parse(e->d_name, name, *ret + len);
    }
    closedir(list);
    return (ssize_t)len;
}

int rotate_prune(int dir, const char *name, uint64_t keep)
{
    struct aside *files;
    ssize_t count = find(dir, name, &files);
    int err = count < 0 ? (int)count : 0;
    if (count > 0)
        qsort(files, (size_t)count, sizeof *files, by_age);
    for (ssize_t i = 0; i < count && (uint64_t)(count - i) > keep; i++) {
        char path[ROTATE_NAME], suffix[32] = "";
        if (files[i].suffix)
            snprintf(suffix, sizeof suffix, "-%llu", (unsigned long long)files[i].suffix);
        snprintf(path, sizeof path, "%s-%s%s.log", name, files[i].stamp, suffix);
        if (unlinkat(dir, path, 0) < 0)
            err = -errno;
    }
    free(files);
    return err;
}
