/* sink-run.c: a program with a lasting sink and nothing else, for rotation.py.
 * usage: sink-run FORMAT DIRECTORY|- ANSWERS NAME=VALUE... <commands. ANSWERS: a descriptor; standard output
 * may be the sink's. Settings by their names in struct sink_settings. Commands, a line each: mails N BYTES:
 * mails with the next N numbers in their uids, and a subject of so many bytes notices N, entries NAME N: the
 * same in these streams     tick SECONDS     reopen     counts Each is answered by a line. At the end of the
 * input it closes and says how that went. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "record/entry.h"
#include "record/notice.h"
#include "sink/sink.h"

struct run {
    const struct sink_ops *ops;
    struct sink *sink;
    FILE *answers;
    unsigned long number;
};

static bool set(struct sink_settings *settings, const char *argument)
{
    const struct {
        const char *name;
        uint64_t *to;
    } numbers[] = {{"output_bytes=", &settings->output_bytes},
                   {"rotate_size=", &settings->rotate_size},
                   {"rotate_keep=", &settings->rotate_keep}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strncmp(argument, numbers[i].name, strlen(numbers[i].name)) == 0) {
            *numbers[i].to = strtoull(argument + strlen(numbers[i].name), NULL, 10);
            return true;
        }
    if (strncmp(argument, "rotate_interval=", 16) != 0)
        return false;
    settings->rotate_interval = strtod(argument + 16, NULL);
    return true;
}

static void write_record(struct run *run, const struct stream *stream, void *body)
{
    struct error err = {""};
    int wrote = run->ops->write(run->sink, &(struct record){stream, body}, &err);
    if (wrote < 0)
        fprintf(run->answers, "write failed: %s\n", err.text);
}

static void write_mail(struct run *run, size_t bytes)
{
    char uid[32], *subject = malloc(bytes + 1);
    memset(subject, 'x', bytes);
    snprintf(uid, sizeof uid, "C%lu", run->number++);
    struct transaction t = {.ts = {1257170000, 0},
                            .id = {.uid = slice_str(uid)},
                            .mailfrom = slice_str("alice@example.org"),
                            .subject = {(const uint8_t *)subject, bytes}};
    write_record(run, &stream_smtp, &t);
    free(subject);
}

static void write_notice(struct run *run)
{
    char uid[32];
    snprintf(uid, sizeof uid, "C%lu", run->number++);
    struct notice n = {.ts = {1257170000, 0}, .id = {.uid = slice_str(uid)}, .note = slice_str("Test")};
    write_record(run, &stream_notice, &n);
}

static void write_entry(struct run *run, const char *name)
{
    const struct entry_pair pair = {.name = slice_str("n"), .kind = ENTRY_INTEGER, .integer = 1};
    struct entry e = {{1257170000, 0}, slice_str(name), &pair, 1};
    write_record(run, &stream_entry, &e);
}

static void answer_counts(const struct run *run)
{
    const struct sink_counts c = run->ops->counts(run->sink);
    fprintf(run->answers,
            "{\"written\":%" PRIu64 ",\"waiting\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"rotations\":%" PRIu64
            ",\"failing\":%" PRIu64 "}\n",
            c.written, c.waiting, c.lost, c.rotations, c.failing);
}

static void command(struct run *run, char *line)
{
    char *words[3] = {"", "", ""};
    for (size_t n = 0; n < 3 && (words[n] = strsep(&line, " \n")); n++)
        ;
    long count = words[1] ? atol(words[1]) : 0;
    if (strcmp(words[0], "mails") == 0) {
        for (long i = 0; i < count; i++)
            write_mail(run, (size_t)atol(words[2]));
    } else if (strcmp(words[0], "notices") == 0) {
        for (long i = 0; i < count; i++)
            write_notice(run);
    } else if (strcmp(words[0], "entries") == 0) {
        for (long i = 0; i < atol(words[2]); i++)
            write_entry(run, words[1]);
    } else if (strcmp(words[0], "tick") == 0) {
        run->ops->tick(run->sink, (struct timespec){count, 0});
    } else if (strcmp(words[0], "reopen") == 0) {
        run->ops->reopen(run->sink);
    }
    answer_counts(run);
    fflush(run->answers);
}

int main(int argc, char **argv)
{
    struct error err = {""};
    struct run run = {.ops = argc > 3 ? sink_find(argv[1]) : NULL};
    if (!run.ops || !(run.answers = fdopen(atoi(argv[3]), "w")))
        return 2;
    struct sink_settings settings = {
        .directory = strcmp(argv[2], "-") == 0 ? NULL : argv[2], .lasting = true, .output_bytes = 1 << 20};
    for (int i = 4; i < argc; i++)
        if (!set(&settings, argv[i]))
            return 2;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (run.ops->open(&settings, &run.sink, &err) < 0) {
        fprintf(run.answers, "refused: %s\n", err.text);
        fclose(run.answers);
        return 1;
    }
    fputs("open\n", run.answers);
    fflush(run.answers);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0)
        command(&run, line);
    free(line);
    int failed = run.ops->close(&run.sink, &err);
    fprintf(run.answers, "%s%s\n", failed ? "closed: " : "closed", failed ? err.text : "");
    fclose(run.answers);
    return failed ? 3 : 0;
}
