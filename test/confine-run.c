/* confine-run.c: a process that confines itself and then does what it is told, for confine.py.
 * usage: confine-run [--user U] [--read P]... [--reread F]... [--write P]... [--child PID]... [--told]
 * <commands The first line out is of the report; each command, a line each, is answered by a line: "ok" and
 * what it saw, or the name of the error. With --told the parent says at the end which calls were refused, and
 * how often. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <pcap.h>
#include <poll.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/country.h"
#include "confine.h"

enum { MANY = 16, CALLS = 64 };

struct room {
    struct confine_settings set;
    const char *reads[MANY], *rereads[MANY], *writes[MANY];
    pid_t children[MANY];
    int pair[2], listening, client, capture;
    pcap_t *pcap;
};

static void answer(int result, const char *saw)
{
    if (result < 0)
        printf("%s\n", strerrorname_np(errno));
    else
        printf("ok%s%s\n", saw ? " " : "", saw ? saw : "");
    fflush(stdout);
}

static void do_read(const char *path)
{
    char text[256] = "";
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    for (size_t i = 0; i < sizeof text; i++)
        if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] > '~')
            text[i] = '\0';
    answer(got < 0 ? -1 : 0, text);
    if (fd >= 0)
        close(fd);
}

static void do_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    answer(fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) < 0 ? -1 : 0, NULL);
    if (fd >= 0)
        close(fd);
}

/* What a log does that is rotated. */
static void do_rotate(const char *folder)
{
    char name[512], old[512];
    snprintf(name, sizeof name, "%s/new.log", folder);
    snprintf(old, sizeof old, "%s/old.log", folder);
    int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0640), err = fd < 0 ? -1 : 0;
    if (err == 0 &&
        (write(fd, "line\n", 5) != 5 || fdatasync(fd) < 0 || rename(name, old) < 0 || unlink(old) < 0))
        err = -1;
    answer(err, NULL);
    if (fd >= 0)
        close(fd);
}

/* What SQLite does to a log beside its file, but with that mode. */
static void do_store(const char *arguments)
{
    char name[512];
    char *folder;
    unsigned long mode = strtoul(arguments, &folder, 8);
    snprintf(name, sizeof name, "%s/x-wal", folder + 1);
    int fd = open(name, O_RDWR | O_CREAT, 0640), err = fd < 0 ? -1 : 0;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 120, .l_len = 1};
    if (err == 0)
        err = fchmod(fd, (mode_t)mode);
    if (err == 0)
        err = fcntl(fd, F_SETLK, &lock) < 0 || ftruncate(fd, 32768) < 0 || fsync(fd) < 0 ? -1 : 0;
    void *p = err == 0 ? mmap(NULL, 32768, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (err == 0)
        err = p == MAP_FAILED || munmap(p, 32768) < 0 || unlink(name) < 0 ? -1 : 0;
    answer(err, NULL);
    if (fd >= 0)
        close(fd);
}

static void do_mkdir(const char *path)
{
    answer(mkdir(path, 0700), NULL);
}

static void do_iconv(const char *charset)
{
    char in[] = "\xe4\xe5", out[16] = "", *from = in, *to = out;
    size_t left = 2, room = sizeof out - 1;
    iconv_t cd = iconv_open("UTF-8", charset);
    if (cd == (iconv_t)-1) {
        answer(-1, NULL);
        return;
    }
    size_t r = iconv(cd, &from, &left, &to, &room);
    answer(r == (size_t)-1 ? -1 : 0, out);
    iconv_close(cd);
}

static void do_country(const char *path)
{
    struct error err;
    struct countries *cs = NULL;
    struct country_info info = {0};
    struct address a = {.family = 4, .bytes = {8, 8, 8, 8}};
    int r = countries_open(&path, 1, NULL, &cs, &err);
    if (r == 0)
        countries_lookup(cs, &a, &info);
    errno = -r;
    answer(r, info.country);
    if (r < 0)
        fprintf(stderr, "%s\n", err.text);
    countries_close(&cs);
}

static void *work(void *name)
{
    free(malloc(100000));
    prctl(PR_SET_NAME, name);
    /* It loads a library for this. */
    pthread_exit(name);
}

static void do_thread(void)
{
    pthread_t thread;
    void *got = NULL;
    errno = pthread_create(&thread, NULL, work, "worker");
    bool ended = errno == 0 && pthread_join(thread, &got) == 0;
    answer(ended ? 0 : -1, got);
}

static void do_pair(const struct room *r)
{
    char got[16] = "";
    struct msghdr msg = {.msg_iov = &(struct iovec){"lo", 2}, .msg_iovlen = 1};
    int err = send(r->pair[0], "hel", 3, MSG_NOSIGNAL | MSG_DONTWAIT) == 3 &&
                      sendmsg(r->pair[0], &msg, 0) == 2 &&
                      poll(&(struct pollfd){r->pair[1], POLLIN, 0}, 1, 1000) == 1 &&
                      recv(r->pair[1], got, 5, MSG_WAITALL) == 5
                  ? 0
                  : -1;
    answer(err, got);
}

static void do_accept(const struct room *r)
{
    char got[16] = "";
    struct timeval limit = {5, 0};
    int fd = accept4(r->listening, NULL, NULL, SOCK_CLOEXEC);
    int err = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
                      write(fd, "metric", 6) == 6 && shutdown(fd, SHUT_WR) == 0 &&
                      read(r->client, got, 15) == 6
                  ? 0
                  : -1;
    answer(err, got);
}

static bool refused(long result)
{
    return result < 0 && errno == EPERM;
}

static void on_packet(u_char *count, const struct pcap_pkthdr *head, const u_char *bytes)
{
    (void)head, (void)bytes;
    ++*(int *)count;
}

static bool can_send(int fd)
{
    char bytes[64] = "";
    struct iovec piece = {bytes, sizeof bytes};
    struct msghdr msg = {.msg_iov = &piece, .msg_iovlen = 1};
    return !(refused(write(fd, bytes, sizeof bytes)) && refused(writev(fd, &piece, 1)) &&
             refused(send(fd, bytes, sizeof bytes, 0)) && refused(sendmsg(fd, &msg, 0)) && refused(dup(fd)) &&
             refused(fcntl(fd, F_DUPFD_CLOEXEC, 100)) &&
             refused(syscall(SYS_write, 1ULL << 32 | (unsigned)fd, bytes, sizeof bytes)));
}

/* Packets out of the ring, what it tells of lost ones, another filter. */
static void do_capture(const struct room *r)
{
    struct pcap_stat stats = {0};
    struct bpf_program filter = {0};
    int count = 0, got = 0;
    time_t end = time(NULL) + 10;
    if (!r->pcap) {
        puts("none");
        return;
    }
    while (got >= 0 && count == 0 && time(NULL) < end)
        if (send(r->client, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 || errno == EPIPE || errno == EAGAIN)
            got = pcap_dispatch(r->pcap, -1, on_packet, (u_char *)&count);
    bool sends = can_send(r->capture);
    if (count == 0)
        puts("no packets");
    else if (got < 0 || pcap_stats(r->pcap, &stats) < 0 || stats.ps_recv == 0 ||
             pcap_compile(r->pcap, &filter, "tcp port 25", 1, PCAP_NETMASK_UNKNOWN) < 0 ||
             pcap_setfilter(r->pcap, &filter) < 0)
        printf("%s\n", pcap_geterr(r->pcap));
    else
        answer(0, sends ? "and can send" : "and cannot send");
    pcap_freecode(&filter);
}

/* With arguments that no call would take; one that is refused does not get so far as to look at them. */
static void do_call(const char *name)
{
    int call = seccomp_syscall_resolve_name(name);
    if (call < 0)
        puts("unknown");
    else
        answer((int)syscall(call, 0, 0, 0, 0, 0, 0), NULL);
}

static void do_status(const char *row)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, row, strlen(row)) == 0) {
            line[strcspn(line, "\n")] = '\0';
            answer(0, line);
            fclose(f);
            return;
        }
    answer(-1, NULL);
    if (f)
        fclose(f);
}

static void do_time(void)
{
    struct timespec t;
    struct tm tm;
    char text[64];
    int err = clock_gettime(CLOCK_REALTIME, &t);
    localtime_r(&t.tv_sec, &tm);
    strftime(text, sizeof text, "%Y %Z", &tm);
    nanosleep(&(struct timespec){0, 1000}, NULL);
    answer(err, text);
}

static bool take_command(const struct room *r, const char *line)
{
    const struct {
        const char *name;
        void (*run)(const char *);
    } plain[] = {{"read ", do_read},   {"write ", do_write},     {"rotate ", do_rotate},
                 {"iconv ", do_iconv}, {"country ", do_country}, {"status ", do_status},
                 {"call ", do_call},   {"mkdir ", do_mkdir},     {"store ", do_store}};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strncmp(line, plain[i].name, strlen(plain[i].name)) == 0) {
            plain[i].run(line + strlen(plain[i].name));
            return true;
        }
    if (strcmp(line, "thread") == 0)
        do_thread();
    else if (strcmp(line, "time") == 0)
        do_time();
    else if (strcmp(line, "pair") == 0)
        do_pair(r);
    else if (strcmp(line, "accept") == 0)
        do_accept(r);
    else if (strcmp(line, "capture") == 0)
        do_capture(r);
    else if (strcmp(line, "abort") == 0)
        abort();
    else if (strncmp(line, "kill ", 5) == 0)
        answer(kill(atoi(line + 5), 0), NULL);
    else
        return false;
    return true;
}

static void open_all(struct room *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    r->listening = socket(AF_INET, SOCK_STREAM, 0);
    r->client = socket(AF_INET, SOCK_STREAM, 0);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, r->pair) < 0 ||
        bind(r->listening, (struct sockaddr *)&at, sizeof at) < 0 || listen(r->listening, 4) < 0 ||
        getsockname(r->listening, (struct sockaddr *)&at, &len) < 0 ||
        connect(r->client, (struct sockaddr *)&at, sizeof at) < 0) {
        perror("confine-run");
        exit(1);
    }
    char text[PCAP_ERRBUF_SIZE];
    r->pcap = pcap_create("lo", text);
    if (r->pcap && pcap_set_promisc(r->pcap, 1) == 0 && pcap_set_timeout(r->pcap, 100) == 0 &&
        pcap_activate(r->pcap) >= 0) {
        r->capture = pcap_fileno(r->pcap);
        r->set.capture_fds = &r->capture;
        r->set.capture_count = 1;
    } else if (r->pcap) {
        pcap_close(r->pcap);
        r->pcap = NULL;
    }
}

static int sensor(struct room *r)
{
    struct confine_report report;
    struct error err;
    char line[1024];
    int code = confine(&r->set, &report, &err);
    if (code < 0) {
        printf("%s: %s\n", strerrorname_np(-code), err.text);
        return 1;
    }
    printf("confined: uid %u, landlock %d, %u paths, %u calls\n", report.uid, report.landlock, report.paths,
           report.calls);
    for (char *rest = NULL, *p = strtok_r(report.remarks, "\n", &rest); p; p = strtok_r(NULL, "\n", &rest))
        printf("remark: %s\n", p);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (!take_command(r, line))
            puts("no such command");
        fflush(stdout);
    }
    if (r->pcap)
        pcap_close(r->pcap);
    return 0;
}

/* The child is the sensor. */
static int told(struct room *r)
{
    int socket[2], count[512] = {0}, status = 0;
    char names[512][32];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, socket) < 0)
        return 1;
    pid_t pid = fork();
    if (pid == 0) {
        close(socket[0]);
        r->set.refusals_to = socket[1];
        return sensor(r);
    }
    close(socket[1]);
    int refusals = confine_refusals_take(socket[0]);
    struct pollfd p = {.fd = refusals, .events = POLLIN};
    while (refusals >= 0 && (poll(&p, 1, -1) >= 0 || errno == EINTR) && !(p.revents & POLLHUP)) {
        struct confine_refusal call;
        if (confine_refusal_next(refusals, &call) == 1 && call.call >= 0 && call.call < 512) {
            count[call.call]++;
            memcpy(names[call.call], call.name, sizeof call.name);
        }
    }
    waitpid(pid, &status, 0);
    printf("refused:");
    for (int i = 0; i < 512; i++)
        if (count[i])
            printf(" %s %d", names[i], count[i]);
    puts("");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    struct room *r = calloc(1, sizeof *r);
    bool with_parent = false;
    if (!r)
        return 1;
    r->set = (struct confine_settings){.read_paths = r->reads,
                                       .reread_files = r->rereads,
                                       .write_paths = r->writes,
                                       .children = r->children,
                                       .refusals_to = -1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--told") == 0) {
            with_parent = true;
            continue;
        }
        if (strcmp(argv[i], "--user") == 0)
            r->set.user = value;
        else if (strcmp(argv[i], "--child") == 0 && r->set.child_count < MANY)
            r->children[r->set.child_count++] = atoi(value);
        else if (strcmp(argv[i], "--read") == 0 && r->set.read_count < MANY)
            r->reads[r->set.read_count++] = value;
        else if (strcmp(argv[i], "--reread") == 0 && r->set.reread_count < MANY)
            r->rereads[r->set.reread_count++] = value;
        else if (strcmp(argv[i], "--write") == 0 && r->set.write_count < MANY)
            r->writes[r->set.write_count++] = value;
        else
            return 2;
        i++;
    }
    open_all(r);
    int code = with_parent ? told(r) : sensor(r);
    fflush(stdout);
    free(r);
    return code;
}
