/* io.c: whole reads and writes.
 * In: descriptors that block. Out: all the bytes that there are. Owns: nothing. Limits: none, it waits as
 * long as it takes. Spec: read(2), write(2): fewer bytes than wanted, and EINTR, are no errors. */
#include "base/io.h"

#include <errno.h>
#include <unistd.h>

enum { HERE = -1 }; /* no place in the file: where the descriptor stands, as a pipe has no other */

static ssize_t read_all(int fd, uint8_t *ret, size_t room, off_t at)
{
    size_t have = 0;
    while (have < room) {
        ssize_t got = at == HERE ? read(fd, ret + have, room - have)
                                 : pread(fd, ret + have, room - have, at + (off_t)have);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return -errno;
        have += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)have;
}

ssize_t io_read(int fd, void *ret, size_t room)
{
    return read_all(fd, ret, room, HERE);
}

ssize_t io_read_at(int fd, void *ret, size_t room, off_t at)
{
    return read_all(fd, ret, room, at);
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
