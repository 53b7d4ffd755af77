/* source.c: a capture file as packets.
 * In: a path. Out: packets and counts. Owns: the file and its readers. Limits: libpcap's on a packet's
 * length. Classic pcap as it is usually written is read in place (classic.c), pcapng here too (pcapng.c);
 * all other dialects are libpcap's. Knowingly: seconds are taken for unsigned, hence right until 2106.
 * Spec: draft-ietf-opsawg-pcap. */
#include "capture/source.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "capture/classic.h"
#include "capture/inflate.h"
#include "capture/link_type.h"
#include "capture/pcapng.h"

struct source {
    char *path;
    struct inflate *inflate;
    struct window window; /* for pcapng and classic */
    struct pcapng *pcapng;
    bool is_classic;
    struct classic classic;
    pcap_t *pcap; /* NULL where one of the readers above serves */
    uint16_t link_type;
    struct source_stats stats;
};

/* libpcap judges the header in any case; of the usual dialect it gets no more than that. */
static int open_pcap(struct source *src, struct slice first, struct error *reterr)
{
    char text[PCAP_ERRBUF_SIZE];
    src->is_classic = classic_is(first, &src->classic);
    FILE *stream =
        src->is_classic ? fmemopen((void *)first.data, CLASSIC_HEADER, "rb") : inflate_stream(src->inflate);
    memory_check(stream);
    src->pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!src->pcap) {
        fclose(stream);
        return error_set(reterr, -EINVAL, "%s: not a capture file: %s", src->path,
                         inflate_fault(src->inflate) ? inflate_fault(src->inflate) : text);
    }
    src->link_type = link_type_of(pcap_datalink(src->pcap));
    if (!src->is_classic)
        return 0;
    window_open(&src->window, src->inflate);
    window_skip(&src->window, CLASSIC_HEADER);
    src->classic.window = &src->window;
    src->classic.link_type = src->link_type;
    src->classic.snap_len = (uint32_t)pcap_snapshot(src->pcap);
    pcap_close(src->pcap);
    src->pcap = NULL;
    return 0;
}

/* Says what to do, where libpcap would only say that it does not know the format. */
static int refuse_other_compression(const char *path, struct slice first, struct error *reterr)
{
    static const struct {
        const char *magic, *name, *tool;
    } kinds[] = {{"\xfd"
                  "7zXZ",
                  "xz", "xzcat"},
                 {"BZh", "bzip2", "bzcat"},
                 {"PK\x03\x04", "zip", "unzip -p"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (first.len > 4 && memcmp(first.data, kinds[i].magic, strlen(kinds[i].magic)) == 0)
            return error_set(reterr, -EINVAL,
                             "%s: is compressed by %s, which is not read here: %s FILE | mailtap read -",
                             path, kinds[i].name, kinds[i].tool);
    return 0;
}

int source_open(const char *path, struct source **ret, struct error *reterr)
{
    uint8_t first[INFLATE_PEEK];
    size_t len = 0;
    struct source *src = calloc(1, sizeof *src);
    memory_check(src);
    src->path = strdup(path);
    memory_check(src->path);
    int err = inflate_open(path, &src->inflate, first, &len, reterr);
    if (!err && len == 0)
        err = error_set(reterr, -EINVAL, "%s: %s", path,
                        inflate_fault(src->inflate) ? inflate_fault(src->inflate)
                                                    : "is empty, not a capture file");
    if (!err)
        err = refuse_other_compression(path, (struct slice){first, len}, reterr);
    if (!err && len >= 4 && memcmp(first, "\x0a\x0d\x0d\x0a", 4) == 0) {
        window_open(&src->window, src->inflate);
        src->pcapng = pcapng_new(&src->window);
    } else if (!err) {
        err = open_pcap(src, (struct slice){first, len}, reterr);
    }
    if (err) {
        source_close(&src);
        return err;
    }
    *ret = src;
    return 0;
}

static int end_of_file(struct source *src, int got, const char *reason, struct error *reterr)
{
    const char *fault = inflate_fault(src->inflate);
    if (!got && !fault)
        return 0;
    return error_set(reterr, got ? got : -EIO, "%s: %s, after %llu packets", src->path,
                     fault ? fault : reason, (unsigned long long)src->stats.packets);
}

/* Writers exist that let the fraction reach a second, and a damaged file may hold anything. */
static struct timespec time_of(const struct timeval *read)
{
    uint64_t seconds = (uint32_t)read->tv_sec, nanoseconds = read->tv_usec < 0 ? 0 : (uint64_t)read->tv_usec;
    return (struct timespec){(time_t)(seconds + nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
}

static int next_pcap(struct source *src, struct packet *ret, const char **ret_reason)
{
    struct pcap_pkthdr *h;
    const u_char *data;
    int got = pcap_next_ex(src->pcap, &h, &data);
    if (got == 1) {
        *ret = (struct packet){.bytes = {data, h->caplen},
                               .wire_len = h->len < h->caplen ? h->caplen : h->len,
                               .link_type = src->link_type,
                               .ts = time_of(&h->ts)};
        return 1;
    }
    *ret_reason = pcap_geterr(src->pcap);
    return got == PCAP_ERROR_BREAK ? 0 : -EIO;
}

int source_next_few(struct source *src, struct packet *ret, int most, struct error *reterr)
{
    const char *reason = src->classic.reason;
    int got = src->is_classic ? classic_next(&src->classic, ret, most)
              : src->pcapng   ? pcapng_next(src->pcapng, ret, &src->stats, &reason)
                              : next_pcap(src, ret, &reason);
    if (got <= 0)
        return end_of_file(src, got, reason, reterr);
    for (int i = 0; i < got; i++) {
        src->stats.bytes += ret[i].bytes.len;
        src->stats.cut_packets += ret[i].wire_len > ret[i].bytes.len;
    }
    src->stats.packets += (unsigned)got;
    return got;
}

bool source_waits(const struct source *src)
{
    if (!inflate_may_wait(src->inflate))
        return false;
    bool ready =
        src->is_classic ? classic_is_ready(&src->classic) : src->pcapng && pcapng_is_ready(src->pcapng);
    return !ready && inflate_waits(src->inflate);
}

struct source_stats source_stats(const struct source *src)
{
    struct source_stats s = src->stats;
    inflate_progress(src->inflate, &s.file_bytes, &s.file_read);
    return s;
}

void source_close(struct source **psrc)
{
    struct source *src = *psrc;
    *psrc = NULL;
    if (!src)
        return;
    pcapng_free(&src->pcapng);
    if (src->pcap)
        pcap_close(src->pcap); /* closes the stream too */
    window_close(&src->window);
    inflate_close(&src->inflate);
    free(src->path);
    free(src);
}
