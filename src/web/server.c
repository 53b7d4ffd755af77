/* server.c: the server from its start to its end.
 * In: settings. Out: answers on a socket. Owns: the socket, libmicrohttpd's daemon, the desks. Two threads of
 * libmicrohttpd read and write; what asks the store is done by desks, so that a slow question holds up
 * nobody's connection. Limits: web_connections; a request line and its header HEAD bytes; IDLE seconds
 * without a byte. The order of the end: no new connections; desks are closed, which lets every suspended
 * connection go on; then the daemon. */
#include "web/server.h"

#include <errno.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/now.h"
#include "web/listen.h"

enum { HEAD = 48 << 10, IDLE = 30, LISTENERS = 2, WAITING = 64, EXPORTERS = 2, LOG_INS_WAITING = 8 };
static const double GRACE = 2; /* seconds for answers on their way */

struct endpoint web_endpoint(const struct web *w)
{
    return w->at;
}

bool web_is_secure(const struct web *w)
{
    return *w->set.certificate != '\0';
}

static void make_token(char ret[static SERVER_CSRF])
{
    uint8_t bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        memory_out();
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

int web_open(const struct web_settings *set, struct web **ret, struct error *reterr)
{
    struct web *w = calloc(1, sizeof *w);
    memory_check(w);
    w->set = *set;
    w->at = set->listen;
    w->listener = -1;
    int err = listen_on(&w->at, reterr);
    if (err < 0) {
        web_close(w);
        return err;
    }
    w->listener = err;
    w->page = page_open();
    make_token(w->csrf);
    guard_init(&w->guard, set, &w->at, buf_slice(&w->certificate));
    *ret = w;
    return 0;
}

static int open_desks(struct web *w, struct error *reterr)
{
    const struct desk_settings each[DESKS] = {
        [DESK_QUESTIONS] = {.threads = w->set.threads, .most = WAITING, .name = "question"},
        [DESK_LOG_INS] = {.threads = 1, .most = LOG_INS_WAITING, .name = "log-in"},
        [DESK_EXPORTS] = {.threads = EXPORTERS, .most = EXPORTERS, .name = "export"}};
    int err = 0;
    for (enum desk_kind k = DESK_NONE + 1; k < DESKS && !err; k++) {
        struct desk_settings set = each[k];
        set.serve = exchange_serve;
        set.refuse = exchange_refuse;
        err = desk_open(&set, &w->desks[k], reterr);
    }
    return err;
}

/* What a client sends is decoded by request.c alone. */
static size_t leave_escaped(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx;
    (void)connection;
    return strlen(text);
}

static int start_daemon(struct web *w, struct error *reterr)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    w->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, exchange_take, w, MHD_OPTION_LISTEN_SOCKET, w->listener,
                         MHD_OPTION_THREAD_POOL_SIZE, (unsigned)LISTENERS, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)w->set.connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                         MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_URI_LOG_CALLBACK,
                         exchange_begin, w, MHD_OPTION_NOTIFY_COMPLETED, exchange_end, w, MHD_OPTION_END);
    return w->daemon ? 0 : error_set(reterr, -EIO, "web: the server does not start");
}

static void wait_for_end(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    for (;;) {
        int sig = sigwaitinfo(&set, NULL);
        if (sig == SIGTERM || sig == SIGINT)
            return;
    }
}

/* Answers that are made already may leave. */
static void drain(const struct web *w)
{
    const struct timespec step = {.tv_nsec = 5000000};
    for (double until = now_monotonic() + GRACE; atomic_load(&w->open) && now_monotonic() < until;)
        nanosleep(&step, NULL);
}

int web_run(struct web *w, struct error *reterr)
{
    int err = open_desks(w, reterr);
    if (!err)
        err = start_daemon(w, reterr);
    if (!err)
        wait_for_end();
    atomic_store(&w->ending, true);
    if (w->daemon)
        MHD_quiesce_daemon(w->daemon);
    for (enum desk_kind k = DESK_NONE; k < DESKS; k++) {
        desk_close(w->desks[k]);
        w->desks[k] = NULL;
    }
    if (w->daemon) {
        drain(w);
        MHD_stop_daemon(w->daemon);
    }
    w->daemon = NULL;
    return err;
}

void web_close(struct web *w)
{
    if (w->listener >= 0)
        close(w->listener);
    page_close(w->page);
    buf_free(&w->certificate);
    buf_free(&w->key);
    free(w);
}
