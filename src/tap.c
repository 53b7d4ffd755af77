/* tap.c: one worker of a sensor.
 * In: packets of its sockets, batches from other workers. Out: records, to its lane; batches to other
 * workers; what it counts. Owns: its pipeline, decoder, clock; the sockets. Limits: it waits while
 * RECORDS records have not been taken, which the capture buffer has to bear. Knowingly: while nothing comes
 * its time is LAG behind the clock, as packets come with a delay. */
#include "tap.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/now.h"
#include "passage.h"
#include "report.h"

enum { RECORDS = 8192, AT_ONCE = 256, WAIT_MS = 100, SOON_MS = 5 };
static const double LAG_SECONDS = 0.5, PUBLISH_SECONDS = 0.05, DRAIN_SECONDS = 0.5;

struct tap {
    struct tap_settings set;
    size_t number, count;
    struct tap *const *all;
    struct passage to[TAPS_MOST];
    struct pipeline *pipeline;
    struct decoder *decoder;
    struct flow_clock clock;
    uint64_t order; /* of its records: the clock in nanoseconds, which never goes back */
    int wake;
    atomic_bool stop, drained; /* the latter: it passes nothing on any more */
    atomic_uint gone;
    atomic_bool broken;
    unsigned down; /* interfaces that are, a bit each */
    struct timespec counted_at, published_at;
    bool told;        /* records that are not published yet */
    struct stats own; /* counted here: packets and the like */
    struct new_terms *_Atomic renewal;
    pthread_mutex_t lock;
    struct stats shown; /* under the lock */
};

struct new_terms {
    const struct settings *set;
    struct pipeline_services services;
};

static uint64_t nanoseconds(struct timespec ts)
{
    return ts.tv_sec < 0 ? 0 : (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void tap_tell(void *ctx, struct record *rec)
{
    struct tap *t = ctx;
    t->told = true;
    lane_add(t->set.lane, rec, (struct flow_order){.number = t->order});
}

int tap_new(const struct tap_settings *set, struct tap **ret, struct error *reterr)
{
    int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake < 0)
        return error_set(reterr, -errno, "a worker's event: %s", strerror(errno));
    struct tap *t = calloc(1, sizeof *t);
    memory_check(t);
    assert(set->interface_count <= TAP_INTERFACES);
    const struct pipeline_output out = {.record = tap_tell, .ctx = t};
    t->set = *set;
    t->pipeline = pipeline_new(set->set, &set->services, &out);
    t->decoder = pipeline_decoder(set->set);
    t->clock.back_after = set->set->flow_timeout;
    t->wake = wake;
    pthread_mutex_init(&t->lock, NULL);
    *ret = t;
    return 0;
}

/* Time goes on. */
static struct flow_moment moment(struct tap *t, struct timespec ts)
{
    const struct flow_moment at = flow_clock_advance(&t->clock, ts);
    uint64_t now = nanoseconds(at.now);
    t->order = now > t->order ? now : t->order;
    return at;
}

static void take(struct tap *t, struct parcel *p)
{
    p->at = moment(t, p->seg.ts);
    pipeline_take(t->pipeline, p, 1);
}

static void wake(struct tap *t)
{
    (void)!write(t->wake, &(uint64_t){1}, sizeof(uint64_t));
}

static void on_packet(void *ctx, const struct packet *pkt)
{
    struct tap *t = ctx;
    struct parcel p = {.has_segment = true};
    struct segment *seg = &p.seg;
    t->own.packets++;
    t->own.bytes += pkt->bytes.len;
    t->own.cut_packets += pkt->wire_len > pkt->bytes.len;
    if (decode_packet(t->decoder, pkt, seg) != DECODED_TCP)
        return;
    size_t target = t->count > 1 ? endpoints_hash(&seg->src, &seg->dst) % t->count : t->number;
    if (target == t->number)
        take(t, &p);
    else
        passage_add(&t->to[target], seg);
}

/* The first worker speaks for all, as each hears of it. */
static void note_down(struct tap *t, size_t i, const char *text)
{
    unsigned bit = 1u << i;
    if (!(t->down & bit) && !t->number)
        t->own.interface_downs++;
    t->down |= bit;
    if (!t->number)
        fprintf(stderr, "mailtap: %s\n", text);
}

static void note_up(struct tap *t, size_t i)
{
    t->down &= ~(1u << i);
    if (!t->number)
        fprintf(stderr, "mailtap: %s: is up again\n", t->set.interfaces[i]);
}

static void note_failure(struct tap *t, size_t i, int err, const char *text)
{
    if (err == -ENETDOWN) {
        if (!(t->down & 1u << i))
            note_down(t, i, text);
    } else if (err == -ENODEV) {
        note_down(t, i, text);
        atomic_fetch_or(&t->gone, 1u << i);
    } else if (!atomic_exchange(&t->broken, true)) {
        fprintf(stderr, "mailtap: %s\n", text);
    }
}

/* Packets that were there. */
static int read_socket(struct tap *t, size_t i)
{
    struct error err;
    if (atomic_load(&t->gone) & 1u << i)
        return 0;
    int got = live_read(t->set.sockets[i], AT_ONCE, on_packet, t, &err);
    /* What comes may be of before it went down; that nothing does says that it is up. */
    if (got == 0 && t->down & 1u << i)
        note_up(t, i);
    if (got < 0)
        note_failure(t, i, got, err.text);
    return got < 0 ? 0 : got;
}

static int read_passed(struct tap *t)
{
    int count = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct passage *p = &t->all[i]->to[t->number];
        struct batch *b;
        while (i != t->number && (b = passage_next(p))) {
            for (size_t k = 0; k < b->count; k++)
                take(t, &b->parcels[k]);
            count += (int)b->count;
            passage_done(p, b);
        }
    }
    return count;
}

/* Idle connections end without packets too. */
static void follow_clock(struct tap *t, struct timespec now)
{
    double behind = seconds_between(t->clock.now, now);
    if (behind > 0 && behind <= LAG_SECONDS)
        return;
    struct timespec then = now;
    then.tv_nsec -= (long)(LAG_SECONDS * 1e9);
    if (then.tv_nsec < 0) {
        then.tv_nsec += 1000000000;
        then.tv_sec--;
    }
    struct parcel p = {.at = moment(t, then)};
    pipeline_take(t->pipeline, &p, 1);
}

static void show_counts(struct tap *t, struct timespec now)
{
    if (seconds_between(t->counted_at, now) < 0.1 && seconds_between(t->counted_at, now) >= 0)
        return;
    struct stats s = t->own;
    const struct pipeline_stats ps = pipeline_stats(t->pipeline);
    t->counted_at = now;
    report_add_pipeline(&s, &ps);
    report_add_decoder(&s, decoder_stats(t->decoder));
    for (size_t i = 0; i < t->set.interface_count; i++) {
        const struct live_stats ls = live_stats(t->set.sockets[i]);
        s.kernel_drops += ls.dropped;
        /* It is the interface's, so one worker counts it. */
        s.interface_drops += t->number ? 0 : ls.interface_dropped;
    }
    for (size_t i = 0; i < t->count; i++) {
        s.passed_on += t->to[i].passed;
        s.ring_drops += t->to[i].dropped;
    }
    pthread_mutex_lock(&t->lock);
    t->shown = s;
    pthread_mutex_unlock(&t->lock);
}

static void take_renewal(struct tap *t)
{
    struct new_terms *r = atomic_exchange(&t->renewal, NULL);
    if (r)
        pipeline_renew(t->pipeline, r->set, &r->services);
    free(r);
}

/* Not at each turn, as each wakes the back. */
static void publish(struct tap *t, struct timespec now)
{
    double passed = seconds_between(t->published_at, now);
    if (!t->told && passed >= 0 && passed < PUBLISH_SECONDS)
        return;
    t->told = false;
    t->published_at = now;
    lane_publish(t->set.lane, t->order);
    lane_wait(t->set.lane, RECORDS);
}

static void wait(struct tap *t, int milliseconds)
{
    struct pollfd fds[TAP_INTERFACES + 1];
    nfds_t count = 0;
    fds[count++] = (struct pollfd){t->wake, POLLIN, 0};
    for (size_t i = 0; i < t->set.interface_count; i++)
        /* Of one that is down the descriptor may be readable all the time. */
        if (!((atomic_load(&t->gone) | t->down) & 1u << i))
            fds[count++] = (struct pollfd){live_fd(t->set.sockets[i]), POLLIN, 0};
    poll(fds, count, milliseconds);
    (void)!read(t->wake, &(uint64_t){0}, sizeof(uint64_t));
}

/* False: some stays, as others are slow. */
static bool pass_on(struct tap *t)
{
    bool all = true;
    for (size_t i = 0; i < t->count; i++)
        all &= passage_send(&t->to[i]);
    return all;
}

/* Takes what is there. 0: there was nothing. */
static int take_all(struct tap *t)
{
    int count = read_passed(t);
    for (size_t i = 0; i < t->set.interface_count; i++)
        count += read_socket(t, i);
    return count;
}

static void work(struct tap *t)
{
    int count = take_all(t);
    bool passed = pass_on(t);
    const struct timespec now = now_wall();
    follow_clock(t, now);
    show_counts(t, now);
    take_renewal(t);
    publish(t, now);
    if (!count)
        wait(t, passed ? WAIT_MS : SOON_MS);
}

static bool have_all_drained(const struct tap *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (!atomic_load(&t->all[i]->drained))
            return false;
    return true;
}

/* What came before the stop may still be on its way from the kernel. Traffic that is faster than we are must
 * not hold us up. */
static void drain(struct tap *t)
{
    const struct timespec stopped = now_wall();
    double passed = 0;
    bool more = true;
    while (more && passed >= 0 && passed < DRAIN_SECONDS) {
        int count = take_all(t);
        bool later = seconds_between(stopped, t->clock.now) > 0 || passed > 2e-3 * LIVE_DELAY_MS;
        more = !pass_on(t) || count || !later;
        if (!count)
            wait(t, SOON_MS);
        passed = seconds_between(stopped, now_wall());
    }
    for (size_t i = 0; i < t->count; i++)
        passage_end(&t->to[i]);
}

/* And from other workers, which drain too. */
static void drain_passages(struct tap *t)
{
    atomic_store(&t->drained, true);
    for (size_t i = 0; i < t->count; i++)
        wake(t->all[i]);
    while (!have_all_drained(t)) {
        read_passed(t);
        poll(&(struct pollfd){t->wake, POLLIN, 0}, 1, WAIT_MS);
        (void)!read(t->wake, &(uint64_t){0}, sizeof(uint64_t));
    }
    read_passed(t);
}

static void run(void *ctx)
{
    struct tap *t = ctx;
    while (!atomic_load(&t->stop))
        work(t);
    drain(t);
    drain_passages(t);
    pipeline_finish(t->pipeline);
    t->counted_at = (struct timespec){0};
    show_counts(t, now_wall());
    lane_publish(t->set.lane, UINT64_MAX);
}

struct troop *taps_troop(struct tap *const *taps, size_t count)
{
    struct troop *troop = troop_new(count);
    assert(count <= TAPS_MOST);
    for (size_t i = 0; i < count; i++) {
        taps[i]->all = taps;
        taps[i]->count = count;
        taps[i]->number = i;
        for (size_t k = 0; k < count && count > 1; k++)
            passage_init(&taps[i]->to[k], taps[k]->wake);
    }
    for (size_t i = 0; i < count; i++)
        troop_add(troop, run, taps[i]);
    return troop;
}

void tap_stop(struct tap *t)
{
    atomic_store(&t->stop, true);
    wake(t);
}

void tap_renew(struct tap *t, const struct settings *set, const struct pipeline_services *services)
{
    struct new_terms *r = malloc(sizeof *r);
    memory_check(r);
    *r = (struct new_terms){set, *services};
    r = atomic_exchange(&t->renewal, r);
    if (r && r->services.release)
        r->services.release(r->services.owner);
    free(r);
    wake(t);
}

void tap_count(struct tap *t, struct stats *ret)
{
    pthread_mutex_lock(&t->lock);
    stats_add(ret, &t->shown);
    pthread_mutex_unlock(&t->lock);
}

unsigned tap_gone(const struct tap *t)
{
    return atomic_load(&t->gone);
}

bool tap_is_broken(const struct tap *t)
{
    return atomic_load(&t->broken);
}

void tap_free(struct tap **pt)
{
    struct tap *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    struct new_terms *r = atomic_exchange(&t->renewal, NULL);
    if (r && r->services.release)
        r->services.release(r->services.owner);
    free(r);
    for (size_t i = 0; i < t->count; i++)
        passage_free(&t->to[i]);
    for (size_t i = 0; i < t->set.interface_count; i++) {
        struct live *live = t->set.sockets[i];
        live_close(&live);
    }
    pipeline_free(&t->pipeline);
    decoder_free(&t->decoder);
    close(t->wake);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
