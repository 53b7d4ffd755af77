/* inflate.c: gz, zst, lz4 or plain bytes behind one FILE.
 * In: a path. Out: plain bytes. Owns: the file, the decompressor. Limits: fixed buffers, whatever the file's size.
 * Spec: RFC 1952 (gzip), RFC 8878 (zstd), the lz4 frame format. */
#include "capture/inflate.h"

#include <assert.h>
#include <errno.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { BUFFER = 256 * 1024 };
enum kind { PLAIN, GZIP, ZSTD, LZ4 };

struct inflate {
    FILE *file;
    enum kind kind;
    uint64_t size, read;
    const char *fault;
    bool mid_frame; /* the compressed data may not end here */
    z_stream gz;
    ZSTD_DStream *zstd;
    LZ4F_dctx *lz4;
    uint8_t *in;
    size_t in_len, in_pos;
    uint8_t first[INFLATE_PEEK];
    size_t first_len, first_pos;
};

static bool refill(struct inflate *f)
{
    if (f->in_pos < f->in_len)
        return true;
    f->in_len = fread(f->in, 1, BUFFER, f->file);
    f->in_pos = 0;
    f->read += f->in_len;
    if (!f->in_len && ferror(f->file))
        f->fault = "cannot be read";
    return f->in_len > 0;
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
    ZSTD_inBuffer in = {f->in, f->in_len, f->in_pos};
    ZSTD_outBuffer to = {out, room, 0};
    size_t got = ZSTD_decompressStream(f->zstd, &to, &in);
    f->in_pos = in.pos;
    f->mid_frame = got != 0;
    if (ZSTD_isError(got))
        f->fault = "the zstd data is damaged";
    return to.pos;
}

static size_t step_lz4(struct inflate *f, uint8_t *out, size_t room)
{
    size_t used = f->in_len - f->in_pos, made = room;
    size_t got = LZ4F_decompress(f->lz4, out, &made, f->in + f->in_pos, &used, NULL);
    if (LZ4F_isError(got)) {
        f->fault = "the lz4 data is damaged";
        return 0;
    }
    f->in_pos += used;
    f->mid_frame = got != 0;
    return made;
}

static size_t plain_bytes(struct inflate *f, uint8_t *out, size_t room)
{
    while (!f->fault) {
        bool more = refill(f);
        size_t made = 0;
        if (f->kind == PLAIN) {
            made = f->in_len - f->in_pos < room ? f->in_len - f->in_pos : room;
            memcpy(out, f->in + f->in_pos, made);
            f->in_pos += made;
        } else if (f->kind == GZIP && more) {
            made = step_gzip(f, out, room);
        } else if (f->kind == ZSTD && more) {
            made = step_zstd(f, out, room);
        } else if (f->kind == LZ4 && more) {
            made = step_lz4(f, out, room);
        }
        if (made)
            return made;
        if (!more) {
            if (f->mid_frame && !f->fault)
                f->fault = "the compressed data ends too early";
            return 0;
        }
    }
    return 0;
}

static ssize_t cookie_read(void *cookie, char *out, size_t room)
{
    struct inflate *f = cookie;
    if (f->first_pos < f->first_len) {
        size_t n = f->first_len - f->first_pos < room ? f->first_len - f->first_pos : room;
        memcpy(out, f->first + f->first_pos, n);
        f->first_pos += n;
        return (ssize_t)n;
    }
    return (ssize_t)plain_bytes(f, (uint8_t *)out, room);
}

static int cookie_close(void *cookie)
{
    struct inflate *f = cookie;
    if (f->kind == GZIP)
        inflateEnd(&f->gz);
    ZSTD_freeDStream(f->zstd);
    LZ4F_freeDecompressionContext(f->lz4);
    fclose(f->file);
    free(f->in);
    free(f);
    return 0;
}

static void begin(struct inflate *f)
{
    static const uint8_t magics[][4] = {{0}, {0x1f, 0x8b}, {0x28, 0xb5, 0x2f, 0xfd}, {0x04, 0x22, 0x4d, 0x18}};
    static const size_t lengths[] = {0, 2, 4, 4};
    for (int k = GZIP; k <= LZ4; k++)
        if (f->in_len >= lengths[k] && memcmp(f->in, magics[k], lengths[k]) == 0)
            f->kind = (enum kind)k;
    if (f->kind == GZIP)
        inflateInit2(&f->gz, 15 + 16);
    if (f->kind == ZSTD)
        f->zstd = ZSTD_createDStream();
    if (f->kind == LZ4)
        LZ4F_createDecompressionContext(&f->lz4, LZ4F_VERSION);
}

int inflate_open(const char *path, FILE **ret_stream, struct inflate **ret, uint8_t ret_first[static INFLATE_PEEK],
                 size_t *ret_first_len, struct error *reterr)
{
    int copy = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : -1;
    FILE *file = copy >= 0 ? fdopen(copy, "rb") : fopen(path, "rb");
    struct stat st;
    if (!file)
        return error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    if (fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
        fclose(file);
        return error_set(reterr, -EISDIR, "%s: is a folder", path);
    }
    struct inflate *f = calloc(1, sizeof *f);
    assert(f);
    setvbuf(file, NULL, _IONBF, 0);
    f->file = file;
    f->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    f->in = malloc(BUFFER);
    assert(f->in);
    refill(f);
    begin(f);
    while (f->first_len < INFLATE_PEEK) {
        size_t n = plain_bytes(f, f->first + f->first_len, INFLATE_PEEK - f->first_len);
        if (!n)
            break;
        f->first_len += n;
    }
    memcpy(ret_first, f->first, f->first_len);
    *ret_first_len = f->first_len;
    cookie_io_functions_t io = {.read = cookie_read, .close = cookie_close};
    FILE *stream = fopencookie(f, "rb", io);
    assert(stream);
    setvbuf(stream, NULL, _IOFBF, BUFFER);
    *ret_stream = stream;
    *ret = f;
    return 0;
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
