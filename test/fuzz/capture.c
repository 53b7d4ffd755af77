/* capture.c: a capture file.
 *
 * Read as it is, and compressed again by gzip: the packets and the last error must be the same, and every
 * byte of a packet is there. */
#include "capture/source.h"
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>
#include "fuzz.h"

enum { PACKETS = 10000, BYTES = 32 << 20 };

/* What a reader gave, as a few numbers. */
struct seen {
    int opened, last;
    uint64_t packets, bytes, hash;
};

static void note(struct seen *s, const struct packet *p)
{
    const uint64_t numbers[] = {(uint64_t)p->ts.tv_sec, (uint64_t)p->ts.tv_nsec, p->wire_len, p->link_type,
                                p->bytes.len};
    assert(p->wire_len >= p->bytes.len && p->ts.tv_nsec >= 0 && p->ts.tv_nsec < 1000000000);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        s->hash = (s->hash ^ numbers[i]) * 0x100000001b3u;
    for (size_t i = 0; i < p->bytes.len; i++)
        s->hash = (s->hash ^ p->bytes.data[i]) * 0x100000001b3u;
    s->packets++;
    s->bytes += p->bytes.len;
}

static struct seen read_file(int fd)
{
    char path[FUZZ_PATH];
    struct seen s = {.last = 1};
    struct source *src = NULL;
    struct error err = {""};
    s.opened = source_open(fuzz_path(fd, path), &src, &err);
    assert(s.opened <= 0 && (s.opened < 0) == (err.text[0] != '\0'));
    struct packet p;
    while (!s.opened && s.last > 0 && s.packets < PACKETS && s.bytes < BYTES)
        if ((s.last = source_next(src, &p, &err)) > 0)
            note(&s, &p);
    if (!s.opened) {
        assert((s.last < 0) == (err.text[0] != '\0'));
        assert(source_stats(src).packets == s.packets && source_stats(src).bytes == s.bytes);
        source_close(&src);
    }
    return s;
}

static int compressed(struct slice bytes)
{
    int fd = fuzz_file((struct slice){0});
    gzFile gz = gzdopen(dup(fd), "wb1");
    assert(gz);
    if (bytes.len)
        gzwrite(gz, bytes.data, (unsigned)bytes.len);
    gzclose(gz);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {data, size};
    int plain = fuzz_file(bytes), gz = compressed(bytes);
    struct seen a = read_file(plain), b = read_file(gz);
    /* What is compressed is not looked into twice. */
    bool twice = size >= 2 && ((data[0] == 0x1f && data[1] == 0x8b) || data[0] == 0x28 || data[0] == 4);
    assert(twice || memcmp(&a, &b, sizeof a) == 0);
    close(plain);
    close(gz);
    return 0;
}
