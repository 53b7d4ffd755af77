/* fuzz.c: inputs of fuzz targets as what comes when, and as files.
 * In: bytes. Out: pieces, descriptors. Owns: nothing. Limits: PLAY_PIECES pieces; what follows is left out.
 */
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void end_piece(struct play *p, bool second, size_t from)
{
    if (p->bytes.len > from && p->count < PLAY_PIECES)
        p->pieces[p->count++] = (struct piece){second, 0, from, p->bytes.len};
}

void play_read(struct play *p, struct slice input)
{
    bool second = false;
    size_t from = 0;
    p->count = 0;
    buf_init(&p->bytes, 64 << 20);
    for (size_t i = 0; i < input.len && p->count < PLAY_PIECES; i++) {
        uint8_t c = input.data[i];
        if (c == 4 && i + 1 < input.len)
            buf_add_byte(&p->bytes, input.data[++i]);
        else if (c == 0 || c > 3)
            buf_add_byte(&p->bytes, c);
        else {
            end_piece(p, second, from);
            from = p->bytes.len;
            second ^= c == 1;
        }
        if (c == 3 && i + 1 < input.len && input.data[++i] && p->count < PLAY_PIECES)
            p->pieces[p->count++] = (struct piece){second, input.data[i], from, from};
    }
    end_piece(p, second, from);
}

void play_free(struct play *p)
{
    buf_free(&p->bytes);
}

uint8_t *exact_copy(struct slice bytes)
{
    uint8_t *copy = malloc(bytes.len ? bytes.len : 1);
    assert(copy);
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    return copy;
}

void expect_same(struct slice wanted, struct slice got)
{
    if (slice_eq(wanted, got))
        return;
    fprintf(stderr, "wanted:\n%.*s\ngot:\n%.*s\n", (int)wanted.len, (const char *)wanted.data, (int)got.len,
            (const char *)got.data);
    abort();
}

int fuzz_file(struct slice bytes)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    assert(fd >= 0);
    ssize_t written = write(fd, bytes.data, bytes.len);
    assert(written == (ssize_t)bytes.len);
    return fd;
}

const char *fuzz_path(int fd, char ret[static FUZZ_PATH])
{
    snprintf(ret, FUZZ_PATH, "/proc/self/fd/%d", fd);
    return ret;
}
