/* outbox_thread.c: batches on their way to the disk.
 * In: batches. Out: files of the outbox that are forced to the disk; what became of them. Owns: copies of the
 * batches, the thread. Limits: OUTBOX_THREAD_MOST batches, OUTBOX_THREAD_BYTES. Knowingly: what waits is in
 * memory alone, and is lost where the process is killed. The thread begins with the first batch, as a process
 * that gives up its rights must have none before. */
#include "carrier/outbox_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include "base/memory.h"
#include "carrier/outbox.h"

struct waiting {
    uint64_t number, lines;
    uint8_t *bytes;
    size_t len;
};

struct outbox_thread {
    int folder;
    void (*done)(void *ctx);
    void *ctx;
    bool started;
    pthread_t thread;
    pthread_mutex_t lock;                    /* of all below */
    pthread_cond_t come, gone;               /* a batch, or the end; all batches */
    struct waiting ring[OUTBOX_THREAD_MOST]; /* from `first` on; the first one is being written */
    size_t first, count, bytes;
    bool closing;
    struct outbox_result since;
};

static void keep(struct outbox_thread *t, const struct waiting *w)
{
    struct error why = {""};
    int err = outbox_put(t->folder, w->number, w->lines, (struct slice){w->bytes, w->len}, true, &why);
    if (!err)
        t->done(t->ctx);
    pthread_mutex_lock(&t->lock);
    if (err) {
        t->since.lines_lost += w->lines;
        t->since.bytes_lost += w->len;
        t->since.why = why;
    } else {
        t->since.lines_kept += w->lines;
    }
    t->since.lines_waiting -= w->lines;
    t->first = (t->first + 1) % OUTBOX_THREAD_MOST;
    t->count--;
    t->bytes -= w->len;
    if (!t->count)
        pthread_cond_broadcast(&t->gone);
    pthread_mutex_unlock(&t->lock);
    free(w->bytes);
}

static void *run(void *arg)
{
    struct outbox_thread *t = arg;
    prctl(PR_SET_NAME, "mailtap-outbox");
    for (;;) {
        pthread_mutex_lock(&t->lock);
        while (!t->count && !t->closing)
            pthread_cond_wait(&t->come, &t->lock);
        const bool over = !t->count;
        const struct waiting w = t->ring[t->first];
        pthread_mutex_unlock(&t->lock);
        if (over)
            return NULL;
        keep(t, &w);
    }
}

struct outbox_thread *outbox_thread_new(int folder, void (*done)(void *ctx), void *ctx)
{
    struct outbox_thread *t = calloc(1, sizeof *t);
    memory_check(t);
    t->folder = folder;
    t->done = done;
    t->ctx = ctx;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->come, NULL);
    pthread_cond_init(&t->gone, NULL);
    return t;
}

int outbox_thread_put(struct outbox_thread *t, uint64_t number, uint64_t lines, struct slice bytes,
                      struct error *reterr)
{
    int err = t->started ? 0 : pthread_create(&t->thread, NULL, run, t);
    if (err)
        return error_set(reterr, -err, "thread of the outbox: %s", strerror(err));
    t->started = true;
    struct waiting w = {number, lines, malloc(bytes.len + 1), bytes.len};
    memory_check(w.bytes);
    memcpy(w.bytes, bytes.data, bytes.len);
    pthread_mutex_lock(&t->lock);
    const bool fits =
        !t->count || (t->count < OUTBOX_THREAD_MOST && t->bytes + bytes.len <= OUTBOX_THREAD_BYTES);
    if (fits) {
        t->ring[(t->first + t->count++) % OUTBOX_THREAD_MOST] = w;
        t->since.lines_waiting += lines;
        t->bytes += bytes.len;
        pthread_cond_signal(&t->come);
    }
    pthread_mutex_unlock(&t->lock);
    if (fits)
        return 0;
    free(w.bytes);
    return error_set(reterr, -EAGAIN, "the disk is too slow (outbox_sync)");
}

struct outbox_result outbox_thread_results(struct outbox_thread *t, bool wait)
{
    pthread_mutex_lock(&t->lock);
    while (wait && t->count)
        pthread_cond_wait(&t->gone, &t->lock);
    const struct outbox_result ret = t->since;
    t->since = (struct outbox_result){.lines_waiting = ret.lines_waiting};
    pthread_mutex_unlock(&t->lock);
    return ret;
}

void outbox_thread_close(struct outbox_thread **pt)
{
    struct outbox_thread *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->closing = true;
    pthread_cond_signal(&t->come);
    pthread_mutex_unlock(&t->lock);
    if (t->started)
        pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->gone);
    pthread_cond_destroy(&t->come);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
