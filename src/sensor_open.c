/* sensor_open.c: a sensor's beginning: what it opens, in which order, and what it gives up.
 * In: options, settings. Out: a sensor without rights whose taps run. Owns: nothing; struct sensor does. The
 * order: the courier before all else, so that it has nothing of ours; sockets while there are rights to open
 * them; then the user; what that user has to be able to read, at a reload too, after that; Landlock and
 * seccomp last; then threads. */
#include "sensor.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"
#include "confine.h"
#include "worker.h"

enum { PATHS_MOST = 4 * SETTINGS_TEXTS + 64 };
static const double COURIER_WAIT = 1; /* seconds: an init system wants us gone soon */

static void choose_user(struct sensor *s)
{
    const char *wanted = s->opt->user ? s->opt->user : era_settings(s->era)->user.text;
    if (!*wanted && geteuid() == 0)
        wanted = getpwnam("mailtap") ? "mailtap" : "nobody";
    snprintf(s->user, sizeof s->user, "%.63s", wanted);
}

/* In the courier's process, before anything comes to it. */
static void courier_begins(void *ctx)
{
    const struct sensor *s = ctx;
    struct confine_report report;
    struct error err;
    if (confine_user(s->user, &report, &err) == 0)
        return;
    fprintf(stderr, "mailtap: courier: %s\n", err.text);
    _exit(EXIT_USAGE);
}

/* A folder that is made here belongs to whoever will write in it. */
static int make_folder(const struct sensor *s, const char *path, struct error *reterr)
{
    const struct passwd *pw = *s->user ? getpwnam(s->user) : NULL;
    if (!path || !*path)
        return 0;
    if (mkdir(path, 0750) == 0)
        return !pw || chown(path, pw->pw_uid, pw->pw_gid) == 0
                   ? 0
                   : error_set(reterr, -errno, "%.300s: %s", path, strerror(errno));
    return errno == EEXIST ? 0 : error_set(reterr, -errno, "%.300s: %s", path, strerror(errno));
}

static int check_folder(const struct sensor *s, const char *path, struct error *reterr)
{
    struct stat st;
    if (eaccess(path, R_OK | W_OK | X_OK) == 0)
        return 0;
    int err = errno;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return error_set(reterr, -ENOTDIR, "%.300s: %s", path, strerror(ENOTDIR));
    return error_set(reterr, -err, "%.300s: %s; it is written by user %s: chown it, or choose by --user",
                     path, strerror(err), *s->user ? s->user : "who started mailtap");
}

static int open_interface(struct sensor *s, size_t i, struct error *reterr)
{
    enum { SNAPLEN = 262144 };
    const struct settings *set = era_settings(s->era);
    const struct live_settings live = {.filter = set->capture_filter.text,
                                       .buffer_bytes = set->capture_buffer,
                                       .promiscuous = set->promiscuous,
                                       .snaplen = SNAPLEN};
    struct live *sockets[TAPS_MOST];
    for (size_t w = 0; w < s->workers; w++) {
        int err = live_open(s->start->interfaces[i], &live, &s->sockets[w][i], reterr);
        if (err)
            return err;
        sockets[w] = s->sockets[w][i];
    }
    return live_start(sockets, s->workers, reterr);
}

static int open_interfaces(struct sensor *s, struct error *reterr)
{
    int err = 0;
    for (size_t i = 0; i < s->start->interface_count && !err; i++)
        err = open_interface(s, i, reterr);
    return err;
}

int sensor_fronts(struct sensor *s, struct era *e, struct front *ret[static TAPS_MOST], struct error *reterr)
{
    int err = 0;
    size_t count = 0;
    for (; count < s->workers && !err; count++)
        err = front_open(e, &s->scripts, &ret[count], reterr);
    while (err && count) {
        front_close(ret[--count]);
        ret[count] = NULL;
    }
    return err;
}

/* With the rights of the user that it is now. */
static int open_rest(struct sensor *s, void (*record)(void *ctx, const struct record *rec),
                     struct error *reterr)
{
    const struct settings *set = era_settings(s->era);
    const struct back_output out = {.record = record, .ctx = s};
    struct results_settings results = s->results_set;
    results.lasting = true;
    results.settings = set;
    int err = 0;
    for (size_t i = 0; i < results.target_count && !err; i++)
        if (!results.targets[i].remote)
            err = check_folder(s, results.targets[i].directory, reterr);
    if (!err)
        err = results_open(&results, &s->results, reterr);
    if (!err)
        err = services_decide(&s->services, era_settings(s->era), &s->back_scripts, &out, reterr);
    if (!err)
        err = sensor_fronts(s, s->era, s->fronts, reterr);
    return err;
}

static int give_up_rights(struct sensor *s, struct error *reterr)
{
    const struct settings *set = era_settings(s->era);
    const char *reads[PATHS_MOST];
    size_t count = 0;
    int sockets[TAPS_MOST * TAP_INTERFACES];
    size_t socket_count = 0;
    reads[count++] = COUNTRIES_DEFAULT;
    for (size_t i = 0; i < set->country_databases.count; i++)
        if (strcmp(set->country_databases.items[i].text, "none") != 0)
            reads[count++] = set->country_databases.items[i].text;
    if (*set->blocklists.text)
        reads[count++] = set->blocklists.text;
    if (*set->agents.text)
        reads[count++] = set->agents.text;
    for (size_t i = 0; i < s->opt->source.file_count && count < PATHS_MOST; i++)
        reads[count++] = s->opt->source.files[i];
    for (size_t i = 0; i < s->opt->script_count && count < PATHS_MOST; i++)
        reads[count++] = s->opt->scripts[i];
    for (size_t w = 0; w < s->workers; w++)
        for (size_t i = 0; i < s->start->interface_count; i++)
            sockets[socket_count++] = live_fd(s->sockets[w][i]);
    const char *writes[RESULTS_TARGETS + 1];
    size_t write_count = 0;
    for (size_t i = 0; i < s->opt->results.target_count; i++)
        writes[write_count++] = s->results_set.targets[i].remote
                                    ? carrier_settings(s->results_set.targets[i].carrier)->outbox
                                    : s->results_set.targets[i].directory;
    if (*set->extract_directory.text)
        writes[write_count++] = set->extract_directory.text;
    pid_t children[SERVICES_PROCESSES];
    const struct confine_settings to = {.reread_files = reads,
                                        .reread_count = count,
                                        .write_paths = writes,
                                        .write_count = write_count,
                                        .capture_fds = sockets,
                                        .capture_count = socket_count,
                                        .children = children,
                                        .child_count = services_processes(&s->services, children),
                                        .refusals_to = s->start->refusals};
    struct confine_report report;
    int err = confine(&to, &report, reterr);
    if (!s->start->again)
        confine_show(&report);
    return err;
}

static int make_tap(struct sensor *s, size_t w, struct error *reterr)
{
    const struct tap_settings tap = {
        .set = era_settings(s->era),
        .services = front_services(s->fronts[w], &s->budget, extract_store(s->services.extract)),
        .sockets = s->sockets[w],
        .interfaces = s->start->interfaces,
        .interface_count = s->start->interface_count,
        .lane = merge_lane(s->merge, w)};
    int err = tap_new(&tap, &s->taps[w], reterr);
    if (err)
        return err;
    s->fronts[w]->tell = tap_tell;
    s->fronts[w]->ctx = s->taps[w];
    s->fronts[w] = NULL;
    return 0;
}

static int start_taps(struct sensor *s, struct error *reterr)
{
    int err = merge_new(s->workers, 1, &s->merge, reterr);
    for (size_t w = 0; w < s->workers && !err; w++)
        err = make_tap(s, w, reterr);
    if (err)
        return err;
    s->troop = taps_troop(s->taps, s->workers);
    return troop_start(s->troop, reterr);
}

/* A sensor without a keeper would never be ended by anybody. Another user number takes this back, so it comes
 * after that. */
static int follow_keeper(const struct sensor *s, struct error *reterr)
{
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
        return error_set(reterr, -errno, "prctl: %s", strerror(errno));
    return getppid() == s->start->keeper ? 0 : error_set(reterr, -ECHILD, "the keeper has ended");
}

static int open_signals(struct sensor *s, struct error *reterr)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return s->signals < 0 ? error_set(reterr, -errno, "signals: %s", strerror(errno)) : 0;
}

int sensor_settings(const struct sensor *s, struct era *e, struct error *reterr)
{
    struct settings *set = era_settings(e);
    int err = settings_collect(&s->opt->source, set, reterr);
    /* What this machine sends is seen before its checksums are made. */
    if (!err && set->checksums) {
        fputs("mailtap: checksums: verify is for files; it is ignored here\n", stderr);
        set->checksums = 0;
    }
    return err;
}

int sensor_open(struct sensor *s, void (*record)(void *ctx, const struct record *rec), struct error *reterr)
{
    struct confine_report report;
    s->era = era_new();
    int err = sensor_settings(s, s->era, reterr);
    choose_user(s);
    s->results_set = s->opt->results;
    s->workers = s->opt->workers ? s->opt->workers : workers_auto();
    const struct passwd *pw = geteuid() == 0 ? getpwnam(s->user) : NULL;
    const struct courier_start how = {COURIER_WAIT, pw ? pw->pw_uid : 0, courier_begins, s};
    if (!err)
        err = open_signals(s, reterr);
    if (!err)
        err = make_folder(s, era_settings(s->era)->spool_directory.text, reterr);
    if (!err)
        err = make_folder(s, era_settings(s->era)->extract_directory.text, reterr);
    if (!err)
        err = services_start(&s->services, era_settings(s->era), s->opt->script_count, &s->results_set, &how,
                             reterr);
    if (!err)
        err = open_interfaces(s, reterr);
    if (!err && s->opt->metrics)
        err = metrics_open(s->opt->metrics, &s->metrics, reterr);
    for (size_t i = 0; i < s->opt->results.target_count && !err; i++)
        if (!s->opt->results.targets[i].remote)
            err = make_folder(s, s->opt->results.targets[i].directory, reterr);
    if (!err)
        err = confine_user(s->user, &report, reterr);
    if (!err)
        err = follow_keeper(s, reterr);
    s->counters = counters_new((uint32_t)era_settings(s->era)->script_counters);
    memory_check(s->counters);
    s->scripts = (struct script_files){s->opt->scripts, s->opt->script_count, 0, s->counters};
    s->back_scripts = s->scripts;
    s->back_scripts.hooks = ~(unsigned)SCRIPT_EVENT_HOOKS;
    if (!err)
        err = open_rest(s, record, reterr);
    if (!err)
        err = give_up_rights(s, reterr);
    if (!err)
        err = start_taps(s, reterr);
    return err;
}

bool sensor_close(struct sensor *s)
{
    for (size_t w = 0; w < s->workers; w++) {
        front_close(s->fronts[w]);
        for (size_t i = 0; i < TAP_INTERFACES && !s->taps[w]; i++)
            live_close(&s->sockets[w][i]);
        tap_free(&s->taps[w]);
    }
    troop_free(&s->troop);
    merge_free(&s->merge);
    metrics_close(&s->metrics);
    bool good = services_close(&s->services);
    if (s->counters)
        counters_free(&s->counters);
    era_drop(s->era);
    return good;
}
