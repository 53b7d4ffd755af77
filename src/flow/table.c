/* table.c: all connections.
 * In: segments. Out: calls of struct flow_handler. Owns: every struct flow.
 * Limits: struct flow_settings; over them the longest idle connection is shed, or a hole given up, and
 * counted. Knowingly: with many tables over one input each sheds of its own, where it holds more than its
 * share; one that gets no packet holds what it has meanwhile. Spec: RFC 9293. */
#include "flow/table.h"

#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "flow/ahead.h"
#include "flow/wait.h"

/* What a table does at one moment, in this order; where a flow stands is added. */
enum phase { PHASE_BACK = 0, PHASE_PACKET = PLACES, PHASE_WAITING, PHASE_IDLE, PHASE_SHIFT = 56 };

struct flow_table {
    struct flow_settings set;
    struct flow_core core;
    struct flow_stats stats;
    struct buckets buckets;
    struct flow_budget own, *budget;
    struct spent {
        size_t flows, sessions, bytes;
    } spent; /* what the budget has of this table */
    struct places places;
    struct queue waiting;
    struct flow *last; /* that a segment belonged to, or NULL */
    int last_dir;      /* the segment's direction */
    double idle[FLOW_STATES];
    struct flow **due; /* of the waiting ones, for the time of a look at them */
    size_t due_room;
    struct flow_moment at;
    struct flow_order order;
};

/* What is kept to be compared takes a part of what may be held. */
static void note_limits(struct flow_table *t)
{
    enum { SHARE = 8 };
    t->core.max_hole = t->set.flow_bytes;
    t->core.kept.most = t->set.recheck_bytes;
    t->core.kept.all = t->set.total_bytes / SHARE;
    t->idle[FLOW_LIVE] = t->idle[FLOW_WATCHED] = t->set.idle_timeout;
    t->idle[FLOW_IGNORED] = t->set.ignored_timeout;
    t->idle[FLOW_CLOSED] = t->set.closed_timeout;
}

struct flow_table *flow_table_new(const struct flow_settings *set, const struct flow_handler *handler,
                                  void *ctx)
{
    struct flow_table *t = calloc(1, sizeof *t);
    memory_check(t);
    *t = (struct flow_table){.set = *set, .core = {.handler = handler, .ctx = ctx}};
    note_limits(t);
    t->budget = set->budget ? set->budget : &t->own;
    atomic_fetch_add_explicit(&t->budget->tables, 1, memory_order_relaxed);
    buckets_init(&t->buckets, set->seed);
    return t;
}

/* What comes out now comes of this flow, at this place among all that comes out at this moment. */
static void note_order(struct flow_table *t, unsigned phase, const struct flow *f, uint64_t queued)
{
    t->order = (struct flow_order){t->at.number, (uint64_t)phase << PHASE_SHIFT | queued, f->first_number};
}

static void note_queued(const struct flow_table *t, struct flow *f)
{
    f->last_number = t->at.number;
    f->queued_at = t->at.now;
}

static void renew(struct flow_table *t, struct flow *f)
{
    note_queued(t, f);
    /* Packets come in trains, and what came to be known stays so. */
    bool stays = f->stands == PLACE_LIVE && f->state == FLOW_LIVE && !f->place.newer;
    if (!stays)
        places_renew(&t->places, f);
}

static void flow_remove(struct flow_table *t, struct flow *f)
{
    buckets_remove(&t->buckets, f);
    waiting_end(&t->waiting, f);
    places_remove(&t->places, f);
    if (t->last == f)
        t->last = NULL;
    free(f->renewal);
    free(f);
}

/* Where a flow stands follows its state, which the user's answers may change. */
static void set_state(struct flow_table *t, struct flow *f, enum flow_state to)
{
    f->state = to;
    renew(t, f);
}

static void close_flow(struct flow_table *t, struct flow *f, enum flow_end how)
{
    waiting_end(&t->waiting, f);
    flow_close(&t->core, f, how);
    set_state(t, f, FLOW_CLOSED);
}

static void end_flow(struct flow_table *t, struct flow *f, enum flow_end how)
{
    if (f->state != FLOW_CLOSED)
        close_flow(t, f, how);
    flow_remove(t, f);
}

void flow_table_adjust(struct flow_table *t, const struct flow_settings *set)
{
    t->set = *set;
    note_limits(t);
}

static void note_spent(atomic_size_t *all, size_t *noted, size_t now)
{
    if (now == *noted)
        return;
    /* A difference below zero wraps, and so does the sum. */
    atomic_fetch_add_explicit(all, now - *noted, memory_order_relaxed);
    *noted = now;
}

static bool has_spent(const struct flow_table *t)
{
    return t->spent.flows != t->buckets.count || t->spent.sessions != t->core.opened ||
           t->spent.bytes != t->core.held_bytes;
}

static void note_all_spent(struct flow_table *t)
{
    note_spent(&t->budget->flows, &t->spent.flows, t->buckets.count);
    note_spent(&t->budget->sessions, &t->spent.sessions, t->core.opened);
    note_spent(&t->budget->bytes, &t->spent.bytes, t->core.held_bytes);
}

/* `all` tables hold more than `most`, and this one, with `own`, more than its share: another one may hold
 * what is worth less. */
static bool is_over(const struct flow_table *t, atomic_size_t *all, size_t most, size_t own)
{
    return atomic_load_explicit(all, memory_order_relaxed) > most &&
           own > most / atomic_load_explicit(&t->budget->tables, memory_order_relaxed);
}

static void shed_one(struct flow_table *t)
{
    struct flow *f = places_least(&t->places, t->at.now);
    if (!f)
        return;
    t->stats.shed += f->stands == PLACE_UNKNOWN || f->stands == PLACE_LIVE || f->stands == PLACE_WATCHED;
    t->stats.shed_silent += f->stands == PLACE_HALF_OPEN || f->stands == PLACE_SILENT;
    end_flow(t, f, FLOW_SHED);
}

static struct flow *flow_add(struct flow_table *t, const struct segment *seg, uint64_t hash)
{
    /* Before, as the new one is worth least. */
    if (is_over(t, &t->budget->flows, t->set.max_flows - 1, t->buckets.count))
        shed_one(t);
    struct flow *f = calloc(1, sizeof *f);
    memory_check(f);
    f->hash = hash;
    f->first_number = t->at.number;
    f->is_signed = seg->is_signed;
    f->info =
        (struct flow_info){.end = {seg->src, seg->dst}, .client = -1, .first = seg->ts, .last = seg->ts};
    if (seg->flags & TCP_SYN)
        f->info.client = seg->flags & TCP_ACK ? 1 : 0;
    buckets_add(&t->buckets, f);
    note_queued(t, f);
    places_add(&t->places, f);
    t->stats.flows++;
    return f;
}

/* Its bytes are not followed, so its end is taken as it comes. */
static void close_unread(struct flow_table *t, struct flow *f)
{
    if (f->reset || (f->dir[0].has_fin && f->dir[1].has_fin))
        close_flow(t, f, f->reset ? FLOW_RST : FLOW_FIN);
}

static bool is_over_budget(const struct flow_table *t, const struct flow *f)
{
    const struct halfstream *a = &f->dir[0], *b = &f->dir[1];
    return stream_held_bytes(a) + stream_held_bytes(b) > t->set.flow_bytes ||
           stream_held_count(a) + stream_held_count(b) > t->set.flow_pieces;
}

/* Its user wants other things of it. */
static void after_change(struct flow_table *t, struct flow *f)
{
    t->stats.ignored += f->state == FLOW_IGNORED;
    waiting_end(&t->waiting, f);
    flow_drop_held(&t->core, f);
    set_state(t, f, f->state);
    close_unread(t, f);
}

static void after_push(struct flow_table *t, struct flow *f, enum flow_state before)
{
    while (f->state == FLOW_LIVE && flow_is_blocked(f) && is_over_budget(t, f)) {
        t->stats.over_budget++;
        flow_give_up(&t->core, f);
    }
    if (f->state != before) {
        after_change(t, f);
        return;
    }
    bool wait = flow_is_blocked(f) || flow_is_reset(f);
    if (wait)
        waiting_begin(&t->waiting, f, t->at.now);
    else
        waiting_end(&t->waiting, f);
    if (!f->reset && flow_is_finished(f))
        close_flow(t, f, FLOW_FIN);
}

/* Over the budget of all, who has waited longest gives up first, so that few hoarders cost the others
 * nothing. */
static void relieve(struct flow_table *t)
{
    struct flow *f;
    while (is_over(t, &t->budget->bytes, t->set.total_bytes, t->core.held_bytes) &&
           (f = waiting_longest(&t->waiting))) {
        enum flow_state before = f->state;
        t->stats.over_budget += flow_is_blocked(f);
        flow_give_up(&t->core, f);
        waiting_end(&t->waiting, f);
        after_push(t, f, before);
        note_all_spent(t);
    }
}

/* Other tables may have added theirs. */
static void shed_flows(struct flow_table *t)
{
    while (is_over(t, &t->budget->flows, t->set.max_flows, t->buckets.count)) {
        shed_one(t);
        note_all_spent(t);
    }
}

/* Of those with a session: many that say too little must not cost those that are known. */
static struct flow *least_session(const struct flow_table *t)
{
    struct flow *unknown = places_oldest(&t->places, PLACE_UNKNOWN),
                *live = places_oldest(&t->places, PLACE_LIVE),
                *watched = places_oldest(&t->places, PLACE_WATCHED);
    if (unknown)
        return unknown;
    bool take_live = !watched || (live && seconds_between(live->info.last, watched->info.last) > 0);
    return take_live ? live : watched;
}

/* The one that was quiet longest goes. */
static void shed_sessions(struct flow_table *t)
{
    while (is_over(t, &t->budget->sessions, t->set.max_sessions, t->core.opened)) {
        t->stats.shed++;
        end_flow(t, least_session(t), FLOW_SHED);
        note_all_spent(t);
    }
}

static bool is_idle(const struct flow_table *t, const struct flow *f, struct timespec since,
                    struct timespec now)
{
    return seconds_between(since, now) >= t->idle[f->state];
}

/* Neither the segment nor what came before it speaks of a new connection. */
static bool is_usual(const struct flow_table *t, const struct flow *f, const struct segment *seg)
{
    return f->state != FLOW_CLOSED && !f->renewal && !(seg->flags & TCP_SYN) &&
           !is_idle(t, f, f->info.last, seg->ts);
}

static void time_out(struct flow_table *t, struct flow *f)
{
    t->stats.timeouts += f->state == FLOW_LIVE || f->state == FLOW_WATCHED;
    end_flow(t, f, f->reset ? FLOW_RST : FLOW_TIMEOUT);
}

/* Who was reset, or had closed, sends no more: the RST or FIN was none, and its connection goes on. Not where
 * the other side took the FIN. */
static bool goes_on_after_end(const struct flow *f, int dir, const struct segment *seg)
{
    const struct halfstream *st = &f->dir[dir];
    bool over =
        f->reset ? dir == f->reset_dir : st->has_fin && st->fin_seq == st->next && !stream_fin_is_acked(st);
    return f->state == FLOW_CLOSED && over && seg->payload.len && seq_diff(seg->seq, st->next) >= 0;
}

/* A connection that begins with `first`; `seg`, which may be another segment, belongs to it. */
static struct flow *flow_begin(struct flow_table *t, const struct segment *first, const struct segment *seg,
                               uint64_t hash, int *ret_dir)
{
    struct segment syn = *first;
    struct flow *f = flow_add(t, first, hash);
    *ret_dir = 0;
    if (first != seg) {
        flow_push(&t->core, f, 0, &syn);
        f->info.heard[0] = true;
        (void)ends_match(&f->info, seg, ret_dir);
    }
    return f;
}

static struct flow *find(struct flow_table *t, const struct segment *seg, const struct glance *g,
                         int *ret_dir)
{
    if (t->last && g->ends != ENDS_OTHER)
        *ret_dir = t->last_dir ^ (g->ends == ENDS_TURNED);
    else
        t->last = buckets_find(&t->buckets, seg, g->hash, ret_dir);
    t->last_dir = *ret_dir;
    return t->last;
}

/* The connection that the segment begins or belongs to; NULL where it belongs to none and begins none. */
static struct flow *flow_for(struct flow_table *t, const struct segment *seg, const struct glance *g,
                             int *ret_dir)
{
    struct flow *f = find(t, seg, g, ret_dir);
    if (f && is_usual(t, f, seg))
        return f;
    if (f && is_idle(t, f, f->info.last, seg->ts)) {
        time_out(t, f);
        f = NULL;
    }
    struct segment renewal;
    const struct segment *first = seg;
    if (f) {
        enum renewal renewed = flow_renewal(f, *ret_dir, seg);
        if (renewed == RENEWAL_NONE && !goes_on_after_end(f, *ret_dir, seg))
            return f;
        if (renewed == RENEWAL_SHOWN) {
            renewal = *f->renewal;
            first = &renewal;
        }
        end_flow(t, f, FLOW_REUSE);
    }
    bool begins = (first->flags & TCP_SYN) || seg->payload.len;
    return begins && !(seg->flags & TCP_RST) ? flow_begin(t, first, seg, g->hash, ret_dir) : NULL;
}

static void note_segment(struct flow_table *t, struct flow *f, int dir, const struct segment *seg)
{
    f->info.last = seg->ts;
    if (f->info.client < 0 && seg->flags & TCP_SYN)
        f->info.client = seg->flags & TCP_ACK ? !dir : dir;
    if (!(seg->flags & TCP_RST)) {
        f->info.heard[dir] = true;
    } else if (flow_takes_reset(f, dir, seg)) {
        f->reset = true;
        f->reset_dir = dir;
        f->reset_seq = seg->seq;
        f->reset_at = seg->ts;
        flow_note_ack(&t->core, f, dir, seg);
    } else {
        t->core.forged++;
    }
}

/* A hole is as old as the piece behind it. */
static bool hole_is_old(const struct flow_table *t, const struct flow *f)
{
    const struct held *h = flow_head(f);
    /* A piece may have waited long behind another hole before it came to stand behind this one. */
    double held = seconds_between(h->ts, t->at.now), stood = seconds_between(flow_head_moved(f), t->at.now);
    double age = held < stood ? held : stood;
    return age >= (flow_hole_is_acked(f) ? t->set.gap_wait : t->set.hole_wait);
}

static void give_up_holes(struct flow_table *t, struct flow *f)
{
    if (flow_is_reset(f) && seconds_between(f->reset_at, t->at.now) >= t->set.gap_wait) {
        close_flow(t, f, FLOW_RST);
        return;
    }
    enum flow_state before = f->state;
    while (f->state == FLOW_LIVE && flow_is_blocked(f) && hole_is_old(t, f))
        flow_give_up(&t->core, f);
    after_push(t, f, before);
}

static int by_first(const void *pa, const void *pb)
{
    const struct flow *a = *(struct flow *const *)pa, *b = *(struct flow *const *)pb;
    return (a->first_number > b->first_number) - (a->first_number < b->first_number);
}

/* Those that are due at once go in the order in which they began: it is the same however the flows are spread
 * over tables. */
static void give_up_old(struct flow_table *t)
{
    struct flow *f;
    size_t count = 0;
    while ((f = waiting_longest(&t->waiting)) &&
           seconds_between(f->wait->since, t->at.now) >= t->set.gap_wait) {
        waiting_end(&t->waiting, f);
        if (count == t->due_room) {
            t->due_room = t->due_room ? t->due_room * 2 : 64;
            t->due = realloc(t->due, t->due_room * sizeof *t->due);
            memory_check(t->due);
        }
        t->due[count++] = f;
    }
    if (count > 1)
        qsort(t->due, count, sizeof *t->due, by_first);
    for (size_t i = 0; i < count; i++) {
        note_order(t, PHASE_WAITING, t->due[i], 0);
        give_up_holes(t, t->due[i]);
    }
}

static void end_idle(struct flow_table *t)
{
    for (unsigned at = 0; at < PLACES; at++) {
        struct flow *f;
        while ((f = places_oldest(&t->places, (enum place)at)) && is_idle(t, f, f->queued_at, t->at.now)) {
            note_order(t, PHASE_IDLE + at, f, f->last_number);
            time_out(t, f);
        }
    }
}

/* The queues go by times, which must not be ahead. */
static void end_all_after(struct flow_table *t)
{
    waiting_set_back(&t->waiting, t->at.now);
    for (unsigned at = 0; at < PLACES; at++)
        for (struct flow *f = places_oldest(&t->places, (enum place)at), *next; f; f = next) {
            next = places_newer(f);
            if (seconds_between(t->at.now, f->queued_at) > 0)
                f->queued_at = t->at.now;
            if (seconds_between(t->at.now, f->info.last) < t->set.idle_timeout)
                continue;
            note_order(t, PHASE_BACK + at, f, f->last_number);
            end_flow(t, f, FLOW_TIMEOUT);
        }
}

static void push(struct flow_table *t, struct flow *f, int dir, struct segment *seg)
{
    f->answered |= !(seg->flags & (TCP_SYN | TCP_RST));
    if (seg->payload.len || seg->uncaptured)
        f->spoke = true;
    renew(t, f);
    if (flow_push_plain(&t->core, f, dir, seg)) {
        if (f->state != FLOW_LIVE)
            after_change(t, f);
        return;
    }
    if (f->state == FLOW_CLOSED) {
        stream_note_last_ack(&f->dir[!dir], seg);
        t->stats.stray++;
        return;
    }
    note_segment(t, f, dir, seg);
    if (f->state != FLOW_LIVE) {
        f->dir[dir].has_fin |= (seg->flags & TCP_FIN) != 0;
        close_unread(t, f);
        return;
    }
    enum flow_state before = f->state;
    if (!(seg->flags & TCP_RST))
        flow_push(&t->core, f, dir, seg);
    after_push(t, f, before);
}

/* Every receiver drops what has no ACK once it knows of the connection (RFC 9293 3.10.7.4), and what is
 * signed where nothing else is. */
static bool receiver_drops(struct flow *f, const struct segment *seg)
{
    if (!seg->is_signed && f->is_signed)
        f->is_signed = false;
    return (seg->is_signed && !f->is_signed) || !(seg->flags & (TCP_ACK | TCP_SYN | TCP_RST));
}

static void push_segment(struct flow_table *t, struct segment *seg, const struct glance *g)
{
    int dir = 0;
    struct flow *f = flow_for(t, seg, g, &dir);
    if (!f)
        t->stats.stray++;
    else if (receiver_drops(f, seg))
        t->core.forged++;
    else
        push(t, f, dir, seg);
}

/* `first`: other tables may have spent something meanwhile. */
static void take(struct flow_table *t, struct parcel *p, const struct glance *g, bool first)
{
    t->at = p->at;
    t->core.now = p->at.now;
    if (p->at.step & FLOW_STEP_BACK)
        end_all_after(t);
    t->order = (struct flow_order){t->at.number, (uint64_t)PHASE_PACKET << PHASE_SHIFT, 0};
    if (p->has_segment)
        push_segment(t, &p->seg, g);
    if (first || has_spent(t)) {
        note_all_spent(t);
        relieve(t);
        shed_sessions(t);
        shed_flows(t);
    }
    if (!(p->at.step & FLOW_STEP_TIDY))
        return;
    /* After the segment, as it may tell what a hole is worth that is old by now. */
    give_up_old(t);
    end_idle(t);
    note_all_spent(t);
}

static void take_few(struct flow_table *t, struct parcel *parcels, size_t count)
{
    struct glance seen[FLOW_AHEAD];
    ahead_look(&t->buckets, parcels, count, seen);
    for (size_t i = 0; i < count; i++)
        take(t, &parcels[i], &seen[i], i == 0);
    flow_settle(&t->core);
}

void flow_table_take(struct flow_table *t, struct parcel *parcels, size_t count)
{
    for (size_t i = 0; i < count; i += FLOW_AHEAD)
        take_few(t, parcels + i, count - i < FLOW_AHEAD ? count - i : FLOW_AHEAD);
}

struct flow_order flow_table_order(const struct flow_table *t)
{
    return t->order;
}

void flow_table_finish(struct flow_table *t)
{
    struct flow *f;
    t->at.number = UINT64_MAX;
    for (unsigned at = 0; at < PLACES; at++)
        while ((f = places_oldest(&t->places, (enum place)at))) {
            note_order(t, PHASE_IDLE + at, f, f->last_number);
            end_flow(t, f, f->reset ? FLOW_RST : FLOW_EOF);
        }
}

struct flow_stats flow_table_stats(const struct flow_table *t)
{
    struct flow_stats s = t->stats;
    s.gaps = t->core.gaps;
    s.gap_bytes = t->core.gap_bytes;
    s.forged = t->core.forged;
    s.unchecked = t->core.unchecked;
    s.passed_bytes = t->core.passed_bytes;
    s.held_bytes = t->core.held_bytes;
    s.live = t->buckets.count;
    s.opened = t->core.opened;
    return s;
}

void flow_table_free(struct flow_table **pt)
{
    struct flow_table *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    flow_table_finish(t);
    note_all_spent(t);
    atomic_fetch_sub_explicit(&t->budget->tables, 1, memory_order_relaxed);
    buckets_free(&t->buckets);
    free(t->due);
    free(t);
}
