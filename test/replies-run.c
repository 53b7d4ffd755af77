/* replies-run.c: what the block lists say of refusals.
 * usage: replies-run BLOCKLISTS.yaml|- <lines    -: the built-in ones
 * In: one reply's text a line, all its lines joined by a blank, with the first line's code in front. Out: per
 * line the row's name, kind, page, date, the code and the enhanced code, with tabs between; "-" for what is
 * not there. Then on standard error what was counted, and how long it took. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "mail/reply.h"
#include "rule/blocklist.h"

static void print(struct slice text)
{
    if (text.len)
        fwrite(text.data, 1, text.len, stdout);
    else
        putchar('-');
}

static void print_verdict(struct blocklists *lists, struct slice line)
{
    struct reply_line reply = {.text = line};
    struct slice enhanced = {NULL, 0};
    reply_line_parse(line, &reply);
    const struct blocklist *row = blocklists_match(lists, reply.text);
    reply_enhanced(reply.text, &enhanced);
    print(row ? row->name : (struct slice){NULL, 0});
    printf("\t%s\t", row ? blocklist_kind_name(row->kind) : "-");
    print(row ? row->removal : (struct slice){NULL, 0});
    putchar('\t');
    print(row ? row->retired : (struct slice){NULL, 0});
    printf("\t%u\t", reply.code);
    print(enhanced);
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct error err;
    struct blocklists *lists = NULL;
    if (argc != 2) {
        fputs("usage: replies-run BLOCKLISTS.yaml|- <lines\n", stderr);
        return 2;
    }
    if (blocklists_open(strcmp(argv[1], "-") == 0 ? NULL : argv[1], &lists, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    clock_t begun = clock();
    while ((len = getline(&line, &room, stdin)) >= 0)
        print_verdict(lists, slice_trim((struct slice){(const uint8_t *)line, (size_t)len}));
    struct blocklists_counts counts = blocklists_counts(lists);
    fprintf(stderr, "texts=%" PRIu64 " matched=%" PRIu64 " cut=%" PRIu64 " limits=%" PRIu64 " ms=%.1f\n",
            counts.texts, counts.matched, counts.cut, counts.limits,
            (double)(clock() - begun) * 1000 / CLOCKS_PER_SEC);
    free(line);
    blocklists_close(lists);
    return 0;
}
