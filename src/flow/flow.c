/* flow.c: puts one connection's bytes in the order in which its ends can have sent them.
 * In: segments of both directions. Out: data, gaps and the end, through struct flow_handler. Owns: held
 * pieces. A piece waits for the bytes before it, and for the bytes of the other side that it acknowledges: a
 * tap that merges two lines may show a reply before its command. Limits: the caller's (table.c), who gives up
 * holes by age and by bytes. Knowingly: acknowledgements that were never possible only cost waiting time.
 * Spec: RFC 9293, RFC 5961. */
#include "flow/flow.h"

#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"

/* What few packets need must not make the way of the others longer. */
#define RARE __attribute__((noinline))

static bool open_once(struct flow_core *core, struct flow *f)
{
    if (!f->opened && f->state == FLOW_LIVE) {
        f->opened = true;
        core->opened++;
        f->user = core->handler->open(core->ctx, &f->info);
    }
    return f->state == FLOW_LIVE;
}

void flow_drop_held(struct flow_core *core, struct flow *f)
{
    for (int d = 0; d < 2; d++) {
        core->held_bytes -= stream_held_bytes(&f->dir[d]);
        stream_clear(&f->dir[d]);
    }
    kept_clear(&f->kept, &core->kept);
    for (size_t i = 0; i < core->fresh_count; i++)
        if (core->fresh[i].flow == f)
            core->fresh[i].flow = NULL;
}

static void take_want(struct flow_core *core, struct flow *f, enum flow_want want)
{
    if (want != FLOW_WANT_MORE)
        f->known = true;
    if (want == FLOW_WANT_END)
        f->state = FLOW_WATCHED;
    if (want != FLOW_WANT_NOTHING)
        return;
    f->state = FLOW_IGNORED;
    f->opened = false;
    core->opened--;
    core->handler->end(core->ctx, f->user, &f->info, FLOW_UNWANTED);
    f->user = NULL;
}

static void note_moved(const struct flow_core *core, struct halfstream *st)
{
    if (st->backlog)
        st->backlog->moved_at = core->now;
}

/* Whether the other side says, in sight of the tap, which bytes of this one it has. */
static bool is_acknowledged(const struct flow *f, int dir)
{
    return f->info.heard[!dir] || (f->dir[dir].has_syn && !f->alone);
}

/* Another copy of bytes that were passed on is compared with them, until the other side has them. */
RARE static void keep(struct flow_core *core, struct flow *f, int dir, uint32_t seq, struct slice bytes)
{
    if (f->state == FLOW_LIVE && is_acknowledged(f, dir))
        kept_add(&f->kept, &core->kept, dir, seq, bytes);
}

/* Of bytes up to `end` those that the other side does not have by now. */
RARE static void keep_rest(struct flow_core *core, struct flow *f, int dir, uint32_t end, struct slice bytes)
{
    const struct halfstream *st = &f->dir[dir];
    uint32_t left = st->has_acked ? end - st->acked : (uint32_t)bytes.len;
    if (left < bytes.len)
        bytes = slice_sub(bytes, bytes.len - left, bytes.len);
    keep(core, f, dir, end - (uint32_t)bytes.len, bytes);
}

void flow_settle(struct flow_core *core)
{
    for (size_t i = 0; i < core->fresh_count; i++) {
        const struct fresh *r = &core->fresh[i];
        if (!r->flow)
            continue;
        const struct halfstream *st = &r->flow->dir[r->dir];
        if (!st->has_acked || seq_diff(st->acked, r->end) < 0)
            keep_rest(core, r->flow, r->dir, r->end, r->bytes);
    }
    core->fresh_count = 0;
}

static inline void pass_data(struct flow_core *core, struct flow *f, int dir, struct timespec ts,
                             struct slice bytes)
{
    f->dir[dir].next += (uint32_t)bytes.len;
    note_moved(core, &f->dir[dir]);
    if (!bytes.len)
        return;
    f->dir[dir].passed = true;
    if (!open_once(core, f))
        return;
    core->passed_bytes += bytes.len;
    take_want(core, f, core->handler->data(core->ctx, f->user, &f->info, dir, ts, bytes));
}

/* Passes on bytes of a segment at hand. Most are acknowledged before they are gone, and need no copy. */
static inline void pass_fresh(struct flow_core *core, struct flow *f, int dir, const struct segment *seg)
{
    const struct halfstream *st = &f->dir[dir];
    uint32_t end = seg->seq + (uint32_t)seg->payload.len;
    if (seg->payload.len && st->has_acked && seq_diff(st->acked, seg->seq) > 0) {
        /* What says so came before the bytes, and may not be true. */
        flow_settle(core);
        keep(core, f, dir, seg->seq, seg->payload);
    } else if (seg->payload.len) {
        assert(core->fresh_count < FLOW_AHEAD);
        core->fresh[core->fresh_count++] = (struct fresh){f, seg->payload, end, dir};
    }
    pass_data(core, f, dir, seg->ts, seg->payload);
}

static void pass_gap(struct flow_core *core, struct flow *f, int dir, struct timespec ts, uint32_t len)
{
    f->dir[dir].next += len;
    note_moved(core, &f->dir[dir]);
    if (!len || !open_once(core, f))
        return;
    core->gaps++;
    core->gap_bytes += len;
    take_want(core, f, core->handler->gap(core->ctx, f->user, &f->info, dir, ts, len));
}

/* Did the sender know bytes of the other side that were not passed on yet? */
static bool ahead_of_other(const struct flow *f, int dir, bool has_ack, uint32_t ack)
{
    const struct halfstream *st = &f->dir[dir], *o = &f->dir[!dir];
    if (!has_ack)
        return false;
    if (!o->begun)
        return st->has_syn && !f->alone; /* a handshake was answered, so the answer may come yet */
    bool of_fin = o->has_fin && ack == o->fin_seq + 1;
    return seq_diff(ack - of_fin, o->next) > 0;
}

static bool head_is_ready(const struct flow *f, int dir)
{
    const struct held *h = stream_first(&f->dir[dir]);
    return h && h->seq == f->dir[dir].next && !ahead_of_other(f, dir, h->has_ack, h->ack);
}

static struct held *take(struct flow_core *core, struct flow *f, int dir)
{
    size_t before = stream_held_bytes(&f->dir[dir]);
    struct held *h = stream_take(&f->dir[dir]);
    core->held_bytes -= before - stream_held_bytes(&f->dir[dir]);
    return h;
}

RARE static void pass_head(struct flow_core *core, struct flow *f, int dir)
{
    struct held *h = take(core, f, dir);
    flow_settle(core);
    keep(core, f, dir, h->seq, (struct slice){h->data, h->len});
    pass_data(core, f, dir, h->ts, (struct slice){h->data, h->len});
    pass_gap(core, f, dir, h->ts, h->missing);
    free(h);
}

static void drain(struct flow_core *core, struct flow *f)
{
    for (;;) {
        int dir = head_is_ready(f, 0) ? 0 : 1;
        if (!head_is_ready(f, dir))
            return;
        pass_head(core, f, dir);
    }
}

RARE static void forget(struct flow_core *core, struct flow *f, int dir, uint32_t acked)
{
    kept_forget(&f->kept, &core->kept, dir, acked);
}

/* `o` is the direction that is acknowledged. */
static inline void take_ack(struct flow_core *core, struct flow *f, struct halfstream *o,
                            const struct segment *seg)
{
    if (!o->has_acked || seq_diff(seg->ack, o->acked) >= 0) {
        o->acked = seg->ack;
        o->window = seg->window;
    }
    o->has_acked = true;
    if (f->kept)
        forget(core, f, o != f->dir, seg->ack);
}

void flow_note_ack(struct flow_core *core, struct flow *f, int dir, const struct segment *seg)
{
    struct halfstream *o = &f->dir[!dir];
    if (!(seg->flags & TCP_ACK))
        return;
    /* What is far beyond all that was sent is no acknowledgement (RFC 9293 3.10.7.4). */
    uint32_t known = seq_diff(o->top, o->next) > 0 ? o->top : o->next;
    if (o->begun && seq_diff(seg->ack, known) > 0 && seg->ack - known > core->max_hole)
        return;
    take_ack(core, f, o, seg);
    if (o->backlog)
        o->backlog->acked_at = seg->ts;
}

/* Windows are scaled where both SYNs offer it, and not in these themselves (RFC 7323 2.2). Of what was not
 * seen the least is taken for true. */
RARE static void note_scaling(struct flow *f, int dir, struct segment *seg)
{
    struct halfstream *st = &f->dir[dir], *o = &f->dir[!dir];
    st->scaling = seg->scaling;
    bool both = st->scaling && o->scaling;
    st->scale = both ? o->scaling - 1 : 0;
    o->scale = both ? st->scaling - 1 : 0;
    seg->window = (uint16_t)(seg->window >> o->scale);
}

/* Learns the direction's numbers from the segment. False: it is a SYN of another connection. */
static bool note_begin(const struct flow_core *core, struct flow *f, int dir, struct segment *seg)
{
    struct halfstream *st = &f->dir[dir];
    bool syn = seg->flags & TCP_SYN;
    if (!st->begun) {
        st->begun = true;
        st->next = st->top = seg->seq + syn;
    }
    if (syn) {
        if (st->has_syn ? seg->seq != st->isn : st->passed)
            return false;
        st->has_syn = true;
        st->isn = seg->seq++;
        note_scaling(f, dir, seg);
        return true;
    }
    /* Picked up amid the connection: while nothing was passed on, nothing is too late. */
    bool earlier = !st->has_syn && !st->passed && seq_diff(seg->seq, st->next) < 0;
    if (earlier && st->next - seg->seq <= core->max_hole)
        st->next = seg->seq;
    return true;
}

/* A FIN counts where it can be next; and one that was not acknowledged does not where its sender goes on
 * after it. False: the receiver takes nothing of this segment, as it comes after the FIN. */
RARE static bool note_fin(const struct flow_core *core, struct halfstream *st, const struct segment *seg,
                          uint32_t end)
{
    int32_t ahead = seq_diff(end, st->next);
    bool near = ahead >= 0 && (size_t)ahead <= core->max_hole;
    bool says_more = seg->payload.len || seg->uncaptured || seg->flags & TCP_FIN;
    if (near && says_more && st->has_fin && seq_diff(end, st->fin_seq) > 0) {
        if (st->has_acked && seq_diff(st->acked, st->fin_seq) > 0)
            return false;
        st->has_fin = false;
    }
    if (near && seg->flags & TCP_FIN) {
        st->has_fin = true;
        st->fin_seq = end;
    }
    return true;
}

/* The segment begins with bytes that were passed on. What of them the other side has acknowledged is kept no
 * more; of the rest it may take this copy, if it dropped the first. */
RARE static void check_again(struct flow_core *core, struct flow *f, int dir, const struct segment *seg)
{
    const struct halfstream *st = &f->dir[dir];
    if (!is_acknowledged(f, dir))
        return;
    struct slice again = slice_sub(seg->payload, 0, st->next - seg->seq);
    int32_t acked = st->has_acked ? seq_diff(st->acked, seg->seq) : 0;
    size_t skip = acked > 0 ? (size_t)acked : 0;
    flow_settle(core);
    if (kept_compare(f->kept, dir, seg->seq, again) == KEPT_DIFFERS) {
        f->info.ambiguous = true;
    } else if (skip < again.len) {
        bool unknown = kept_compare(f->kept, dir, seg->seq + (uint32_t)skip,
                                    slice_sub(again, skip, again.len)) == KEPT_UNKNOWN;
        core->unchecked += unknown;
        /* Who resends is usual, and says the same; who overran the window has had bytes dropped. */
        f->info.ambiguous |= unknown && st->overran;
    }
}

/* Bytes of any packet of the direction end there. */
static inline void note_top(const struct flow_core *core, struct halfstream *st, uint32_t end)
{
    if (seq_diff(end, st->top) > 0 && end - st->next <= core->max_hole)
        st->top = end;
}

static inline void note_overrun(struct halfstream *st, uint32_t end)
{
    if (seq_diff(end, st->acked) > (int32_t)((uint32_t)st->window << st->scale))
        st->overran |= st->has_acked;
}

/* All bytes that any packet of the direction spoke of were passed on, and it goes on. */
static inline bool is_level(const struct halfstream *st)
{
    return st->begun && !st->has_fin && st->top == st->next && !st->backlog;
}

/* Nothing is missing or waited for, and the segment is the next one, whole, has nothing but bytes, an
 * acknowledgement, or both, and what it acknowledges was passed on. */
static inline bool is_plain(const struct flow *f, const struct halfstream *st, const struct halfstream *o,
                            const struct segment *seg)
{
    return (seg->flags & ~TCP_PUSH) == TCP_ACK && !seg->ambiguous && !seg->uncaptured &&
           f->state == FLOW_LIVE && !f->reset && !f->wait && is_level(st) && is_level(o) &&
           seg->seq == st->next && seq_diff(seg->ack, o->next) <= 0;
}

/* flow_push, less what does nothing to a plain segment: there is no SYN, FIN or RST to be noted, no copy to
 * be compared, no hole before it or behind it; its acknowledgement is none of bytes unknown; neither side
 * waits for the other. */
bool flow_push_plain(struct flow_core *core, struct flow *f, int dir, const struct segment *seg)
{
    struct halfstream *st = f->dir + dir, *o = f->dir + !dir;
    if (!is_plain(f, st, o, seg))
        return false;
    f->info.last = seg->ts;
    f->info.heard[dir] = true;
    take_ack(core, f, o, seg);
    if (seg->payload.len) {
        uint32_t end = seg->seq + (uint32_t)seg->payload.len;
        note_top(core, st, end);
        note_overrun(st, end);
        pass_fresh(core, f, dir, seg);
    }
    return true;
}

void flow_push(struct flow_core *core, struct flow *f, int dir, struct segment *seg)
{
    struct halfstream *st = &f->dir[dir];
    if (!note_begin(core, f, dir, seg))
        return;
    flow_note_ack(core, f, dir, seg);
    uint32_t end = seg->seq + (uint32_t)seg->payload.len + seg->uncaptured;
    note_top(core, st, end);
    if ((st->has_fin || seg->flags & TCP_FIN) && !note_fin(core, st, seg, end)) {
        core->forged++;
        return;
    }
    if (seg->payload.len && f->reset && f->reset_dir == dir)
        /* Who sends on was not reset; what is far ahead is not its own. */
        f->reset = seg->seq - f->reset_seq > core->max_hole;
    if (seq_diff(seg->seq, st->next) < 0 && seg->payload.len)
        check_again(core, f, dir, seg);
    /* Where it is out of the stream, and which byte is, depends on the receiver (RFC 6093). */
    if (seg->ambiguous || seg->flags & TCP_URG)
        f->info.ambiguous = true;
    if (!stream_trim(st, seg)) {
        drain(core, f);
        return;
    }
    note_overrun(st, end);
    if (seg->seq == st->next && !st->backlog && !ahead_of_other(f, dir, seg->flags & TCP_ACK, seg->ack)) {
        pass_fresh(core, f, dir, seg);
        pass_gap(core, f, dir, seg->ts, seg->uncaptured);
    } else {
        core->held_bytes += stream_hold(st, seg, core->now, &f->info.ambiguous);
    }
    drain(core, f);
}

bool flow_takes_reset(const struct flow *f, int dir, const struct segment *seg)
{
    enum { WINDOW = 1 << 20 };
    const struct halfstream *st = &f->dir[dir];
    if (!st->begun || (st->has_acked && seg->seq == st->acked))
        return true;
    int32_t ahead = seq_diff(seg->seq, st->next);
    return ahead >= 0 && ahead <= WINDOW;
}

bool flow_is_reset(const struct flow *f)
{
    const struct halfstream *st = &f->dir[f->reset_dir];
    return f->reset &&
           (!st->begun || st->next == f->reset_seq || (st->has_acked && st->acked == f->reset_seq));
}

/* A SYN/ACK, which does not belong to the SYN of this connection. */
static bool answers_another(const struct halfstream *o, const struct segment *seg)
{
    bool fits = seq_diff(seg->ack, o->isn) > 0 && seq_diff(seg->ack, o->top) <= 0;
    return o->has_syn && seg->flags & TCP_ACK && !fits;
}

enum renewal flow_renewal(struct flow *f, int dir, const struct segment *seg)
{
    const struct halfstream *st = &f->dir[dir];
    const struct segment *renewal = f->renewal;
    bool from_sender = renewal && endpoint_eq(&f->info.end[dir], &renewal->src);
    if (renewal && !from_sender && seg->flags & TCP_ACK && seg->ack == renewal->seq + 1)
        return RENEWAL_SHOWN; /* the other side has answered */
    if (from_sender && seg->payload.len && seg->seq == renewal->seq + 1)
        return RENEWAL_SHOWN; /* its sender goes on after it */
    if (!(seg->flags & TCP_SYN))
        return RENEWAL_NONE;
    bool copy = st->has_syn && seg->seq == st->isn;
    bool closed = f->state == FLOW_CLOSED;
    /* Of several SYNs the server has taken another one than the first. */
    bool another = renewal && !st->begun && answers_another(&f->dir[!dir], seg);
    if (closed ? !copy : another)
        return RENEWAL_NOW;
    if (!closed && (copy || !st->begun))
        return RENEWAL_NONE;
    if (!f->renewal)
        f->renewal = malloc(sizeof *f->renewal);
    memory_check(f->renewal);
    *f->renewal = *seg;
    f->renewal->payload = (struct slice){0};
    return RENEWAL_NONE;
}

bool flow_is_blocked(const struct flow *f)
{
    return f->dir[0].backlog || f->dir[1].backlog;
}

/* The bytes of `dir` up to `to`, or up to what of it is held, are taken for lost. */
static void lose_until(struct flow_core *core, struct flow *f, int dir, uint32_t to, struct timespec ts)
{
    struct halfstream *st = &f->dir[dir];
    const struct held *h = stream_first(st);
    if (h && seq_diff(h->seq, to) < 0)
        to = h->seq;
    if (seq_diff(to, st->next) > 0)
        pass_gap(core, f, dir, ts, to - st->next);
}

/* Since the piece came the other side has acknowledged anew, and still no byte beyond what was passed on:
 * nothing is lost then, but the piece was never taken. A hole that is too long to believe needs no such word
 * against it, only none for it. */
static bool is_forged(const struct flow_core *core, const struct halfstream *st)
{
    const struct held *h = stream_first(st);
    if (!st->has_acked || seq_diff(st->acked, h->seq) >= 0)
        return false;
    bool too_long = (size_t)seq_diff(h->seq, st->next) > core->max_hole;
    return too_long || (seq_diff(st->acked, st->next) <= 0 && time_is_later(st->backlog->acked_at, h->ts));
}

static void drop_head(struct flow_core *core, struct flow *f, int dir)
{
    free(take(core, f, dir));
    core->forged++;
}

/* The first piece waits for bytes of the other side that it acknowledges. */
static void stop_waiting_for_other(struct flow_core *core, struct flow *f, int dir)
{
    enum { NEAR = 65536 };
    const struct halfstream *o = &f->dir[!dir];
    const struct held *h = stream_first(&f->dir[dir]);
    f->alone |= !o->begun;
    const struct held *other = stream_first(o);
    bool both = other && other->seq == o->next;
    /* Where each waits for the other no order fits, so the captured one stands. And where no packet of the
     * other side speaks of bytes beyond what is known, an acknowledgement of many such bytes is no proof of
     * them. */
    bool unproven = seq_diff(o->top, o->next) <= 0 && h->ack - o->next > NEAR;
    if (both || f->alone || unproven)
        pass_head(core, f, dir);
    else
        lose_until(core, f, !dir, h->ack, h->ts);
}

/* Of two blocked directions the one with the older piece goes first. */
static int head_dir(const struct flow *f)
{
    const struct held *a = stream_first(&f->dir[0]), *b = stream_first(&f->dir[1]);
    return !a || (b && time_is_later(a->ts, b->ts));
}

const struct held *flow_head(const struct flow *f)
{
    return stream_first(&f->dir[head_dir(f)]);
}

struct timespec flow_head_moved(const struct flow *f)
{
    return f->dir[head_dir(f)].backlog->moved_at;
}

bool flow_hole_is_acked(const struct flow *f)
{
    const struct halfstream *st = &f->dir[head_dir(f)];
    const struct held *h = stream_first(st);
    /* A piece that is next waits for what it has itself acknowledged. */
    return h && (h->seq == st->next || (st->has_acked && seq_diff(st->acked, h->seq) >= 0));
}

/* Where the hole before the first piece ends; sooner where the other side's next piece waits for a part of it
 * only, as it belongs between that part and the rest. */
static uint32_t wanted_of_hole(const struct flow *f, int dir)
{
    const struct halfstream *st = &f->dir[dir], *o = &f->dir[!dir];
    const struct held *h = stream_first(st), *w = stream_first(o);
    bool waits = w && w->seq == o->next && w->has_ack && seq_diff(w->ack, st->next) > 0;
    return waits && seq_diff(w->ack, h->seq) < 0 ? w->ack : h->seq;
}

/* The receiver has what is missing before the next piece too, so no copy of that is under way either. */
static bool next_is_acked(const struct halfstream *st)
{
    return st->backlog && st->has_acked && seq_diff(st->acked, st->backlog->first->seq) >= 0;
}

void flow_give_up(struct flow_core *core, struct flow *f)
{
    int dir = head_dir(f);
    const struct held *h = stream_first(&f->dir[dir]);
    if (!h)
        return;
    struct timespec moved = f->dir[dir].backlog->moved_at;
    if (h->seq == f->dir[dir].next)
        stop_waiting_for_other(core, f, dir);
    else if (is_forged(core, &f->dir[dir]))
        drop_head(core, f, dir);
    else
        lose_until(core, f, dir, wanted_of_hole(f, dir), h->ts);
    drain(core, f);
    if (next_is_acked(&f->dir[dir]))
        f->dir[dir].backlog->moved_at = moved;
}

/* Acknowledged, or sent before a FIN that is near enough to be believed, and never seen. */
static void lose_tail(struct flow_core *core, struct flow *f, int dir)
{
    const struct halfstream *st = &f->dir[dir];
    if (!st->begun)
        return;
    uint32_t end = st->next;
    /* One that is far ahead is no proof either. */
    if (st->has_acked && seq_diff(st->acked, end) > 0 && st->acked - end <= core->max_hole)
        end = st->acked;
    if (st->has_fin) {
        bool over = seq_diff(end, st->fin_seq) > 0, near = (size_t)(st->fin_seq - end) <= core->max_hole;
        if (over || near)
            end = st->fin_seq; /* the FIN itself takes a number, too */
    }
    if (seq_diff(end, st->next) > 0)
        pass_gap(core, f, dir, f->info.last, end - st->next);
}

void flow_close(struct flow_core *core, struct flow *f, enum flow_end how)
{
    while (f->state == FLOW_LIVE && flow_is_blocked(f))
        flow_give_up(core, f);
    for (int d = 0; d < 2 && f->state == FLOW_LIVE; d++)
        if (f->opened)
            lose_tail(core, f, d);
    if (f->opened) {
        core->opened--;
        core->handler->end(core->ctx, f->user, &f->info, how);
    }
    f->opened = false;
    f->user = NULL;
    flow_drop_held(core, f);
}

bool flow_is_finished(const struct flow *f)
{
    for (int d = 0; d < 2; d++) {
        const struct halfstream *st = &f->dir[d];
        if (f->info.heard[d] && !(st->has_fin && seq_diff(st->next, st->fin_seq) >= 0))
            return false;
    }
    return true;
}
