/* A file that may be compressed, as a stream of its plain bytes. */
#ifndef CAPTURE_INFLATE_H
#define CAPTURE_INFLATE_H

#include <stdbool.h>
#include <stdio.h>
#include "base/error.h"
#include "base/slice.h"

enum { INFLATE_PEEK = 32 };

struct inflate;

/* Opens `path` ("-": standard input). *ret_stream gives the plain bytes; closing it closes all. The first
 * bytes, up to INFLATE_PEEK, are in ret_first, and are read again from the stream. *ret stays valid while the
 * stream is open. 0 or -errno. */
int inflate_open(const char *path, FILE **ret_stream, struct inflate **ret,
                 uint8_t ret_first[static INFLATE_PEEK], size_t *ret_first_len, struct error *reterr);
/* Why the plain bytes ended: NULL where the file was whole. */
const char *inflate_fault(const struct inflate *in);
/* Bytes of the file itself: its size (0 where unknown) and how many of them were read. */
void inflate_progress(const struct inflate *in, uint64_t *ret_size, uint64_t *ret_read);

#endif
