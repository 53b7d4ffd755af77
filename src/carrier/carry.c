/* carry.c: the loop of the carrier's process.
 * In: batches of the outbox. Out: them, to the other side; lines that it refuses, to refused.ndjson in the
 * outbox. Owns: the connection. Limits: the back-off; refused.ndjson is bounded by outbox_bytes.
 * Knowingly: order is kept by batch; a batch that may have arrived is sent again under its id. */
#include "carrier/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/io.h"
#include "base/memory.h"
#include "base/now.h"
#include "carrier/outbox.h"

enum { LIST_MOST = 1000, ID_ROOM = 128, LOOK_MS = 1000 };
static const double pause_first = 0.1, pause_most = 2;

struct carry {
    const struct carry_start *start;
    void *ctx; /* of the ops */
    bool closing;
    double deadline; /* once it is closing */
    double pause;    /* 0: all is well */
    bool told;       /* that it is down */
};

static void settle(const struct carry_start *start)
{
    static const int ignored[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    sigset_t none;
    sigemptyset(&none);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* A predecessor may still be at it; it ends soon. */
    while (flock(start->folder, LOCK_EX) < 0 && errno == EINTR)
        ;
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

static void put_aside(struct carry *c, struct slice line, const struct error *why)
{
    const struct carry_start *s = c->start;
    struct stat st;
    char head[sizeof why->text + 64], text[sizeof why->text];
    size_t n = 0;
    for (const char *p = why->text; *p && n < sizeof text - 1; p++)
        text[n++] = *p == '"' || *p == '\\' || (uint8_t)*p < ' ' || (uint8_t)*p > '~' ? '\'' : *p;
    text[n] = '\0';
    atomic_fetch_add(&s->page->refused, 1);
    int fd =
        openat(s->folder, "refused.ndjson", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    int len = snprintf(head, sizeof head, "{\"error\":\"%s\",\"record\":", text);
    bool room = fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_size + line.len < s->set->outbox_bytes;
    if (room && io_write(fd, (struct slice){(const uint8_t *)head, (size_t)len}) == 0 &&
        io_write(fd, line) == 0)
        io_write(fd, slice_str("}\n"));
    if (fd >= 0)
        close(fd);
    fprintf(stderr, "mailtap: %s: a record is refused and put aside: %s\n", s->set->url, why->text);
}

static void say_down(struct carry *c, const struct error *why)
{
    if (!c->told)
        fprintf(stderr, "mailtap: %s: %s; records wait in %s\n", c->start->set->url, why->text,
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

/* Where the first half of the lines ends; 0: there is one line. */
static size_t middle(struct slice lines)
{
    size_t at = lines.len / 2;
    while (at < lines.len && lines.data[at] != '\n')
        at++;
    if (at + 1 < lines.len)
        return at + 1;
    for (at = lines.len / 2; at && lines.data[at - 1] != '\n';)
        at--;
    return at;
}

static size_t count_lines(struct slice lines)
{
    size_t n = 0;
    for (size_t i = 0; i < lines.len; i++)
        n += lines.data[i] == '\n';
    return n;
}

/* Until it is carried, put aside, or the time is over, which is false. Of lines that are refused together the
 * halves are tried, so that one bad record holds up no other. */
static bool carry_lines(struct carry *c, const char *id, struct slice lines)
{
    const struct carry_start *s = c->start;
    struct error why;
    for (;;) {
        const struct carrier_batch batch = {id, lines, count_lines(lines)};
        enum carried how = s->ops->send(c->ctx, &batch, &why);
        if (how == CARRIED) {
            say_up(c);
            atomic_fetch_add(&s->page->lines, batch.count);
            return true;
        }
        if (how == CARRY_REFUSED)
            break;
        say_down(c, &why);
        c->pause = fmin(c->pause > 0 ? 2 * c->pause : pause_first, pause_most);
        wait_for(c, c->pause);
        if (is_over(c))
            return false;
    }
    size_t half = middle(lines);
    if (!half) {
        put_aside(
            c,
            slice_sub(lines, 0, lines.len && lines.data[lines.len - 1] == '\n' ? lines.len - 1 : lines.len),
            &why);
        return true;
    }
    char ids[2][ID_ROOM];
    snprintf(ids[0], ID_ROOM, "%.100sa", id);
    snprintf(ids[1], ID_ROOM, "%.100sb", id);
    return carry_lines(c, ids[0], slice_sub(lines, 0, half)) &&
           carry_lines(c, ids[1], slice_sub(lines, half, lines.len));
}

static bool carry_batch(struct carry *c, const struct outbox_batch *batch)
{
    const struct carry_start *s = c->start;
    struct error err;
    uint8_t *bytes;
    char id[ID_ROOM];
    if (outbox_read(s->folder, batch, &bytes, &err) < 0) {
        say_down(c, &err);
        return false;
    }
    snprintf(id, sizeof id, "%.60s-%016llx", s->set->sensor, (unsigned long long)batch->number);
    bool done = carry_lines(c, id, (struct slice){bytes, batch->bytes});
    free(bytes);
    if (!done)
        return false;
    if (outbox_remove(s->folder, batch, &err) < 0)
        fprintf(stderr, "mailtap: %s\n", err.text);
    atomic_fetch_add(&s->page->batches, 1);
    atomic_fetch_add(&s->page->bytes, batch->bytes);
    return true;
}

/* How many there were; those of the list are carried, or its time is over. */
static int carry_all(struct carry *c)
{
    struct outbox_batch *list;
    struct error err;
    int count = outbox_list(c->start->folder, LIST_MOST, &list, &err);
    if (count < 0)
        say_down(c, &err);
    for (int i = 0; i < count && !is_over(c); i++)
        if (!carry_batch(c, &list[i]))
            break;
    free(list);
    return count;
}

void carry_run(const struct carry_start *start)
{
    struct carry c = {.start = start};
    struct error err;
    settle(start);
    if (start->ops->open(start->set, start->password, &c.ctx, &err) < 0) {
        fprintf(stderr, "mailtap: %s: %s\n", start->set->url, err.text);
        _exit(2);
    }
    for (;;) {
        bool was_closing = c.closing;
        int count = carry_all(&c);
        if (is_over(&c) || (was_closing && count <= 0))
            break;
        if (count <= 0 || c.told)
            wait_for(&c, LOOK_MS / 1000.0);
        else
            wait_for(&c, 0);
    }
    start->ops->close(c.ctx);
    /* Not exit(): buffers and handlers of the sensor were copied by fork. */
    _exit(0);
}
