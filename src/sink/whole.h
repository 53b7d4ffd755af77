/* Whole lines into a file, and nothing but whole lines. */
#ifndef SINK_WHOLE_H
#define SINK_WHOLE_H

#include "base/slice.h"

/* How many line ends. */
uint64_t whole_lines(struct slice s);
/* Bytes up to the end of the last whole line. */
size_t whole_bytes(struct slice s);
/* Writes all of it. 0, or -errno; *done bytes went out in either case. */
int whole_write(int fd, struct slice s, size_t *done);
/* The same to a pipe, terminal or socket that others use too, so that it cannot be made not to block: what
 * it does not take within *wait milliseconds is left, -EAGAIN. What was waited is taken off *wait. */
int whole_write_slow(int fd, struct slice s, int *wait, size_t *done);
/* Takes the last bytes, just written, out of the file again. False where they may not be its last ones, or
 * it is no file that can be cut. */
bool whole_cut(int fd, size_t bytes);
/* Where a crash left half a line at the end of a file of that size, it is cut off, or else made a line.
 * 0, or -errno; `shown` is what the message on standard error calls it. */
int whole_mend(int fd, uint64_t size, const char *shown);

#endif
