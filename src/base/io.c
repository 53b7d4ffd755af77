/* io.c: whole reads and writes.
 * In: descriptors that block. Out: all the bytes that there are. Owns: nothing. Limits: none, it waits as
 * long as it takes. Spec: read(2), write(2): fewer bytes than wanted, and EINTR, are no errors. */
#include "base/io.h"

#include <errno.h>
#include <unistd.h>

ssize_t io_read(int fd, void *ret, size_t room)
{
    size_t have = 0;
    while (have < room) {
        ssize_t got = read(fd, (uint8_t *)ret + have, room - have);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return -errno;
        have += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)have;
}

ssize_t io_read_at(int fd, void *ret, size_t room, off_t at)
{
    size_t have = 0;
    while (have < room) {
        ssize_t got = pread(fd, (uint8_t *)ret + have, room - have, at + (off_t)have);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return -errno;
        have += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)have;
}

int io_write(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t wrote = write(fd, bytes.data, bytes.len);
        if (wrote == 0)
            return -EIO;
        if (wrote < 0 && errno != EINTR)
            return -errno;
        bytes = slice_sub(bytes, wrote > 0 ? (size_t)wrote : 0, bytes.len);
    }
    return 0;
}
