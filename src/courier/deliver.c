/* deliver.c: the courier process.
 * In: frames. Out: deliveries, counts. Owns: everything in its process. Limits: WIRE_PART_MOST a part of a
 * frame, as the sensor reads hostile bytes and may not be itself any more. Knowingly: signals that end
 * programs do not end it, as they come to the sensor too, which then closes the socket; where the sensor died
 * without a word it stays for courier_wait, with a spool directory for ORPHAN seconds at most, as nothing is
 * lost there and the next courier waits for it. */
#include "courier/deliver.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/now.h"
#include "courier/email.h"

enum {
    ORPHAN = 5,
    ROUNDS = 64,
    CHUNK = 64 * 1024,
    FRAME_MOST = sizeof(struct wire_head) + 3 * WIRE_PART_MOST
};

struct deliver {
    const struct deliver_start *start;
    bool has[WIRE_TARGETS];
    struct email email;
    struct target webhook;
    struct transfer post;
    CURLM *multi;
    struct buf in;
    bool closing, orphan; /* the socket ended; without a word */
    double deadline;
};

/* Closes all from 3 on but these two; -1 is none. */
static void keep_only(int a, int b)
{
    int low = a < b ? a : b, high = a < b ? b : a;
    unsigned from = STDERR_FILENO + 1;
    if (low >= 0) {
        if ((unsigned)low > from)
            close_range(from, (unsigned)low - 1, 0);
        from = (unsigned)low + 1;
    }
    if ((unsigned)high > from)
        close_range(from, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, ~0U, 0);
}

/* What fork handed us that is not ours. */
static void settle(const struct deliver_start *start)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT};
    sigset_t none;
    long seed = 0;
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
    keep_only(start->socket, start->directory);
    prctl(PR_SET_NAME, "mailtap-courier");
    if (getrandom(&seed, sizeof seed, 0) == sizeof seed)
        srand48(seed);
}

static void take_frame(struct deliver *d, const struct wire_head *head, const uint8_t *bytes)
{
    struct slice json = {bytes, head->json}, subject = {bytes + head->json, head->subject},
                 text = {bytes + head->json + head->subject, head->text};
    if (head->actions & 1U << WIRE_EMAIL && d->has[WIRE_EMAIL])
        email_take(&d->email, subject, text);
    if (head->actions & 1U << WIRE_WEBHOOK && d->has[WIRE_WEBHOOK])
        target_take(&d->webhook, json);
}

/* From now on nothing waits for its interval or its next try. */
static void close_begins(struct deliver *d, double wait, double now)
{
    d->closing = true;
    d->deadline = now + wait;
    d->email.target.try_at = d->webhook.try_at = 0;
}

/* All whole frames that are there. */
static void take_frames(struct deliver *d, double now)
{
    size_t at = 0;
    while (!d->closing && d->in.len - at >= sizeof(struct wire_head)) {
        struct wire_head head;
        memcpy(&head, d->in.data + at, sizeof head);
        if (!head.actions) {
            close_begins(d, fmin(head.json / 1e3, d->start->set->courier_wait), now);
            break;
        }
        if (head.json > WIRE_PART_MOST || head.subject > WIRE_PART_MOST || head.text > WIRE_PART_MOST) {
            fputs("mailtap: courier: what the sensor sends is no notice; it is heard no longer\n", stderr);
            close_begins(d, d->start->set->courier_wait, now);
            break;
        }
        size_t len = sizeof head + head.json + head.subject + head.text;
        if (d->in.len - at < len)
            break;
        take_frame(d, &head, d->in.data + at + sizeof head);
        at += len;
    }
    buf_consume(&d->in, at);
}

/* Not for ever: deliveries want their turn. */
static void read_socket(struct deliver *d, double now)
{
    uint8_t chunk[CHUNK];
    double wait = d->start->set->courier_wait;
    for (int i = 0; i < ROUNDS && !d->closing; i++) {
        ssize_t got = recv(d->start->socket, chunk, sizeof chunk, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (got <= 0) {
            d->orphan = true;
            close_begins(d, d->start->directory < 0 || wait < ORPHAN ? wait : ORPHAN, now);
            return;
        }
        bool whole = buf_add(&d->in, (struct slice){chunk, (size_t)got});
        assert(whole);
        take_frames(d, now);
    }
}

static void webhook_step(struct deliver *d, double now)
{
    struct outcome o;
    if (transfer_done(&d->post, &o))
        target_landed(&d->webhook, &o, now);
    if (target_due(&d->webhook) <= now) {
        d->webhook.flying = 1;
        transfer_post(&d->post, d->start->set, spool_bytes(d->webhook.spool.first));
    }
}

/* When something is to be done though nothing happens. */
static double next_step(const struct deliver *d)
{
    double next = INFINITY;
    if (d->has[WIRE_EMAIL])
        next = fmin(next, email_due(&d->email, d->closing));
    if (d->has[WIRE_WEBHOOK])
        next = fmin(next, target_due(&d->webhook));
    return next;
}

static bool is_finished(const struct deliver *d, double now)
{
    bool flying = d->email.target.flying || d->webhook.flying;
    if (!d->closing)
        return false;
    return now >= d->deadline || (!flying && !(next_step(d) <= d->deadline));
}

static void wait_for(struct deliver *d, double now)
{
    struct curl_waitfd fds[2];
    unsigned count = 0;
    double until = d->closing ? fmin(next_step(d), d->deadline) : next_step(d);
    double wait = fmin(fmax(until - now, 0), 3600);
    int left;
    if (!d->closing)
        fds[count++] = (struct curl_waitfd){.fd = d->start->socket, .events = CURL_WAIT_POLLIN};
    if (d->has[WIRE_EMAIL] && d->email.sendmail.fd >= 0)
        fds[count++] = (struct curl_waitfd){.fd = d->email.sendmail.fd, .events = CURL_WAIT_POLLIN};
    curl_multi_poll(d->multi, fds, count, (int)ceil(wait * 1000), NULL);
    curl_multi_perform(d->multi, &left);
    for (CURLMsg *msg; (msg = curl_multi_info_read(d->multi, &left));) {
        if (d->has[WIRE_EMAIL])
            transfer_heard(&d->email.smtp, msg);
        if (d->has[WIRE_WEBHOOK])
            transfer_heard(&d->post, msg);
    }
}

static void begin(struct deliver *d, const struct deliver_start *start)
{
    const struct courier_settings *set = start->set;
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        memory_out();
    *d = (struct deliver){.start = start, .multi = curl_multi_init()};
    memory_check(d->multi);
    buf_init(&d->in, FRAME_MOST + CHUNK);
    d->has[WIRE_EMAIL] = check_is_set(set->email_server);
    d->has[WIRE_WEBHOOK] = check_is_set(set->webhook_url);
    if (d->has[WIRE_EMAIL])
        email_init(&d->email, d->multi, set, start->password, start->key, start->directory, start->page);
    if (d->has[WIRE_WEBHOOK]) {
        target_init(&d->webhook, "webhook", set->webhook_url, WIRE_WEBHOOK, start->directory, set,
                    start->page);
        transfer_init(&d->post, d->multi);
    }
}

/* Nobody else says it where the sensor died. */
static void say_end(const struct target *t)
{
    fprintf(stderr,
            "mailtap: %s: the sensor died; %llu notices delivered, %llu lost, %zu left in the spool\n",
            t->name, (unsigned long long)t->delivered, (unsigned long long)t->lost,
            (size_t)(t->taken + t->found - t->delivered - t->lost));
}

static void end(struct deliver *d)
{
    if (d->has[WIRE_EMAIL]) {
        email_end(&d->email);
        if (d->orphan)
            say_end(&d->email.target);
    }
    if (d->has[WIRE_WEBHOOK]) {
        transfer_free(&d->post);
        target_end(&d->webhook);
        if (d->orphan)
            say_end(&d->webhook);
    }
    buf_free(&d->in);
    atomic_store(&d->start->page->ended, 1);
    curl_multi_cleanup(d->multi);
}

void deliver_run(const struct deliver_start *start)
{
    struct deliver d;
    settle(start);
    begin(&d, start);
    for (;;) {
        double now = now_monotonic();
        read_socket(&d, now);
        if (d.has[WIRE_EMAIL])
            email_step(&d.email, now, d.closing);
        if (d.has[WIRE_WEBHOOK])
            webhook_step(&d, now);
        if (is_finished(&d, now))
            break;
        wait_for(&d, now);
    }
    end(&d);
    /* Not exit(): buffers and handlers of the sensor were copied by fork. */
    _exit(0);
}
