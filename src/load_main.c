/* load_main.c: mailtap load.
 * In: the command line. Out: a loader; an exit code. Owns: the settings, the courier. The order: the courier,
 * as it is a process of its own; files and passwords; then rights are given up; then threads and connections.
 * Knowingly: it may connect to anywhere, as names are looked up anew whenever a server falls. */
#include "load_main.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/nearest.h"
#include "base/shown.h"
#include "command.h"
#include "confine.h"
#include "load_rights.h"
#include "metrics.h"
#include "over.h"
#include "read.h"
#include "services.h"

static const char usage[] =
    "usage: mailtap load SOURCE -o clickhouse://HOST[:PORT]/DATABASE [-c settings.yaml] "
    "[-s key=value]... [--until-empty] [--metrics ADDRESS:PORT]\n"
    "SOURCE is nats://HOST[:PORT][,HOST...]/STREAM or "
    "kafka://BROKER[:PORT][,BROKER...]/TOPIC; nats+tls, kafka+tls and clickhouses are "
    "the same over TLS.\n";

static const struct option longs[] = {{"until-empty", no_argument, NULL, 'e'},
                                      {"metrics", required_argument, NULL, 'm'},
                                      {"help", no_argument, NULL, 'h'},
                                      {0}};

struct arguments {
    const char *from, *into, *metrics;
    bool until_empty;
    struct settings_source source;
    const char **files, **assigned;
};

struct loading {
    const struct arguments *args;
    struct settings *set;
    char user[64], folder[SERVICES_OUTBOX];
    struct services services;
    struct over *over;
    bool ended; /* no thread of the bus is left */
    struct metrics *metrics;
    pthread_mutex_t lock; /* who has it may use `counts`, as one thread counts, and another one tells */
    struct over_counts counts;
};

static int take_option(int c, struct arguments *args, char **argv)
{
    static const char *const known[] = {"--until-empty", "--metrics", "--help", "-o", "-c", "-s", NULL};
    switch (c) {
    case 'c':
        args->files[args->source.file_count++] = optarg;
        return -1;
    case 's':
        args->assigned[args->source.assigned_count++] = optarg;
        return -1;
    case 'o':
        if (args->into)
            return command_misused("load has one -o", usage);
        args->into = optarg;
        return -1;
    case 'm':
        args->metrics = optarg;
        return -1;
    case 'e':
        args->until_empty = true;
        return -1;
    case 'h':
        fputs(usage, stdout);
        return command_finish();
    default:
        return command_bad_option("load", c, argv, known, usage);
    }
}

static int take_arguments(struct arguments *args, int argc, char **argv)
{
    int c, code = -1;
    opterr = 0;
    while (code < 0 && (c = getopt_long(argc, argv, ":c:s:o:h", longs, NULL)) != -1)
        code = take_option(c, args, argv);
    args->source.files = args->files;
    args->source.assigned = args->assigned;
    if (code >= 0)
        return code;
    if (optind + 1 != argc)
        return command_misused(optind == argc ? "load wants the address of a bus" : "load takes from one bus",
                               usage);
    args->from = argv[optind];
    return args->into ? -1 : command_misused("load wants -o clickhouse://HOST/DATABASE", usage);
}

/* "SOURCE: no kind of bus 'nast'; the nearest is 'nats'" */
static int no_scheme(const char *what, const char *url, const char *const *known, struct error *reterr)
{
    const char *end = strstr(url, "://");
    struct slice given = end ? slice_sub(slice_str(url), 0, (size_t)(end - url)) : slice_str(url);
    struct nearest near = nearest_to(given);
    for (size_t i = 0; known[i]; i++)
        nearest_try(&near, known[i]);
    return error_set(reterr, -EINVAL, "%s '%s'; the nearest is '%s://...'", what, shown(given).text,
                     near.name && end ? near.name : known[0]);
}

static int no_source(const char *url, struct error *reterr)
{
    const char *known[8] = {NULL};
    for (size_t i = 0; source_table[i] && i < 7; i++)
        known[i] = source_table[i]->scheme;
    return no_scheme("load: no kind of bus", url, known, reterr);
}

static const char *or_null(const struct text_setting *text)
{
    return *text->text ? text->text : NULL;
}

/* Everybody on this machine reads command lines. */
static int check_source(const struct load_settings *load, struct error *reterr)
{
    if (strchr(load->from.link.url, '@'))
        return error_set(reterr, -EINVAL,
                         "%s://...: no user or password belongs into the address; see load_user and "
                         "load_password_file",
                         load->source->scheme);
    for (const char *p = load->from.group; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || byte_is_digit((uint8_t)*p) ||
              *p == '-' || *p == '_'))
            return error_set(reterr, -EINVAL, "load_group is of letters, digits, '-' and '_', not '%s'",
                             shown(slice_str(load->from.group)).text);
    if (load->from.link.key_file && !load->from.link.cert_file)
        return error_set(reterr, -EINVAL, "load_key_file is set, but load_cert_file is not");
    if (!*load->from.group)
        return error_set(reterr, -EINVAL, "load_group is empty");
    return load->source->check(&load->from, reterr);
}

static int check_target(const struct load_settings *load, struct error *reterr)
{
    static const char *const known[] = {"clickhouse", "clickhouses", NULL};
    const char *url = load->into.url;
    if (!load->carrier || strncmp(load->carrier->scheme, known[0], strlen(known[0])) != 0)
        return no_scheme("load -o: it fills ClickHouse, and not", url, known, reterr);
    int err = carrier_check_url(load->carrier, url, reterr);
    return err ? err : load->carrier->check(&load->into, reterr);
}

static void over_pass(void *ctx, struct slice lines, struct line *out)
{
    over_take(((struct loading *)ctx)->over, lines, out);
}

static void over_look(void *ctx, double now, struct line *out)
{
    struct loading *l = ctx;
    over_tick(l->over, now, out);
    pthread_mutex_lock(&l->lock);
    l->counts = over_counts(l->over);
    pthread_mutex_unlock(&l->lock);
}

static void over_end(void *ctx, struct line *out)
{
    over_finish(((struct loading *)ctx)->over, out);
}

static int over_keep(void *ctx, bool now, struct error *reterr)
{
    return over_save(((struct loading *)ctx)->over, now, reterr);
}

static_assert((int)LOAD_SERVE_FDS >= (int)METRICS_FDS, "all of its sockets are polled");

static size_t list_fds(void *ctx, struct pollfd ret[static LOAD_SERVE_FDS])
{
    return metrics_fds(((struct loading *)ctx)->metrics, ret);
}

struct asked {
    struct loading *loading;
    struct load_counts *counts;
};

static void write_page(void *ctx, struct buf *out)
{
    const struct asked *a = ctx;
    load_counts_page(a->counts, out);
    pthread_mutex_lock(&a->loading->lock);
    over_page(&a->loading->counts, out);
    pthread_mutex_unlock(&a->loading->lock);
}

static void serve(void *ctx, struct load_counts *counts)
{
    struct loading *l = ctx;
    metrics_serve(l->metrics, write_page, &(struct asked){l, counts});
}

/* In the courier's process. */
static void courier_begins(void *ctx)
{
    const struct loading *l = ctx;
    struct confine_report report;
    struct error err;
    if (confine_user(l->user, &report, &err) == 0)
        return;
    fprintf(stderr, "mailtap: courier: %s\n", err.text);
    _exit(EXIT_USAGE);
}

static int give_up(void *ctx, const struct load_settings *load, struct error *reterr)
{
    const struct loading *l = ctx;
    const struct load_rights rights = {l->user, l->set->load_state.text,
                                       courier_process(l->services.courier)};
    /* A core would have mails and passwords in it. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    return load_rights_drop(load, &rights, reterr);
}

static void fill(struct loading *l, struct load_settings *ret)
{
    const struct settings *set = l->set;
    const char *end = strstr(l->args->into, "://");
    const struct slice scheme =
        slice_sub(slice_str(l->args->into), 0, end ? (size_t)(end - l->args->into) : 0);
    *ret = (struct load_settings){.source = source_find(l->args->from),
                                  .from = {.link = {.url = l->args->from,
                                                    .user = or_null(&set->load_user),
                                                    .password_file = or_null(&set->load_password_file),
                                                    .ca_file = or_null(&set->load_ca_file),
                                                    .cert_file = or_null(&set->load_cert_file),
                                                    .key_file = or_null(&set->load_key_file),
                                                    .timeout = set->carry_timeout},
                                           .group = set->load_group.text,
                                           .redeliver = set->load_redeliver},
                                  .carrier = carrier_find(scheme),
                                  .into = services_carrier(set, l->args->into),
                                  .bytes = set->load_bytes,
                                  .wait = set->load_wait,
                                  .tell_every = set->stats_interval,
                                  .until_empty = l->args->until_empty,
                                  .hook = {over_pass, over_look, over_end, over_keep, l},
                                  .begin = give_up,
                                  .begin_ctx = l};
    ret->into.outbox = l->folder;
    /* A record that names no sensor is none of this machine's. */
    ret->into.sensor = "";
}

static int check(const struct loading *l, const struct load_settings *load, struct error *reterr)
{
    if (!load->source)
        return no_source(l->args->from, reterr);
    if (!*l->set->outbox_directory.text)
        return error_set(
            reterr, -EINVAL,
            "load wants the setting outbox_directory, where lines that are refused are put aside");
    int err = services_check(l->set, reterr);
    if (!err)
        err = check_source(load, reterr);
    return err ? err : check_target(load, reterr);
}

/* Root becomes somebody plain. */
static uid_t choose_user(struct loading *l)
{
    const char *wanted = l->set->user.text;
    if (!*wanted && geteuid() == 0)
        wanted = getpwnam("mailtap") ? "mailtap" : "nobody";
    snprintf(l->user, sizeof l->user, "%.63s", wanted);
    const struct passwd *pw = geteuid() == 0 && *l->user ? getpwnam(l->user) : NULL;
    return pw ? pw->pw_uid : 0;
}

static int run(struct loading *l)
{
    struct load_settings load;
    struct error err;
    if (settings_collect(&l->args->source, l->set, &err) < 0)
        return command_fail(&err);
    fill(l, &load);
    if (check(l, &load, &err) < 0)
        return command_fail(&err);
    load.into.owner = choose_user(l);
    const struct courier_start how = {l->set->courier_wait, load.into.owner, courier_begins, l};
    if (services_outbox(l->set, l->args->from, "load-", load.into.owner, l->folder, &err) < 0 ||
        services_courier(&l->services, l->set, &how, &err) < 0)
        return command_fail(&err);
    if (l->args->metrics && metrics_open(l->args->metrics, &l->metrics, &err) < 0)
        return command_fail(&err);
    if (l->metrics)
        load.serve = (struct load_serve){list_fds, serve, l};
    const struct over_settings over = {l->set, l->services.courier};
    if (over_new(&over, &l->over, &err) < 0)
        return command_fail(&err);
    enum loaded how_it_went = load_run(&load, &l->ended, &err);
    over_tell(l->over);
    if (how_it_went == LOADED_NOT)
        return command_fail(&err);
    return how_it_went == LOADED ? EXIT_DONE : EXIT_PARTLY;
}

int load_main(int argc, char **argv)
{
    const char **lists = calloc(2 * (size_t)argc, sizeof *lists);
    struct settings *set = malloc(sizeof *set);
    memory_check(lists);
    memory_check(set);
    struct arguments args = {.files = lists, .assigned = lists + argc};
    struct loading l = {.args = &args, .set = set, .ended = true, .lock = PTHREAD_MUTEX_INITIALIZER};
    int code = take_arguments(&args, argc, argv);
    if (code < 0) {
        code = run(&l);
        over_free(&l.over);
        metrics_close(&l.metrics);
        if (!services_close(&l.services) && code == EXIT_DONE)
            code = EXIT_PARTLY;
    }
    if (!l.ended)
        _exit(code);
    free(set);
    free(lists);
    return code;
}
