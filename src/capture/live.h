/* Packets from a network interface as they pass.
 *
 * What is seen of them is what Linux shows to packet sockets, which is not always what was on the wire:
 * - Segments as the network card or the kernel merged them (GRO), or has not cut them yet (TSO), up to and
 * over 64 KiB; what the machine itself sends, before its checksums are computed. So checksums are no
 * evidence.
 * - Nothing that the card discards (bad frame checks; in `interface_dropped` where the driver counts it),
 * that an XDP program or the card itself forwards, or that passes in another network namespace. On a switched
 * network, and without a mirror port or tap, only what this machine sends and gets.
 * - What a packet filter of this machine drops is seen if it came in, and not if it was to go out.
 * - A bridge, a bond, and what they are made of each show the same packet, as do a tunnel and what carries
 * it. "any" takes them all: a connection may be seen twice. A filter looks at the packet as it is: "port 25"
 * finds nothing in tunnels, under a second VLAN tag, or in fragments behind the first. */
#ifndef CAPTURE_LIVE_H
#define CAPTURE_LIVE_H

#include "capture/source.h"

struct live_settings {
    const char *filter;  /* as for tcpdump; NULL or empty for all; names in it are looked up by live_open */
    size_t buffer_bytes; /* the kernel's buffer for this socket, in units of 256 KiB; up to 2 GiB less one.
                            The kernel gives less where it has no more memory */
    bool promiscuous;    /* all that the interface receives; means nothing for "any" */
    uint32_t snaplen;    /* 262144 cuts nothing */
};

struct live_stats {             /* since live_start; these only grow */
    uint64_t received;          /* handed out by live_read */
    uint64_t dropped;           /* of what the filter lets pass: there was no room in the buffer */
    uint64_t interface_dropped; /* of the whole interface, hence the same for all of its sockets: by its
                                   driver or card. 0 where not promiscuous or where /sys cannot be read */
};

/* One socket on one interface; for one thread at a time. */
struct live;

/* Opens a socket that gets nothing yet. `iface`: a name, or "any". 0, and *ret is the caller's until
 * live_close; else -errno with a text: -ENODEV there is no such interface, -EPERM no right to (CAP_NET_RAW),
 * -ENETDOWN it is down, -EINVAL the filter is wrong. */
int live_open(const char *iface, const struct live_settings *set, struct live **ret, struct error *reterr);
/* Lets packets in. The `n` sockets, of one interface and in the order in which they were opened, share them:
 * each packet goes to one, and TCP goes to sockets[endpoints_hash % n]. Where its ends are not plain to see
 * (fragments, extension headers, tunnels, MPLS, PPPoE) it is another one, yet one that gets all fragments of
 * a datagram; so the caller compares the hash of what it decoded. While an interface goes down or comes up
 * packets may go to any socket. All are to be closed together, as one that is closed shifts the others. 0 or
 * -errno with a text; after a failure they can but be closed. */
int live_start(struct live *const *sockets, size_t n, struct error *reterr);
/* Calls `packet` for up to `most` packets that are there; their bytes lie in the kernel's buffer and are
 * valid until it returns. Never waits. Gives their number. 0: there is none now. < 0: -errno with a text.
 * -ENETDOWN: there is none now, and the interface is down; once it is up again packets come by themselves, so
 * go on calling. -ENODEV: the interface is gone; one of the same name is another one, and needs a live_open.
 * Else reading broke. */
int live_read(struct live *live, int most, void (*packet)(void *ctx, const struct packet *pkt), void *ctx,
              struct error *reterr);
/* For poll (POLLIN): readable when packets wait, at most LIVE_DELAY_MS after they came. Call live_read after
 * that time too, as an interface that is gone may not wake a poll. */
int live_fd(const struct live *live);
enum { LIVE_DELAY_MS = 50 };
/* LINKTYPE_ number of all of its packets. */
uint16_t live_link_type(const struct live *live);
struct live_stats live_stats(struct live *live);
/* Closes and nulls *live. NULL inside is fine. */
void live_close(struct live **live);

#endif
