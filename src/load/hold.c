/* hold.c: signals, and signs of life to the bus.
 * In: SIGTERM, SIGINT. Out: a flag, a descriptor that wakes who waits; calls of source_ops.hold every second.
 * Owns: its thread. Knowingly: a second signal ends the process amid its batch, which the bus has still. */
#include "load/hold.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PARTLY = 1 };

static void signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
}

void hold_block(void)
{
    sigset_t set;
    signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void end(struct hold *h)
{
    if (atomic_exchange(&h->ending, true)) {
        static const char text[] = "mailtap: ended at once; the batch at hand comes again\n";
        ssize_t wrote = write(STDERR_FILENO, text, sizeof text - 1);
        (void)wrote;
        _exit(PARTLY);
    }
    eventfd_write(h->wake, 1);
}

static void *run(void *arg)
{
    struct hold *h = arg;
    sigset_t set;
    signals(&set);
    while (!atomic_load(&h->stopping)) {
        int sig = sigtimedwait(&set, NULL, &(struct timespec){.tv_sec = 1});
        if (atomic_load(&h->stopping))
            break;
        if (sig > 0)
            end(h);
        hold_lock(h);
        h->ops->hold(h->source);
        hold_unlock(h);
    }
    return NULL;
}

int hold_start(struct hold *h, const struct source_ops *ops, void *source, struct error *reterr)
{
    h->ops = ops;
    h->source = source;
    h->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->wake < 0)
        return error_set(reterr, -errno, "eventfd: %s", strerror(errno));
    pthread_mutex_init(&h->lock, NULL);
    int err = pthread_create(&h->thread, NULL, run, h);
    if (!err)
        return 0;
    close(h->wake);
    pthread_mutex_destroy(&h->lock);
    return error_set(reterr, -err, "a thread: %s", strerror(err));
}

void hold_rest(struct hold *h, double seconds)
{
    if (seconds > 0)
        poll(&(struct pollfd){.fd = h->wake, .events = POLLIN}, 1, (int)ceil(seconds * 1000));
}

void hold_stop(struct hold *h)
{
    atomic_store(&h->stopping, true);
    pthread_kill(h->thread, SIGTERM);
    pthread_join(h->thread, NULL);
    pthread_mutex_destroy(&h->lock);
    close(h->wake);
}
