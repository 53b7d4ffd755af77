/* metrics.c: a page of counts over HTTP.
 * In: requests. Out: the page. Owns: its sockets. Limits: METRICS_CLIENTS connections at once, of which the
 * oldest goes; REQUEST bytes of a request, PAGE of an answer. Knowingly: an answer a connection; every path
 * but /metrics is not found; the request's header lines are not read. Spec: RFC 9112, the Prometheus text
 * format. */
#include "metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/memory.h"

enum { REQUEST = 4096, PAGE = 1 << 20 };

struct client {
    int fd; /* -1: none */
    struct buf request, answer;
    size_t sent;
};

struct metrics {
    int listener;
    size_t oldest; /* whose turn it is to go */
    struct client clients[METRICS_CLIENTS];
};

static int listen_on(const struct addrinfo *a, const char *text, struct error *reterr)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd >= 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, METRICS_CLIENTS) == 0)
        return fd;
    int err = error_set(reterr, -errno, "--metrics %.100s: %s", text, strerror(errno));
    if (fd >= 0)
        close(fd);
    return err;
}

/* Splits at the last colon. */
static int resolve(const char *address, struct addrinfo **ret, struct error *reterr)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    char host[64];
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : 0;
    if (!len || len >= sizeof host)
        return error_set(reterr, -EINVAL, "--metrics wants ADDRESS:PORT, not '%.100s'", address);
    bool bracketed = len > 2 && address[0] == '[' && address[len - 1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)len - 2 * bracketed, address + bracketed);
    if (getaddrinfo(host, colon + 1, &hints, ret) != 0)
        return error_set(reterr, -EINVAL, "--metrics wants ADDRESS:PORT, not '%.100s'", address);
    return 0;
}

int metrics_open(const char *address, struct metrics **ret, struct error *reterr)
{
    struct addrinfo *a = NULL;
    int fd = resolve(address, &a, reterr);
    if (fd < 0)
        return fd;
    fd = listen_on(a, address, reterr);
    freeaddrinfo(a);
    if (fd < 0)
        return fd;
    struct metrics *m = calloc(1, sizeof *m);
    memory_check(m);
    m->listener = fd;
    for (size_t i = 0; i < METRICS_CLIENTS; i++)
        m->clients[i].fd = -1;
    *ret = m;
    return 0;
}

size_t metrics_fds(const struct metrics *m, struct pollfd ret[static METRICS_FDS])
{
    size_t count = 0;
    ret[count++] = (struct pollfd){m->listener, POLLIN, 0};
    for (size_t i = 0; i < METRICS_CLIENTS; i++)
        if (m->clients[i].fd >= 0)
            ret[count++] = (struct pollfd){m->clients[i].fd, m->clients[i].answer.len ? POLLOUT : POLLIN, 0};
    return count;
}

static void hang_up(struct client *c)
{
    if (c->fd < 0)
        return;
    close(c->fd);
    c->fd = -1;
    buf_free(&c->request);
    buf_free(&c->answer);
    c->sent = 0;
}

static bool starts(struct slice line, const char *text)
{
    return slice_eq(slice_sub(line, 0, strlen(text)), slice_str(text));
}

static void answer(struct client *c, void (*write_page)(void *ctx, struct buf *out), void *ctx)
{
    static const char ok[] = "200 OK", not_found[] = "404 Not Found",
                      not_allowed[] = "405 Method Not Allowed";
    struct slice line = buf_slice(&c->request);
    bool get = starts(line, "GET ");
    bool found = starts(line, "GET /metrics ") || starts(line, "GET /metrics?");
    struct buf page;
    buf_init(&page, PAGE);
    if (found)
        write_page(ctx, &page);
    else
        buf_add_str(&page, "The page is /metrics.\n");
    buf_printf(&c->answer,
               "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
               "Content-Length: %zu\r\nConnection: close\r\n\r\n",
               !get    ? not_allowed
               : found ? ok
                       : not_found,
               page.len);
    buf_add(&c->answer, buf_slice(&page));
    buf_free(&page);
}

/* True: all of its header is here. */
static bool is_whole(const struct buf *request)
{
    return request->len && memmem(request->data, request->len, "\r\n\r\n", 4);
}

/* Not an end: poll will say when to try once more. */
static bool comes_again(int err)
{
    return err == EAGAIN || err == EWOULDBLOCK || err == EINTR;
}

static void serve(struct client *c, void (*write_page)(void *ctx, struct buf *out), void *ctx)
{
    uint8_t bytes[REQUEST];
    if (!c->answer.len) {
        ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
        bool fits = got > 0 && buf_add(&c->request, (struct slice){bytes, (size_t)got});
        if (got < 0 && comes_again(errno))
            return;
        if (!fits) {
            hang_up(c);
            return;
        }
        if (!is_whole(&c->request))
            return;
        answer(c, write_page, ctx);
    }
    ssize_t sent = send(c->fd, c->answer.data + c->sent, c->answer.len - c->sent, MSG_NOSIGNAL);
    if (sent < 0 && comes_again(errno))
        return;
    c->sent += sent > 0 ? (size_t)sent : 0;
    if (sent <= 0 || c->sent == c->answer.len)
        hang_up(c);
}

static void take(struct metrics *m, int fd)
{
    size_t i = 0;
    while (i < METRICS_CLIENTS && m->clients[i].fd >= 0)
        i++;
    if (i == METRICS_CLIENTS) {
        i = m->oldest;
        hang_up(&m->clients[i]);
    }
    m->oldest = (i + 1) % METRICS_CLIENTS;
    m->clients[i].fd = fd;
    buf_init(&m->clients[i].request, REQUEST);
    buf_init(&m->clients[i].answer, PAGE + REQUEST);
}

void metrics_serve(struct metrics *m, void (*write_page)(void *ctx, struct buf *out), void *ctx)
{
    int fd;
    while ((fd = accept4(m->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        take(m, fd);
    for (size_t i = 0; i < METRICS_CLIENTS; i++)
        if (m->clients[i].fd >= 0)
            serve(&m->clients[i], write_page, ctx);
}

void metrics_close(struct metrics **pm)
{
    struct metrics *m = *pm;
    *pm = NULL;
    if (!m)
        return;
    for (size_t i = 0; i < METRICS_CLIENTS; i++)
        hang_up(&m->clients[i]);
    close(m->listener);
    free(m);
}

void metrics_page(const struct stats *all, const struct stats *fronts, size_t front_count, struct buf *out)
{
    for (size_t i = 0; i < STATS; i++) {
        const struct stats_row *row = &stat_table[i];
        bool counter = row->kind == STAT_COUNTER;
        char name[80];
        snprintf(name, sizeof name, "mailtap_%s%s", row->name, counter ? "_total" : "");
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, row->doc, name, counter ? "counter" : "gauge");
        if (row->place == STAT_OF_BACK)
            buf_printf(out, "%s %llu\n", name, (unsigned long long)stats_value(all, row));
        for (size_t k = 0; k < front_count && row->place == STAT_OF_FRONT; k++)
            buf_printf(out, "%s{worker=\"%zu\"} %llu\n", name, k,
                       (unsigned long long)stats_value(&fronts[k], row));
    }
}
