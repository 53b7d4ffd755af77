/* carrier-run.c: a carrier that tries what it was told, for carrier_rights.py.
 * usage: carrier-run URL OUTBOX FREE TIMEOUT PASSWORD_FILE|- <commands. Each line of standard input is a
 * batch of its own; the carrier's process does what it says, and sends the answer to the server of the URL,
 * which is probe://HOST:PORT/. FREE: 1: as it would be if it gave up nothing. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/now.h"
#include "carrier/outbox.h"
#include "carrier_rights.h"

enum { TEXT = 512 };

static void say(char ret[static TEXT], int result)
{
    snprintf(ret, TEXT, "%s", result < 0 ? strerrorname_np(errno) : "ok");
}

static void shut(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void do_read(const char *path, char ret[static TEXT])
{
    char byte;
    int fd = open(path, O_RDONLY);
    say(ret, fd < 0 || read(fd, &byte, 1) < 0 ? -1 : 0);
    shut(fd);
}

static void do_list(const char *path, char ret[static TEXT])
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    say(ret, fd);
    shut(fd);
}

static void do_write(const char *path, char ret[static TEXT])
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    say(ret, fd < 0 || write(fd, "x", 1) != 1 ? -1 : 0);
    shut(fd);
}

static void do_run(const char *path, char ret[static TEXT])
{
    char *argv[] = {(char *)path, NULL};
    execve(path, argv, argv + 1);
    say(ret, -1);
}

static int open_to(const char *port, int type)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)atoi(port)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    int err = errno;
    shut(fd);
    errno = err;
    return -1;
}

static void do_connect(const char *port, char ret[static TEXT])
{
    int fd = open_to(port, SOCK_STREAM);
    say(ret, fd);
    shut(fd);
}

static void do_udp(const char *port, char ret[static TEXT])
{
    int fd = open_to(port, SOCK_DGRAM);
    say(ret, fd < 0 || send(fd, "x", 1, 0) != 1 ? -1 : 0);
    shut(fd);
}

static void do_bind(const char *port, char ret[static TEXT])
{
    const struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    say(ret, fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&at, sizeof at));
    shut(fd);
}

/* FAMILY TYPE PROTOCOL */
static void do_socket(const char *numbers, char ret[static TEXT])
{
    char *rest;
    long family = strtol(numbers, &rest, 10), type = strtol(rest, &rest, 10),
         protocol = strtol(rest, NULL, 10);
    int fd = socket((int)family, (int)type, (int)protocol);
    say(ret, fd);
    shut(fd);
}

static void do_lookup(const char *name, char ret[static TEXT])
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int err = getaddrinfo(name, "25", &hints, &found);
    snprintf(ret, TEXT, "%s", err ? gai_strerror(err) : "ok");
    if (!err)
        freeaddrinfo(found);
}

static void *in_thread(void *arg)
{
    do_lookup("localhost", arg);
    return arg;
}

static void do_thread(const char *text, char ret[static TEXT])
{
    (void)text;
    pthread_t thread;
    errno = pthread_create(&thread, NULL, in_thread, ret);
    if (errno || pthread_join(thread, NULL) != 0)
        say(ret, -1);
}

/* With arguments that no call would take. */
static void do_call(const char *name, char ret[static TEXT])
{
    int call = seccomp_syscall_resolve_name(name);
    if (call < 0)
        snprintf(ret, TEXT, "unknown");
    else
        say(ret, (int)syscall(call, 0, 0, 0, 0, 0, 0));
}

static void do_status(const char *row, char ret[static TEXT])
{
    char line[TEXT];
    FILE *f = fopen("/proc/self/status", "r");
    snprintf(ret, TEXT, "none");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, row, strlen(row)) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(ret, TEXT, "%s", line);
        }
    if (f)
        fclose(f);
}

static const struct {
    const char *name;
    void (*run)(const char *argument, char ret[static TEXT]);
} commands[] = {{"read ", do_read},    {"list ", do_list},       {"write ", do_write},
                {"run ", do_run},      {"connect ", do_connect}, {"udp ", do_udp},
                {"bind ", do_bind},    {"socket ", do_socket},   {"lookup ", do_lookup},
                {"thread", do_thread}, {"call ", do_call},       {"status ", do_status}};

static void obey(const char *line, char ret[static TEXT])
{
    snprintf(ret, TEXT, "no such command");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strncmp(line, commands[i].name, strlen(commands[i].name)) == 0)
            commands[i].run(line + strlen(commands[i].name), ret);
}

static int probe_check(const struct carrier_settings *set, struct error *reterr)
{
    (void)set, (void)reterr;
    return 0;
}

static int probe_open(const struct carrier_settings *set, const char *password, void **ret,
                      struct error *reterr)
{
    (void)password, (void)reterr;
    *ret = (void *)set;
    return 0;
}

static enum carried probe_send(void *ctx, const struct carrier_batch *batch, struct error *reterr)
{
    const struct carrier_settings *set = ctx;
    char line[TEXT], text[TEXT], port[8];
    snprintf(line, sizeof line, "%.*s", (int)batch->lines.len - 1, (const char *)batch->lines.data);
    obey(line, text);
    const char *colon = strrchr(set->url, ':');
    snprintf(port, sizeof port, "%.*s", (int)strcspn(colon + 1, "/"), colon + 1);
    int fd = open_to(port, SOCK_STREAM), len = (int)strlen(text);
    bool sent = fd >= 0 && dprintf(fd, "%s\t%s\n", line, text) > len;
    if (!sent)
        error_set(reterr, -errno, "%s", strerror(errno));
    shut(fd);
    return sent ? CARRIED : CARRY_AGAIN;
}

static void probe_close(void *ctx)
{
    (void)ctx;
}

int main(int argc, char **argv)
{
    static struct carrier_ops probe = {"probe",    "",          probe_check, probe_open,
                                       probe_send, probe_close, 1,           true};
    struct carrier *carrier = NULL;
    struct error err = {""};
    char line[TEXT];
    if (argc != 6)
        return 2;
    const bool is_free = atoi(argv[3]);
    const struct carrier_settings set = {.url = argv[1],
                                         .outbox = argv[2],
                                         .sensor = "west",
                                         .outbox_bytes = 1 << 20,
                                         .batch_bytes = 1 << 16,
                                         .timeout = 5,
                                         .wait_most = atof(argv[4]),
                                         .password_file = *argv[5] == '-' ? NULL : argv[5],
                                         .confine = is_free ? NULL : carrier_rights_drop};
    uint64_t number = 0;
    int code = carrier_start(&probe, &set, &carrier, &err), folder = outbox_open(argv[2], &err);
    while (code == 0 && folder >= 0 && fgets(line, sizeof line, stdin)) {
        number = outbox_number(number);
        code = outbox_put(folder, number, 1, slice_str(line), false, &err);
        carrier_wake(carrier);
    }
    if (code < 0)
        fprintf(stderr, "%s\n", err.text);
    shut(folder);
    return carrier_close(&carrier) < 0 || code < 0;
}
