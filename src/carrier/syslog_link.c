/* syslog_link.c: a way to a receiver of syslog.
 * In: bytes. Out: them, on a socket. Owns: the socket, or the connection of libcurl, which names hosts, tries
 * their addresses and speaks TLS. Limits: the caller's time, but for a resolver that does not answer.
 * Knowingly: syslog has no acknowledgement; what the other side's kernel has taken is all that can be known.
 * Datagrams are spread over time, as a burst would run over the receiver's buffer. Spec: RFC 5425, RFC 5426,
 * RFC 6587. */
#include "carrier/syslog_link.h"

#include <curl/curl.h>
#include <errno.h>
#include <linux/tcp.h>
#include <math.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/now.h"
#include "carrier/tls.h"

enum { LOOK_MS = 20, HEAR_MS = 300, BURST = 16 << 10, BURST_US = 1000, RESOLVE_SECONDS = 300, SPOKEN = 4096 };

struct syslog_link {
    enum syslog_way way;
    const struct servers *servers;
    const struct carrier_settings *set;
    size_t next; /* which try it is: each is another server, and then of each another address */
    CURL *easy;  /* of TCP and TLS, where it is connected */
    int fd;      /* -1: none; not ours where `easy` is there */
    double opened;
    size_t burst; /* bytes of datagrams since we last paused */
    char error[CURL_ERROR_SIZE];
};

struct syslog_link *syslog_link_new(enum syslog_way way, const struct servers *servers,
                                    const struct carrier_settings *set)
{
    struct syslog_link *l = calloc(1, sizeof *l);
    memory_check(l);
    *l = (struct syslog_link){.way = way, .servers = servers, .set = set, .fd = -1};
    return l;
}

static void shut(struct syslog_link *l)
{
    if (l->easy)
        curl_easy_cleanup(l->easy);
    else if (l->fd >= 0)
        close(l->fd);
    l->easy = NULL;
    l->fd = -1;
}

void syslog_link_free(struct syslog_link **pl)
{
    if (*pl)
        shut(*pl);
    free(*pl);
    *pl = NULL;
}

static const char *server_of(const struct syslog_link *l)
{
    return l->servers->items[l->next % l->servers->count];
}

/* It is closed, and another server is next. */
__attribute__((format(printf, 4, 5))) static int fail(struct syslog_link *l, int err, struct error *reterr,
                                                      const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    error_set(reterr, err, "%.100s%s%s", l->servers->count > 1 ? server_of(l) : "",
              l->servers->count > 1 ? ": " : "", text);
    shut(l);
    l->next++;
    return err;
}

static int open_udp(struct syslog_link *l, struct error *reterr)
{
    char host[SERVERS_TEXT];
    snprintf(host, sizeof host, "%s", server_of(l));
    char *port = strrchr(host, ':'), *name = host;
    *port++ = '\0';
    if (*name == '[') {
        name++;
        name[strlen(name) - 1] = '\0';
    }
    const struct addrinfo want = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    int bad = getaddrinfo(name, port, &want, &found), err = EHOSTUNREACH;
    if (bad)
        return fail(l, -EHOSTUNREACH, reterr, "%s", gai_strerror(bad));
    size_t count = 0;
    for (const struct addrinfo *a = found; a; a = a->ai_next)
        count++;
    /* Of a name with several addresses nobody may listen at the first. */
    size_t skip = l->next / l->servers->count % count;
    for (const struct addrinfo *a = found; a && l->fd < 0; a = a->ai_next) {
        if (skip && skip--)
            continue;
        l->fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (l->fd >= 0 && connect(l->fd, a->ai_addr, a->ai_addrlen) < 0) {
            err = errno;
            close(l->fd);
            l->fd = -1;
        }
    }
    freeaddrinfo(found);
    return l->fd >= 0 ? 0 : fail(l, -err, reterr, "%s", strerror(err));
}

/* Receivers say nothing; what one says all the same is passed over. */
static bool is_closed(struct syslog_link *l)
{
    char bytes[SPOKEN];
    size_t got;
    CURLcode code;
    if (!l->easy)
        return false;
    while ((code = curl_easy_recv(l->easy, bytes, sizeof bytes, &got)) == CURLE_OK && got)
        ;
    return code != CURLE_AGAIN;
}

static int closed(struct syslog_link *l, struct error *reterr)
{
    return fail(l, -EPIPE, reterr, "it has closed the connection%s%s", *l->error ? ": " : "", l->error);
}

/* libcurl only connects, and then hands bytes through. */
static int open_stream(struct syslog_link *l, double until, struct error *reterr)
{
    char url[SERVERS_TEXT + 16];
    curl_socket_t fd = -1;
    long left = (long)(fmax(until - now_monotonic(), 0) * 1000) + 1;
    CURL *e = l->easy = curl_easy_init();
    memory_check(e);
    snprintf(url, sizeof url, "%s://%s", l->way == SYSLOG_TLS ? "https" : "http", server_of(l));
    *l->error = '\0';
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, l->way == SYSLOG_TLS ? "https" : "http");
    curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, l->error);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_ENABLE_ALPN, 0L);
    tls_set(e, l->set);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, left);
    CURLcode bad = curl_easy_perform(e);
    if (!bad)
        bad = curl_easy_getinfo(e, CURLINFO_ACTIVESOCKET, &fd);
    if (bad || fd < 0)
        return fail(l, -ENOTCONN, reterr, "%s", *l->error ? l->error : curl_easy_strerror(bad));
    l->fd = (int)fd;
    /* By TLS 1.3 a receiver that does not take our certificate says so only now; others send tickets. */
    if (l->way == SYSLOG_TLS)
        poll(&(struct pollfd){.fd = l->fd, .events = POLLIN}, 1, HEAR_MS);
    return is_closed(l) ? closed(l, reterr) : 0;
}

int syslog_link_open(struct syslog_link *l, double until, bool *retnew, struct error *reterr)
{
    bool old = l->way == SYSLOG_UDP && now_monotonic() > l->opened + RESOLVE_SECONDS;
    *retnew = false;
    if (l->fd >= 0 && (old || is_closed(l)))
        shut(l);
    if (l->fd >= 0)
        return 0;
    *retnew = true;
    l->opened = now_monotonic();
    return l->way == SYSLOG_UDP ? open_udp(l, reterr) : open_stream(l, until, reterr);
}

static int send_datagram(struct syslog_link *l, struct slice bytes, struct error *reterr)
{
    if (send(l->fd, bytes.data, bytes.len, MSG_NOSIGNAL) < 0)
        return fail(l, -errno, reterr, "%s", strerror(errno));
    l->burst += bytes.len;
    if (l->burst >= BURST) {
        l->burst = 0;
        usleep(BURST_US);
    }
    return 0;
}

static int wait_until(struct syslog_link *l, short events, int ms, double until, struct error *reterr)
{
    if (now_monotonic() >= until)
        return fail(l, -ETIMEDOUT, reterr, "carry_timeout is over");
    poll(&(struct pollfd){.fd = l->fd, .events = events}, 1, ms);
    return 0;
}

int syslog_link_send(struct syslog_link *l, struct slice bytes, double until, struct error *reterr)
{
    if (l->way == SYSLOG_UDP)
        return send_datagram(l, bytes, reterr);
    while (bytes.len) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(l->easy, bytes.data, bytes.len, &sent);
        if (code && code != CURLE_AGAIN)
            return fail(l, -EPIPE, reterr, "%s", *l->error ? l->error : curl_easy_strerror(code));
        bytes = slice_sub(bytes, sent, bytes.len);
        int err = bytes.len && !sent ? wait_until(l, POLLOUT, LOOK_MS, until, reterr) : 0;
        if (err)
            return err;
    }
    return 0;
}

static int settle_datagrams(struct syslog_link *l, struct error *reterr)
{
    int err = 0;
    socklen_t len = sizeof err;
    /* A machine of the same network says within that time that no one listens there. */
    struct pollfd p = {.fd = l->fd};
    if (poll(&p, 1, LOOK_MS) == 1 && getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err)
        return fail(l, -err, reterr, "%s", strerror(err));
    return 0;
}

int syslog_link_settle(struct syslog_link *l, double until, struct error *reterr)
{
    struct tcp_info info = {0};
    socklen_t len;
    int ms = 1;
    if (l->way == SYSLOG_UDP)
        return settle_datagrams(l, reterr);
    for (;;) {
        if (is_closed(l))
            return closed(l, reterr);
        len = sizeof info;
        if (getsockopt(l->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
            return fail(l, -errno, reterr, "%s", strerror(errno));
        if (!info.tcpi_unacked && !info.tcpi_notsent_bytes)
            return 0;
        /* Nothing tells of an acknowledgement. */
        int err = wait_until(l, POLLIN, ms, until, reterr);
        ms = ms < LOOK_MS ? 2 * ms : LOOK_MS;
        if (err)
            return err;
    }
}
