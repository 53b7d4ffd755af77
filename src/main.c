/* main.c: arguments.
 * In: the command line. Out: exit codes (enum exit_code), texts about what is wrong with it. Owns: the
 * settings. */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/nearest.h"
#include "base/memory.h"
#include "clickhouse/schema.h"
#include "record/digest.h"
#include "load_main.h"
#include "query_main.h"
#include "tap.h"
#include "watch.h"
#include "web_main.h"

static const char usage[] =
    "usage: mailtap read FILE... [-c settings.yaml] [-s key=value]... "
    "[-f json|text|zeek|smtp-ext|zeek-json|ecs|ocsf|eve] [-o DIR|sqlite:DIR|URL]... "
    "[--script FILE.lua]... [--workers N|auto] [--extract DIR] [--events]\n"
    "       mailtap watch IFACE... [-c settings.yaml] [-s key=value]... [-f FORMAT] [-o "
    "DIR|sqlite:DIR|URL]... "
    "[--script "
    "FILE.lua]... "
    "[--workers N|auto] [--extract DIR] [--metrics ADDRESS:PORT] [--user NAME]\n"
    "       mailtap query STORE 'QUERY' [-c settings.yaml] [-s key=value]... [--stream NAME|all] "
    "[-f text|json|csv] [--fields a,b] [--limit N] [--oldest] [--count] [--explain]\n"
    "       mailtap web STORE [-c settings.yaml] [-s key=value]... [--listen ADDRESS:PORT] [--user NAME]\n"
    "       mailtap load SOURCE -o URL [-c settings.yaml] [-s key=value]... [--until-empty] "
    "[--metrics ADDRESS:PORT]\n"
    "       mailtap settings            every setting with type, default and meaning\n"
    "       mailtap schema [--clickhouse] [--cluster NAME] [--database NAME] [--modern]\n"
    "                                   the JSON Schema of what read prints, or the tables of -o "
    "clickhouse://\n"
    "       mailtap --version, --help\n"
    "FILE is pcap or pcapng, plain or gz, zst, lz4; - is standard input.\n";

static int bad_usage(const char *text)
{
    fprintf(stderr, "mailtap: %s\n%s", text, usage);
    return EXIT_USAGE;
}

/* "no WHAT 'given'; the nearest is ..." */
static int no_such(const char *what, const char *given, const char *const *known)
{
    struct nearest near = nearest_to(slice_str(given));
    for (size_t i = 0; known[i]; i++)
        nearest_try(&near, known[i]);
    fprintf(stderr, "mailtap: no %s '%.60s'", what, given);
    if (near.name && near.edits * 2 <= strlen(given))
        fprintf(stderr, "; the nearest is '%s'", near.name);
    fputs("; there are", stderr);
    for (size_t i = 0; known[i]; i++)
        fprintf(stderr, "%s %s", i ? "," : "", known[i]);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

static int no_format(const char *given)
{
    const char *known[16] = {NULL};
    for (size_t i = 0; sink_table[i] && i < 15; i++)
        known[i] = sink_table[i]->name;
    return no_such("format", given, known);
}

static int bad_option(char **argv)
{
    static const char *const known[] = {"-c",        "-s",        "-f",        "-o",
                                        "--script",  "--workers", "--extract", "--events",
                                        "--metrics", "--user",    "--help",    NULL};
    char letter[] = {'-', (char)optopt, '\0'};
    static const char *const longs[] = {
        ['l'] = "--script", ['w'] = "--workers", ['m'] = "--metrics", ['u'] = "--user", ['X'] = "--extract"};
    if (optopt && strchr("csfolwmuX", optopt)) {
        bool is_long = strchr("lwmuX", optopt);
        fprintf(stderr, "mailtap: %s wants a value\n", is_long ? longs[optopt] : letter);
        return EXIT_USAGE;
    }
    return no_such("option", optopt ? letter : argv[optind - 1], known);
}

static int bad_setting(const struct error *err)
{
    fprintf(stderr, "mailtap: %s\n", err->text);
    return EXIT_USAGE;
}

/* What went to standard output must have arrived. */
static int finish(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (errno == EPIPE)
        return EXIT_UNREAD;
    fprintf(stderr, "mailtap: standard output: %s\n", strerror(errno));
    return EXIT_PARTLY;
}

/* What read and watch are told. Lists have room for all that the command line can hold. */
struct arguments {
    bool live; /* watch */
    struct results_settings results;
    const char **files, **assigned, **scripts;
    struct settings_source source;
    size_t script_count, workers;
    const char *metrics, *user;
    char extract[SETTINGS_TEXT + 32]; /* --extract, as the setting that it is */
};

static int take_workers(size_t *ret, const char *text)
{
    struct slice s = slice_str(text);
    uint64_t count = 0;
    *ret = 0;
    if (slice_eq(s, slice_str("auto")))
        return -1;
    for (size_t i = 0; i < s.len && count <= TAPS_MOST; i++)
        count = byte_is_digit(s.data[i]) ? count * 10 + (uint64_t)(s.data[i] - '0') : TAPS_MOST + 1;
    if (!count || count > TAPS_MOST) {
        fprintf(stderr, "mailtap: --workers wants a number from 1 to %d, or auto, not '%.60s'\n", TAPS_MOST,
                text);
        return EXIT_USAGE;
    }
    *ret = count;
    return -1;
}

static int take_folder(struct arguments *args, const char *path)
{
    if (strlen(path) >= SETTINGS_TEXT)
        return bad_usage("--extract wants a shorter name");
    snprintf(args->extract, sizeof args->extract, "extract_directory=%s", path);
    args->assigned[args->source.assigned_count++] = args->extract;
    return -1;
}

static int take_target(struct arguments *args, const char *text)
{
    struct error err;
    return results_add_target(&args->results, text, &err) < 0 ? bad_setting(&err) : -1;
}

/* One option; a negative number where it is fine, else the exit code. */
static int take_option(int c, struct arguments *args, char **argv)
{
    switch (c) {
    case 'f':
        args->results.format = sink_find(optarg);
        return args->results.format ? -1 : no_format(optarg);
    case 'o':
        return take_target(args, optarg);
    case 'e':
        args->results.events = true;
        return args->live ? bad_usage("--events is for read") : -1;
    case 'l':
        args->scripts[args->script_count++] = optarg;
        return -1;
    case 'w':
        return take_workers(&args->workers, optarg);
    case 'm':
        args->metrics = optarg;
        return args->live ? -1 : bad_usage("--metrics is for watch");
    case 'u':
        args->user = optarg;
        return args->live ? -1 : bad_usage("--user is for watch");
    case 'X':
        return take_folder(args, optarg);
    case 'h':
        return fputs(usage, stdout), finish(EXIT_DONE);
    case 's':
        args->assigned[args->source.assigned_count++] = optarg;
        return -1;
    case 'c':
        args->files[args->source.file_count++] = optarg;
        return -1;
    default:
        return bad_option(argv);
    }
}

static int take_arguments(struct arguments *args, int argc, char **argv)
{
    static const struct option longs[] = {
        {"events", no_argument, NULL, 'e'},        {"script", required_argument, NULL, 'l'},
        {"workers", required_argument, NULL, 'w'}, {"metrics", required_argument, NULL, 'm'},
        {"user", required_argument, NULL, 'u'},    {"extract", required_argument, NULL, 'X'},
        {"help", no_argument, NULL, 'h'},          {0}};
    int c, code = -1;
    opterr = 0;
    while (code < 0 && (c = getopt_long(argc, argv, "c:s:f:o:h", longs, NULL)) != -1)
        code = take_option(c, args, argv);
    args->source.files = args->files;
    args->source.assigned = args->assigned;
    if (code >= 0 || optind < argc)
        return code;
    return bad_usage(args->live ? "watch wants an interface" : "read wants a file");
}

static int run_read(const struct arguments *args, char **files, int count)
{
    struct settings *set = malloc(sizeof *set);
    struct error err;
    memory_check(set);
    const struct read_options opt = {args->results, args->scripts, args->script_count, args->workers};
    int code = settings_collect(&args->source, set, &err) < 0 ? bad_setting(&err)
                                                              : (int)read_captures(&opt, set, files, count);
    free(set);
    return code;
}

static int run_watch(const struct arguments *args, char **interfaces, int count)
{
    const struct watch_options opt = {.results = args->results,
                                      .source = args->source,
                                      .scripts = args->scripts,
                                      .script_count = args->script_count,
                                      .workers = args->workers,
                                      .metrics = args->metrics,
                                      .user = args->user,
                                      .interfaces = (const char *const *)interfaces,
                                      .interface_count = (size_t)count};
    static_assert(TAP_INTERFACES == 16, "the text says so");
    if (count > TAP_INTERFACES)
        return bad_usage("watch takes up to 16 interfaces");
    return keeper_run(&opt);
}

static int command_read(int argc, char **argv, bool live)
{
    const char **lists = calloc(3 * (size_t)argc, sizeof *lists);
    memory_check(lists);
    struct arguments args = {
        .live = live, .files = lists, .assigned = lists + argc, .scripts = lists + 2 * argc};
    int code = take_arguments(&args, argc, argv);
    if (code < 0)
        code = (live ? run_watch : run_read)(&args, argv + optind, argc - optind);
    free(lists);
    return code;
}

/* schema alone, or what it is told to print. */
static int command_schema(int argc, char **argv)
{
    static const struct option longs[] = {
        {"clickhouse", no_argument, NULL, 'k'},     {"cluster", required_argument, NULL, 'n'},
        {"database", required_argument, NULL, 'd'}, {"modern", no_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},           {0}};
    static const char *const known[] = {"--clickhouse", "--cluster", "--database",
                                        "--modern",     "--help",    NULL};
    struct clickhouse_form form = {0};
    bool tables = false;
    int c;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h')
            return fputs(usage, stdout), finish(EXIT_DONE);
        if (c == '?' && (optopt == 'n' || optopt == 'd'))
            return bad_usage(optopt == 'n' ? "--cluster wants a name" : "--database wants a name");
        if (c == '?')
            return no_such("option", argv[optind - 1], known);
        tables |= c == 'k';
        form.modern |= c == 'm';
        form.cluster = c == 'n' ? optarg : form.cluster;
        form.database = c == 'd' ? optarg : form.database;
    }
    if (optind < argc)
        return bad_usage("schema takes no file");
    if (!tables && (form.cluster || form.modern))
        return bad_usage("--cluster and --modern go with --clickhouse");
    if (form.database && !form.cluster)
        return bad_usage("--database goes with --cluster");
    if (!form.database)
        form.database = "mailtap";
    if ((form.cluster && !clickhouse_name_fits(slice_str(form.cluster))) ||
        !clickhouse_name_fits(slice_str(form.database)))
        return bad_usage("--cluster and --database want a name of letters, digits and _");
    if (tables)
        clickhouse_print(stdout, &form);
    else
        schema_print(stdout);
    return finish(EXIT_DONE);
}

static int run_command(int argc, char **argv)
{
    static const char *const commands[] = {"read", "watch",    "query",  "web",
                                           "load", "settings", "schema", NULL};
    if (argc < 2)
        return bad_usage("wants a command");
    digest_memory();
    const char *command = argv[1];
    if (strcmp(command, "read") == 0 || strcmp(command, "watch") == 0)
        return command_read(argc - 1, argv + 1, *command == 'w');
    if (strcmp(command, "query") == 0)
        return query_main(argc - 1, argv + 1);
    if (strcmp(command, "web") == 0)
        return web_main(argc - 1, argv + 1);
    if (strcmp(command, "load") == 0)
        return load_main(argc - 1, argv + 1);
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
        return fputs(usage, stdout), finish(EXIT_DONE);
    if (argc > 2 && strcmp(command, "settings") == 0)
        return bad_usage("settings stands alone");
    if (strcmp(command, "settings") == 0)
        return settings_print(stdout), finish(EXIT_DONE);
    if (strcmp(command, "schema") == 0)
        return command_schema(argc - 1, argv + 1);
    if (strcmp(command, "--version") == 0)
        return puts("mailtap " MAILTAP_VERSION), finish(EXIT_DONE);
    if (access(command, R_OK) == 0) {
        fprintf(stderr, "mailtap: no command '%.200s'; to read a capture: mailtap read FILE\n", command);
        return EXIT_USAGE;
    }
    return no_such("command", command, commands);
}

int main(int argc, char **argv)
{
    /* A reader that went away, or a file over the limit, is an error of output like a full disk. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    int code = run_command(argc, argv);
    if (code == EXIT_UNREAD) {
        /* Who had enough wants no words; a shell sees the same as of other programs. */
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return code;
}
