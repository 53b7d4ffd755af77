/* live.c: a network interface as packets, by libpcap.
 * In: the name of an interface. Out: packets and counts. Owns: the socket and its ring. Limits: buffer_bytes.
 * Knowingly: what stays is libpcap's copy of each packet out of the ring; its other ways to read give the
 * ring's block back to the kernel before the caller is done with it. Where the kernel cannot run a filter,
 * libpcap does, and says so on standard error. Needs Linux 4.11. Spec: packet(7), pcap(3), Linux
 * Documentation/networking/packet_mmap.rst. */
#include "capture/live.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "base/memory.h"
#include "base/nearest.h"
#include "capture/fanout.h"
#include "capture/link_type.h"

#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000 /* since Linux 6.2; those before ignore it */
#endif

/* No frame has this ethertype: a socket for it gets nothing. */
enum { ETHERTYPE_NONE = 0xffff };

struct live {
    char *name;
    pcap_t *pcap;
    struct bpf_program filter;
    int index; /* of the interface; 0 for all */
    bool loopback;
    int nanoseconds; /* in a unit of the fraction of a second */
    uint64_t received;
    struct pcap_stat last; /* what libpcap said; wraps */
    uint64_t dropped, interface_dropped;
};

static int refuse_name(const char *name, struct error *reterr)
{
    struct nearest nearest = nearest_to(slice_str(name));
    struct if_nameindex *all = if_nameindex();
    for (struct if_nameindex *i = all; i && i->if_name; i++)
        nearest_try(&nearest, i->if_name);
    error_set(reterr, -ENODEV,
              nearest.name ? "there is no interface '%s'; did you mean '%s'?" : "there is no interface '%s'",
              name, nearest.name);
    if (all)
        if_freenameindex(all);
    return -ENODEV;
}

static int activation_error(const struct live *live, int status, struct error *reterr)
{
    switch (status) {
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return error_set(reterr, -EPERM,
                         "%s: no right to capture packets: it takes root or the capability CAP_NET_RAW",
                         live->name);
    case PCAP_ERROR_IFACE_NOT_UP:
        return error_set(reterr, -ENETDOWN, "%s: is down: ip link set %s up", live->name, live->name);
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return refuse_name(live->name, reterr);
    default:
        return error_set(reterr, -EIO, "%s: cannot capture packets: %s", live->name,
                         status == PCAP_ERROR ? pcap_geterr(live->pcap) : pcap_statustostr(status));
    }
}

static int activate(struct live *live, const struct live_settings *set, struct error *reterr)
{
    char text[PCAP_ERRBUF_SIZE];
    bool any = strcmp(live->name, "any") == 0;
    /* libpcap takes names of other things too, such as buses */
    if (!any && !if_nametoindex(live->name))
        return refuse_name(live->name, reterr);
    live->pcap = pcap_create(live->name, text);
    if (!live->pcap)
        return error_set(reterr, -EIO, "%s: cannot capture packets: %s", live->name, text);
    assert(set->buffer_bytes <= INT_MAX && set->snaplen <= INT_MAX);
    int err = pcap_set_snaplen(live->pcap, (int)set->snaplen) |
              pcap_set_buffer_size(live->pcap, (int)set->buffer_bytes) |
              pcap_set_promisc(live->pcap, set->promiscuous && !any) |
              pcap_set_timeout(live->pcap, LIVE_DELAY_MS) |
              pcap_set_protocol_linux(live->pcap, ETHERTYPE_NONE);
    assert(!err);
    live->nanoseconds = 1000;
    if (pcap_set_tstamp_precision(live->pcap, PCAP_TSTAMP_PRECISION_NANO) == 0)
        live->nanoseconds = 1;
    int status = pcap_activate(live->pcap);
    if (status < 0)
        return activation_error(live, status, reterr);
    if (pcap_setnonblock(live->pcap, 1, text) != 0)
        return error_set(reterr, -EIO, "%s: cannot capture packets: %s", live->name, text);
    return 0;
}

static int compile(struct live *live, const struct live_settings *set, struct error *reterr)
{
    const char *filter = set->filter ? set->filter : "";
    if (pcap_compile(live->pcap, &live->filter, filter, 1, PCAP_NETMASK_UNKNOWN) == 0)
        return 0;
    return error_set(reterr, -EINVAL, "%s: the filter '%s' is wrong: %s", live->name, filter,
                     pcap_geterr(live->pcap));
}

/* By its number, as the name may be another one's by now. */
static int interface_state(const struct live *live, struct error *reterr)
{
    struct sockaddr_ll addr = {0};
    socklen_t len = sizeof addr;
    struct ifreq ask = {.ifr_ifindex = live->index};
    int fd = live_fd(live);
    if (!live->index)
        return 0;
    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0 || addr.sll_ifindex != live->index ||
        ioctl(fd, SIOCGIFNAME, &ask) != 0 || ioctl(fd, SIOCGIFFLAGS, &ask) != 0)
        return error_set(reterr, -ENODEV, "%s: the interface is gone", live->name);
    if (!(ask.ifr_flags & IFF_UP))
        return error_set(reterr, -ENETDOWN, "%s: the interface is down", live->name);
    return 0;
}

static int broke(const struct live *live, const char *what, struct error *reterr)
{
    int code = errno, state = interface_state(live, reterr);
    return state ? state : error_set(reterr, -code, "%s: %s: %s", live->name, what, strerror(code));
}

/* From now on the socket is there for all frames, and its filter passes none. So nothing has to be taken out
 * of the ring when the filter proper is set, and nothing comes to all sockets of an interface before they
 * share it. */
static int hold_back(struct live *live, struct error *reterr)
{
    struct bpf_insn none = BPF_STMT(BPF_RET | BPF_K, 0);
    struct bpf_program program = {1, &none};
    if (pcap_setfilter(live->pcap, &program) != 0)
        return error_set(reterr, -EIO, "%s: cannot set a filter: %s", live->name, pcap_geterr(live->pcap));
    struct sockaddr_ll addr;
    socklen_t len = sizeof addr;
    int fd = live_fd(live);
    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
        return broke(live, "cannot learn its number", reterr);
    live->index = addr.sll_ifindex;
    struct ifreq ask = {.ifr_ifindex = live->index};
    live->loopback = live->index && ioctl(fd, SIOCGIFNAME, &ask) == 0 && ioctl(fd, SIOCGIFFLAGS, &ask) == 0 &&
                     ask.ifr_flags & IFF_LOOPBACK;
    /* libpcap drops those too, but they have taken room in the ring by then */
    int yes = live->loopback;
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
    addr.sll_protocol = htons(ETH_P_ALL);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0)
        return broke(live, "cannot bind to it", reterr);
    return 0;
}

int live_open(const char *iface, const struct live_settings *set, struct live **ret, struct error *reterr)
{
    struct live *live = calloc(1, sizeof *live);
    memory_check(live);
    live->name = strdup(iface);
    memory_check(live->name);
    int err = activate(live, set, reterr);
    if (!err)
        err = compile(live, set, reterr);
    if (!err)
        err = hold_back(live, reterr);
    if (err) {
        live_close(&live);
        return err;
    }
    *ret = live;
    return 0;
}

/* The kernel finds a number for the group that nobody else has; a number of our own could be that of another
 * process, which would then take a part of our packets. */
static int share(struct live *const *sockets, size_t n, struct error *reterr)
{
    struct live *first = sockets[0];
    struct sock_filter program[FANOUT_LENGTH];
    struct sock_fprog code = {(unsigned short)fanout_program(live_link_type(first) == 1, program), program};
    unsigned type = PACKET_FANOUT_CBPF | (first->loopback ? PACKET_FANOUT_FLAG_IGNORE_OUTGOING : 0);
    unsigned group = (type | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
    socklen_t len = sizeof group;
    if (setsockopt(live_fd(first), SOL_PACKET, PACKET_FANOUT, &group, len) != 0 ||
        setsockopt(live_fd(first), SOL_PACKET, PACKET_FANOUT_DATA, &code, sizeof code) != 0 ||
        getsockopt(live_fd(first), SOL_PACKET, PACKET_FANOUT, &group, &len) != 0)
        return broke(first, "cannot share its packets between several sockets", reterr);
    group = (group & 0xffff) | type << 16;
    for (size_t i = 1; i < n; i++)
        if (setsockopt(live_fd(sockets[i]), SOL_PACKET, PACKET_FANOUT, &group, len) != 0)
            return broke(first, "cannot share its packets between so many sockets", reterr);
    return 0;
}

int live_start(struct live *const *sockets, size_t n, struct error *reterr)
{
    int err = n > 1 ? share(sockets, n, reterr) : 0;
    for (size_t i = 0; i < n && !err; i++)
        if (pcap_setfilter(sockets[i]->pcap, &sockets[i]->filter) != 0)
            err = error_set(reterr, -EIO, "%s: cannot set the filter: %s", sockets[i]->name,
                            pcap_geterr(sockets[i]->pcap));
    return err;
}

/* What it means that libpcap gave no packet. */
static int nothing(const struct live *live, int got, struct error *reterr)
{
    /* it is set from when the interface went down until libpcap saw it up */
    if (pcap_get_required_select_timeout(live->pcap))
        return interface_state(live, reterr);
    if (got < 0)
        return error_set(reterr, -EIO, "%s: cannot be read: %s", live->name, pcap_geterr(live->pcap));
    return 0;
}

static struct packet packet_of(struct live *live, const struct pcap_pkthdr *h, const u_char *data)
{
    live->received++;
    return (struct packet){.bytes = {data, h->caplen},
                           .wire_len = h->len < h->caplen ? h->caplen : h->len,
                           .link_type = live_link_type(live),
                           .ts = {h->ts.tv_sec, h->ts.tv_usec * live->nanoseconds}};
}

struct taker {
    struct live *live;
    void (*packet)(void *ctx, const struct packet *pkt);
    void *ctx;
};

static void take(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
    const struct taker *t = (struct taker *)user;
    struct packet pkt = packet_of(t->live, h, data);
    t->packet(t->ctx, &pkt);
}

int live_read(struct live *live, int most, void (*packet)(void *ctx, const struct packet *pkt), void *ctx,
              struct error *reterr)
{
    struct taker t = {live, packet, ctx};
    int got = pcap_dispatch(live->pcap, most, take, (u_char *)&t);
    return got > 0 ? got : nothing(live, got, reterr);
}

int live_fd(const struct live *live)
{
    return pcap_fileno(live->pcap);
}

uint16_t live_link_type(const struct live *live)
{
    return link_type_of(pcap_datalink(live->pcap));
}

struct live_stats live_stats(struct live *live)
{
    struct pcap_stat now;
    if (pcap_stats(live->pcap, &now) == 0) {
        live->dropped += now.ps_drop - live->last.ps_drop;
        /* libpcap takes a count that it could not read for 0 */
        uint32_t more = now.ps_ifdrop - live->last.ps_ifdrop;
        live->interface_dropped += more <= INT32_MAX ? more : 0;
        live->last = now;
    }
    return (struct live_stats){live->received, live->dropped, live->interface_dropped};
}

void live_close(struct live **plive)
{
    struct live *live = *plive;
    *plive = NULL;
    if (!live)
        return;
    pcap_freecode(&live->filter);
    if (live->pcap)
        pcap_close(live->pcap);
    free(live->name);
    free(live);
}
