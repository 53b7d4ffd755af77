/* flow.c: puts one connection's bytes in the order in which its ends can have sent them.
 * In: segments of both directions. Out: data, gaps and the end, through struct flow_handler. Owns: held pieces.
 * A piece waits for the bytes before it, and for the bytes of the other side that it acknowledges: a tap that merges two
 * lines may show a reply before its command.
 * Limits: the caller's (table.c), who gives up holes by age and by bytes.
 * Knowingly: acknowledgements that were never possible only cost waiting time. Spec: RFC 9293. */
#include "flow/flow.h"

#include <stdlib.h>

static bool open_once(struct flow_core *core, struct flow *f)
{
    if (!f->opened) {
        f->opened = true;
        f->user = core->handler->open(core->ctx, &f->info);
    }
    return f->state == FLOW_LIVE;
}

void flow_drop_held(struct flow_core *core, struct flow *f)
{
    for (int d = 0; d < 2; d++) {
        core->held_bytes -= f->dir[d].held_bytes;
        stream_clear(&f->dir[d]);
    }
}

static void pass_data(struct flow_core *core, struct flow *f, int dir, struct timespec ts, struct slice bytes)
{
    f->dir[dir].next += (uint32_t)bytes.len;
    if (bytes.len && open_once(core, f) && !core->handler->data(core->ctx, f->user, &f->info, dir, ts, bytes))
        f->state = FLOW_IGNORED;
}

static void pass_gap(struct flow_core *core, struct flow *f, int dir, struct timespec ts, uint32_t len)
{
    f->dir[dir].next += len;
    if (!len || !open_once(core, f))
        return;
    core->gaps++;
    core->gap_bytes += len;
    if (!core->handler->gap(core->ctx, f->user, &f->info, dir, ts, len))
        f->state = FLOW_IGNORED;
}

/* Did the sender know bytes of the other side that were not passed on yet? */
static bool ahead_of_other(const struct flow *f, int dir, bool has_ack, uint32_t ack)
{
    const struct halfstream *o = &f->dir[!dir];
    if (!has_ack || !o->begun)
        return false;
    int32_t ahead = seq_diff(ack, o->next);
    return ahead > (o->has_fin ? 1 : 0);
}

static bool head_is_ready(const struct flow *f, int dir)
{
    const struct held *h = f->dir[dir].first;
    return h && h->seq == f->dir[dir].next && !ahead_of_other(f, dir, h->has_ack, h->ack);
}

static void pass_head(struct flow_core *core, struct flow *f, int dir)
{
    size_t before = f->dir[dir].held_bytes;
    struct held *h = stream_take(&f->dir[dir]);
    core->held_bytes -= before - f->dir[dir].held_bytes;
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

static void note_ack(struct flow *f, int dir, const struct segment *seg)
{
    struct halfstream *o = &f->dir[!dir];
    if (!(seg->flags & TCP_ACK))
        return;
    if (!o->has_acked || seq_diff(seg->ack, o->acked) > 0)
        o->acked = seg->ack;
    o->has_acked = true;
}

void flow_push(struct flow_core *core, struct flow *f, int dir, struct segment *seg)
{
    struct halfstream *st = &f->dir[dir];
    if (!st->begun) {
        st->begun = true;
        st->next = seg->seq + (seg->flags & TCP_SYN ? 1 : 0);
    }
    if (seg->flags & TCP_SYN)
        seg->seq++;
    note_ack(f, dir, seg);
    if (seg->flags & TCP_FIN) {
        st->has_fin = true;
        st->fin_seq = seg->seq + (uint32_t)seg->payload.len + seg->uncaptured;
    }
    if (!stream_trim(st, seg)) {
        core->overlaps += seg->payload.len > 0;
        drain(core, f);
        return;
    }
    if (seg->seq == st->next && !st->first && !ahead_of_other(f, dir, seg->flags & TCP_ACK, seg->ack)) {
        pass_data(core, f, dir, seg->ts, seg->payload);
        pass_gap(core, f, dir, seg->ts, seg->uncaptured);
    } else {
        core->held_bytes += stream_hold(st, seg);
    }
    drain(core, f);
}

bool flow_is_blocked(const struct flow *f)
{
    return f->dir[0].first || f->dir[1].first;
}

bool flow_hole_is_acked(const struct flow *f)
{
    for (int d = 0; d < 2; d++) {
        const struct halfstream *st = &f->dir[d];
        if (st->first && st->first->seq == st->next)
            return true; /* it waits for what it has itself acknowledged */
        if (st->first && st->has_acked && seq_diff(st->acked, st->first->seq) >= 0)
            return true;
    }
    return false;
}

/* The bytes of `dir` up to `to`, or up to what of it is held, are taken for lost. */
static void lose_until(struct flow_core *core, struct flow *f, int dir, uint32_t to, struct timespec ts)
{
    struct halfstream *st = &f->dir[dir];
    if (st->first && seq_diff(st->first->seq, to) < 0)
        to = st->first->seq;
    if (seq_diff(to, st->next) > 0)
        pass_gap(core, f, dir, ts, to - st->next);
}

void flow_give_up(struct flow_core *core, struct flow *f)
{
    int dir = f->dir[0].first ? 0 : 1;
    /* Of two blocked directions the one with the older piece goes first. */
    const struct held *a = f->dir[0].first, *b = f->dir[1].first;
    if (a && b && (b->ts.tv_sec < a->ts.tv_sec || (b->ts.tv_sec == a->ts.tv_sec && b->ts.tv_nsec < a->ts.tv_nsec)))
        dir = 1;
    const struct held *h = f->dir[dir].first;
    if (!h)
        return;
    if (h->seq != f->dir[dir].next) {
        lose_until(core, f, dir, h->seq, h->ts);
    } else {
        struct halfstream *o = &f->dir[!dir];
        if (o->first && o->first->seq == o->next)
            pass_head(core, f, dir); /* each waits for the other: no order fits, so the captured one stands */
        else
            lose_until(core, f, !dir, h->ack, h->ts);
    }
    drain(core, f);
}

/* Acknowledged, or before the FIN, and never seen. */
static void lose_tail(struct flow_core *core, struct flow *f, int dir)
{
    struct halfstream *st = &f->dir[dir];
    uint32_t end = st->next;
    if (st->has_acked && st->begun && seq_diff(st->acked, end) > 0)
        end = st->acked;
    if (st->has_fin && st->begun && seq_diff(end, st->fin_seq) >= 0)
        end = st->fin_seq;
    if (st->begun && seq_diff(end, st->next) > 0)
        pass_gap(core, f, dir, f->info.last, end - st->next);
}

void flow_close(struct flow_core *core, struct flow *f, enum flow_end how)
{
    while (f->state == FLOW_LIVE && flow_is_blocked(f))
        flow_give_up(core, f);
    for (int d = 0; d < 2 && f->state == FLOW_LIVE; d++)
        if (f->opened)
            lose_tail(core, f, d);
    if (f->opened)
        core->handler->end(core->ctx, f->user, &f->info, how);
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
