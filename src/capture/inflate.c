/* inflate.c: gz, zst, lz4 or plain bytes, read alike.
 * In: a path. Out: plain bytes. Owns: the file, the decompressor, the buffer of a FILE if one is asked for.
 * Limits: fixed buffers, whatever the file's size; zstd takes a window of up to 128 MiB, as its own tool
 * does. Knowingly: bytes of another kind behind the last frame (padding, say) count as damage, said after all
 * else was read. Spec: RFC 1952 (gzip), RFC 8878 (zstd), the lz4 frame format. */
#include "capture/inflate.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <lz4frame.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <poll.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>
#include "base/memory.h"

enum { BUFFER = 128 * 1024, MAGIC = 4 };
enum kind { PLAIN, GZIP, ZSTD, LZ4 };

struct inflate {
    int fd;
    bool plain_file; /* the system has all of it */
    enum kind kind;
    uint64_t size, read;
    const char *fault;
    bool mid_frame; /* the compressed data may not end here */
    size_t want; /* what zstd or lz4 would like to be given next: one block, so that damage in it costs none
                    before it */
    z_stream gz;
    ZSTD_DStream *zstd;
    LZ4F_dctx *lz4;
    size_t in_len, in_pos;
    uint8_t first[INFLATE_PEEK];
    size_t first_len, first_pos;
    char *stream_buffer;
    uint8_t in[BUFFER];
};

/* Bytes of the file itself. 0 at its end, or with a fault. */
static size_t file_bytes(struct inflate *f, uint8_t *out, size_t room)
{
    ssize_t n;
    do
        n = read(f->fd, out, room);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        f->fault = strerrordesc_np(errno);
        n = 0;
    }
    f->read += (size_t)n;
    return (size_t)n;
}

static bool refill(struct inflate *f)
{
    if (f->in_pos == f->in_len) {
        f->in_pos = 0;
        f->in_len = file_bytes(f, f->in, BUFFER);
    }
    return f->in_len > f->in_pos;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One block's worth of what is there; at a frame's start its header. */
static size_t portion(const struct inflate *f)
{
    return least(f->in_len - f->in_pos, f->want ? f->want : 32);
}

static size_t step_plain(struct inflate *f, uint8_t *out, size_t room)
{
    size_t n = least(f->in_len - f->in_pos, room);
    memcpy(out, f->in + f->in_pos, n);
    f->in_pos += n;
    return n;
}

static size_t step_gzip(struct inflate *f, uint8_t *out, size_t room)
{
    if (!f->mid_frame)
        inflateReset(&f->gz);
    f->gz.next_in = f->in + f->in_pos;
    f->gz.avail_in = (uInt)(f->in_len - f->in_pos);
    f->gz.next_out = out;
    f->gz.avail_out = (uInt)room;
    int got = inflate(&f->gz, Z_NO_FLUSH);
    f->in_pos = f->in_len - f->gz.avail_in;
    f->mid_frame = got != Z_STREAM_END;
    if (got != Z_OK && got != Z_STREAM_END && got != Z_BUF_ERROR)
        f->fault = "the gzip data is damaged";
    return room - f->gz.avail_out;
}

static size_t step_zstd(struct inflate *f, uint8_t *out, size_t room)
{
    ZSTD_inBuffer in = {f->in + f->in_pos, portion(f), 0};
    ZSTD_outBuffer to = {out, room, 0};
    size_t got = ZSTD_decompressStream(f->zstd, &to, &in);
    f->in_pos += in.pos;
    f->mid_frame = got != 0;
    f->want = got;
    if (ZSTD_isError(got))
        f->fault = ZSTD_getErrorCode(got) == ZSTD_error_frameParameter_windowTooLarge
                       ? "the zstd data wants a window of more than 128 MiB"
                       : "the zstd data is damaged";
    return to.pos;
}

static size_t step_lz4(struct inflate *f, uint8_t *out, size_t room)
{
    size_t used = portion(f), made = room;
    size_t got = LZ4F_decompress(f->lz4, out, &made, f->in + f->in_pos, &used, NULL);
    if (LZ4F_isError(got)) {
        f->fault = "the lz4 data is damaged";
        return 0;
    }
    f->in_pos += used;
    f->mid_frame = got != 0;
    f->want = got;
    return made;
}

/* Up to `room` plain bytes; 0 at the end and at a fault. */
static size_t plain_bytes(struct inflate *f, uint8_t *out, size_t room)
{
    static size_t (*const steps[])(struct inflate *, uint8_t *, size_t) = {step_plain, step_gzip, step_zstd,
                                                                           step_lz4};
    while (!f->fault) {
        bool more = refill(f);
        if (!more && !f->mid_frame)
            return 0;
        size_t before = f->in_pos;
        size_t made =
            steps[f->kind](f, out, room); /* without input too: it may still hold what did not fit before */
        if (made)
            return made;
        if (f->in_pos == before && f->mid_frame && !f->fault)
            f->fault = more ? "the compressed data is damaged" : "the compressed data ends too early";
    }
    return 0;
}

size_t inflate_read(struct inflate *f, uint8_t *out, size_t room)
{
    if (f->first_pos < f->first_len) {
        size_t n = least(f->first_len - f->first_pos, room);
        memcpy(out, f->first + f->first_pos, n);
        f->first_pos += n;
        return n;
    }
    if (f->kind == PLAIN && f->in_pos == f->in_len)
        return f->fault ? 0 : file_bytes(f, out, room); /* no copy in between */
    return plain_bytes(f, out, room);
}

static ssize_t cookie_read(void *cookie, char *out, size_t room)
{
    return (ssize_t)inflate_read(cookie, (uint8_t *)out, room);
}

FILE *inflate_stream(struct inflate *f)
{
    FILE *stream = fopencookie(f, "rb", (cookie_io_functions_t){.read = cookie_read});
    memory_check(stream);
    assert(!f->stream_buffer);
    f->stream_buffer = malloc(BUFFER);
    memory_check(f->stream_buffer);
    setvbuf(stream, f->stream_buffer, _IOFBF, BUFFER); /* glibc heeds the size of a given buffer only */
    __fsetlocking(stream, FSETLOCKING_BYCALLER);
    return stream;
}

void inflate_close(struct inflate **pf)
{
    struct inflate *f = *pf;
    *pf = NULL;
    if (!f)
        return;
    if (f->kind == GZIP)
        inflateEnd(&f->gz);
    ZSTD_freeDStream(f->zstd);
    LZ4F_freeDecompressionContext(f->lz4);
    close(f->fd);
    free(f->stream_buffer);
    free(f);
}

/* Tells the kind by the first bytes, which a pipe may hand out one by one, and reads the first plain ones. */
static void begin(struct inflate *f)
{
    static const struct {
        enum kind kind;
        size_t len;
        uint8_t bytes[MAGIC], mask[MAGIC];
    } magics[] = {
        {GZIP, 2, {0x1f, 0x8b}, {0xff, 0xff}},
        {ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}, {0xff, 0xff, 0xff, 0xff}},
        {ZSTD, 4, {0x50, 0x2a, 0x4d, 0x18}, {0xf0, 0xff, 0xff, 0xff}}, /* pzstd starts with a frame to skip */
        {LZ4, 4, {0x04, 0x22, 0x4d, 0x18}, {0xff, 0xff, 0xff, 0xff}}};
    size_t n;
    while (f->in_len < MAGIC && (n = file_bytes(f, f->in + f->in_len, BUFFER - f->in_len)))
        f->in_len += n;
    for (size_t k = 0; k < sizeof magics / sizeof *magics; k++) {
        bool same = f->in_len >= magics[k].len;
        for (size_t i = 0; same && i < magics[k].len; i++)
            same = (f->in[i] & magics[k].mask[i]) == magics[k].bytes[i];
        if (same)
            f->kind = magics[k].kind;
    }
    int err = f->kind == GZIP ? inflateInit2(&f->gz, 15 + 16) : 0;
    f->zstd = f->kind == ZSTD ? ZSTD_createDStream() : NULL;
    if (f->kind == LZ4)
        err = LZ4F_isError(LZ4F_createDecompressionContext(&f->lz4, LZ4F_VERSION));
    /* Nothing else can be wrong with these arguments. */
    if (err || (f->kind == ZSTD && !f->zstd))
        memory_out();
    while (f->first_len < INFLATE_PEEK &&
           (n = plain_bytes(f, f->first + f->first_len, INFLATE_PEEK - f->first_len)))
        f->first_len += n;
}

int inflate_open(const char *path, struct inflate **ret, uint8_t ret_first[static INFLATE_PEEK],
                 size_t *ret_first_len, struct error *reterr)
{
    bool std = strcmp(path, "-") == 0;
    int fd = std ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st = {0};
    if (fd < 0)
        return error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return error_set(reterr, -EISDIR, "%s: is a folder", path);
    }
    struct inflate *f = calloc(1, sizeof *f);
    memory_check(f);
    f->fd = fd;
    f->plain_file = S_ISREG(st.st_mode);
    f->size = f->plain_file ? (uint64_t)st.st_size : 0;
    begin(f);
    memcpy(ret_first, f->first, f->first_len);
    *ret_first_len = f->first_len;
    *ret = f;
    return 0;
}

bool inflate_may_wait(const struct inflate *in)
{
    return !in->plain_file;
}

bool inflate_waits(const struct inflate *in)
{
    struct pollfd fd = {in->fd, POLLIN, 0};
    return inflate_may_wait(in) && in->in_pos == in->in_len && poll(&fd, 1, 0) == 0;
}

const char *inflate_fault(const struct inflate *in)
{
    return in->fault;
}

void inflate_progress(const struct inflate *in, uint64_t *ret_size, uint64_t *ret_read)
{
    *ret_size = in->size;
    *ret_read = in->read;
}
