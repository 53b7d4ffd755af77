/* Packets from capture files. */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include <time.h>
#include "base/error.h"
#include "base/slice.h"
#include "base/block.h"

struct packet {
    struct timespec ts;
    struct slice bytes;  /* valid until the source is asked for more, and as long as its block is held */
    struct block *block; /* that has them, borrowed; NULL: none */
    uint32_t wire_len;   /* length on the wire; more than bytes.len where the snap length cut it */
    uint16_t link_type;  /* LINKTYPE_ number of the file format (tcpdump.org/linktypes.html) */
};

struct source_stats {
    uint64_t packets, bytes; /* handed out; captured bytes */
    uint64_t cut_packets;    /* shorter than on the wire: snap length */
    uint64_t skipped_blocks; /* pcapng: blocks of unknown types, packets of unknown interfaces or of a false
                                length */
    uint64_t file_bytes,
        file_read; /* size of the file where it is known (else 0), bytes of it consumed: for progress */
};

struct source;

/* Opens `path` ("-" is standard input): pcap or pcapng, plain or gz, zst, lz4, told by its first bytes.
 * 0, and *ret is the caller's until source_close; else -errno with a text that names the file. */
int source_open(const char *path, struct source **ret, struct error *reterr);
/* > 0: so many packets, in `ret`; more than one, and up to `most`, only where nothing need be read for them.
 * 0: the file was read to its end. < 0: -errno, *reterr says what broke and how far reading came (a cut last
 * packet, a block that ends with the file, a bad block): all before it was handed out. */
int source_next_few(struct source *src, struct packet *ret, int most, struct error *reterr);
static inline int source_next(struct source *src, struct packet *ret, struct error *reterr)
{
    return source_next_few(src, ret, 1, reterr);
}
/* True: to ask for the next packet may mean to wait for a writer. */
bool source_waits(const struct source *src);
struct source_stats source_stats(const struct source *src);
/* Closes and nulls *src. NULL inside is fine. */
void source_close(struct source **src);

#endif
