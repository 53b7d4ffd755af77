/* fault-inject.c: a library to be loaded before all others, that makes the C library fail.
 * In: FAULT_ALLOCATION=N: the Nth allocation fails; FAULT_FOREVER=1: and all after it. FAULT_CALLS=SEED:
 * calls that read, write or wait are at random cut short or interrupted. FAULT_DISK=BYTES: so many go into
 * files, then the disk is full. FAULT_REFUSE=NAME:N: the Nth call of a function that makes a thread, a
 * process or a descriptor fails; of sendmsg it hangs. FAULT_COUNT=FILE: holds struct page, which can be read,
 * and `wanted` set, while we run. FAULT_FORKS=N: only what was forked so many times fails and counts, and all
 * of that together; without it a forked process begins anew, by itself. Out: the same calls, but worse. Owns:
 * nothing. Limits: counts from main() on, as what libraries do before that is not ours; what stdio reads and
 * writes it does past us, and programs that are started are left alone. Knowingly: a packet socket is left
 * alone, as what it cuts is lost. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

struct page {
    atomic_long allocations, spoilt; /* calls that were cut short, interrupted or refused */
    atomic_long wanted;              /* the allocation that fails; 0: none */
    atomic_long asked;               /* calls of `refused` */
};

static struct page own, *page = &own;
static bool in_main, forever, together;
static int forks;               /* that we are still to go through */
static long disk = -1, refusal; /* bytes that it takes, -1: all; which call of `refused` fails */
static const char *refused = "";
static atomic_uint_least64_t state; /* 0: calls are left alone */
static int (*real_main)(int, char **, char **);

/* The next one of that name. */
#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

static bool fails(void)
{
    if (!in_main || forks > 0)
        return false;
    long n = ++page->allocations, wanted = page->wanted;
    bool now = wanted && (n == wanted || (forever && n > wanted));
    if (now)
        errno = ENOMEM;
    return now;
}

/* dlsym allocates, so they are looked up once, and until then what it asks for comes from here. */
static void *(*real_malloc)(size_t), *(*real_calloc)(size_t, size_t), *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);
static uint8_t early[1 << 16] __attribute__((aligned(16)));
static size_t early_used;
static bool looking;

static bool is_early(const void *p)
{
    return (const uint8_t *)p >= early && (const uint8_t *)p < early + sizeof early;
}

static void *early_room(size_t size)
{
    void *p = early + early_used;
    early_used += (size + 15) / 16 * 16;
    if (early_used > sizeof early)
        abort();
    return p;
}

static void look(void)
{
    if (real_malloc || looking)
        return;
    looking = true;
    real_calloc = REAL(calloc);
    real_realloc = REAL(realloc);
    real_free = REAL(free);
    real_malloc = REAL(malloc);
    looking = false;
}

void *malloc(size_t size)
{
    look();
    if (looking)
        return early_room(size);
    return fails() ? NULL : real_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    look();
    if (looking)
        return early_room(n * size);
    return fails() ? NULL : real_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    look();
    if (is_early(old)) {
        void *p = real_malloc(size);
        return p ? memcpy(p, old, size) : NULL;
    }
    return fails() ? NULL : real_realloc(old, size);
}

void free(void *p)
{
    look();
    if (!is_early(p) && real_free)
        real_free(p);
}

static unsigned draw(void)
{
    uint_least64_t old = atomic_load(&state), next;
    do
        next = old * 6364136223846793005u + 1442695040888963407u;
    while (!atomic_compare_exchange_weak(&state, &old, next));
    return (unsigned)(next >> 40);
}

static bool interrupts(void)
{
    if (!in_main || forks > 0 || !state || draw() % 4)
        return false;
    page->spoilt++;
    errno = EINTR;
    return true;
}

static size_t cut(size_t len)
{
    if (!in_main || forks > 0 || !state || len < 2 || draw() % 2)
        return len;
    page->spoilt++;
    return 1 + draw() % (len < 4096 ? len : 4096);
}

static bool is_stream(int fd)
{
    int type = SOCK_STREAM;
    socklen_t len = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type == SOCK_STREAM;
}

static bool is_packets(int fd)
{
    int domain = AF_UNSPEC;
    socklen_t len = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_PACKET;
}

/* What is not read or written whole is a number of eight bytes, or a struct of signals. */
static size_t cut_of(int fd, size_t len)
{
    return len > 8 && len != 128 && is_stream(fd) ? cut(len) : len;
}

ssize_t read(int fd, void *bytes, size_t len)
{
    return interrupts() ? -1 : REAL(read)(fd, bytes, cut_of(fd, len));
}

/* True: nothing more goes into it. Cuts what does not fit. */
static bool is_full(int fd, size_t *len)
{
    struct stat st;
    if (!in_main || forks > 0 || disk < 0 || fd <= STDERR_FILENO || fstat(fd, &st) < 0 ||
        !S_ISREG(st.st_mode))
        return false;
    if ((long)*len > disk) {
        page->spoilt++;
        *len = (size_t)disk;
    }
    disk -= (long)*len;
    errno = ENOSPC;
    return !*len;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    size_t fits = cut_of(fd, len);
    if (interrupts() || (len && is_full(fd, &fits)))
        return -1;
    return REAL(write)(fd, bytes, fits);
}

ssize_t pread64(int fd, void *bytes, size_t len, off64_t at)
{
    return interrupts() ? -1 : REAL(pread64)(fd, bytes, cut_of(fd, len), at);
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
    return !is_packets(fd) && interrupts() ? -1 : REAL(recv)(fd, bytes, cut_of(fd, len), flags);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    return interrupts() ? -1 : REAL(send)(fd, bytes, cut_of(fd, len), flags);
}

int accept4(int fd, __SOCKADDR_ARG from, socklen_t *len, int flags)
{
    return interrupts() ? -1 : REAL(accept4)(fd, from, len, flags);
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
    return interrupts() ? -1 : REAL(recvmsg)(fd, msg, flags);
}

static bool refuses(const char *name, int err)
{
    if (!in_main || forks > 0 || strcmp(name, refused) != 0 || ++page->asked != refusal)
        return false;
    page->spoilt++;
    errno = err;
    return true;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
    if (refuses("sendmsg", 0))
        for (;;)
            REAL(poll)(NULL, 0, 1000);
    return interrupts() ? -1 : REAL(sendmsg)(fd, msg, flags);
}

int poll(struct pollfd *fds, nfds_t count, int wait)
{
    return interrupts() ? -1 : REAL(poll)(fds, count, wait);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    return interrupts() ? -1 : REAL(waitpid)(pid, status, options);
}

int pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    return refuses("pthread_create", EAGAIN) ? EAGAIN : REAL(pthread_create)(ret, attr, run, arg);
}

int eventfd(unsigned first, int flags)
{
    return refuses("eventfd", EMFILE) ? -1 : REAL(eventfd)(first, flags);
}

int signalfd(int fd, const sigset_t *set, int flags)
{
    return refuses("signalfd", EMFILE) ? -1 : REAL(signalfd)(fd, set, flags);
}

int socketpair(int domain, int type, int protocol, int ret[2])
{
    return refuses("socketpair", EMFILE) ? -1 : REAL(socketpair)(domain, type, protocol, ret);
}

pid_t fork(void)
{
    pid_t pid = refuses("fork", EAGAIN) ? -1 : REAL(fork)();
    if (pid == 0 && !together) {
        own = (struct page){page->allocations, page->spoilt, page->wanted, page->asked};
        page = &own;
    }
    forks -= pid == 0;
    return pid;
}

static long number(const char *name)
{
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static void map_page(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || ftruncate(fd, sizeof *page) < 0)
        abort();
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        abort();
    close(fd);
}

static int main_of_ours(int argc, char **argv, char **env)
{
    const char *seed = getenv("FAULT_CALLS"), *call = getenv("FAULT_REFUSE"), *bytes = getenv("FAULT_DISK");
    if (getenv("FAULT_COUNT"))
        map_page(getenv("FAULT_COUNT"));
    page->wanted = number("FAULT_ALLOCATION");
    forever = getenv("FAULT_FOREVER");
    together = getenv("FAULT_FORKS");
    forks = (int)number("FAULT_FORKS");
    state = seed ? strtoull(seed, NULL, 10) * 2 + 1 : 0;
    disk = bytes ? atol(bytes) : -1;
    if (call && strchr(call, ':')) {
        refusal = atol(strchr(call, ':') + 1);
        refused = strndup(call, (size_t)(strchr(call, ':') - call));
    }
    unsetenv("LD_PRELOAD");
    in_main = true;
    return real_main(argc, argv, env);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    real_main = main;
    return REAL(__libc_start_main)(main_of_ours, argc, argv, init, fini, rtld_fini, stack_end);
}
