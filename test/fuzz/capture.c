/* capture.c: a capture file.
 *
 * Read as it is, and compressed again by gzip: the packets and whether it ended well must be the same, and
 * every byte of a packet is there. Of classic pcap libpcap must have the same packets. */
#include "capture/source.h"
#include <pcap.h>
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

/* What libpcap reads of it. A fraction over 2^31 is damage, which libpcap takes for a negative one or for
 * what it is, by the file's byte order: *ret_odd. */
static struct seen read_by_libpcap(struct slice bytes, int64_t unit, bool *ret_odd)
{
    char text[PCAP_ERRBUF_SIZE];
    struct seen s = {.last = 1};
    FILE *file = fmemopen((void *)bytes.data, bytes.len, "rb");
    assert(file);
    pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, text);
    assert(pcap);
    struct pcap_pkthdr *h;
    const u_char *data;
    while (s.last > 0 && s.packets < PACKETS && s.bytes < BYTES) {
        int got = pcap_next_ex(pcap, &h, &data);
        s.last = got == 1 ? 1 : got == PCAP_ERROR_BREAK ? 0 : -1;
        if (got != 1)
            break;
        int64_t part = h->ts.tv_usec;
        *ret_odd |= part < 0 || part > unit * INT32_MAX;
        struct packet p = {
            .ts = {(time_t)((uint32_t)h->ts.tv_sec + (uint64_t)part / 1000000000),
                   (long)((uint64_t)part % 1000000000)},
            .bytes = {data, h->caplen},
            .wire_len = h->len < h->caplen ? h->caplen : h->len,
            .link_type = (uint16_t)pcap_datalink(pcap) == DLT_RAW ? 101 : (uint16_t)pcap_datalink(pcap)};
        note(&s, &p);
    }
    pcap_close(pcap);
    return s;
}

static void check_libpcap(struct slice bytes, const struct seen *ours)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1};
    uint32_t magic = 0;
    if (bytes.len >= sizeof magic)
        memcpy(&magic, bytes.data, sizeof magic);
    for (size_t i = 0; i < sizeof magics / sizeof *magics && !ours->opened; i++)
        if (magic == magics[i]) {
            bool odd = false;
            struct seen theirs = read_by_libpcap(bytes, i < 2 ? 1000 : 1, &odd);
            assert(theirs.packets == ours->packets && (odd || theirs.hash == ours->hash));
            assert((theirs.last < 0) == (ours->last < 0));
        }
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
    check_libpcap(bytes, &a);
    close(plain);
    close(gz);
    return 0;
}
