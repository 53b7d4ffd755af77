/* web_main.c: mailtap web.
 * In: the command line. Out: a server; an exit code. Owns: the settings. The order: the socket, and files
 * that only root may read, while there are rights to open them; then the user, Landlock and seccomp; then
 * threads. Knowingly: there is no keeper: who ends it badly has systemd start it again. */
#include "web_main.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/shown.h"
#include "command.h"
#include "read.h"
#include "settings.h"
#include "stores.h"
#include "web/openapi.h"
#include "web/web.h"
#include "web_rights.h"
#include "web_secret.h"

static const char usage[] =
    "usage: mailtap web STORE [-c settings.yaml] [-s key=value]... [--listen ADDRESS:PORT] [--user NAME]\n"
    "       STORE is a folder, or clickhouse://HOST[:PORT]/DATABASE (clickhouses:// by TLS)\n"
    "       mailtap web --hash-password   reads a password, prints its line for the file of users\n"
    "       mailtap web --make-token      prints a token for a program, and its line\n"
    "       mailtap web --openapi         prints the description of the API\n";

struct arguments {
    const char *store, *listen, *user;
    struct settings_source source;
    const char **files, **assigned;
    int (*instead)(void); /* of a server */
};

static const struct option longs[] = {{"listen", required_argument, NULL, 'l'},
                                      {"user", required_argument, NULL, 'u'},
                                      {"hash-password", no_argument, NULL, 'p'},
                                      {"make-token", no_argument, NULL, 't'},
                                      {"openapi", no_argument, NULL, 'o'},
                                      {"help", no_argument, NULL, 'h'},
                                      {0}};

static int print_openapi(void)
{
    struct answer a;
    answer_init(&a);
    openapi_write(&a, MAILTAP_VERSION);
    fwrite(a.body.data, 1, a.body.len, stdout);
    putchar('\n');
    answer_free(&a);
    return command_finish();
}

static int take_option(int c, struct arguments *args, char **argv)
{
    static const char *const known[] = {
        "--listen", "--user", "--hash-password", "--make-token", "--openapi", "--help", "-c", "-s", NULL};
    switch (c) {
    case 'c':
        args->files[args->source.file_count++] = optarg;
        return -1;
    case 's':
        args->assigned[args->source.assigned_count++] = optarg;
        return -1;
    case 'l':
        args->listen = optarg;
        return -1;
    case 'u':
        args->user = optarg;
        return -1;
    case 'o':
        args->instead = print_openapi;
        return -1;
    case 'p':
        args->instead = web_hash_password;
        return -1;
    case 't':
        args->instead = web_make_token;
        return -1;
    case 'h':
        fputs(usage, stdout);
        return command_finish();
    default:
        return command_bad_option("web", c, argv, known, usage);
    }
}

static int take_arguments(struct arguments *args, int argc, char **argv)
{
    int c, code = -1;
    opterr = 0;
    while (code < 0 && (c = getopt_long(argc, argv, ":c:s:h", longs, NULL)) != -1)
        code = take_option(c, args, argv);
    args->source.files = args->files;
    args->source.assigned = args->assigned;
    if (code >= 0)
        return code;
    if (args->instead)
        return optind == argc ? -1 : command_misused("that stands alone", usage);
    if (optind + 1 != argc)
        return command_misused(optind == argc ? "web wants a store: a folder, or clickhouse://HOST/DATABASE"
                                              : "web shows one store",
                               usage);
    args->store = argv[optind];
    return -1;
}

static int open_reader(void *stores, struct reader **ret, struct error *reterr)
{
    return stores_reader(stores, ret, reterr);
}

static int fill(const struct arguments *args, const struct settings *set, struct stores *stores,
                struct web_settings *ret, struct error *reterr)
{
    const char *listen = args->listen ? args->listen : set->web_listen.text;
    const char *folder = *set->web_directory.text ? set->web_directory.text : stores_folder(stores);
    *ret = (struct web_settings){.open_reader = open_reader,
                                 .store = stores,
                                 .directory = folder ? folder : "",
                                 .version = MAILTAP_VERSION,
                                 .certificate = set->web_certificate.text,
                                 .key = set->web_key.text,
                                 .users = set->web_users.text,
                                 .audit = set->web_audit.text,
                                 .host_count = set->web_hosts.count,
                                 .session_idle = set->web_session_idle,
                                 .session_most = set->web_session_most,
                                 .log_ins = set->web_log_ins,
                                 .connections = set->web_connections,
                                 .threads = set->web_threads,
                                 .page_rows = set->web_page_rows,
                                 .seconds = set->web_seconds,
                                 .client_timeout = set->web_client_timeout};
    for (size_t i = 0; i < set->web_hosts.count; i++)
        ret->hosts[i] = set->web_hosts.items[i].text;
    if (!web_address(listen, &ret->listen))
        return error_set(reterr, -EINVAL, "web: listen wants ADDRESS:PORT, as 127.0.0.1:8025, not '%s'",
                         shown(slice_str(listen)).text);
    return 0;
}

/* NULL and "" are none. */
static int check_folder(const char *path, struct error *reterr)
{
    struct stat st;
    if (!path || !*path)
        return 0;
    if (stat(path, &st) < 0)
        return error_set(reterr, -errno, "%.300s: %s", path, strerror(errno));
    return S_ISDIR(st.st_mode) ? 0 : error_set(reterr, -ENOTDIR, "%.300s: %s", path, strerror(ENOTDIR));
}

static void serve(struct web *w, const char *store)
{
    const struct endpoint at = web_endpoint(w);
    char text[ADDRESS_TEXT];
    address_text(&at.addr, text);
    printf(at.addr.family == 6 ? "mailtap web: %s://[%s]:%u/ shows %s\n"
                               : "mailtap web: %s://%s:%u/ shows %s\n",
           web_is_secure(w) ? "https" : "http", text, at.port, store);
    fflush(stdout);
    web_serve(w);
}

/* Blocked before there are threads, so that all of them inherit it. */
static void block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static int drop(const struct arguments *args, const struct settings *set, const struct stores *stores,
                const struct web_settings *ws, struct error *reterr)
{
    const struct web_rights rights = {.web = ws,
                                      .user = args->user ? args->user : set->user.text,
                                      .folder = stores_folder(stores),
                                      .url = stores_name(stores),
                                      .ca_file = *set->carry_ca_file.text ? set->carry_ca_file.text : NULL};
    return web_rights_drop(&rights, reterr);
}

static int run(const struct arguments *args, struct settings *set)
{
    struct web_settings ws;
    struct stores *stores = NULL;
    struct web *w = NULL;
    struct error err;
    block_signals();
    if (settings_collect(&args->source, set, &err) < 0 ||
        stores_open_by(set, args->store, set->web_sums_bytes, &stores, &err) < 0)
        return command_fail(&err);
    stores_discreet(stores);
    if (check_folder(stores_folder(stores), &err) < 0 || check_folder(set->web_directory.text, &err) < 0 ||
        fill(args, set, stores, &ws, &err) < 0 || web_open(&ws, &w, &err) < 0)
        return stores_close(&stores), command_fail(&err);
    int code = EXIT_DONE;
    if (drop(args, set, stores, &ws, &err) < 0 || web_start(w, &err) < 0)
        code = command_fail(&err);
    else
        serve(w, stores_name(stores));
    if (!web_close(w))
        _exit(code);
    stores_close(&stores);
    return code;
}

int web_main(int argc, char **argv)
{
    const char **lists = calloc(2 * (size_t)argc, sizeof *lists);
    struct settings *set = malloc(sizeof *set);
    memory_check(lists);
    memory_check(set);
    struct arguments args = {.files = lists, .assigned = lists + argc};
    int code = take_arguments(&args, argc, argv);
    if (code < 0)
        code = args.instead ? args.instead() : run(&args, set);
    free(set);
    free(lists);
    return code;
}
