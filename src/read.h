/* mailtap read: capture files through fronts and the back into a sink. */
#ifndef READ_H
#define READ_H

#include <stdbool.h>
#include "results.h"
#include "settings.h"

enum exit_code {
    EXIT_DONE = 0,   /* all was read */
    EXIT_PARTLY = 1, /* a file could not be read to its end, or output failed */
    EXIT_USAGE = 2,  /* wrong arguments or settings */
    EXIT_UNREAD = 3, /* who read standard output went away, as head does: main() ends by SIGPIPE */
};

struct read_options {
    struct results_settings results;
    const char **scripts; /* Lua files, borrowed */
    size_t script_count;
    size_t workers; /* 0: as many as are of use */
};

/* Reads the files in their order, as one stream of packets. Says on standard error what went wrong, how far
 * it is where that is a terminal, and at the end how much was read and what was skipped. */
enum exit_code read_captures(const struct read_options *opt, const struct settings *set, char **files,
                             int count);

#endif
