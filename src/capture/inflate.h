/* A file that may be compressed, as its plain bytes. */
#ifndef CAPTURE_INFLATE_H
#define CAPTURE_INFLATE_H

#include <stdbool.h>
#include <stdio.h>
#include "base/error.h"
#include "base/slice.h"

enum { INFLATE_PEEK = 32 };

struct inflate;

/* Opens `path` ("-": standard input). The first bytes, up to INFLATE_PEEK, are in ret_first, and are read
 * again. 0, and *ret is the caller's until inflate_close; or -errno. */
int inflate_open(const char *path, struct inflate **ret, uint8_t ret_first[static INFLATE_PEEK],
                 size_t *ret_first_len, struct error *reterr);
/* Up to `room` plain bytes, as many as are there: 0 at the end and at a fault. */
size_t inflate_read(struct inflate *in, uint8_t *out, size_t room);
/* Its writer is not the system itself, which has all of it. */
bool inflate_may_wait(const struct inflate *in);
/* Nothing is there, and the file's writer may be long in sending more. */
bool inflate_waits(const struct inflate *in);
/* The same bytes as a FILE, for libpcap, at most once. It borrows `in`, and is closed before that is. */
FILE *inflate_stream(struct inflate *in);
/* Why the plain bytes ended: NULL where the file was whole. */
const char *inflate_fault(const struct inflate *in);
/* Bytes of the file itself: its size (0 where unknown) and how many of them were read. */
void inflate_progress(const struct inflate *in, uint64_t *ret_size, uint64_t *ret_read);
/* Closes and nulls *in. NULL inside is fine. */
void inflate_close(struct inflate **in);

#endif
