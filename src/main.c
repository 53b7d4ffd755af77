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
#include "read.h"

static const char usage[] =
    "usage: mailtap read FILE... [-c settings.yaml] [-s key=value]... [-f json|text|zeek|smtp-ext] [-o DIR] "
    "[--script FILE.lua]... [--workers N|auto] [--events]\n"
    "       mailtap settings            every setting with type, default and meaning\n"
    "       mailtap schema              the JSON Schema of what read prints\n"
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
    static const char *const known[] = {"-c",        "-s",       "-f",     "-o", "--script",
                                        "--workers", "--events", "--help", NULL};
    char letter[] = {'-', (char)optopt, '\0'};
    if (optopt && strchr("csfolw", optopt)) {
        fprintf(stderr, "mailtap: %s wants a value\n",
                optopt == 'l'   ? "--script"
                : optopt == 'w' ? "--workers"
                                : letter);
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
    fprintf(stderr, "mailtap: standard output: %s\n", strerror(errno));
    return EXIT_PARTLY;
}

struct arguments {
    struct read_options read;
    struct settings set;
    char **assigned; /* the values of -s, which stand above -c wherever they stand */
    int assigned_count;
};

static int take_workers(size_t *ret, const char *text)
{
    enum { MOST = 64 };
    struct slice s = slice_str(text);
    uint64_t count = 0;
    *ret = 0;
    if (slice_eq(s, slice_str("auto")))
        return -1;
    for (size_t i = 0; i < s.len && count <= MOST; i++)
        count = byte_is_digit(s.data[i]) ? count * 10 + (uint64_t)(s.data[i] - '0') : MOST + 1;
    if (!count || count > MOST) {
        fprintf(stderr, "mailtap: --workers wants a number from 1 to %d, or auto, not '%.60s'\n", MOST, text);
        return EXIT_USAGE;
    }
    *ret = count;
    return -1;
}

/* One option of read; a negative number where it is fine, else the exit code. */
static int take_option(int c, struct arguments *args, char **argv)
{
    struct error err;
    switch (c) {
    case 'f':
        args->read.results.format = sink_find(optarg);
        return args->read.results.format ? -1 : no_format(optarg);
    case 'o':
        args->read.results.directory = optarg;
        return -1;
    case 'e':
        args->read.results.events = true;
        return -1;
    case 'l':
        args->read.scripts[args->read.script_count++] = optarg;
        return -1;
    case 'w':
        return take_workers(&args->read.workers, optarg);
    case 'h':
        return fputs(usage, stdout), finish(EXIT_DONE);
    case 's':
        args->assigned[args->assigned_count++] = optarg;
        return -1;
    case 'c':
        return settings_load(&args->set, optarg, &err) < 0 ? bad_setting(&err) : -1;
    default:
        return bad_option(argv);
    }
}

static int take_arguments(struct arguments *args, int argc, char **argv)
{
    static const struct option longs[] = {{"events", no_argument, NULL, 'e'},
                                          {"script", required_argument, NULL, 'l'},
                                          {"workers", required_argument, NULL, 'w'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct error err;
    int c, code = -1;
    settings_defaults(&args->set);
    opterr = 0;
    while (code < 0 && (c = getopt_long(argc, argv, "c:s:f:o:h", longs, NULL)) != -1)
        code = take_option(c, args, argv);
    for (int i = 0; i < args->assigned_count && code < 0; i++)
        if (settings_assign(&args->set, args->assigned[i], &err) < 0)
            code = bad_setting(&err);
    return code < 0 && optind == argc ? bad_usage("read wants a file") : code;
}

static int command_read(int argc, char **argv)
{
    struct arguments *args = calloc(1, sizeof *args);
    char **assigned = calloc((size_t)argc, sizeof *assigned);
    const char **scripts = calloc((size_t)argc, sizeof *scripts);
    assert(args && assigned && scripts);
    args->assigned = assigned;
    args->read.scripts = scripts;
    int code = take_arguments(args, argc, argv);
    if (code < 0)
        code = read_captures(&args->read, &args->set, argv + optind, argc - optind);
    free(scripts);
    free(assigned);
    free(args);
    return code;
}

int main(int argc, char **argv)
{
    static const char *const commands[] = {"read", "settings", "schema", NULL};
    if (argc < 2)
        return bad_usage("wants a command");
    /* A reader that went away is an error of output, with a text, like a full disk. */
    signal(SIGPIPE, SIG_IGN);
    const char *command = argv[1];
    if (strcmp(command, "read") == 0)
        return command_read(argc - 1, argv + 1);
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
        return fputs(usage, stdout), finish(EXIT_DONE);
    if (argc > 2 && (strcmp(command, "settings") == 0 || strcmp(command, "schema") == 0))
        return bad_usage("settings and schema stand alone");
    if (strcmp(command, "settings") == 0)
        return settings_print(stdout), finish(EXIT_DONE);
    if (strcmp(command, "schema") == 0)
        return schema_print(stdout), finish(EXIT_DONE);
    if (strcmp(command, "--version") == 0)
        return puts("mailtap " MAILTAP_VERSION), finish(EXIT_DONE);
    if (access(command, R_OK) == 0) {
        fprintf(stderr, "mailtap: no command '%.200s'; to read a capture: mailtap read FILE\n", command);
        return EXIT_USAGE;
    }
    return no_such("command", command, commands);
}
