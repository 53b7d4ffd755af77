/* courier-run.c: a program with a courier and nothing else, for courier.py.
 * usage: courier-run NAME=VALUE... <commands. Settings by their names, email_to once for each address.
 * Commands, a line each, fields between tabs, in which \n, \r, \t, \0 and \\ are written so: push ACTIONS
 * JSON SUBJECT TEXT     flood N ACTIONS: N notices "notice 1" to "notice N"; prints the seconds counts poll
 *   own MESSAGE-ID SENDER: prints 1 or 0
 * Each command is answered by a line. At the end of the input it closes and prints the counts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "courier/courier.h"

enum { FIELDS = 5, RECIPIENTS = 8 };

static const char *recipients[RECIPIENTS];

static struct courier_settings settings = {.email_to = recipients,
                                           .retry_first = 0.05,
                                           .retry_most = 0.2,
                                           .timeout = 5,
                                           .spool_bytes = 1 << 20,
                                           .courier_wait = 10};

static bool set_text(const char *name, size_t len, const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        {"email_server", &settings.email_server}, {"email_from", &settings.email_from},
        {"email_user", &settings.email_user},     {"email_password_file", &settings.email_password_file},
        {"webhook_url", &settings.webhook_url},   {"spool_directory", &settings.spool_directory}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strlen(texts[i].name) == len && strncmp(texts[i].name, name, len) == 0) {
            *texts[i].to = value;
            return true;
        }
    return false;
}

static bool set_number(const char *name, size_t len, double value)
{
    const struct {
        const char *name;
        double *to;
    } numbers[] = {{"email_interval", &settings.email_interval},
                   {"retry_first", &settings.retry_first},
                   {"retry_most", &settings.retry_most},
                   {"timeout", &settings.timeout},
                   {"courier_wait", &settings.courier_wait}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strlen(numbers[i].name) == len && strncmp(numbers[i].name, name, len) == 0) {
            *numbers[i].to = value;
            return true;
        }
    return false;
}

static bool set(const char *argument)
{
    const char *value = strchr(argument, '=');
    if (!value)
        return false;
    size_t len = (size_t)(value++ - argument);
    if (strncmp(argument, "email_to=", 9) == 0 && settings.email_to_count < RECIPIENTS)
        recipients[settings.email_to_count++] = value;
    else if (strncmp(argument, "email_rate=", 11) == 0)
        settings.email_rate = strtoull(value, NULL, 10);
    else if (strncmp(argument, "spool_bytes=", 12) == 0)
        settings.spool_bytes = strtoull(value, NULL, 10);
    else
        return set_text(argument, len, value) || set_number(argument, len, strtod(value, NULL));
    return true;
}

/* In place. */
static struct slice unescaped(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        from++;
        *to++ = *from == 'n' ? '\n' : *from == 'r' ? '\r' : *from == 't' ? '\t' : *from == '0' ? '\0' : *from;
    }
    return (struct slice){(const uint8_t *)text, (size_t)(to - text)};
}

static void flood(struct courier *c, unsigned actions, int count)
{
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 1; i <= count; i++) {
        char json[64], subject[64];
        snprintf(json, sizeof json, "{\"notice\":%d}", i);
        snprintf(subject, sizeof subject, "notice %d", i);
        courier_push(c, actions, slice_str(json), slice_str(subject), slice_str("text of a notice\n"));
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("%.6f\n", (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
}

static void print_tally(const char *name, const struct courier_tally *t, const char *end)
{
    printf("\"%s\":{\"pushed\":%" PRIu64 ",\"found\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"lost\":%" PRIu64
           ",\"left\":%" PRIu64 "}%s",
           name, t->pushed, t->found, t->delivered, t->lost, t->left, end);
}

static void print_counts(struct courier_counts counts)
{
    putchar('{');
    print_tally("email", &counts.email, ",");
    print_tally("webhook", &counts.webhook, "}\n");
}

static void run(struct courier *c, char *line)
{
    char *fields[FIELDS] = {"", "", "", "", ""};
    size_t n = 0;
    for (char *field; n < FIELDS && (field = strsep(&line, "\t"));)
        fields[n++] = field;
    if (strcmp(fields[0], "push") == 0 && n == FIELDS) {
        courier_push(c, (unsigned)atoi(fields[1]), unescaped(fields[2]), unescaped(fields[3]),
                     unescaped(fields[4]));
        puts("pushed");
    } else if (strcmp(fields[0], "flood") == 0) {
        flood(c, (unsigned)atoi(fields[2]), atoi(fields[1]));
    } else if (strcmp(fields[0], "own") == 0) {
        printf("%d\n", courier_is_own(c, slice_str(fields[1]), slice_str(fields[2])));
    } else if (strcmp(fields[0], "counts") == 0) {
        print_counts(courier_counts(c));
    } else {
        courier_poll(c);
        puts("polled");
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct courier *c;
    struct error err;
    for (int i = 1; i < argc; i++)
        if (!set(argv[i])) {
            fprintf(stderr, "courier-run: what is %s?\n", argv[i]);
            return 2;
        }
    if (courier_start(&settings, &c, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    puts(c ? "started" : "nothing to do");
    fflush(stdout);
    char *line = NULL;
    size_t room = 0;
    for (ssize_t len; (len = getline(&line, &room, stdin)) > 0;) {
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        run(c, line);
    }
    free(line);
    struct courier_counts counts;
    int failed = courier_close(&c, &counts);
    print_counts(counts);
    return failed ? 3 : 0;
}
