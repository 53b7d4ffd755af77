/* syslog.c: records to a receiver of syslog, by UDP, TCP or TLS.
 * In: batches of the outbox. Out: a message a record. Owns: the link; what was sent lately. Limits:
 * syslog_bytes a message; LATELY_BYTES. Knowingly: it counts as carried what the other side's kernel has
 * acknowledged, by UDP what ours has sent; what a receiver held that its program had not read when it died is
 * sent again where it is of the last seconds. Spec: RFC 5424, 5425, 5426, 6587. */
#include "carrier/syslog.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "carrier/servers.h"
#include "carrier/syslog_line.h"
#include "carrier/syslog_link.h"

enum { UDP_PORT = 514, TCP_PORT = 601, TLS_PORT = 6514 };
enum { UDP_MOST = 65507, LATELY = 64 };
/* What a receiver's kernel may hold that its program has not read. */
enum { LATELY_BYTES = 4 << 20, LATELY_SECONDS = 10 };

struct syslog {
    const struct carrier_settings *set;
    enum syslog_way way;
    struct servers servers;
    struct syslog_head head;
    struct syslog_link *link;
    struct line frames; /* messages of the batch, by TCP and TLS */
    struct line one;
    struct line lately; /* messages that were carried by this connection ... */
    struct sent {
        double at;
        size_t len;
    } sent[LATELY]; /* ... in these pieces, the oldest first */
    size_t sent_count;
    bool broken; /* the connection that had them is gone */
    struct aside {
        struct slice line;
        struct error why;
    } * aside; /* of the batch under way: what does not fit */
    size_t aside_count, aside_room;
};

static enum syslog_way way_of(const char *url)
{
    return strncmp(url, "syslogs:", 8) == 0  ? SYSLOG_TLS
           : strncmp(url, "syslog+", 7) == 0 ? SYSLOG_TCP
                                             : SYSLOG_UDP;
}

static int parse(const char *url, struct servers *ret, struct error *reterr)
{
    static const unsigned ports[] = {
        [SYSLOG_UDP] = UDP_PORT, [SYSLOG_TCP] = TCP_PORT, [SYSLOG_TLS] = TLS_PORT};
    struct error why;
    if (servers_parse(url, NULL, ports[way_of(url)], ret, &why) < 0)
        return error_set(reterr, -EINVAL, "-o %.200s: %s", url, why.text);
    return 0;
}

/* A log-in may be set for another output; here there is none. */
static int check(const struct carrier_settings *set, struct error *reterr)
{
    struct servers servers;
    return parse(set->url, &servers, reterr);
}

static int open_syslog(const struct carrier_settings *set, const char *password, void **ret,
                       struct error *reterr)
{
    struct syslog *s = calloc(1, sizeof *s);
    memory_check(s);
    (void)password;
    s->set = set;
    s->way = way_of(set->url);
    int err = parse(set->url, &s->servers, reterr);
    if (err)
        return free(s), err;
    syslog_head_init(&s->head, &set->syslog, s->way == SYSLOG_UDP ? UDP_MOST : SIZE_MAX, set->sensor);
    s->link = syslog_link_new(s->way, &s->servers, set);
    *ret = s;
    return 0;
}

static void close_syslog(void *ctx)
{
    struct syslog *s = ctx;
    syslog_link_free(&s->link);
    line_free(&s->frames);
    line_free(&s->one);
    line_free(&s->lately);
    free(s->aside);
    free(s);
}

static void forget(struct syslog *s, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += s->sent[i].len;
    memmove(s->lately.data, s->lately.data + len, s->lately.len - len);
    s->lately.len -= len;
    memmove(s->sent, s->sent + count, (s->sent_count - count) * sizeof *s->sent);
    s->sent_count -= count;
}

static void forget_old(struct syslog *s, size_t more)
{
    size_t count = 0, left = s->lately.len;
    while (count < s->sent_count && (s->sent[count].at < now_monotonic() - LATELY_SECONDS ||
                                     left + more > LATELY_BYTES || s->sent_count - count == LATELY))
        left -= s->sent[count++].len;
    if (count)
        forget(s, count);
}

static void remember(struct syslog *s, struct slice frames)
{
    forget_old(s, frames.len);
    if (s->sent_count == LATELY || frames.len > LATELY_BYTES)
        return;
    line_add(&s->lately, frames);
    s->sent[s->sent_count++] = (struct sent){now_monotonic(), frames.len};
}

/* Octet counting (RFC 6587 3.4.1), or a line end. */
static void add_frame(struct syslog *s, struct slice message)
{
    if (!s->set->syslog.lines)
        line_printf(&s->frames, "%zu ", message.len);
    line_add(&s->frames, message);
    if (s->set->syslog.lines)
        line_byte(&s->frames, '\n');
}

static void put_aside(struct syslog *s, struct slice line, const struct error *why)
{
    if (s->aside_count == s->aside_room) {
        s->aside_room = s->aside_room ? 2 * s->aside_room : 8;
        s->aside = realloc(s->aside, s->aside_room * sizeof *s->aside);
        memory_check(s->aside);
    }
    s->aside[s->aside_count++] = (struct aside){line, *why};
}

/* Without its LF; false: none is left. */
static bool next_line(struct slice *rest, struct slice *ret)
{
    size_t end = slice_index(*rest, '\n');
    *ret = slice_sub(*rest, 0, end);
    *rest = slice_sub(*rest, end + 1, rest->len);
    return ret->len;
}

/* Messages of all lines: by UDP they are sent, else they are put together first. */
static int send_messages(struct syslog *s, struct slice rest, double until, struct error *reterr)
{
    struct slice line;
    struct error why;
    int err = 0;
    line_clear(&s->frames);
    s->aside_count = 0;
    while (!err && next_line(&rest, &line)) {
        line_clear(&s->one);
        enum syslog_fit fit = syslog_message(&s->head, line, &s->one, &why);
        if (fit != SYSLOG_WHOLE)
            put_aside(s, line, &why);
        if (fit != SYSLOG_NONE && s->way == SYSLOG_UDP)
            err = syslog_link_send(s->link, line_slice(&s->one), until, reterr);
        else if (fit != SYSLOG_NONE)
            add_frame(s, line_slice(&s->one));
    }
    return err || s->way == SYSLOG_UDP ? err
                                       : syslog_link_send(s->link, line_slice(&s->frames), until, reterr);
}

static int send_all(struct syslog *s, struct slice lines, double until, struct error *reterr)
{
    bool fresh;
    if (!s->broken)
        forget_old(s, 0);
    int err = syslog_link_open(s->link, until, &fresh, reterr);
    s->broken |= fresh;
    if (!err && s->broken && s->lately.len)
        err = syslog_link_send(s->link, line_slice(&s->lately), until, reterr);
    if (!err)
        err = send_messages(s, lines, until, reterr);
    if (!err)
        err = syslog_link_settle(s->link, until, reterr);
    return err;
}

static enum carried send_batch(void *ctx, const struct carrier_batch *batch, struct error *reterr)
{
    struct syslog *s = ctx;
    const double until = now_monotonic() + s->set->timeout;
    if (send_all(s, batch->lines, until, reterr) < 0) {
        s->broken = true;
        return CARRY_AGAIN;
    }
    for (size_t i = 0; s->broken && i < s->sent_count; i++)
        s->sent[i].at = now_monotonic();
    s->broken = false;
    if (s->way != SYSLOG_UDP)
        remember(s, line_slice(&s->frames));
    for (size_t i = 0; i < s->aside_count; i++)
        batch->refuse(batch->ctx, s->aside[i].line, s->aside[i].why.text);
    return CARRIED;
}

const struct carrier_ops carrier_syslog = {
    "syslog",        "messages of syslog (RFC 5424) by UDP", check, open_syslog, send_batch, close_syslog,
    .port = UDP_PORT};
const struct carrier_ops carrier_syslog_tcp = {"syslog+tcp", "the same by TCP", check,           open_syslog,
                                               send_batch,   close_syslog,      .port = TCP_PORT};
const struct carrier_ops carrier_syslogs = {"syslogs",  "the same over TLS", check,           open_syslog,
                                            send_batch, close_syslog,        .port = TLS_PORT};
