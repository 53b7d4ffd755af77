/* Reads and writes that are not cut short by signals, full pipes or file systems that hand out pieces. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <sys/types.h>
#include "base/slice.h"

/* Reads until `room` bytes are there or the end of the file. How many they are, or -errno. */
ssize_t io_read(int fd, void *ret, size_t room);
/* The same from an offset, which the file's own place is not moved by. */
ssize_t io_read_at(int fd, void *ret, size_t room, off_t at);
/* All of it, or -errno, and then it is not known how much. */
int io_write(int fd, struct slice bytes);

#endif
