/* outlet.c: an answer in pieces, between the thread that makes it and the one that sends it.
 * In: an answer's body, piece by piece. Out: bytes for libmicrohttpd, compressed where that is wanted. Owns:
 * what waits. Limits: WAITING bytes and one piece; a client that takes nothing for `patience` has gone.
 * Knowingly: a connection is suspended while nothing waits, and only then, so that the server does not spin.
 */
#include "web/outlet.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "base/memory.h"
#include "base/now.h"
#include "web/gzip.h"

enum { PIECE = 32 << 10, WAITING = 128 << 10 };
static const double LOOK = 0.25; /* seconds after which a waiting handler looks whether the server ends */

struct outlet {
    struct outlet_settings set;
    pthread_mutex_t lock;
    pthread_cond_t taken;
    struct buf waiting;
    struct gzip *gzip;
    bool begun;                 /* the handler's alone */
    bool ended, broken, asleep; /* asleep: the connection is suspended */
    bool gone;                  /* the server's half is */
    unsigned owners;
};

struct outlet *outlet_new(const struct outlet_settings *set)
{
    struct outlet *o = calloc(1, sizeof *o);
    memory_check(o);
    o->set = *set;
    o->owners = 1; /* the server has its half from `begin` on */
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->taken, &attr);
    pthread_condattr_destroy(&attr);
    buf_init(&o->waiting, 2 * (size_t)ANSWER_BYTES);
    if (set->gzip)
        o->gzip = gzip_new();
    return o;
}

static void outlet_free(struct outlet *o)
{
    pthread_mutex_destroy(&o->lock);
    pthread_cond_destroy(&o->taken);
    buf_free(&o->waiting);
    gzip_free(o->gzip);
    free(o);
}

/* With the lock, which it gives back. */
static void let_go(struct outlet *o)
{
    bool last = --o->owners == 0;
    pthread_mutex_unlock(&o->lock);
    if (last)
        outlet_free(o);
}

static struct timespec after(double seconds)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += (long)(seconds * 1e9);
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* Until there is room; with the lock. False: there will be none. */
static bool wait_for_room(struct outlet *o)
{
    double until = now_monotonic() + o->set.patience;
    size_t last = o->waiting.len;
    while (o->waiting.len > WAITING && !o->gone && !o->broken) {
        const struct timespec t = after(LOOK);
        pthread_cond_timedwait(&o->taken, &o->lock, &t);
        if (o->waiting.len < last)
            until = now_monotonic() + o->set.patience;
        last = o->waiting.len;
        o->broken |= atomic_load(o->set.ending) || now_monotonic() > until;
    }
    return !o->gone && !o->broken;
}

static void wake(struct outlet *o)
{
    if (!o->asleep)
        return;
    o->asleep = false;
    MHD_resume_connection(o->set.connection);
}

static bool add(struct outlet *o, struct answer *a, bool last)
{
    bool good = true;
    if (o->gzip)
        good = gzip_add(o->gzip, buf_slice(&a->body), last, &o->waiting);
    else
        good = buf_add(&o->waiting, buf_slice(&a->body));
    buf_clear(&a->body);
    return good;
}

static void begin(struct outlet *o)
{
    if (o->begun)
        return;
    o->begun = true;
    o->owners++;
    /* Suspended since the request was read. */
    o->asleep = true;
    o->set.begin(o->set.ctx);
}

bool outlet_take(struct outlet *o, struct answer *a)
{
    if (a->body.len < PIECE) {
        pthread_mutex_lock(&o->lock);
        o->broken |= atomic_load(o->set.ending);
        bool wanted = !o->gone && !o->broken;
        pthread_mutex_unlock(&o->lock);
        return wanted;
    }
    pthread_mutex_lock(&o->lock);
    begin(o);
    bool wanted = wait_for_room(o) && add(o, a, false);
    o->broken |= !wanted;
    wake(o);
    pthread_mutex_unlock(&o->lock);
    return wanted;
}

bool outlet_has_begun(const struct outlet *o)
{
    return o->begun;
}

void outlet_break(struct outlet *o)
{
    pthread_mutex_lock(&o->lock);
    o->broken = true;
    pthread_mutex_unlock(&o->lock);
}

bool outlet_end(struct outlet *o, struct answer *a)
{
    bool begun = o->begun;
    pthread_mutex_lock(&o->lock);
    if (begun) {
        if (!o->gone && !o->broken)
            o->broken |= !add(o, a, true);
        o->broken |= a->over;
        o->ended = true;
        wake(o);
    }
    let_go(o);
    return begun;
}

ssize_t outlet_read(void *outlet, uint64_t at, char *ret, size_t room)
{
    (void)at;
    struct outlet *o = outlet;
    pthread_mutex_lock(&o->lock);
    size_t n = o->waiting.len < room ? o->waiting.len : room;
    ssize_t got = (ssize_t)n;
    if (o->broken) {
        got = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (n) {
        memcpy(ret, o->waiting.data, n);
        buf_consume(&o->waiting, n);
        pthread_cond_signal(&o->taken);
    } else if (o->ended) {
        got = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        o->asleep = true;
        MHD_suspend_connection(o->set.connection);
    }
    pthread_mutex_unlock(&o->lock);
    return got;
}

void outlet_drop(void *outlet)
{
    struct outlet *o = outlet;
    pthread_mutex_lock(&o->lock);
    o->gone = true;
    pthread_cond_signal(&o->taken);
    let_go(o);
}
