/* troop.c: several threads, or none.
 * In: functions. Out: their threads. Owns: the threads. Limits: `most`. Knowingly: a thread waits at the lock
 * until the last one was made, as one that had begun alone would wait for the others for ever. */
#include "troop.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"

struct member {
    struct troop *troop;
    void (*run)(void *ctx);
    void *ctx;
    pthread_t thread;
};

struct troop {
    pthread_mutex_t lock;
    bool called_off; /* under the lock */
    size_t most, count, started;
    struct member members[];
};

struct troop *troop_new(size_t most)
{
    struct troop *t = calloc(1, sizeof *t + most * sizeof t->members[0]);
    memory_check(t);
    pthread_mutex_init(&t->lock, NULL);
    t->most = most;
    return t;
}

void troop_add(struct troop *t, void (*run)(void *ctx), void *ctx)
{
    assert(t->count < t->most);
    t->members[t->count++] = (struct member){.troop = t, .run = run, .ctx = ctx};
}

static void *begin(void *arg)
{
    const struct member *m = arg;
    pthread_mutex_lock(&m->troop->lock);
    bool called_off = m->troop->called_off;
    pthread_mutex_unlock(&m->troop->lock);
    if (!called_off)
        m->run(m->ctx);
    return NULL;
}

int troop_start(struct troop *t, struct error *reterr)
{
    int err = 0;
    pthread_mutex_lock(&t->lock);
    for (; t->started < t->count && !err; t->started += !err) {
        struct member *m = &t->members[t->started];
        err = pthread_create(&m->thread, NULL, begin, m);
    }
    t->called_off = err;
    pthread_mutex_unlock(&t->lock);
    if (!err)
        return 0;
    size_t had = t->started;
    troop_join(t);
    return error_set(reterr, -err, "thread %zu of %zu: %s", had + 1, t->count, strerror(err));
}

void troop_join(struct troop *t)
{
    while (t->started)
        pthread_join(t->members[--t->started].thread, NULL);
}

void troop_free(struct troop **pt)
{
    struct troop *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}
