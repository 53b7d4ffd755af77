/* command.c: what commands say of arguments that they do not take.
 * In: arguments. Out: words on standard error, exit codes. Owns: nothing. */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "base/nearest.h"
#include "base/shown.h"
#include "read.h"

int command_fail(const struct error *err)
{
    fprintf(stderr, "mailtap: %s\n", err->text);
    return EXIT_USAGE;
}

int command_misused(const char *text, const char *usage)
{
    fprintf(stderr, "mailtap: %s\n%s", text, usage);
    return EXIT_USAGE;
}

int command_bad_option(const char *command, int c, char **argv, const char *const *known, const char *usage)
{
    struct slice given = slice_str(argv[optind - 1]);
    struct nearest near = nearest_to(given);
    if (c == ':') {
        fprintf(stderr, "mailtap: %s wants a value\n", shown(given).text);
        return EXIT_USAGE;
    }
    for (size_t i = 0; known[i]; i++)
        nearest_try(&near, known[i]);
    fprintf(stderr, "mailtap: %s has no option '%s'", command, shown(given).text);
    if (near.name && near.edits * 2 <= given.len)
        fprintf(stderr, "; the nearest is '%s'", near.name);
    fprintf(stderr, "\n%s", usage);
    return EXIT_USAGE;
}

int command_finish(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    fprintf(stderr, "mailtap: standard output: %s\n", strerror(errno));
    return EXIT_PARTLY;
}
