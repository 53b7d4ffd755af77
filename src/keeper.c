/* keeper.c: the process that keeps its rights: starts sensors, passes signals on, waits for interfaces.
 * In: signals, ends of sensors, calls that a sensor was refused. Out: sensors, an exit code, words on
 * standard error. Owns: the sensor's process. Limits: between two sensors that end badly the wait doubles, up
 * to WAIT_MOST seconds. It never sees a packet, and opens nothing that a stranger could have written. */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/now.h"
#include "confine.h"
#include "tap.h"

enum { LOOK_MS = 500, WAIT_MOST = 60, PATIENCE = 10, SETTLED = 5 };

struct keeper {
    const struct watch_options *opt;
    int signals;
    pid_t sensor;                      /* 0: none */
    int handover;                      /* where `refusals` comes once the sensor is confined; -1: none */
    int refusals;                      /* -1: none */
    const char *there[TAP_INTERFACES]; /* those that the sensor was started with */
    size_t there_count;
    unsigned numbers[TAP_INTERFACES]; /* of all, as they were then; 0: not up */
    double started;                   /* when that was */
    bool missed;                      /* some are not there, and that was said */
    bool ran;                         /* a sensor was there for a while, so the settings are right */
    bool ending;                      /* we were told to */
    bool anew; /* the sensor was told to end, as an interface or the log folder has come back */
    int folders[RESULTS_TARGETS]; /* those of its outputs that the sensor has; -1: not known yet, or none */
    int wait;                     /* seconds before the next one */
};

enum presence { ABSENT, DOWN, UP };

static enum presence presence_of(const char *interface)
{
    struct ifreq req = {0};
    if (strcmp(interface, "any") == 0)
        return UP;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(req.ifr_name, sizeof req.ifr_name, "%s", interface);
    bool there = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &req) == 0;
    if (fd >= 0)
        close(fd);
    return !there ? ABSENT : req.ifr_flags & IFF_UP ? UP : DOWN;
}

/* Its number where it can be watched, else 0. By that it is told from an earlier one of its name. */
static unsigned number_of(const char *interface)
{
    if (strcmp(interface, "any") == 0)
        return UINT_MAX;
    return presence_of(interface) == UP ? if_nametoindex(interface) : 0;
}

/* Before the first sensor one that is absent counts too: the sensor says so, and that is an error. */
static void find_interfaces(struct keeper *k)
{
    k->there_count = 0;
    for (size_t i = 0; i < k->opt->interface_count; i++) {
        enum presence p = presence_of(k->opt->interfaces[i]);
        k->numbers[i] = number_of(k->opt->interfaces[i]);
        if (p == UP || (p == ABSENT && !k->ran))
            k->there[k->there_count++] = k->opt->interfaces[i];
        else if (!k->missed)
            fprintf(stderr, "mailtap: %s is %s; waiting for it\n", k->opt->interfaces[i],
                    p == DOWN ? "down" : "gone");
    }
    k->missed = k->there_count < k->opt->interface_count;
}

/* One that is up, and that the sensor does not have; NULL: none. */
static const char *come_back(const struct keeper *k)
{
    for (size_t i = 0; i < k->opt->interface_count; i++) {
        unsigned number = number_of(k->opt->interfaces[i]);
        if (number && number != k->numbers[i])
            return k->opt->interfaces[i];
    }
    return NULL;
}

static void hold_folders(struct keeper *k)
{
    for (size_t i = 0; i < k->opt->results.target_count; i++)
        if (k->folders[i] < 0)
            k->folders[i] = open(k->opt->results.targets[i].directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void let_folders_go(struct keeper *k)
{
    for (size_t i = 0; i < RESULTS_TARGETS; i++) {
        if (k->folders[i] >= 0)
            close(k->folders[i]);
        k->folders[i] = -1;
    }
}

/* Another folder stands where one of an output was, which the sensor may not open, as it is confined to the
 * one that it had. Held open, that one's number is given to no other. NULL: none. */
static const char *replaced_folder(struct keeper *k)
{
    struct stat was, is;
    hold_folders(k);
    for (size_t i = 0; i < k->opt->results.target_count; i++) {
        const char *path = k->opt->results.targets[i].directory;
        if (k->folders[i] >= 0 && fstat(k->folders[i], &was) == 0 && stat(path, &is) == 0 &&
            S_ISDIR(is.st_mode) && (was.st_ino != is.st_ino || was.st_dev != is.st_dev))
            return path;
    }
    return NULL;
}

/* The sensor is to end, and another one to do what it cannot. */
static void look_for_another(struct keeper *k)
{
    const char *back = come_back(k), *folder = back ? NULL : replaced_folder(k);
    if (back)
        fprintf(stderr, "mailtap: %s is there again; a new sensor takes it\n", back);
    else if (folder)
        fprintf(stderr, "mailtap: %s is another folder now; a new sensor writes there\n", folder);
    else
        return;
    k->anew = true;
    kill(k->sensor, SIGTERM);
}

static int run_sensor(const struct keeper *k, int refusals, pid_t keeper)
{
    const struct sensor_start start = {k->there, k->there_count, refusals, keeper, k->ran};
    close(k->signals);
    return sensor_run(k->opt, &start);
}

static void tell_sensor(const struct keeper *k, int sig)
{
    if (k->sensor)
        kill(k->sensor, sig);
}

/* Says what the machine did not give. */
static bool no_sensor(const char *call)
{
    fprintf(stderr, "mailtap: a sensor cannot be started: %s: %s\n", call, strerror(errno));
    return false;
}

/* False: none was started, as was said. The signals stay blocked in it until it reads them. */
static bool start_sensor(struct keeper *k)
{
    int pair[2];
    pid_t self = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return no_sensor("socketpair");
    fflush(NULL);
    let_folders_go(k);
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        _exit(run_sensor(k, pair[1], self));
    }
    bool good = pid > 0 || no_sensor("fork");
    close(pair[1]);
    if (good) {
        k->sensor = pid;
        k->handover = pair[0];
        fcntl(k->handover, F_SETFL, O_NONBLOCK);
    } else {
        close(pair[0]);
    }
    return good;
}

/* What a sensor hands over once it is confined, or by its end. Never waits: one that hangs must not hold up
 * whoever tells us to end. */
static void take_handover(struct keeper *k)
{
    int got = k->handover < 0 ? -EAGAIN : confine_refusals_take(k->handover);
    if (got == -EAGAIN)
        return;
    close(k->handover);
    k->handover = -1;
    k->refusals = got;
    k->ran |= got >= 0;
    hold_folders(k);
}

static void end_what_hangs(struct keeper *k, double now)
{
    if (k->handover < 0 || now - k->started < (k->ending ? PATIENCE : WAIT_MOST))
        return;
    fputs("mailtap: the sensor does not get ready; it is killed\n", stderr);
    close(k->handover);
    k->handover = -1;
    tell_sensor(k, SIGKILL);
}

static void say_refusals(struct keeper *k)
{
    struct confine_refusal r;
    int got;
    while ((got = confine_refusal_next(k->refusals, &r)) > 0)
        fprintf(stderr, "mailtap: the sensor was refused %s (call %d): this should not happen\n",
                *r.name ? r.name : "a call", r.call);
    if (got < 0) {
        close(k->refusals);
        k->refusals = -1;
    }
}

static void wait_longer(struct keeper *k, bool lasted)
{
    k->wait = k->wait && !lasted ? k->wait * 2 : 1;
    k->wait = k->wait < WAIT_MOST ? k->wait : WAIT_MOST;
    fprintf(stderr, "mailtap: the next sensor starts in %d s\n", k->wait);
}

/* What the end of a sensor means. Negative: another one is to be started; else the exit code. */
static int judge_end(struct keeper *k, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : SENSOR_RESTART;
    if (WIFSIGNALED(status))
        fprintf(stderr, "mailtap: the sensor was ended by signal %d (%s)\n", WTERMSIG(status),
                strsignal(WTERMSIG(status)));
    if (k->ending || (!k->ran && code != SENSOR_GONE))
        return code >= SENSOR_GONE ? EXIT_PARTLY : code;
    if (k->anew || code == SENSOR_GONE) {
        k->wait = 0;
    } else {
        /* One that was there for a while did not end for the reason of the one before. */
        wait_longer(k, now_monotonic() - k->started > WAIT_MOST);
    }
    k->anew = false;
    return -1;
}

static int reap(struct keeper *k)
{
    int status;
    pid_t ended;
    do
        ended = k->sensor ? waitpid(k->sensor, &status, WNOHANG) : 0;
    while (ended < 0 && errno == EINTR);
    if (ended <= 0)
        return -1;
    take_handover(k);
    if (k->handover >= 0)
        close(k->handover);
    k->handover = -1;
    k->sensor = 0;
    if (k->refusals >= 0)
        close(k->refusals);
    k->refusals = -1;
    return judge_end(k, status);
}

static int take_signals(struct keeper *k)
{
    struct signalfd_siginfo info;
    int code = -1;
    while (code < 0 && read(k->signals, &info, sizeof info) == sizeof info) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            code = reap(k);
            break;
        case SIGTERM:
        case SIGINT:
            k->ending = true;
            tell_sensor(k, SIGTERM);
            code = k->sensor ? -1 : EXIT_DONE;
            break;
        default:
            tell_sensor(k, (int)info.ssi_signo);
        }
    }
    return code;
}

static int wait_for_something(const struct keeper *k)
{
    struct pollfd fds[3] = {{k->signals, POLLIN, 0}, {k->refusals, POLLIN, 0}, {k->handover, POLLIN, 0}};
    return poll(fds, 3, LOOK_MS);
}

static int keep(struct keeper *k)
{
    double next = now_monotonic(), told = 0;
    for (;;) {
        double now = now_monotonic();
        /* Where the kernel tells of no refusals. */
        k->ran |= k->sensor && k->handover < 0 && now - k->started > SETTLED;
        end_what_hangs(k, now);
        if (!k->sensor && !k->ending && now >= next) {
            find_interfaces(k);
            k->started = now;
            if (k->there_count && !start_sensor(k)) {
                if (!k->ran)
                    return EXIT_PARTLY;
                wait_longer(k, false);
                next = now + k->wait;
            }
        } else if (k->sensor && k->ran && now - told > PATIENCE) {
            look_for_another(k);
            told = k->anew ? now : told;
        }
        wait_for_something(k);
        take_handover(k);
        if (k->refusals >= 0)
            say_refusals(k);
        pid_t before = k->sensor;
        int code = take_signals(k);
        if (code >= 0)
            return code;
        if (before && !k->sensor)
            next = now_monotonic() + (k->wait ? k->wait : LOOK_MS * 1e-3);
    }
}

int keeper_run(const struct watch_options *opt)
{
    static const int taken[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};
    struct keeper k = {.opt = opt, .handover = -1, .refusals = -1};
    memset(k.folders, -1, sizeof k.folders);
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaddset(&set, taken[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    k.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (k.signals < 0) {
        fprintf(stderr, "mailtap: signals: %s\n", strerror(errno));
        return EXIT_PARTLY;
    }
    int code = keep(&k);
    let_folders_go(&k);
    close(k.signals);
    return code;
}
