/* flow.c: segments of one connection, chosen by the input, held to a model.
 *
 * First byte: bit 0 wild. Then segments of 7 bytes each: flags and direction; offset, 2 bytes; length; what
 * it acknowledges, 2 bytes; time that passes. Bytes are a function of direction, number and version, so what
 * is told can be found in the segment whose time it bears.
 *
 * Tame, a handshake comes first, no segment says what cannot be, and next to no time passes: of bytes that
 * came twice the first copy is told; where nothing is missing all is told, and none before what it
 * acknowledges. Wild, anything may come, under small limits: what is told are still bytes that were sent, at
 * their place. */
#include "flow/table.h"
#include "fuzz.h"

enum { SEGMENTS = 300, GRAIN = 7, LONG = 1024 };
enum { DIR = 1, SYN = 2, FIN = 4, RST = 8, NOACK = 16, FAR = 32, CUT = 64, OTHER = 128 };

struct sent {
    struct segment seg;
    uint8_t bytes[256];
    int dir;
    uint8_t version;
};

struct half {
    bool known; /* `next` is */
    uint32_t next, isn, top;
    uint64_t bytes, gaps;
};

struct world {
    struct sent sent[SEGMENTS];
    size_t count;
    struct half side[2];
    bool wild, open, over;
    uint32_t opens, ends;
};

static const struct flow_settings large = {.max_flows = 100,
                                           .max_sessions = 100,
                                           .flow_bytes = 1 << 24,
                                           .total_bytes = 1 << 24,
                                           .flow_pieces = 10000,
                                           .idle_timeout = 600,
                                           .ignored_timeout = 100,
                                           .closed_timeout = 10,
                                           .gap_wait = 1,
                                           .hole_wait = 30};
static const struct flow_settings small = {.max_flows = 2,
                                           .max_sessions = 2,
                                           .flow_bytes = 1500,
                                           .total_bytes = 2000,
                                           .flow_pieces = 6,
                                           .idle_timeout = 60,
                                           .ignored_timeout = 10,
                                           .closed_timeout = 5,
                                           .gap_wait = 1,
                                           .hole_wait = 10};

static uint8_t byte_at(int dir, uint32_t seq, uint8_t version)
{
    return (uint8_t)((seq * 2654435761u + (uint32_t)dir * 40503u + version * 977u) >> 17);
}

static const struct sent *sent_at(const struct world *w, struct timespec ts)
{
    for (size_t i = w->count; i--;)
        if (memcmp(&w->sent[i].seg.ts, &ts, sizeof ts) == 0)
            return &w->sent[i];
    return NULL;
}

static uint32_t first_of(const struct sent *s)
{
    return s->seg.seq + ((s->seg.flags & TCP_SYN) != 0);
}

static bool is_part(const struct sent *s, uint32_t from, struct slice bytes)
{
    uint32_t at = from - first_of(s);
    return at <= s->seg.payload.len && bytes.len <= s->seg.payload.len - at &&
           memcmp(s->bytes + at, bytes.data, bytes.len) == 0;
}

static bool covers(const struct sent *s, int dir, uint32_t seq)
{
    return s->dir == dir && seq - first_of(s) < s->seg.payload.len;
}

static bool overlap(const struct sent *a, const struct sent *b)
{
    return a->dir == b->dir && seq_diff(first_of(a), first_of(b) + (uint32_t)b->seg.payload.len) < 0 &&
           seq_diff(first_of(b), first_of(a) + (uint32_t)a->seg.payload.len) < 0;
}

static void check_tame(const struct world *w, const struct sent *s, int dir, struct slice bytes)
{
    const struct half *other = &w->side[!dir];
    for (uint32_t i = 0; i < bytes.len; i++) {
        const struct sent *first = NULL;
        bool known = false;
        for (size_t k = 0; k < w->count; k++) {
            const struct sent *x = &w->sent[k];
            if (!first && covers(x, dir, w->side[dir].next + i))
                first = x;
            /* A copy of any of its bytes that acknowledges less shows that all of it waits for less. */
            known |= overlap(x, s) && seq_diff(x->seg.ack, other->next) <= 0;
        }
        assert(first && first->version == s->version);
        /* Its sender knew no byte of the other side that comes later. At the end what waits comes in any
         * case. */
        assert(known || w->over);
    }
}

static void *on_open(void *ctx, const struct flow_info *info)
{
    struct world *w = ctx;
    (void)info;
    assert(!w->open);
    w->open = true;
    w->opens++;
    for (int d = 0; d < 2; d++)
        w->side[d] = (struct half){!w->wild, w->side[d].isn + 1, w->side[d].isn, w->side[d].top, 0, 0};
    return w;
}

static int dir_of(const struct flow_info *info, int dir)
{
    return info->end[dir].port == 25; /* of the sender */
}

static enum flow_want on_data(void *ctx, void *user, const struct flow_info *info, int d, struct timespec ts,
                              struct slice bytes)
{
    struct world *w = ctx;
    int dir = dir_of(info, d);
    struct half *side = &w->side[dir];
    const struct sent *s = sent_at(w, ts);
    assert(user == w && w->open && bytes.len && s && s->dir == dir);
    if (!side->known) {
        uint32_t ways = 0, from = 0;
        for (uint32_t at = 0; at < s->seg.payload.len; at++)
            if (is_part(s, first_of(s) + at, bytes)) {
                from = first_of(s) + at;
                ways++;
            }
        assert(ways);
        side->known = ways == 1;
        side->next = from;
    }
    assert(!side->known || is_part(s, side->next, bytes));
    if (!w->wild)
        check_tame(w, s, dir, bytes);
    side->next += (uint32_t)bytes.len;
    side->bytes += bytes.len;
    return FLOW_WANT_BYTES;
}

static enum flow_want on_gap(void *ctx, void *user, const struct flow_info *info, int d, struct timespec ts,
                             uint64_t len)
{
    struct world *w = ctx;
    (void)ts;
    assert(user == w && w->open && len);
    w->side[dir_of(info, d)].next += (uint32_t)len;
    w->side[dir_of(info, d)].gaps += len;
    return FLOW_WANT_BYTES;
}

static void on_end(void *ctx, void *user, const struct flow_info *info, enum flow_end how)
{
    struct world *w = ctx;
    (void)info, (void)how;
    assert(user == w && w->open);
    w->open = false;
    w->ends++;
}

static const struct flow_handler handler = {on_open, on_data, on_gap, on_end};

static struct sent *send(struct world *w, int dir, uint8_t flags, uint32_t seq, uint32_t ack, size_t len)
{
    struct endpoint c = {{4, {198, 51, 100, 7}}, 40001}, s = {{4, {192, 0, 2, 25}}, 25};
    struct sent *x = &w->sent[w->count++];
    *x = (struct sent){.dir = dir,
                       .seg = {.src = dir ? s : c,
                               .dst = dir ? c : s,
                               .seq = seq,
                               .ack = ack,
                               .flags = flags,
                               .payload.len = len}};
    return x;
}

/* The input's next segment, or NULL where it is none that a tame sender sends. */
static struct sent *read_segment(struct world *w, const uint8_t *d)
{
    int dir = d[0] & DIR;
    struct half *own = &w->side[dir], *other = &w->side[!dir];
    uint32_t at = ((uint32_t)d[1] << 8 | d[2]) % (2 * LONG), ack = ((uint32_t)d[4] << 8 | d[5]) % (2 * LONG);
    uint32_t len = d[3];
    uint8_t flags = d[0] & NOACK ? 0 : TCP_ACK;
    if (!w->wild) {
        if (at + len > LONG)
            len = at > LONG ? 0 : LONG - at;
        if (!len)
            return NULL;
        own->top = at + len > own->top ? at + len : own->top;
        ack = ack < other->top ? ack : other->top;
        flags = TCP_ACK | (at + len == LONG && d[0] & FIN ? TCP_FIN : 0);
    } else {
        flags |= (d[0] & SYN ? TCP_SYN : 0) | (d[0] & FIN ? TCP_FIN : 0) | (d[0] & RST ? TCP_RST : 0);
        at += d[0] & FAR ? 1u << 28 : 0;
    }
    struct sent *s = send(w, dir, flags, own->isn + !(flags & TCP_SYN) + at, other->isn + 1 + ack, len);
    s->version = d[0] & OTHER ? 1 : 0;
    if (w->wild && d[0] & CUT)
        s->seg.uncaptured = d[3] * 3u;
    return s;
}

static void take(struct world *w, struct flow_table *t, struct flow_clock *clock, struct sent *s,
                 struct timespec *now, uint64_t step)
{
    uint64_t ns = (uint64_t)now->tv_nsec + step + 1;
    now->tv_sec += (time_t)(ns / 1000000000);
    now->tv_nsec = (long)(ns % 1000000000);
    for (uint32_t i = 0; i < s->seg.payload.len; i++)
        s->bytes[i] = byte_at(s->dir, first_of(s) + i, s->version);
    s->seg.ts = *now;
    /* The bytes live for the call alone. */
    uint8_t *copy = exact_copy((struct slice){s->bytes, s->seg.payload.len});
    struct parcel p = {flow_clock_advance(clock, *now), true, s->seg};
    p.seg.payload.data = s->seg.payload.data = copy;
    flow_table_take(t, &p, 1);
    assert(flow_table_stats(t).held_bytes <= (w->wild ? small : large).total_bytes + 4096);
    free(copy);
}

/* Nothing of the direction is missing, so all of it was told. */
static void check_whole(const struct world *w, int dir)
{
    const struct half *side = &w->side[dir];
    for (uint32_t at = 0; at < side->top; at++) {
        bool there = false;
        for (size_t k = 0; k < w->count && !there; k++)
            there = covers(&w->sent[k], dir, side->isn + 1 + at);
        if (!there)
            return;
    }
    assert(!w->opens || (side->bytes == side->top && !side->gaps));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    if (!size)
        return 0;
    w.count = w.opens = w.ends = 0;
    w.open = w.over = false;
    w.wild = *data & 1;
    w.side[0] = (struct half){.isn = 0xfffffe00};
    w.side[1] = (struct half){.isn = 7000};
    struct flow_clock clock = {.back_after = 60};
    struct timespec now = {1000, 0};
    struct flow_table *t = flow_table_new(w.wild ? &small : &large, &handler, &w);
    if (!w.wild) {
        take(&w, t, &clock, send(&w, 0, TCP_SYN, w.side[0].isn, 0, 0), &now, 0);
        take(&w, t, &clock, send(&w, 1, TCP_SYN | TCP_ACK, w.side[1].isn, w.side[0].isn + 1, 0), &now, 0);
        take(&w, t, &clock, send(&w, 0, TCP_ACK, w.side[0].isn + 1, w.side[1].isn + 1, 0), &now, 0);
    }
    for (const uint8_t *d = data + 1; d + GRAIN <= data + size && w.count < SEGMENTS; d += GRAIN) {
        struct sent *s = read_segment(&w, d);
        if (s)
            take(&w, t, &clock, s, &now, w.wild ? (uint64_t)d[6] * d[6] * d[6] * 2500 : d[6]);
    }
    w.over = true;
    flow_table_finish(t);
    struct flow_stats stats = flow_table_stats(t);
    assert(!w.open && w.opens == w.ends && !stats.held_bytes && !stats.opened);
    for (int dir = 0; dir < 2 && !w.wild; dir++)
        check_whole(&w, dir);
    flow_table_free(&t);
    return 0;
}
