/* desk.c: threads that serve requests in the order in which they came.
 * In: requests. Out: the same, served or refused. Owns: its threads. Limits: `most` that wait. */
#include "web/desk.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/now.h"
#include "web/exchange.h"

struct desk {
    struct desk_settings set;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct exchange *first, *last;
    size_t waiting, running;
    bool closing;
    pthread_t threads[];
};

/* The next one; NULL: there will be none. */
static struct exchange *next(struct desk *d)
{
    pthread_mutex_lock(&d->lock);
    while (!d->first && !d->closing)
        pthread_cond_wait(&d->more, &d->lock);
    struct exchange *e = d->closing ? NULL : d->first;
    if (e) {
        d->first = e->next;
        d->waiting--;
    }
    pthread_mutex_unlock(&d->lock);
    return e;
}

static void *serve(void *desk)
{
    struct desk *d = desk;
    struct reader *r = d->set.open_reader ? d->set.open_reader(d->set.ctx) : NULL;
    for (struct exchange *e = next(d); e; e = next(d))
        d->set.serve(e, r);
    if (r)
        d->set.close_reader(r);
    return NULL;
}

int desk_open(const struct desk_settings *set, struct desk **ret, struct error *reterr)
{
    struct desk *d = calloc(1, sizeof *d + set->threads * sizeof *d->threads);
    memory_check(d);
    d->set = *set;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->more, NULL);
    int err = 0;
    for (; d->running < set->threads && !err; d->running += !err) {
        err = pthread_create(&d->threads[d->running], NULL, serve, d);
        if (!err)
            pthread_setname_np(d->threads[d->running], set->name);
    }
    if (err) {
        desk_close(d, INFINITY);
        return error_set(reterr, -err, "web: threads: %s", strerror(err));
    }
    *ret = d;
    return 0;
}

bool desk_take(struct desk *d, struct exchange *e)
{
    pthread_mutex_lock(&d->lock);
    bool takes = !d->closing && d->waiting < d->set.most;
    if (takes) {
        e->next = NULL;
        if (d->first)
            d->last->next = e;
        else
            d->first = e;
        d->last = e;
        d->waiting++;
        pthread_cond_signal(&d->more);
    }
    pthread_mutex_unlock(&d->lock);
    return takes;
}

bool desk_close(struct desk *d, double seconds)
{
    if (!d)
        return true;
    pthread_mutex_lock(&d->lock);
    d->closing = true;
    struct exchange *e = d->first;
    d->first = NULL;
    pthread_cond_broadcast(&d->more);
    pthread_mutex_unlock(&d->lock);
    while (e) {
        struct exchange *following = e->next;
        d->set.refuse(e);
        e = following;
    }
    struct timespec until = now_wall();
    until.tv_sec += (time_t)fmin(seconds, 1e6) + 1;
    for (; d->running; d->running--)
        if (pthread_timedjoin_np(d->threads[d->running - 1], NULL, &until) != 0)
            return false;
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->more);
    free(d);
    return true;
}
