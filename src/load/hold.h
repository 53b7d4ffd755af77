/* The second thread of a loader: it hears signals, serves who asks how it goes, and tells the bus now and
 * then that what is held is being worked on, while the first one waits for the other side. */
#ifndef LOAD_HOLD_H
#define LOAD_HOLD_H

#include <pthread.h>
#include <stdatomic.h>
#include "load/load.h"

struct hold {
    const struct source_ops *ops;
    void *source;
    pthread_mutex_t lock; /* who has it may call the source */
    pthread_t thread;
    int wake; /* readable once a signal has come */
    int signals;
    struct load_serve serve;
    struct load_counts *counts;
    atomic_bool ending, stopping;
    atomic_bool working; /* the first thread is at what is held, and does not call the source */
};

/* Blocks the signals that it hears. Before there are any threads, so that all inherit it. */
void hold_block(void);
/* With ops, source, serve and counts set, which outlive it. 0 or -errno. */
int hold_start(struct hold *h, struct error *reterr);
static inline void hold_lock(struct hold *h)
{
    pthread_mutex_lock(&h->lock);
}
static inline void hold_unlock(struct hold *h)
{
    pthread_mutex_unlock(&h->lock);
}
/* SIGTERM or SIGINT came. A second one ends the process at once. */
static inline bool hold_ending(const struct hold *h)
{
    return atomic_load(&h->ending);
}
/* Waits so long, or until it is to end. */
void hold_rest(struct hold *h, double seconds);
void hold_stop(struct hold *h);

#endif
