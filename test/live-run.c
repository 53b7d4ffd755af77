/* live-run.c: captures from one interface, for live.py.
 * usage: live-run IFACE SOCKETS SECONDS [FILTER]. Ends when standard input does, and after SECONDS at the
 * latest. Prints "ready", then a line for each packet: "SOCKET HASH%SOCKETS SRC SPORT DST DPORT LENGTH
 * LINKTYPE" of a TCP segment, LENGTH being what was captured of its payload; "SOCKET held" of a fragment;
 * "SOCKET other". "SOCKET state TEXT" when what reading says changes. At the end "SOCKET stats RECEIVED
 * DROPPED INTERFACE-DROPPED". */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include "capture/live.h"
#include "decode/decode.h"

enum { SOCKETS = 16 };

struct seat {
    struct live *live;
    struct decoder *decoder;
    int state; /* what reading last gave, packets aside */
};

struct run {
    struct seat seats[SOCKETS];
    size_t n;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void show(const struct run *run, size_t k, const struct packet *pkt)
{
    struct segment seg;
    enum decoded what = decode_packet(run->seats[k].decoder, pkt, &seg);
    if (what != DECODED_TCP) {
        printf("%zu %s\n", k, what == DECODED_HELD ? "held" : "other");
        return;
    }
    char src[ADDRESS_TEXT], dst[ADDRESS_TEXT];
    address_text(&seg.src.addr, src);
    address_text(&seg.dst.addr, dst);
    printf("%zu %zu %s %u %s %u %zu %u\n", k, endpoints_hash(&seg.src, &seg.dst) % run->n, src, seg.src.port,
           dst, seg.dst.port, seg.payload.len, pkt->link_type);
}

struct place {
    const struct run *run;
    size_t k;
};

static void show_at(void *ctx, const struct packet *pkt)
{
    const struct place *at = ctx;
    show(at->run, at->k, pkt);
}

/* False when the socket has gone for good. */
static bool drain(struct run *run, size_t k)
{
    struct place at = {run, k};
    struct error err = {""};
    int got;
    do {
        got = live_read(run->seats[k].live, 100, show_at, &at, &err);
    } while (got > 0);
    if (got != run->seats[k].state)
        printf("%zu state %s %s\n", k, got ? strerrorname_np(-got) : "up", err.text);
    run->seats[k].state = got;
    fflush(stdout);
    return got == 0 || got == -ENETDOWN;
}

static bool turn(struct run *run)
{
    struct pollfd fds[SOCKETS + 1];
    for (size_t k = 0; k < run->n; k++)
        fds[k] = (struct pollfd){live_fd(run->seats[k].live), POLLIN, 0};
    fds[run->n] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
    poll(fds, run->n + 1, LIVE_DELAY_MS);
    bool on = true;
    for (size_t k = 0; k < run->n; k++)
        on = drain(run, k) && on;
    char byte;
    if (fds[run->n].revents && read(STDIN_FILENO, &byte, 1) <= 0)
        return false;
    return on;
}

static int open_all(struct run *run, const char *iface, const struct live_settings *set)
{
    static const struct decode_settings decode = {
        .max_layers = 32, .fragment_datagrams = 100, .fragment_bytes = 1 << 20, .fragment_timeout_s = 30};
    struct error err = {""};
    struct live *sockets[SOCKETS];
    int code = 0;
    for (size_t k = 0; k < run->n && !code; k++) {
        code = live_open(iface, set, &run->seats[k].live, &err);
        sockets[k] = run->seats[k].live;
        run->seats[k].decoder = decoder_new(&decode);
    }
    if (!code)
        code = live_start(sockets, run->n, &err);
    if (code)
        printf("error %s %s\n", strerrorname_np(-code), err.text);
    else
        printf("ready\n");
    fflush(stdout);
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    struct run run = {.n = strtoul(argv[2], NULL, 10)};
    struct live_settings set = {
        .filter = argc > 4 ? argv[4] : NULL, .buffer_bytes = 8 << 20, .promiscuous = true, .snaplen = 262144};
    double end = now() + strtod(argv[3], NULL);
    if (run.n < 1 || run.n > SOCKETS)
        return 2;
    int code = open_all(&run, argv[1], &set);
    while (!code && now() < end && turn(&run))
        ;
    for (size_t k = 0; k < run.n; k++) {
        if (!code) {
            drain(&run, k);
            struct live_stats s = live_stats(run.seats[k].live);
            printf("%zu stats %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", k, s.received, s.dropped,
                   s.interface_dropped);
        }
        live_close(&run.seats[k].live);
        decoder_free(&run.seats[k].decoder);
    }
    return code ? 1 : 0;
}
