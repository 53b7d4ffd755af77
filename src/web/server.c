/* server.c: the server from its start to its end.
 * In: settings. Out: answers on a socket. Owns: the socket, libmicrohttpd's daemon, the desks. Two threads of
 * libmicrohttpd read and write; what asks the store is done by desks, so that a slow question holds up
 * nobody's connection. Limits: web_connections; a request line and its header HEAD bytes; web_client_timeout.
 * The order of the end: no new connections; desks are closed, which lets every suspended connection go on;
 * then the daemon. A question that takes longer than GRACE is not waited for: it only reads, or SQLite takes
 * back what it has written. */
#include "view/reader.h"
#include "web/server.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/now.h"
#include "web/listen.h"
#include "web/pem.h"

enum { HEAD = 96 << 10, TICK = 1, LISTENERS = 2, WAITING = 64, EXPORTERS = 2, LOG_INS_WAITING = 8 };
static const double GRACE = 2; /* seconds for answers on their way */

struct endpoint web_endpoint(const struct web *w)
{
    return w->at;
}

bool web_is_secure(const struct web *w)
{
    return *w->set.certificate != '\0';
}

/* Whoever is not on this machine comes by TLS and with a name. */
static int check_open(const struct web_settings *set, struct error *reterr)
{
    bool tls = *set->certificate && *set->key;
    if (*set->certificate && !tls)
        return error_set(reterr, -EINVAL, "web: web_certificate wants web_key");
    if (*set->key && !tls)
        return error_set(reterr, -EINVAL, "web: web_key wants web_certificate");
    if (address_is_loopback(&set->listen.addr))
        return 0;
    if (!tls)
        return error_set(reterr, -EINVAL,
                         "web: %s is not loopback: others could read along, so it wants TLS (settings "
                         "web_certificate, web_key) and users (web_users); docs/web.md says how",
                         listen_text(&set->listen).text);
    if (!*set->users)
        return error_set(
            reterr, -EINVAL,
            "web: %s is not loopback: anybody could look, so it wants users (setting web_users); "
            "docs/web.md says how",
            listen_text(&set->listen).text);
    return 0;
}

/* As many files as connections want, and those of the store. */
static void raise_files(const struct web_settings *set)
{
    enum { EACH = 64 }; /* of a thread: its day files */
    struct rlimit limit;
    rlim_t want = set->connections + EACH * (set->threads + EXPORTERS) + EACH;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= want)
        return;
    limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < want)
        fprintf(stderr,
                "mailtap: web: %llu files may be open at once, of %llu that web_connections and web_threads "
                "may want\n",
                (unsigned long long)limit.rlim_cur, (unsigned long long)want);
}

int web_open(const struct web_settings *set, struct web **ret, struct error *reterr)
{
    struct web *w = calloc(1, sizeof *w);
    memory_check(w);
    w->set = *set;
    w->at = set->listen;
    w->listener = -1;
    int err = check_open(set, reterr);
    if (!err && *set->certificate)
        err = pem_read(set->certificate, set->key, &w->certificate, &w->key, reterr);
    if (!err)
        err = door_open(&w->set, &w->door, reterr);
    if (!err) {
        w->listener = listen_on(&w->at, reterr);
        err = w->listener < 0 ? w->listener : 0;
    }
    if (err) {
        web_close(w);
        return err;
    }
    raise_files(set);
    w->page = page_open();
    w->slow = slow_new(set->client_timeout, exchange_left);
    guard_init(&w->guard, set, &w->at, buf_slice(&w->certificate));
    *ret = w;
    return 0;
}

static struct reader *open_reader(void *ctx)
{
    const struct web *w = ctx;
    struct reader *r = NULL;
    struct error err;
    return w->set.open_reader(w->set.store, &r, &err) == 0 ? r : NULL;
}

static void close_reader(struct reader *r)
{
    reader_close(&r);
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
        set.open_reader = k == DESK_LOG_INS ? NULL : open_reader;
        set.close_reader = close_reader;
        set.ctx = w;
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
    const bool tls = web_is_secure(w), local = address_is_loopback(&w->at.addr);
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, w->listener, NULL},
        {MHD_OPTION_THREAD_POOL_SIZE, LISTENERS, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)w->set.connections, NULL},
        /* Half of them for one address; on loopback a proxy has all. */
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, local ? 0 : (intptr_t)w->set.connections / 2, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)ceil(w->set.client_timeout), NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)exchange_begin, w},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)exchange_end, w},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)slow_notify, w->slow},
        {tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, w->certificate.data},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, w->key.data},
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         (void *)(uintptr_t) "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%SERVER_PRECEDENCE"},
        {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | (tls ? MHD_USE_TLS : 0);
    w->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, exchange_take, w, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    return w->daemon ? 0 : error_set(reterr, -EIO, "web: the server does not start");
}

void web_serve(struct web *w)
{
    const struct timespec tick = {.tv_sec = TICK};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    for (;;) {
        int sig = sigtimedwait(&set, NULL, &tick);
        slow_cut(w->slow);
        if (sig == SIGTERM || sig == SIGINT)
            return;
        if (sig != SIGHUP)
            continue;
        door_reload(w->door);
        audit_reopen(w->audit);
    }
}

/* Answers that are made already may leave. */
static void drain(const struct web *w)
{
    const struct timespec step = {.tv_nsec = 5000000};
    for (double until = now_monotonic() + GRACE; atomic_load(&w->open) && now_monotonic() < until;)
        nanosleep(&step, NULL);
}

int web_start(struct web *w, struct error *reterr)
{
    int err = *w->set.audit ? audit_open(w->set.audit, &w->audit, reterr) : 0;
    if (!err)
        err = open_desks(w, reterr);
    return err ? err : start_daemon(w, reterr);
}

/* False: a thread still works on something. */
static bool stop(struct web *w)
{
    bool good = true;
    atomic_store(&w->ending, true);
    if (w->daemon)
        MHD_quiesce_daemon(w->daemon);
    for (enum desk_kind k = DESK_NONE; k < DESKS; k++)
        good &= desk_close(w->desks[k], GRACE);
    if (good && w->daemon) {
        drain(w);
        MHD_stop_daemon(w->daemon);
    }
    return good;
}

bool web_close(struct web *w)
{
    if (!stop(w))
        return false;
    if (w->listener >= 0)
        close(w->listener);
    page_close(w->page);
    slow_free(w->slow);
    buf_free(&w->certificate);
    pem_forget(&w->key);
    door_close(w->door);
    audit_close(w->audit);
    free(w);
    return true;
}
