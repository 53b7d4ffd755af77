/* What the fuzz targets have in common. A target is a file with LLVMFuzzerTestOneInput that asserts what must
 * hold for every input; libFuzzer makes the inputs (make fuzz), replay.c those of the corpus (make test).
 *
 * Where an input tells what comes when, it is text that single bytes cut, so that changing a part of it
 * leaves the rest as it was: 1 the other side goes on, 2 a new piece, 3 N a gap of N bytes, 4 X the byte X
 * itself. */
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include <assert.h>
#include <stdlib.h>
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PLAY_PIECES = 4096 };

struct piece {
    bool second;     /* the other side's */
    uint64_t gap;    /* bytes missing; 0: data */
    size_t from, to; /* of the play's bytes */
};

struct play {
    struct buf bytes;
    struct piece pieces[PLAY_PIECES];
    size_t count;
};

/* Reads the input; the play's memory is the caller's until play_free. */
void play_read(struct play *p, struct slice input);
void play_free(struct play *p);
/* The bytes of a piece in memory of exactly their size, so that a read beyond them is seen; for free(). */
uint8_t *exact_copy(struct slice bytes);
/* Ends the program where they differ, and shows both. */
void expect_same(struct slice wanted, struct slice got);
/* A file in memory with these bytes, for fuzz_path; to be closed. */
int fuzz_file(struct slice bytes);
enum { FUZZ_PATH = 40 };
const char *fuzz_path(int fd, char ret[static FUZZ_PATH]);

#endif
