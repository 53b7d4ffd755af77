/* The driver of the flow tests: hand-made segments in. What the table passes on is written down as text:
 * "0>abc" data of direction 0, "1>[5]" a gap, "open", "end:fin"; "?" before data once the connection is
 * ambiguous. */
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <stdio.h>
#include "base/buf.h"
#include "flow/table.h"

enum { CLIENT, SERVER };

static struct buf heard;
static enum flow_want want;

static void *on_open(void *ctx, const struct flow_info *info)
{
    (void)info;
    buf_add_str(&heard, "open ");
    return ctx;
}

static enum flow_want on_data(void *ctx, void *user, const struct flow_info *info, int dir,
                              struct timespec ts, struct slice bytes)
{
    (void)ctx, (void)user, (void)ts;
    buf_printf(&heard, "%s%d>", info->ambiguous ? "?" : "", dir);
    buf_add(&heard, bytes);
    buf_add_byte(&heard, ' ');
    return want;
}

static enum flow_want on_gap(void *ctx, void *user, const struct flow_info *info, int dir, struct timespec ts,
                             uint64_t len)
{
    (void)ctx, (void)user, (void)info, (void)ts;
    buf_printf(&heard, "%d>[%u] ", dir, (unsigned)len);
    return want;
}

static void on_end(void *ctx, void *user, const struct flow_info *info, enum flow_end how)
{
    static const char *const words[] = {"fin", "rst", "timeout", "reuse", "shed", "eof", "unwanted"};
    (void)ctx, (void)user, (void)info;
    buf_printf(&heard, "end:%s ", words[how]);
}

static const struct flow_handler handler = {on_open, on_data, on_gap, on_end};

static const struct flow_settings usual = {.max_flows = 100,
                                           .max_sessions = 100,
                                           .flow_bytes = 100000,
                                           .total_bytes = 200000,
                                           .flow_pieces = 50,
                                           .recheck_bytes = 300,
                                           .idle_timeout = 600,
                                           .ignored_timeout = 100,
                                           .closed_timeout = 10,
                                           .gap_wait = 1,
                                           .hole_wait = 30};

struct wire {
    struct flow_table *table;
    struct flow_clock clock;
    double now;
    uint16_t port;
};

static struct wire wire_new(const struct flow_settings *set)
{
    buf_init(&heard, 1 << 20);
    want = FLOW_WANT_BYTES;
    return (struct wire){flow_table_new(set, &handler, NULL), {set->idle_timeout}, 1000, 40000};
}

static void send(struct wire *w, int dir, uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
    struct endpoint c = {{4, {198, 51, 100, 7}}, w->port}, s = {{4, {192, 0, 2, 25}}, 25};
    struct segment seg = {.window = 65535,
                          .src = dir == CLIENT ? c : s,
                          .dst = dir == CLIENT ? s : c,
                          .seq = seq,
                          .ack = ack,
                          .flags = flags,
                          .payload = slice_str(text)};
    w->now += 0.001;
    seg.ts = (struct timespec){(time_t)w->now, (long)((w->now - (double)(time_t)w->now) * 1e9)};
    struct parcel p = {flow_clock_advance(&w->clock, seg.ts), true, seg};
    flow_table_take(w->table, &p, 1);
}

static void handshake(struct wire *w, uint32_t client_isn, uint32_t server_isn)
{
    send(w, CLIENT, TCP_SYN, client_isn, 0, "");
    send(w, SERVER, TCP_SYN | TCP_ACK, server_isn, client_isn + 1, "");
    send(w, CLIENT, TCP_ACK, client_isn + 1, server_isn + 1, "");
}

static void expect(struct wire *w, const char *text)
{
    buf_add_byte(&heard, '\0');
    assert_string_equal((const char *)heard.data, text);
    buf_clear(&heard);
    (void)w;
}

static void wire_free(struct wire *w)
{
    flow_table_free(&w->table);
    buf_free(&heard);
}

/* Somebody else's packet moves the time on. */
static void wait(struct wire *w, double seconds)
{
    uint16_t port = w->port;
    w->now += seconds;
    w->port = 1;
    send(w, CLIENT, TCP_ACK, 1, 1, "");
    w->port = port;
}

#endif
