/* confine_calls.c: which system calls a confined process may make, by seccomp.
 * In: the tables below. Out: a filter on this process for good; for its parent, what was refused. Owns: what
 * confine_refusals_take gives is the caller's. Limits: none of our own. Knowingly: pointers cannot be looked
 * into, so sendmsg may name an address; a socket that may do harm so belongs into capture_fds, whose sends
 * are refused without being told of. mmap may make memory executable: charset converters and PCRE2's JIT need
 * it. The kernel asks for every call, so the tables are of what a C library uses, old and new. Spec:
 * seccomp(2), seccomp_unotify(2). */
#include "confine_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const int memory_calls[] = {SCMP_SYS(brk),     SCMP_SYS(mmap),    SCMP_SYS(mmap2),
                                   SCMP_SYS(munmap),  SCMP_SYS(mremap),  SCMP_SYS(mprotect),
                                   SCMP_SYS(madvise), SCMP_SYS(mlock),   SCMP_SYS(munlock),
                                   SCMP_SYS(msync),   SCMP_SYS(mincore), SCMP_SYS(membarrier)};

static const int thread_calls[] = {SCMP_SYS(futex),
                                   SCMP_SYS(set_robust_list),
                                   SCMP_SYS(rseq),
                                   SCMP_SYS(set_tid_address),
                                   SCMP_SYS(exit),
                                   SCMP_SYS(exit_group),
                                   SCMP_SYS(gettid),
                                   SCMP_SYS(getpid),
                                   SCMP_SYS(getppid),
                                   SCMP_SYS(sched_yield),
                                   SCMP_SYS(sched_getaffinity),
                                   SCMP_SYS(sched_setaffinity),
                                   SCMP_SYS(sched_getparam),
                                   SCMP_SYS(sched_getscheduler),
                                   SCMP_SYS(sched_get_priority_max),
                                   SCMP_SYS(sched_get_priority_min),
                                   SCMP_SYS(getcpu),
                                   SCMP_SYS(wait4),
                                   SCMP_SYS(waitid)};

static const int signal_calls[] = {
    SCMP_SYS(rt_sigaction),    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigtimedwait), SCMP_SYS(rt_sigsuspend),  SCMP_SYS(sigaltstack),  SCMP_SYS(signalfd4),
    SCMP_SYS(restart_syscall), SCMP_SYS(pause)};

static const int time_calls[] = {
    SCMP_SYS(clock_gettime),   SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),    SCMP_SYS(time),         SCMP_SYS(timerfd_create),  SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_gettime), SCMP_SYS(alarm),        SCMP_SYS(setitimer),       SCMP_SYS(times)};

/* What they reach is Landlock's matter; it makes no folder either, but mkdir says that one is there. */
static const int file_calls[] = {
    SCMP_SYS(read),       SCMP_SYS(readv),     SCMP_SYS(pread64),    SCMP_SYS(preadv),
    SCMP_SYS(preadv2),    SCMP_SYS(write),     SCMP_SYS(writev),     SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),    SCMP_SYS(pwritev2),  SCMP_SYS(open),       SCMP_SYS(openat),
    SCMP_SYS(close),      SCMP_SYS(lseek),     SCMP_SYS(_llseek),    SCMP_SYS(stat),
    SCMP_SYS(fstat),      SCMP_SYS(lstat),     SCMP_SYS(newfstatat), SCMP_SYS(stat64),
    SCMP_SYS(fstat64),    SCMP_SYS(lstat64),   SCMP_SYS(fstatat64),  SCMP_SYS(statx),
    SCMP_SYS(statfs),     SCMP_SYS(fstatfs),   SCMP_SYS(statfs64),   SCMP_SYS(fstatfs64),
    SCMP_SYS(access),     SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getcwd),    SCMP_SYS(getdents),   SCMP_SYS(getdents64),
    SCMP_SYS(fsync),      SCMP_SYS(fdatasync), SCMP_SYS(ftruncate),  SCMP_SYS(ftruncate64),
    SCMP_SYS(fallocate),  SCMP_SYS(fadvise64), SCMP_SYS(flock),      SCMP_SYS(rename),
    SCMP_SYS(renameat),   SCMP_SYS(renameat2), SCMP_SYS(unlink),     SCMP_SYS(unlinkat),
    SCMP_SYS(dup),        SCMP_SYS(mkdir),     SCMP_SYS(mkdirat)};

/* On what is open; socket and connect are for who connects, bind and listen for nobody. */
static const int stream_calls[] = {
    SCMP_SYS(accept),       SCMP_SYS(accept4),       SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),   SCMP_SYS(recvfrom),      SCMP_SYS(recvmsg),     SCMP_SYS(recvmmsg),
    SCMP_SYS(recv),         SCMP_SYS(send),          SCMP_SYS(sendmsg),     SCMP_SYS(shutdown),
    SCMP_SYS(poll),         SCMP_SYS(ppoll),         SCMP_SYS(select),      SCMP_SYS(pselect6),
    SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),   SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),  SCMP_SYS(epoll_pwait2),  SCMP_SYS(eventfd2),    SCMP_SYS(pipe),
    SCMP_SYS(pipe2)};

/* Of who connects, beside what connecting_options and add_network say: DNS asks for both kinds of addresses
 * in one call. */
static const int network_calls[] = {SCMP_SYS(connect), SCMP_SYS(sendto), SCMP_SYS(sendmmsg)};

static const int other_calls[] = {SCMP_SYS(getrandom), SCMP_SYS(uname),      SCMP_SYS(sysinfo),
                                  SCMP_SYS(getuid),    SCMP_SYS(geteuid),    SCMP_SYS(getgid),
                                  SCMP_SYS(getegid),   SCMP_SYS(getresuid),  SCMP_SYS(getresgid),
                                  SCMP_SYS(getrlimit), SCMP_SYS(ugetrlimit), SCMP_SYS(getrusage)};

static const struct {
    const int *calls;
    size_t count;
} groups[] = {{memory_calls, COUNT(memory_calls)}, {thread_calls, COUNT(thread_calls)},
              {signal_calls, COUNT(signal_calls)}, {time_calls, COUNT(time_calls)},
              {file_calls, COUNT(file_calls)},     {stream_calls, COUNT(stream_calls)},
              {other_calls, COUNT(other_calls)}};

/* Flags of a thread of this process, in the namespaces of this process. */
#define THREAD_FLAGS (CLONE_VM | CLONE_THREAD)
#define NAMESPACE_FLAGS                                                                                      \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |            \
     CLONE_NEWNET)

/* Calls that are permitted with one of these numbers in this argument. Not F_SETOWN, which sends signals. Of
 * an interface: what became of it. */
static const struct {
    int call, arg, is;
} conditionals[] = {{SCMP_SYS(prctl), 0, PR_SET_NAME},  {SCMP_SYS(prctl), 0, PR_GET_NAME},
                    {SCMP_SYS(prctl), 0, PR_SET_VMA},   {SCMP_SYS(fcntl), 1, F_GETFD},
                    {SCMP_SYS(fcntl), 1, F_SETFD},      {SCMP_SYS(fcntl), 1, F_GETFL},
                    {SCMP_SYS(fcntl), 1, F_SETFL},      {SCMP_SYS(fcntl), 1, F_DUPFD_CLOEXEC},
                    {SCMP_SYS(fcntl), 1, F_GETLK},      {SCMP_SYS(fcntl), 1, F_SETLK},
                    {SCMP_SYS(fcntl), 1, F_SETLKW},     {SCMP_SYS(fcntl), 1, F_OFD_GETLK},
                    {SCMP_SYS(fcntl), 1, F_OFD_SETLK},  {SCMP_SYS(fcntl), 1, F_OFD_SETLKW},
                    {SCMP_SYS(ioctl), 1, TCGETS},       {SCMP_SYS(ioctl), 1, TIOCGWINSZ},
                    {SCMP_SYS(ioctl), 1, FIONREAD},     {SCMP_SYS(ioctl), 1, FIONBIO},
                    {SCMP_SYS(ioctl), 1, SIOCGIFFLAGS}, {SCMP_SYS(ioctl), 1, SIOCGIFINDEX},
                    {SCMP_SYS(ioctl), 1, SIOCGIFNAME}};

/* Time limits of a connection, and when its bytes leave; another filter on a capture, and the ring that is
 * given back at its end. */
static const struct {
    int level, option;
} socket_options[] = {{SOL_SOCKET, SO_RCVTIMEO},      {SOL_SOCKET, SO_SNDTIMEO},
                      {SOL_SOCKET, SO_LINGER},        {SOL_SOCKET, SO_ATTACH_FILTER},
                      {SOL_SOCKET, SO_DETACH_FILTER}, {SOL_PACKET, PACKET_RX_RING},
                      {IPPROTO_TCP, TCP_NODELAY},     {IPPROTO_TCP, TCP_CORK}};

/* Of who connects: dead peers are found, and DNS hears that nobody listens. */
static const struct {
    int level, option;
} connecting_options[] = {
    {SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_SNDBUF},         {SOL_SOCKET, SO_RCVBUF},
    {SOL_SOCKET, SO_REUSEADDR}, {IPPROTO_TCP, TCP_KEEPIDLE},     {IPPROTO_TCP, TCP_KEEPINTVL},
    {IPPROTO_TCP, TCP_KEEPCNT}, {IPPROTO_TCP, TCP_USER_TIMEOUT}, {IPPROTO_TCP, TCP_FASTOPEN_CONNECT},
    {IPPROTO_IP, IP_RECVERR},   {IPPROTO_IPV6, IPV6_RECVERR},    {IPPROTO_IPV6, IPV6_V6ONLY}};

/* All that puts bytes into a descriptor, or gives it another number, of what is permitted. */
static const int sending_calls[] = {SCMP_SYS(dup),      SCMP_SYS(write),   SCMP_SYS(writev),
                                    SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(pwritev2),
                                    SCMP_SYS(send),     SCMP_SYS(sendto),  SCMP_SYS(sendmsg)};

/* The kernel takes such a number for one of 32 bits: what stands above them is nothing to it. */
static struct scmp_arg_cmp is(int arg, int number)
{
    return (struct scmp_arg_cmp){(unsigned)arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)number};
}

static int silence(scmp_filter_ctx filter, int fd)
{
    int err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fcntl), 2, is(0, fd),
                               is(1, F_DUPFD_CLOEXEC));
    if (err == 0)
        err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fcntl64), 2, is(0, fd),
                               is(1, F_DUPFD_CLOEXEC));
    for (size_t i = 0; i < COUNT(sending_calls) && err == 0; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), sending_calls[i], 1, is(0, fd));
    return err;
}

/* A second filter: of two the stricter answer holds. */
static int silence_captures(const struct confine_settings *set)
{
    if (!set->capture_count)
        return 0;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int err = filter ? 0 : -ENOMEM;
    for (size_t i = 0; i < set->capture_count && err == 0; i++)
        err = silence(filter, set->capture_fds[i]);
    if (err == 0)
        err = seccomp_load(filter);
    seccomp_release(filter);
    return err;
}

static int add_conditionals(scmp_filter_ctx filter)
{
    int err = 0;
    for (size_t i = 0; i < COUNT(conditionals) && err == 0; i++) {
        struct scmp_arg_cmp arg = is(conditionals[i].arg, conditionals[i].is);
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, conditionals[i].call, 1, arg);
        /* Where there is a second fcntl for offsets of 64 bits, the C library uses that one. */
        if (err == 0 && conditionals[i].call == SCMP_SYS(fcntl))
            err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl64), 1, arg);
    }
    for (size_t i = 0; i < COUNT(socket_options) && err == 0; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
                               is(1, socket_options[i].level), is(2, socket_options[i].option));
    return err;
}

/* Signals to ourselves, as abort sends, and to the children; limits that are ours, and reading them only;
 * sending to where a socket is connected. */
static int add_own(scmp_filter_ctx filter, const struct confine_settings *set)
{
    int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, is(0, getpid()));
    if (err == 0)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, is(0, getpid()));
    for (size_t i = 0; i < set->child_count && err == 0; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, is(0, set->children[i]));
    if (err == 0)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, is(0, 0),
                               SCMP_A2(SCMP_CMP_EQ, 0));
    /* SQLite gives its log the mode of its file; never more than read, write and run. */
    if (err == 0)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fchmod), 1,
                               SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX & ~0777u, 0));
    if (err == 0 && !set->connects)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A4(SCMP_CMP_EQ, 0));
    return err;
}

/* Sockets of TCP and UDP and nothing else; a pair is ours on both ends. */
static int add_sockets(scmp_filter_ctx filter)
{
    static const int families[] = {AF_INET, AF_INET6}, types[] = {SOCK_STREAM, SOCK_DGRAM},
                     protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP};
    enum { TYPE = 0xf };
    int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, is(0, AF_UNIX));
    for (size_t i = 0; i < COUNT(families) * COUNT(types) * COUNT(protocols) && err == 0; i++)
        err = seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3, is(0, families[i % COUNT(families)]),
            SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE, (uint64_t)types[i / COUNT(families) % COUNT(types)]),
            is(2, protocols[i / COUNT(families) / COUNT(types)]));
    return err;
}

static int add_network(scmp_filter_ctx filter)
{
    int err = add_sockets(filter);
    if (err == 0)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, is(1, F_SETPIPE_SZ));
    for (size_t i = 0; i < COUNT(network_calls) && err == 0; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, network_calls[i], 0);
    for (size_t i = 0; i < COUNT(connecting_options) && err == 0; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
                               is(1, connecting_options[i].level), is(2, connecting_options[i].option));
    return err;
}

/* By the call whose flags can be looked at: clone3 is said not to exist, and the C library takes clone then.
 */
static int add_threads(scmp_filter_ctx filter)
{
    int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, THREAD_FLAGS | NAMESPACE_FLAGS, THREAD_FLAGS));
    return err ? err : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static int add_all(scmp_filter_ctx filter, const struct confine_settings *set, unsigned *retcalls)
{
    int err = 0;
    for (size_t i = 0; i < COUNT(groups); i++)
        for (size_t j = 0; j < groups[i].count && err == 0; j++) {
            err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, groups[i].calls[j], 0);
            *retcalls += groups[i].calls[j] >= 0;
        }
    if (err == 0)
        err = add_conditionals(filter);
    if (err == 0)
        err = add_own(filter, set);
    if (err == 0 && set->connects)
        err = add_network(filter);
    return err ? err : add_threads(filter);
}

/* Of what this kernel or library lacks, nothing is needed: a mitigation that costs more than it gives is left
 * out, the filter is a tree, the kernel's log hears of refusals where nobody else does. */
static void tune(scmp_filter_ctx filter, bool logged)
{
    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, logged);
}

static int send_descriptor(int socket, int fd)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof fd)];
    } control = {0};
    struct msghdr msg = {.msg_iov = &(struct iovec){"", 1},
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof control.bytes};
    control.head = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    while (sendmsg(socket, &msg, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

/* Whoever else hears of refusals: our own copy must go, as nobody would read it. */
static int hand_over(scmp_filter_ctx filter, int socket)
{
    int fd = seccomp_notify_fd(filter);
    int err = fd < 0 ? fd : send_descriptor(socket, fd);
    if (fd >= 0)
        close(fd);
    return err;
}

int confine_calls(const struct confine_settings *set, struct confine_report *ret, struct error *reterr)
{
    bool told = set->refusals_to >= 0;
    int err = silence_captures(set);
    scmp_filter_ctx filter = seccomp_init(told ? SCMP_ACT_NOTIFY : SCMP_ACT_ERRNO(EPERM));
    if (!filter && err == 0)
        err = -ENOMEM;
    if (err == 0) {
        /* The C library asks a cache of names, which is refused, whenever it looks one up. */
        tune(filter, !told && !set->connects);
        err = add_all(filter, set, &ret->calls);
    }
    if (err == 0)
        err = seccomp_load(filter);
    if (err == 0 && told)
        err = hand_over(filter, set->refusals_to);
    seccomp_release(filter);
    return err ? error_set(reterr, err, "confine: seccomp: %s", strerror(-err)) : 0;
}

int confine_refusals_take(int socket)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte;
    struct msghdr msg = {.msg_iov = &(struct iovec){&byte, 1},
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof control.bytes};
    ssize_t got;
    int fd;
    do
        got = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    if (got == 0 || !c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
        c->cmsg_len != CMSG_LEN(sizeof fd))
        return -ENODATA;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

int confine_refusal_next(int refusals, struct confine_refusal *ret)
{
    struct pollfd p = {.fd = refusals, .events = POLLIN};
    if (poll(&p, 1, 0) < 1 || !(p.revents & POLLIN))
        return 0;
    struct seccomp_notif *call = NULL;
    struct seccomp_notif_resp *answer = NULL;
    int err = seccomp_notify_alloc(&call, &answer);
    if (err < 0)
        return err;
    /* ENOENT: its thread was interrupted or ended meanwhile. */
    err = seccomp_notify_receive(refusals, call);
    if (err == 0) {
        *ret = (struct confine_refusal){.thread = (pid_t)call->pid, .call = call->data.nr};
        char *name = seccomp_syscall_resolve_num_arch(call->data.arch, call->data.nr);
        snprintf(ret->name, sizeof ret->name, "%s", name ? name : "");
        free(name);
        answer->id = call->id;
        answer->error = -EPERM;
        seccomp_notify_respond(refusals, answer);
    }
    seccomp_notify_free(call, answer);
    return err == 0 ? 1 : err == -ENOENT || err == -ECANCELED ? 0 : err;
}
