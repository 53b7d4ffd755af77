/* Capture files that are compressed, whole, cut and damaged; and from a slow pipe. */
#include "capture_file.h"
#include <lz4frame.h>
#include <sys/wait.h>
#include <zlib.h>
#include <zstd.h>

enum { PACKETS = 2000 };

static void many_packets(void)
{
    begin();
    pcap_header(0xa1b2c3d4, 65535, 1);
    for (uint32_t i = 0; i < PACKETS; i++) {
        char text[300];
        uint32_t noise = i * 2654435761u;
        int n = snprintf(text, sizeof text, "%u ", i);
        for (; n < 280; n++, noise = noise * 1664525 + 1013904223)
            text[n] = (char)('!' + (noise >> 24) % 90);
        text[n] = '\0';
        pcap_packet(i, 0, text, 280);
    }
}

/* `parts` members, frames, in one file. */
static struct buf gzip(struct slice in, size_t parts)
{
    struct buf out;
    buf_init(&out, 64 << 20);
    for (size_t i = 0; i < parts; i++) {
        struct slice part = slice_sub(in, in.len * i / parts, in.len * (i + 1) / parts);
        uint8_t *room = malloc(part.len * 2 + 1000);
        z_stream z = {0};
        deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
        z.next_in = (uint8_t *)part.data;
        z.avail_in = (uInt)part.len;
        z.next_out = room;
        z.avail_out = (uInt)(part.len * 2 + 1000);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        buf_add(&out, (struct slice){room, z.total_out});
        deflateEnd(&z);
        free(room);
    }
    return out;
}

static struct buf zstd(struct slice in, size_t parts, bool checksum)
{
    struct buf out;
    buf_init(&out, 64 << 20);
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, checksum);
    for (size_t i = 0; i < parts; i++) {
        struct slice part = slice_sub(in, in.len * i / parts, in.len * (i + 1) / parts);
        size_t room = ZSTD_compressBound(part.len);
        uint8_t *to = malloc(room);
        buf_add(&out,
                (struct slice){(const uint8_t *)"\x53\x2a\x4d\x18\x04\0\0\0skip", 12}); /* a frame to skip */
        size_t n = ZSTD_compress2(ctx, to, room, part.data, part.len);
        assert_false(ZSTD_isError(n));
        buf_add(&out, (struct slice){to, n});
        free(to);
    }
    ZSTD_freeCCtx(ctx);
    return out;
}

static struct buf lz4(struct slice in, size_t parts, bool checksum)
{
    struct buf out;
    LZ4F_preferences_t how = {
        .frameInfo = {.contentChecksumFlag = checksum ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum,
                      .blockSizeID = LZ4F_max64KB}};
    buf_init(&out, 64 << 20);
    for (size_t i = 0; i < parts; i++) {
        struct slice part = slice_sub(in, in.len * i / parts, in.len * (i + 1) / parts);
        size_t room = LZ4F_compressFrameBound(part.len, &how);
        uint8_t *to = malloc(room);
        size_t n = LZ4F_compressFrame(to, room, part.data, part.len, &how);
        assert_false(LZ4F_isError(n));
        buf_add(&out, (struct slice){to, n});
        free(to);
    }
    return out;
}

static struct buf compressed(int kind, struct slice in, size_t parts)
{
    return kind == 0 ? gzip(in, parts) : kind <= 2 ? zstd(in, parts, kind == 1) : lz4(in, parts, kind == 3);
}

static void compressed_files(void **state)
{
    (void)state;
    many_packets();
    for (int kind = 0; kind < 5; kind++) {
        for (size_t parts = 1; parts <= 100; parts = parts * 3 + 1) {
            struct buf z = compressed(kind, buf_slice(&file), parts);
            assert_int_equal(read_bytes(buf_slice(&z)), 0);
            assert_int_equal(stats.packets, PACKETS);
            assert_int_equal(stats.bytes, PACKETS * 280);
            assert_int_equal(stats.file_bytes, z.len);
            assert_int_equal(stats.file_read, z.len);
            buf_free(&z);
        }
    }
    begin(); /* so small that it is decompressed whole while its first bytes are looked at */
    section();
    interface(1, 0, -1, 0);
    for (int i = 0; i < 30; i++)
        enhanced(0, 1000000, "the same", 8);
    for (int kind = 0; kind < 5; kind++) {
        struct buf z = compressed(kind, buf_slice(&file), 1);
        assert_int_equal(read_bytes(buf_slice(&z)), 0);
        assert_int_equal(stats.packets, 30);
        buf_free(&z);
    }
}

static void compressed_files_that_end_too_early(void **state)
{
    (void)state;
    many_packets();
    for (int kind = 0; kind < 5; kind++) {
        struct buf z = compressed(kind, buf_slice(&file), 1);
        uint64_t before = 0;
        for (size_t len = 1; len < z.len; len += len < z.len - 20 && len > 40 ? 4001 : 1) {
            assert_true(read_bytes((struct slice){z.data, len}) < 0);
            assert_true(stats.packets >= before);
            before = stats.packets;
            /* all but the block that was cut: 128 KiB at most, and 64 KiB for lz4 */
            double share = (double)len / (double)z.len;
            assert_true((double)stats.packets + 480 >= share * PACKETS);
            if (len > 30)
                assert_non_null(strstr(said, "the compressed data ends too early"));
        }
        assert_true(before > PACKETS - 480);
        buf_free(&z);
    }
}

static void compressed_files_with_damage(void **state)
{
    static const char *const words[] = {"gzip", "zstd", "zstd", "lz4", "lz4"};
    (void)state;
    many_packets();
    for (int kind = 0; kind < 5; kind++) {
        struct buf z = compressed(kind, buf_slice(&file), 4);
        size_t at = z.len * 3 / 4;
        memset(z.data + at, 0xff, z.len - at);
        char expected[100];
        snprintf(expected, sizeof expected, "error: the %s data is damaged, after", words[kind]);
        assert_true(read_bytes(buf_slice(&z)) < 0);
        assert_true(stats.packets > PACKETS * 3 / 4 - 480);
        assert_non_null(strstr(said, expected));
        buf_free(&z);
        z = compressed(kind, buf_slice(&file), 1);
        buf_add_str(&z, "what is this");
        assert_true(read_bytes(buf_slice(&z)) < 0); /* everything, and then the news */
        assert_int_equal(stats.packets, PACKETS);
        buf_free(&z);
    }
    struct buf z = zstd(buf_slice(&file), 1, false);
    uint8_t header[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 0x98}; /* a window of 512 MiB */
    memcpy(z.data + 12, header, sizeof header);
    assert_true(read_bytes(buf_slice(&z)) < 0);
    assert_non_null(strstr(said, "error: the zstd data wants a window of more than 128 MiB"));
    buf_free(&z);
}

static void nothing_compressed(void **state)
{
    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        struct buf z = compressed(kind, slice_str(""), 1);
        assert_true(read_bytes(buf_slice(&z)) < 0);
        assert_string_equal(said, "error: is empty, not a capture file\n");
        buf_free(&z);
    }
}

static void a_slow_pipe(void **state)
{
    (void)state;
    for (int kind = -1; kind < 5; kind++) {
        begin();
        pcap_header(0xa1b2c3d4, 65535, 1);
        for (uint32_t i = 0; i < 5; i++)
            pcap_packet(i, 0, "from a pipe", 11);
        struct buf z = kind < 0 ? file : compressed(kind, buf_slice(&file), 2);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            for (size_t i = 0; i < z.len; i++, usleep(50))
                if (write(ends[1], z.data + i, 1) != 1)
                    _exit(1);
            _exit(0);
        }
        close(ends[1]);
        int before = dup(STDIN_FILENO);
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        assert_int_equal(read_path("-"), 0);
        assert_int_equal(stats.packets, 5);
        assert_int_equal(stats.file_bytes, 0);
        assert_int_equal(stats.file_read, z.len);
        dup2(before, STDIN_FILENO);
        close(before);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        if (kind >= 0)
            buf_free(&z);
    }
    int before = dup(STDIN_FILENO);
    close(STDIN_FILENO);
    assert_true(read_path("-") < 0);
    assert_string_equal(said, "error: Bad file descriptor\n");
    dup2(before, STDIN_FILENO);
    close(before);
}

static void progress_moves_on(void **state)
{
    (void)state;
    many_packets();
    for (int kind = -1; kind < 5; kind++) {
        struct buf z = kind < 0 ? file : compressed(kind, buf_slice(&file), 1);
        save(buf_slice(&z));
        struct source *src;
        struct packet pkt;
        struct error err;
        uint64_t last = 0, steps = 0;
        assert_int_equal(source_open(path, &src, &err), 0);
        while (source_next(src, &pkt, &err) > 0) {
            uint64_t now = source_stats(src).file_read;
            assert_true(now >= last && now <= z.len);
            steps += now > last;
            last = now;
        }
        assert_int_equal(last, z.len);
        assert_true(steps >= 3);
        source_close(&src);
        if (kind >= 0)
            buf_free(&z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_files),
        cmocka_unit_test(compressed_files_that_end_too_early),
        cmocka_unit_test(compressed_files_with_damage),
        cmocka_unit_test(nothing_compressed),
        cmocka_unit_test(a_slow_pipe),
        cmocka_unit_test(progress_moves_on),
    };
    return cmocka_run_group_tests_name("inflate", tests, make_path, drop_path);
}
