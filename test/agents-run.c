/* Which product speaks in each line of standard input: prints name, version and kind, "-" for what is not
 * there. A line that begins with "greeting" and a tab is one, any other "agent" and a tab and a field's
 * value. usage: agents-run AGENTS.yaml <lines agents-run -        the built-in ones */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "record/agents.h"

static void print(struct slice s, char end)
{
    printf("%.*s%c", s.len ? (int)s.len : 1, s.len ? (const char *)s.data : "-", end);
}

int main(int argc, char **argv)
{
    struct agents *agents = NULL;
    struct error err = {""};
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    if (argc != 2) {
        fputs("usage: agents-run AGENTS.yaml <lines\n", stderr);
        return 2;
    }
    if (agents_open(strcmp(argv[1], "-") == 0 ? NULL : argv[1], &agents, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    while ((len = getline(&line, &room, stdin)) > 0) {
        struct slice text = {(const uint8_t *)line, (size_t)len - (line[len - 1] == '\n')};
        size_t tab = slice_index(text, '\t');
        struct slice value = slice_sub(text, tab + 1, text.len);
        struct product p;
        if (slice_eq(slice_sub(text, 0, tab), slice_str("greeting")))
            agents_of_greeting(agents, value, &p);
        else
            agents_of_mail(agents, value, &p);
        print(p.name, '\t');
        print(p.version, '\t');
        print(p.kind, '\n');
    }
    fprintf(stderr, "rows=%zu\n", agents_rows(agents));
    free(line);
    agents_close(agents);
    return 0;
}
