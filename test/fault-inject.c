/* fault-inject.c: a library to be loaded before all others, that makes the C library fail.
 * In: FAULT_ALLOCATION=N: the Nth allocation fails; FAULT_FOREVER=1: and all after it; FAULT_COUNT=FILE: how
 * many there were is written to it at the end. FAULT_CALLS=SEED: calls that read, write or wait are at random
 * cut short or interrupted. Out: the same calls, but worse. Owns: nothing. Limits: counts from main() on, as
 * what libraries do before that is not ours; what stdio reads and writes it does past us. Knowingly: a packet
 * socket is never cut short, as what it cuts is lost. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static bool in_main, forever;
static long wanted;
static atomic_long allocations, spoilt; /* calls that were cut short or interrupted */
static atomic_uint_least64_t state;     /* 0: calls are left alone */
static int (*real_main)(int, char **, char **);

/* The next one of that name. */
#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

static bool fails(void)
{
    if (!in_main)
        return false;
    long n = ++allocations;
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
    if (!in_main || !state || draw() % 4)
        return false;
    spoilt++;
    errno = EINTR;
    return true;
}

static size_t cut(size_t len)
{
    if (!in_main || !state || len < 2 || draw() % 2)
        return len;
    spoilt++;
    return 1 + draw() % (len < 4096 ? len : 4096);
}

static bool is_stream(int fd)
{
    int type = SOCK_STREAM;
    socklen_t len = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type == SOCK_STREAM;
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

ssize_t write(int fd, const void *bytes, size_t len)
{
    return interrupts() ? -1 : REAL(write)(fd, bytes, cut_of(fd, len));
}

ssize_t pread64(int fd, void *bytes, size_t len, off64_t at)
{
    return interrupts() ? -1 : REAL(pread64)(fd, bytes, cut_of(fd, len), at);
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
    return interrupts() ? -1 : REAL(recv)(fd, bytes, cut_of(fd, len), flags);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    return interrupts() ? -1 : REAL(send)(fd, bytes, cut_of(fd, len), flags);
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
    return interrupts() ? -1 : REAL(recvmsg)(fd, msg, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
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

static int main_of_ours(int argc, char **argv, char **env)
{
    const char *text = getenv("FAULT_ALLOCATION"), *seed = getenv("FAULT_CALLS");
    wanted = text ? atol(text) : 0;
    forever = getenv("FAULT_FOREVER");
    state = seed ? strtoull(seed, NULL, 10) * 2 + 1 : 0;
    in_main = true;
    return real_main(argc, argv, env);
}

__attribute__((destructor)) static void told(void)
{
    const char *path = getenv("FAULT_COUNT");
    in_main = false;
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file)
        fprintf(file, "%ld %ld\n", (long)allocations, (long)spoilt);
    if (file)
        fclose(file);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    real_main = main;
    return REAL(__libc_start_main)(main_of_ours, argc, argv, init, fini, rtld_fini, stack_end);
}
