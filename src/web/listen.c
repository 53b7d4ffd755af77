/* listen.c: the socket on which the server waits.
 * In: an address. Out: a descriptor. Owns: nothing. */
#include "web/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/shown.h"
#include "web/web.h"

/* What a client does not take stays with us rather than with the kernel, which would hold megabytes of it,
 * and tell of progress in pieces as large. */
enum { BACKLOG = 256, SEND = 256 << 10 };

struct listen_text listen_text(const struct endpoint *at)
{
    struct listen_text ret;
    char text[ADDRESS_TEXT];
    address_text(&at->addr, text);
    snprintf(ret.text, sizeof ret.text, at->addr.family == 6 ? "[%s]:%u" : "%s:%u", text, at->port);
    return ret;
}

bool web_address(const char *text, struct endpoint *ret)
{
    struct slice s = slice_str(text);
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon)
        return false;
    struct slice host = slice_sub(s, 0, (size_t)(colon - text)), digits = slice_str(colon + 1);
    bool bracketed = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    if (bracketed)
        host = slice_sub(host, 1, host.len - 1);
    if (!digits.len || slice_number(digits, &port) != digits.len || port > 65535)
        return false;
    ret->port = (uint16_t)port;
    return address_parse(host, &ret->addr) && (ret->addr.family == 6) == bracketed;
}

static socklen_t to_system(const struct endpoint *at, struct sockaddr_storage *ret)
{
    *ret = (struct sockaddr_storage){0};
    if (at->addr.family == 6) {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)ret;
        in->sin6_family = AF_INET6;
        in->sin6_port = htons(at->port);
        memcpy(&in->sin6_addr, at->addr.bytes, 16);
        return sizeof *in;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)ret;
    in->sin_family = AF_INET;
    in->sin_port = htons(at->port);
    memcpy(&in->sin_addr, at->addr.bytes, 4);
    return sizeof *in;
}

static int failed(const struct endpoint *at, struct error *reterr)
{
    int err = errno;
    const char *more = err == EADDRINUSE
                           ? "another program has that port; choose one by --listen ADDRESS:PORT"
                       : err == EACCES        ? "ports below 1024 are root's"
                       : err == EADDRNOTAVAIL ? "this machine has no such address"
                                              : strerror(err);
    return error_set(reterr, -err, "web: cannot listen on %s: %s", listen_text(at).text, more);
}

int listen_on(struct endpoint *at, struct error *reterr)
{
    struct sockaddr_storage addr;
    socklen_t len = to_system(at, &addr);
    int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return failed(at, reterr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SEND}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&addr, len) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) < 0) {
        int err = failed(at, reterr);
        close(fd);
        return err;
    }
    at->port = ntohs(addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port
                                                : ((struct sockaddr_in *)&addr)->sin_port);
    return fd;
}
