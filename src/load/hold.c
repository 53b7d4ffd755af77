/* hold.c: signals, and signs of life to the bus.
 * In: SIGTERM, SIGINT; who asks. Out: a flag, a descriptor that wakes who waits; calls of source_ops.hold
 * now and then. Owns: its thread. Knowingly: a second signal ends the process amid its batch, which the bus
 * has still. */
#include "load/hold.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/now.h"

enum { PARTLY = 1, TICK_MS = 250 };

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

/* Where one came. */
static void hear(struct hold *h)
{
    struct signalfd_siginfo info;
    if (read(h->signals, &info, sizeof info) > 0 && !atomic_load(&h->stopping))
        end(h);
}

static void keep_alive(struct hold *h)
{
    hold_lock(h);
    if (atomic_load(&h->working))
        h->ops->hold(h->source);
    hold_unlock(h);
}

static void *run(void *arg)
{
    struct hold *h = arg;
    struct pollfd fds[1 + LOAD_SERVE_FDS] = {{.fd = h->signals, .events = POLLIN}};
    double next = now_monotonic() + TICK_MS / 1000.0;
    while (!atomic_load(&h->stopping)) {
        size_t count = h->serve.fds ? h->serve.fds(h->serve.ctx, fds + 1) : 0;
        double left = next - now_monotonic();
        poll(fds, 1 + count, left > 0 ? (int)ceil(left * 1000) : 0);
        hear(h);
        if (count)
            h->serve.serve(h->serve.ctx, h->counts);
        if (now_monotonic() < next)
            continue;
        if (atomic_load(&h->working))
            keep_alive(h);
        next = now_monotonic() + TICK_MS / 1000.0;
    }
    return NULL;
}

static int fail(struct hold *h, const char *what, int err, struct error *reterr)
{
    if (h->wake >= 0)
        close(h->wake);
    if (h->signals >= 0)
        close(h->signals);
    return error_set(reterr, -err, "%s: %s", what, strerror(err));
}

int hold_start(struct hold *h, struct error *reterr)
{
    sigset_t set;
    signals(&set);
    h->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    h->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (h->wake < 0 || h->signals < 0)
        return fail(h, "signals", errno, reterr);
    pthread_mutex_init(&h->lock, NULL);
    int err = pthread_create(&h->thread, NULL, run, h);
    if (!err)
        return 0;
    pthread_mutex_destroy(&h->lock);
    return fail(h, "a thread", err, reterr);
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
    close(h->signals);
}
