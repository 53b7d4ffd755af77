/* sensor.c: the loop of the process that has the packets: the back, and what a sensor is asked for.
 * In: records of the taps, signals, requests for metrics. Out: records, an exit code, words on standard
 * error. Owns: struct sensor. Knowingly: one thread does all of this, so a log on a slow disk delays an
 * answer to Prometheus, but never a tap. */
#include "sensor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/now.h"
#include "report.h"

enum { TICK_MS = 200 };

static void on_record(void *ctx, const struct record *rec)
{
    results_record(((struct sensor *)ctx)->results, rec);
}

static void to_back(void *ctx, struct record *rec)
{
    back_record(((struct sensor *)ctx)->services.back, rec);
}

/* `fronts` gets what each worker counts; returned is the sum, with what is counted once. */
static struct stats count(const struct sensor *s, struct stats fronts[static TAPS_MOST])
{
    struct stats all = {0};
    memset(fronts, 0, s->workers * sizeof *fronts);
    for (size_t w = 0; w < s->workers; w++) {
        tap_count(s->taps[w], &fronts[w]);
        stats_add(&all, &fronts[w]);
    }
    const struct back_counts back = back_counts(s->services.back);
    report_add_back(&all, &back);
    all.script_counters_shed += counters_shed(s->counters);
    results_count(s->results, &all);
    return all;
}

static void write_metrics(void *ctx, struct buf *out)
{
    struct stats fronts[TAPS_MOST];
    const struct sensor *s = ctx;
    const struct stats all = count(s, fronts);
    metrics_page(&all, fronts, s->workers, out);
}

static void tell_stats(struct sensor *s, struct timespec now)
{
    struct stats fronts[TAPS_MOST];
    const struct stats all = count(s, fronts);
    pulse_tell(&s->pulse, era_settings(s->era), now, &all, fronts, s->workers);
}

/* SIGUSR1. */
static void show_stats(const struct sensor *s, double seconds)
{
    char who[32];
    struct stats fronts[TAPS_MOST];
    const struct stats all = count(s, fronts);
    for (size_t w = 0; w < s->workers; w++) {
        snprintf(who, sizeof who, "worker %zu: ", w);
        report_print(who, &fronts[w], seconds);
    }
    report_print("all: ", &all, seconds);
}

/* SIGHUP: other settings, scripts and databases, all of them or none. */
static void reload(struct sensor *s)
{
    struct front *fronts[TAPS_MOST];
    struct error err;
    struct era *e = era_new();
    results_reopen(s->results);
    int failed = sensor_settings(s, e, &err);
    if (!failed)
        failed = services_check(era_settings(e), &err);
    if (!failed)
        failed = sensor_fronts(s, e, fronts, &err);
    if (!failed && (failed = back_renew(s->services.back, era_settings(e), &s->back_scripts, &err)))
        for (size_t w = 0; w < s->workers; w++)
            front_close(fronts[w]);
    if (failed) {
        fprintf(stderr, "mailtap: the old settings stay: %s\n", err.text);
        era_drop(e);
        return;
    }
    for (size_t w = 0; w < s->workers; w++) {
        const struct pipeline_services services =
            front_services(fronts[w], &s->budget, extract_store(s->services.extract));
        fronts[w]->tell = tap_tell;
        fronts[w]->ctx = s->taps[w];
        tap_renew(s->taps[w], era_settings(e), &services);
    }
    settings_tell_fixed(era_settings(s->era), era_settings(e));
    era_drop(s->era);
    s->era = e;
    fputs("mailtap: settings, scripts and databases are loaded anew\n", stderr);
}

/* True: it is to end. */
static bool take_signals(struct sensor *s, double seconds)
{
    struct signalfd_siginfo info;
    bool end = false;
    while (read(s->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP)
            reload(s);
        else if (info.ssi_signo == SIGUSR1)
            show_stats(s, seconds);
        else
            end = true;
    }
    return end;
}

/* Must it end, and how? Negative: no. As long as one interface is left it goes on, and the keeper looks after
 * the others. */
static int is_over(const struct sensor *s)
{
    unsigned gone = 0;
    for (size_t w = 0; w < s->workers; w++) {
        if (tap_is_broken(s->taps[w]))
            return SENSOR_RESTART;
        gone |= tap_gone(s->taps[w]);
    }
    return gone + 1 == 1u << s->start->interface_count ? SENSOR_GONE : -1;
}

static struct timespec time_of(uint64_t nanoseconds)
{
    return (struct timespec){(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
}

static void work(struct sensor *s)
{
    struct pollfd fds[METRICS_FDS + 2] = {{s->signals, POLLIN, 0}, {merge_fd(s->merge), POLLIN, 0}};
    nfds_t fd_count = 2;
    if (s->metrics)
        fd_count += metrics_fds(s->metrics, fds + 2);
    poll(fds, fd_count, TICK_MS);
    merge_take(s->merge, to_back, s);
    back_advance(s->services.back, time_of(merge_until(s->merge)));
    if (s->metrics)
        metrics_serve(s->metrics, write_metrics, s);
    courier_poll(s->services.courier);
    const struct timespec now = now_wall();
    if (pulse_is_due(&s->pulse, era_settings(s->era), now))
        tell_stats(s, now);
    results_tick(s->results, now);
}

/* Every connection is closed, recorded and written. */
static void finish(struct sensor *s)
{
    struct pollfd fd = {merge_fd(s->merge), POLLIN, 0};
    for (size_t w = 0; w < s->workers; w++)
        tap_stop(s->taps[w]);
    while (merge_take(s->merge, to_back, s))
        poll(&fd, 1, TICK_MS);
    troop_join(s->troop);
    back_finish(s->services.back);
    tell_stats(s, now_wall());
}

static int end(struct sensor *s, int code, double seconds)
{
    struct stats fronts[TAPS_MOST];
    struct error err;
    finish(s);
    results_drain(s->results);
    services_carry(&s->services);
    const struct stats all = count(s, fronts);
    if (results_close(&s->results, &err) < 0) {
        fprintf(stderr, "mailtap: %s\n", err.text);
        code = code ? code : EXIT_PARTLY;
    }
    report_print("", &all, seconds);
    bool good = sensor_close(s);
    return code || good ? code : EXIT_PARTLY;
}

static int cannot_open(struct sensor *s, int err, const char *text)
{
    results_close(&s->results, &(struct error){{0}});
    sensor_close(s);
    bool passes = s->start->again && (err == -ENODEV || err == -ENETDOWN);
    if (!passes)
        fprintf(stderr, "mailtap: %s\n", text);
    return passes ? SENSOR_GONE : s->start->again ? SENSOR_RESTART : EXIT_USAGE;
}

static void say_hello(const struct sensor *s)
{
    fputs("mailtap: watching ", stderr);
    for (size_t i = 0; i < s->start->interface_count; i++)
        fprintf(stderr, "%s%s", i ? ", " : "", s->start->interfaces[i]);
    fprintf(stderr, " with %zu worker%s\n", s->workers, s->workers == 1 ? "" : "s");
}

int sensor_run(const struct watch_options *opt, const struct sensor_start *start)
{
    static const int ignored[] = {SIGPIPE, SIGXFSZ};
    struct sensor *s = calloc(1, sizeof *s);
    struct error err;
    memory_check(s);
    s->opt = opt;
    s->start = start;
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    prctl(PR_SET_NAME, "mailtap-sensor");
    int failed = sensor_open(s, on_record, &err);
    if (failed) {
        int code = cannot_open(s, failed, err.text);
        free(s);
        return code;
    }
    const struct timespec since = now_wall();
    const struct pulse_output out = {to_back, s};
    pulse_init(&s->pulse, &out, since);
    say_hello(s);
    int why = -1;
    while (!take_signals(s, seconds_between(since, now_wall())) && (why = is_over(s)) < 0)
        work(s);
    int code = end(s, why < 0 ? EXIT_DONE : why, seconds_between(since, now_wall()));
    free(s);
    return code;
}
