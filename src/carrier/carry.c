/* carry.c: the loop of the carrier's process.
 * In: batches of the outbox. Out: them, to the other side; lines that it refuses, and what a fallen machine
 * left of others, to refused.ndjson in the outbox. Owns: the connection. Limits: the back-off; refused.ndjson
 * is bounded by outbox_bytes. Knowingly: order is kept by batch; a batch that may have arrived is sent again
 * under its id. A second carrier of the same outbox waits until the first has ended. */
#include "carrier/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/now.h"
#include "base/shown.h"
#include "carrier/aside.h"
#include "carrier/group.h"
#include "carrier/halves.h"
#include "carrier/outbox.h"

enum { LIST_MOST = 1000, LOOK_MS = 1000, LOCK_MS = 200 };
static const double pause_first = 0.1, pause_most = 2;

struct carry {
    const struct carry_start *start;
    void *ctx; /* of the ops */
    bool closing;
    double deadline; /* once it is closing */
    double pause;    /* 0: all is well */
    bool told;       /* that it is down */
    struct aside aside;
};

/* Closes all from 3 on but these two. */
static void keep_only(int a, int b)
{
    unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a), from = STDERR_FILENO + 1;
    if (low > from)
        close_range(from, low - 1, 0);
    if (high > low + 1)
        close_range(low + 1, high - 1, 0);
    close_range(high + 1, ~0U, 0);
}

/* What fork handed us that is not ours. */
static void settle(const struct carry_start *start)
{
    static const int ignored[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGXFSZ};
    sigset_t none;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* Who reads our output waits for its end, which must not be ours. */
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    keep_only(start->folder, start->wake);
    /* A core would have the password in it. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_NAME, "mailtap-carrier");
}

/* Waits, and hears whether the sensor has ended. */
static void wait_for(struct carry *c, double seconds)
{
    char bytes[256];
    if (c->closing) {
        double left = fmin(seconds, c->deadline - now_monotonic());
        poll(NULL, 0, (int)ceil(fmax(left, 0) * 1000));
        return;
    }
    poll(&(struct pollfd){.fd = c->start->wake, .events = POLLIN}, 1, (int)ceil(seconds * 1000));
    ssize_t got;
    while ((got = read(c->start->wake, bytes, sizeof bytes)) > 0)
        ;
    if (got == 0) {
        c->closing = true;
        c->deadline = now_monotonic() + c->start->set->wait_most;
    }
}

static bool is_over(const struct carry *c)
{
    return c->closing && now_monotonic() >= c->deadline;
}

/* The whole time, whatever comes meanwhile, but for the sensor's end. */
static void rest(struct carry *c, double seconds)
{
    double until = now_monotonic() + seconds, left;
    bool was_closing = c->closing;
    while ((left = until - now_monotonic()) > 0 && c->closing == was_closing && !is_over(c))
        wait_for(c, left);
}

/* `line` is without LF. `whole`: it is a record, else what is left of one. */
static void put_aside(struct carry *c, struct slice line, bool whole, const char *why)
{
    aside_put(&c->aside, line, whole, why, atomic_fetch_add(&c->start->page->refused, 1));
}

static void say_down(struct carry *c, const struct error *why)
{
    struct error said = *why;
    shown_clean(said.text);
    if (!c->told)
        fprintf(stderr, "mailtap: %s: %s; records wait in %s\n", c->start->set->url, said.text,
                c->start->set->outbox);
    c->told = true;
    atomic_store(&c->start->page->down, 1);
}

static void say_up(struct carry *c)
{
    if (c->told)
        fprintf(stderr, "mailtap: %s takes records again\n", c->start->set->url);
    c->told = false;
    c->pause = 0;
    atomic_store(&c->start->page->down, 0);
}

/* Tries until it is carried or refused; CARRY_AGAIN: the time is over. */
static enum carried try(void *ctx, const struct carrier_batch *batch, struct error *why)
{
    struct carry *c = ctx;
    struct carrier_page *page = c->start->page;
    for (;;) {
        uint64_t refused = atomic_load(&page->refused);
        enum carried how = c->start->ops->send(c->ctx, batch, why);
        /* But for those that it has put aside by itself. */
        if (how == CARRIED)
            atomic_fetch_add(&page->lines, batch->count - (atomic_load(&page->refused) - refused));
        if (how != CARRY_AGAIN)
            say_up(c);
        if (how != CARRY_AGAIN)
            return how;
        say_down(c, why);
        c->pause = fmin(c->pause > 0 ? 2 * c->pause : pause_first, pause_most);
        rest(c, c->pause);
        if (is_over(c))
            return CARRY_AGAIN;
    }
}

static void refuse(void *ctx, struct slice line, const char *why)
{
    put_aside(ctx, line, true, why);
}

/* It goes into headers, so what is no letter of a host's name is '_'. */
static void print_id(const struct carry *c, const struct outbox_batch *batch, char ret[static HALVES_ID])
{
    snprintf(ret, HALVES_ID, "%.40s-%016llx-%08x", c->start->set->sensor, (unsigned long long)batch->number,
             batch->salt);
    for (char *p = ret; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' ||
              *p == '.'))
            *p = '_';
}

static bool carry_bytes(struct carry *c, const struct outbox_batch *batch, struct slice bytes)
{
    char id[HALVES_ID];
    size_t whole = group_whole(bytes);
    print_id(c, batch, id);
    const struct slice all = slice_sub(bytes, 0, whole);
    const struct halves h = {try, refuse, c};
    if (whole && !halves_carry(&h, id, all))
        return false;
    uint64_t lines = halves_count(all);
    if (whole < bytes.len)
        put_aside(c, slice_sub(bytes, whole, bytes.len), false, "its batch was not written to its end");
    if (lines < batch->lines)
        fprintf(stderr, "mailtap: %s: %s holds %llu whole records of %llu\n", c->start->set->url, batch->name,
                (unsigned long long)lines, (unsigned long long)batch->lines);
    return true;
}

/* It is carried. False: the time is over, and it is still there. */
static bool forget_batch(struct carry *c, const struct outbox_batch *batch)
{
    const struct carry_start *s = c->start;
    struct error err;
    int got;
    /* It would be sent for ever. */
    while ((got = outbox_remove(s->folder, batch, &err)) < 0 && !is_over(c)) {
        say_down(c, &err);
        rest(c, pause_most);
    }
    if (got < 0)
        return false;
    atomic_fetch_add(&s->page->batches, 1);
    atomic_fetch_add(&s->page->bytes, batch->bytes);
    return true;
}

/* False: it is still there. */
static bool carry_batch(struct carry *c, const struct outbox_batch *batch)
{
    const struct carry_start *s = c->start;
    struct error err;
    uint8_t *bytes;
    int got = outbox_read(s->folder, batch, &bytes, &err);
    if (got == -EFBIG) {
        fprintf(stderr, "mailtap: %s; it is named .bad now\n", err.text);
        outbox_spoil(s->folder, batch);
    }
    if (got == -ENOENT || got == -EFBIG)
        return true;
    if (got < 0) {
        say_down(c, &err);
        return false;
    }
    bool done = carry_bytes(c, batch, (struct slice){bytes, batch->bytes});
    free(bytes);
    return done && forget_batch(c, batch);
}

/* Of the batches that `list` begins with. False: some are still there. */
static bool carry_group(struct carry *c, const struct outbox_batch *list, const struct group *g)
{
    char id[HALVES_ID];
    const struct halves h = {try, refuse, c};
    print_id(c, &list[0], id);
    bool done = halves_carry(&h, id, line_slice(&g->lines));
    for (size_t i = 0; i < g->count && done; i++)
        done = forget_batch(c, &list[i]);
    return done;
}

/* Several at once, and the next are read before those go: who sends them has something to do while the other
 * side does its part. */
static void carry_together(struct carry *c, const struct outbox_batch *list, size_t count)
{
    const struct carrier_ops *ops = c->start->ops;
    const uint64_t most = c->start->set->group_bytes;
    const int folder = c->start->folder;
    struct group groups[2] = {0}, *here = &groups[0], *next = &groups[1];
    bool done = true;
    group_take(here, folder, list, count, most);
    for (size_t at = 0; at < count && done && !is_over(c);) {
        if (!here->count) {
            done = carry_batch(c, &list[at++]);
            group_take(here, folder, list + at, count - at, most);
            continue;
        }
        size_t behind = at + here->count;
        group_take(next, folder, list + behind, count - behind, most);
        ops->ahead(c->ctx, line_slice(&next->lines));
        done = carry_group(c, list + at, here);
        struct group *gone = here;
        here = next;
        next = gone;
        at = behind;
    }
    ops->ahead(c->ctx, (struct slice){0});
    group_free(here);
    group_free(next);
}

/* How many there were; those of the list are carried, or its time is over. */
static int carry_all(struct carry *c)
{
    struct outbox_batch *list;
    struct error err;
    int count = outbox_list(c->start->folder, LIST_MOST, &list, &err);
    if (count < 0)
        say_down(c, &err);
    if (count > 0 && c->start->ops->ahead)
        carry_together(c, list, (size_t)count);
    for (int i = 0; i < count && !c->start->ops->ahead && !is_over(c); i++)
        if (!carry_batch(c, &list[i]))
            break;
    free(list);
    return count;
}

/* A predecessor may still be at it, or another sensor with the same outbox. False: the time is over. */
static bool take_lock(struct carry *c)
{
    bool told = false;
    while (flock(c->start->folder, LOCK_EX | LOCK_NB) < 0) {
        if (is_over(c) || (c->closing && !outbox_sum(c->start->folder).batches))
            return false;
        if (!told)
            fprintf(stderr, "mailtap: %s: another process carries what is in %s; it is waited for\n",
                    c->start->set->url, c->start->set->outbox);
        told = true;
        rest(c, LOCK_MS / 1000.0);
    }
    return true;
}

static void work(struct carry *c)
{
    for (;;) {
        bool was_closing = c->closing;
        int count = carry_all(c);
        if (is_over(c) || (was_closing && count == 0))
            return;
        wait_for(c, count <= 0 || c->told ? LOOK_MS / 1000.0 : 0);
    }
}

void carry_run(const struct carry_start *start)
{
    struct carry c = {
        .start = start,
        .aside = {start->folder, start->set->outbox_bytes, start->set->sync, start->set->url, 0}};
    struct error err;
    settle(start);
    if (start->set->confine && start->set->confine(start->ops, start->set, &err) < 0) {
        fprintf(stderr, "mailtap: %s: %s\n", start->set->url, err.text);
        _exit(2);
    }
    if (start->ops->open(start->set, start->password, &c.ctx, &err) < 0) {
        fprintf(stderr, "mailtap: %s: %s\n", start->set->url, err.text);
        _exit(2);
    }
    if (take_lock(&c)) {
        outbox_tidy(start->folder);
        work(&c);
    }
    start->ops->close(c.ctx);
    /* Not exit(): buffers and handlers of the sensor were copied by fork. */
    _exit(0);
}
