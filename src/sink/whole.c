/* whole.c: whole lines into a file, and nothing but whole lines.
 * In: lines, an open file. Out: lines in it. Owns: nothing. Knowingly: a terminal that is held may hold us,
 * as it says that it takes bytes and then takes fewer. */
#include "sink/whole.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/io.h"

uint64_t whole_lines(struct slice s)
{
    uint64_t lines = 0;
    for (size_t n; (n = slice_index(s, '\n')) < s.len; lines++)
        s = slice_sub(s, n + 1, s.len);
    return lines;
}

size_t whole_bytes(struct slice s)
{
    const uint8_t *end = s.len ? memrchr(s.data, '\n', s.len) : NULL;
    return end ? (size_t)(end - s.data) + 1 : 0;
}

static ssize_t write_some(int fd, struct slice s)
{
    ssize_t n = write(fd, s.data, s.len);
    return n < 0 ? -errno : n ? n : -EIO;
}

int whole_write(int fd, struct slice s, size_t *done)
{
    ssize_t n = 0;
    for (*done = 0; *done < s.len && (n >= 0 || n == -EINTR); *done += n > 0 ? (size_t)n : 0)
        n = write_some(fd, slice_sub(s, *done, s.len));
    return n < 0 ? (int)n : 0;
}

static int64_t milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What says that it takes bytes takes PIPE_BUF of them without blocking. */
static ssize_t write_ready(int fd, struct slice s, int *wait)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int64_t start = *wait ? milliseconds() : 0;
    int ready = poll(&p, 1, *wait);
    int64_t left = *wait ? *wait - (milliseconds() - start) : 0;
    *wait = left > 0 ? (int)left : 0;
    if (ready <= 0)
        return ready < 0 ? -errno : -EAGAIN;
    return write_some(fd, slice_sub(s, 0, PIPE_BUF));
}

int whole_write_slow(int fd, struct slice s, int *wait, size_t *done)
{
    ssize_t n = 0;
    for (*done = 0; *done < s.len && (n >= 0 || n == -EINTR); *done += n > 0 ? (size_t)n : 0)
        n = write_ready(fd, slice_sub(s, *done, s.len), wait);
    return n < 0 ? (int)n : 0;
}

bool whole_cut(int fd, size_t bytes)
{
    struct stat st;
    off_t end = lseek(fd, 0, SEEK_CUR), keep = end - (off_t)bytes;
    if (keep < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != end)
        return false;
    return ftruncate(fd, keep) == 0 && lseek(fd, keep, SEEK_SET) == keep;
}

int whole_mend(int fd, uint64_t size, const char *shown)
{
    uint8_t part[4096];
    uint64_t end = size;
    for (size_t whole = 0; end && !whole;) {
        uint64_t from = end > sizeof part ? end - sizeof part : 0;
        ssize_t n = io_read_at(fd, part, end - from, (off_t)from);
        if (n != (ssize_t)(end - from))
            return n < 0 ? (int)n : -EIO;
        whole = whole_bytes((struct slice){part, (size_t)n});
        end = from + whole;
    }
    if (end == size)
        return 0;
    bool gone = ftruncate(fd, (off_t)end) == 0;
    int err = gone ? 0 : io_write(fd, slice_str("\n"));
    if (err)
        return err;
    fprintf(stderr, "mailtap: %s: ended in half a line; its %llu bytes are %s\n", shown,
            (unsigned long long)(size - end), gone ? "cut off" : "a line of their own");
    return 0;
}
