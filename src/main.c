/* main.c: arguments, and the loop over the files.
 * Exit codes: 0 all was read, 1 a file could not be read to its end or output failed, 2 wrong arguments or
 * settings. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "pipeline.h"
#include "sink/sink.h"

enum { EXIT_DONE = 0, EXIT_PARTLY = 1, EXIT_USAGE = 2 };

struct run {
    const struct sink_ops *ops;
    struct sink *sink;
    bool events, failed;
    struct error error;
    struct pipeline *pipeline;
    struct timespec event_ts;
    uint64_t packets, bytes, cut_packets, skipped;
    double progress_at;
};

static const char usage[] =
    "usage: mailtap read FILE... [-c settings.yaml] [-s key=value]... [-f json|text|zeek|smtp-ext] [-o DIR] "
    "[--events]\n"
    "       mailtap settings            every setting with type, default and meaning\n"
    "       mailtap schema              the JSON Schema of what read prints\n"
    "FILE is pcap or pcapng, plain or gz, zst, lz4; - is standard input.\n";

static double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void on_record(void *ctx, const struct record *rec)
{
    struct run *run = ctx;
    if (!run->events && !run->failed)
        run->failed = run->ops->write(run->sink, rec, &run->error) < 0;
}

static void print_event_head(struct timespec ts, struct slice uid)
{
    printf("%lld.%06ld %.*s ", (long long)ts.tv_sec, ts.tv_nsec / 1000, (int)uid.len, (const char *)uid.data);
}

static void on_event(void *ctx, struct slice uid, const struct smtp_event *ev)
{
    struct run *run = ctx;
    char line[4096];
    run->event_ts = ev->ts;
    smtp_dump(ev, line, sizeof line);
    print_event_head(ev->ts, uid);
    puts(line);
}

/* A MIME event comes with the event of the dialogue that caused it. */
static void on_mime(void *ctx, struct slice uid, uint32_t mail, const struct mime_event *ev)
{
    const struct run *run = ctx;
    char line[4096];
    mime_dump(ev, line, sizeof line);
    print_event_head(run->event_ts, uid);
    printf("mime mail=%u %s\n", mail, line);
}

static void progress(struct run *run, const struct source *src, const char *path)
{
    const struct source_stats *st = source_stats(src);
    double now = clock_seconds();
    if (now - run->progress_at < 0.5)
        return;
    run->progress_at = now;
    struct pipeline_stats ps = pipeline_stats(run->pipeline);
    fprintf(stderr, "\r%s: %.0f %%, %llu packets, %llu mails\033[K", path,
            st->file_bytes ? 100.0 * (double)st->file_read / (double)st->file_bytes : 0.0,
            (unsigned long long)(run->packets + st->packets), (unsigned long long)ps.mails);
}

static int read_file(struct run *run, const char *path, bool show)
{
    struct source *src = NULL;
    struct error err;
    int got = source_open(path, &src, &err);
    if (got < 0) {
        fprintf(stderr, "mailtap: %s\n", err.text);
        return EXIT_PARTLY;
    }
    struct packet pkt;
    unsigned tick = 0;
    while ((got = source_next(src, &pkt, &err)) > 0 && !run->failed) {
        pipeline_packet(run->pipeline, &pkt);
        if (show && !(++tick & 0xfff))
            progress(run, src, path);
    }
    if (show && run->progress_at > 0)
        fputs("\r\033[K", stderr);
    if (got < 0)
        fprintf(stderr, "mailtap: %s\n", err.text);
    const struct source_stats *st = source_stats(src);
    run->packets += st->packets;
    run->bytes += st->bytes;
    run->cut_packets += st->cut_packets;
    run->skipped += st->skipped_blocks;
    source_close(&src);
    return got < 0 ? EXIT_PARTLY : EXIT_DONE;
}

static void say_count(uint64_t count, const char *what)
{
    if (count)
        fprintf(stderr, ", %llu %s", (unsigned long long)count, what);
}

static void closing_line(const struct run *run, double seconds)
{
    struct pipeline_stats s = pipeline_stats(run->pipeline);
    fprintf(stderr, "mailtap: %llu packets, %llu bytes, %llu sessions, %llu mails in %.2f s",
            (unsigned long long)run->packets, (unsigned long long)run->bytes, (unsigned long long)s.sessions,
            (unsigned long long)s.mails, seconds);
    say_count(s.decode.other, "packets not TCP");
    say_count(run->cut_packets, "packets cut by the snap length");
    say_count(s.decode.cut, "of them too short for TCP");
    say_count(s.decode.broken, "broken packets skipped");
    say_count(s.decode.checksum, "packets with a wrong checksum skipped");
    say_count(run->skipped, "blocks without a packet skipped");
    say_count(s.decode.fragments_expired + s.decode.fragments_shed, "datagrams with missing fragments");
    say_count(s.flow.gaps, "gaps");
    say_count(s.flow.gap_bytes, "bytes in gaps");
    say_count(s.flow.over_budget, "holes given up over budget");
    say_count(s.flow.shed, "connections shed");
    fputc('\n', stderr);
}

struct options {
    const char *format, *directory;
    bool events;
};

static int run_files(const struct options *opt, const struct settings *set, char **files, int count)
{
    bool tty = isatty(STDOUT_FILENO);
    struct run run = {.events = opt->events};
    const char *format = opt->format ? opt->format : tty && !opt->directory ? "text" : "json";
    run.ops = sink_find(format);
    struct sink_settings sink = {.directory = opt->directory, .color = tty && !getenv("NO_COLOR")};
    if (!run.events && run.ops->open(&sink, &run.sink, &run.error) < 0) {
        fprintf(stderr, "mailtap: %s\n", run.error.text);
        return EXIT_PARTLY;
    }
    struct pipeline_output out = {on_record, opt->events ? on_event : NULL, opt->events ? on_mime : NULL,
                                  &run};
    run.pipeline = pipeline_new(set, &out);
    double start = clock_seconds();
    int code = EXIT_DONE;
    for (int i = 0; i < count; i++) {
        int got = read_file(&run, files[i], isatty(STDERR_FILENO));
        code = got > code ? got : code;
    }
    pipeline_finish(run.pipeline);
    if (!run.events) {
        bool failed = run.failed;
        if (run.ops->close(&run.sink, failed ? &(struct error){{0}} : &run.error) < 0)
            run.failed = true;
    } else if (fflush(stdout) != 0) {
        run.failed = true;
        error_set(&run.error, 0, "standard output: %s", strerror(errno));
    }
    if (run.failed) {
        fprintf(stderr, "mailtap: %s\n", run.error.text);
        code = EXIT_PARTLY;
    }
    closing_line(&run, clock_seconds() - start);
    pipeline_free(&run.pipeline);
    return code;
}

static int bad_usage(const char *text)
{
    fprintf(stderr, "mailtap: %s\n%s", text, usage);
    return EXIT_USAGE;
}

static int command_read(int argc, char **argv)
{
    static const struct option longs[] = {
        {"events", no_argument, NULL, 'e'}, {"help", no_argument, NULL, 'h'}, {0}};
    struct settings *set = calloc(1, sizeof *set);
    struct options opt = {0};
    struct error err;
    int c, code = -1;
    if (!set)
        return EXIT_PARTLY;
    settings_defaults(set);
    while (code < 0 && (c = getopt_long(argc, argv, "c:s:f:o:h", longs, NULL)) != -1) {
        if (c == 'f' && sink_find(optarg))
            opt.format = optarg;
        else if (c == 'f')
            code = bad_usage("-f wants json, text, zeek or smtp-ext");
        else if (c == 'o')
            opt.directory = optarg;
        else if (c == 'e')
            opt.events = true;
        else if (c == 'h')
            code = (fputs(usage, stdout), EXIT_DONE);
        else if (c == '?')
            code = (fputs(usage, stderr), EXIT_USAGE);
        else if ((c == 'c' ? settings_load(set, optarg, &err) : settings_assign(set, optarg, &err)) < 0)
            code = (fprintf(stderr, "mailtap: %s\n", err.text), EXIT_USAGE);
    }
    if (code < 0 && optind == argc)
        code = bad_usage("read wants a file");
    if (code < 0)
        code = run_files(&opt, set, argv + optind, argc - optind);
    free(set);
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return bad_usage("wants a command");
    if (strcmp(argv[1], "read") == 0)
        return command_read(argc - 1, argv + 1);
    if (strcmp(argv[1], "settings") == 0)
        return settings_print(stdout), EXIT_DONE;
    if (strcmp(argv[1], "schema") == 0)
        return schema_print(stdout), EXIT_DONE;
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return fputs(usage, stdout), EXIT_DONE;
    if (strcmp(argv[1], "--version") == 0)
        return puts("mailtap " MAILTAP_VERSION), EXIT_DONE;
    return bad_usage("no such command; there are read, settings and schema");
}
