/* courier.c: the sensor's side of the courier.
 * In: settings, notices. Out: frames to the courier process, counts, messages at the end. Owns: the socket,
 * the process, what the socket did not take yet. Limits: spool_bytes of backlog (BACKLOG_LEAST at least),
 * beyond which a notice is lost and counted. Knowingly: what is in the socket and the backlog is in no file,
 * so it dies with the sensor and the courier process where both are killed at once. */
#include "courier/courier.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/memory.h"
#include "base/now.h"
#include "courier/check.h"
#include "courier/deliver.h"
#include "courier/spool.h"

enum { BACKLOG_LEAST = 64 * 1024, PREDECESSOR = 10, GRACE = 2 };

struct courier {
    pid_t pid;
    int socket;
    bool gone; /* nobody reads the socket any more; that was said */
    bool has[WIRE_TARGETS], kept;
    uint64_t pushed[WIRE_TARGETS], refused[WIRE_TARGETS];
    struct buf backlog;
    size_t sent; /* so much of the backlog is through */
    struct wire_page *page;
    double wait;
    uint8_t key[OWN_KEY];
};

static const char *const names[] = {"email", "webhook"};

/* A number below 3 would be taken for a standard stream where the program was started without one. */
static int above_streams(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), err = errno;
    close(fd);
    errno = err;
    return high;
}

static int open_pair(int ret[2], struct error *reterr)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret) < 0)
        return error_set(reterr, -errno, "courier: socket: %s", strerror(errno));
    for (int i = 0; i < 2; i++)
        ret[i] = above_streams(ret[i]);
    if (ret[0] >= 0 && ret[1] >= 0)
        return 0;
    return error_set(reterr, -errno, "courier: socket: %s", strerror(errno));
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* As the one who will write in it: what is made there is his, and what he may not do fails here. */
static int open_spool(struct courier *c, const struct courier_settings *set, int *retdir,
                      struct error *reterr)
{
    const char *path = set->spool_directory;
    uid_t before = geteuid();
    if (set->owner && seteuid(set->owner) < 0)
        return error_set(reterr, -errno, "courier: user %u: %s", set->owner, strerror(errno));
    int err = *retdir = above_streams(spool_directory(path, PREDECESSOR, reterr));
    if (err >= 0)
        err = own_key_kept(*retdir, path, c->key, reterr);
    if (set->owner && seteuid(before) < 0)
        return error_set(reterr, -errno, "courier: user %u: %s", before, strerror(errno));
    return err;
}

/* The directory, the key, the password: what both sides get. Sets *retdir to -1 where there is none. */
static int prepare(struct courier *c, const struct courier_settings *set, int *retdir,
                   char password[static CHECK_PASSWORD], struct error *reterr)
{
    const char *path = set->spool_directory;
    int err = 0;
    *retdir = -1;
    if (c->has[WIRE_EMAIL] && check_is_set(set->email_password_file))
        err = check_password(set->email_password_file, password, reterr);
    if (err < 0 || !check_is_set(path))
        return err ? err : own_key_random(c->key, reterr);
    c->kept = true;
    return open_spool(c, set, retdir, reterr);
}

/* In the child it does not return. No signal reaches the child before it ignores those that are the sensor's.
 */
static int start_process(struct courier *c, const struct deliver_start *start, struct error *reterr)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    c->pid = fork();
    int err = errno;
    if (c->pid == 0) {
        if (start->set->begin)
            start->set->begin(start->set->begin_ctx);
        deliver_run(start);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return c->pid < 0 ? error_set(reterr, -err, "courier: fork: %s", strerror(err)) : 0;
}

static int start_all(struct courier *c, const struct courier_settings *set, struct error *reterr)
{
    char password[CHECK_PASSWORD] = "";
    int pair[2] = {-1, -1}, directory = -1;
    int err = prepare(c, set, &directory, password, reterr);
    void *page = mmap(NULL, sizeof *c->page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED && !err)
        err = error_set(reterr, -errno, "courier: memory: %s", strerror(errno));
    c->page = page == MAP_FAILED ? NULL : page;
    if (!err)
        err = open_pair(pair, reterr);
    if (!err)
        err = start_process(
            c, &(struct deliver_start){set, *password ? password : NULL, c->key, pair[1], directory, c->page},
            reterr);
    explicit_bzero(password, sizeof password);
    close_if_open(pair[1]);
    close_if_open(directory);
    c->socket = pair[0];
    return err;
}

static void courier_free(struct courier *c)
{
    close_if_open(c->socket);
    if (c->page)
        munmap(c->page, sizeof *c->page);
    buf_free(&c->backlog);
    free(c);
}

int courier_start(const struct courier_settings *set, struct courier **ret, struct error *reterr)
{
    *ret = NULL;
    int err = check_settings(set, reterr);
    if (err || (!check_is_set(set->email_server) && !check_is_set(set->webhook_url)))
        return err;
    struct courier *c = calloc(1, sizeof *c);
    memory_check(c);
    c->socket = -1;
    c->has[WIRE_EMAIL] = check_is_set(set->email_server);
    c->has[WIRE_WEBHOOK] = check_is_set(set->webhook_url);
    c->wait = set->courier_wait;
    buf_init(&c->backlog, set->spool_bytes > BACKLOG_LEAST ? set->spool_bytes : BACKLOG_LEAST);
    err = start_all(c, set, reterr);
    if (err)
        courier_free(c);
    else
        *ret = c;
    return err;
}

pid_t courier_process(const struct courier *c)
{
    return c ? c->pid : 0;
}

void courier_poll(struct courier *c)
{
    while (c && !c->gone && c->sent < c->backlog.len) {
        ssize_t sent =
            send(c->socket, c->backlog.data + c->sent, c->backlog.len - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            c->gone = true;
            fprintf(stderr,
                    "mailtap: courier: the process that delivers notices is gone (%s); they are lost\n",
                    strerror(errno));
        }
        if (sent < 0)
            break;
        c->sent += (size_t)sent;
    }
    /* Not at each step: moving the rest would cost its square. */
    if (c && c->sent >= c->backlog.len / 2) {
        buf_consume(&c->backlog, c->sent);
        c->sent = 0;
    }
}

void courier_push(struct courier *c, unsigned actions, struct slice json, struct slice subject,
                  struct slice text)
{
    struct slice none = {NULL, 0};
    if (!c)
        return;
    for (int i = 0; i < WIRE_TARGETS; i++) {
        if (!c->has[i])
            actions &= ~(1U << i);
        c->pushed[i] += actions >> i & 1;
    }
    actions &= COURIER_EMAIL | COURIER_WEBHOOK;
    if (!actions)
        return;
    json = actions & COURIER_WEBHOOK ? json : none;
    subject = actions & COURIER_EMAIL ? subject : none;
    text = actions & COURIER_EMAIL ? text : none;
    courier_poll(c);
    struct wire_head head = {actions, (uint32_t)json.len, (uint32_t)subject.len, (uint32_t)text.len};
    size_t len = sizeof head + json.len + subject.len + text.len;
    if (c->gone || json.len > WIRE_PART_MOST || subject.len > WIRE_PART_MOST || text.len > WIRE_PART_MOST ||
        len > c->backlog.max - (c->backlog.len - c->sent)) {
        for (int i = 0; i < WIRE_TARGETS; i++)
            c->refused[i] += actions >> i & 1;
        return;
    }
    if (len > c->backlog.max - c->backlog.len) {
        buf_consume(&c->backlog, c->sent);
        c->sent = 0;
    }
    buf_add(&c->backlog, (struct slice){(const uint8_t *)&head, sizeof head});
    buf_add(&c->backlog, json);
    buf_add(&c->backlog, subject);
    buf_add(&c->backlog, text);
    courier_poll(c);
}

static struct courier_tally tally_of(const struct courier *c, int i)
{
    /* In this order: what the process found it says before what became of it. */
    uint64_t delivered = atomic_load(&c->page->delivered[i]), lost = atomic_load(&c->page->lost[i]);
    struct courier_tally t = {.pushed = c->pushed[i],
                              .found = atomic_load(&c->page->found[i]),
                              .delivered = delivered,
                              .lost = c->refused[i] + lost};
    t.left = t.pushed + t.found - t.delivered - t.lost;
    return t;
}

struct courier_counts courier_counts(const struct courier *c)
{
    struct courier_counts counts = {0};
    if (c)
        counts = (struct courier_counts){tally_of(c, WIRE_EMAIL), tally_of(c, WIRE_WEBHOOK)};
    return counts;
}

/* True: the descriptor is ready, or its other end is gone; false: not before `deadline`. */
static bool wait_for(int fd, short events, double deadline)
{
    for (;;) {
        double left = fmax(deadline - now_monotonic(), 0);
        int got = poll(&(struct pollfd){.fd = fd, .events = events}, 1, (int)ceil(left * 1000));
        if (got >= 0 || errno != EINTR)
            return got > 0;
    }
}

/* Hands over all that is left, and that there is no more. */
static void send_rest(struct courier *c, double deadline)
{
    for (courier_poll(c); c->sent < c->backlog.len && !c->gone; courier_poll(c))
        if (!wait_for(c->socket, POLLOUT, deadline))
            break;
    if (c->sent >= c->backlog.len && !c->gone) {
        struct wire_head head = {.json = (uint32_t)(fmax(deadline - now_monotonic(), 0) * 1000)};
        buf_clear(&c->backlog);
        c->sent = 0;
        buf_add(&c->backlog, (struct slice){(const uint8_t *)&head, sizeof head});
        for (courier_poll(c); c->sent < c->backlog.len && !c->gone; courier_poll(c))
            if (!wait_for(c->socket, POLLOUT, deadline))
                break;
    }
    shutdown(c->socket, SHUT_WR);
}

/* Waits for the process's end, which closes the socket, and brings it about where it takes too long. */
static void reap(struct courier *c, double deadline)
{
    static const char who[] = "mailtap: courier: the process that delivers notices";
    int status = 0;
    bool killed = !wait_for(c->socket, POLLIN, deadline);
    if (killed) {
        kill(c->pid, SIGKILL);
        fprintf(stderr, "%s does not end; it was killed\n", who);
    }
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status) && !killed)
        fprintf(stderr, "%s was ended by signal %d (%s)\n", who, WTERMSIG(status),
                strsignal(WTERMSIG(status)));
    else if (WIFEXITED(status) && WEXITSTATUS(status))
        fprintf(stderr, "%s ended with exit code %d\n", who, WEXITSTATUS(status));
}

int courier_close(struct courier **pc, struct courier_counts *ret)
{
    struct courier *c = *pc;
    double deadline = now_monotonic();
    *pc = NULL;
    *ret = (struct courier_counts){0};
    if (!c)
        return 0;
    deadline += c->wait;
    send_rest(c, deadline);
    reap(c, deadline + GRACE);
    bool well = atomic_load(&c->page->ended);
    /* What the process did not take died in the socket or the backlog. Where it ended badly, what had no file
     * died with it. */
    for (int i = 0; i < WIRE_TARGETS; i++) {
        uint64_t taken = atomic_load(&c->page->received[i]);
        c->refused[i] += c->pushed[i] - c->refused[i] - taken;
        if (!well && !c->kept)
            c->refused[i] += tally_of(c, i).left;
    }
    *ret = courier_counts(c);
    for (int i = 0; i < WIRE_TARGETS; i++) {
        struct courier_tally t = i == WIRE_EMAIL ? ret->email : ret->webhook;
        if (t.pushed + t.found)
            fprintf(stderr,
                    "mailtap: %s: %" PRIu64 " notices delivered, %" PRIu64 " lost, %" PRIu64
                    " left in the spool\n",
                    names[i], t.delivered, t.lost, t.left);
    }
    courier_free(c);
    return well ? 0 : -EIO;
}

bool courier_is_own(const struct courier *c, struct slice message_id, struct slice envelope_from)
{
    return c && own_is(c->key, message_id, envelope_from);
}
