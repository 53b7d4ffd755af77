/* mailtap read: capture files through a pipeline into a sink. */
#ifndef READ_H
#define READ_H

#include <stdbool.h>
#include "settings.h"
#include "sink/sink.h"

enum exit_code {
    EXIT_DONE = 0,   /* all was read */
    EXIT_PARTLY = 1, /* a file could not be read to its end, or output failed */
    EXIT_USAGE = 2,  /* wrong arguments or settings */
};

struct read_options {
    const struct sink_ops *format; /* NULL: text on a terminal, else json */
    const char *directory;         /* files of records there; NULL: standard output */
    const char **scripts;          /* Lua files, borrowed */
    size_t script_count;
    bool events; /* events, to standard output in place of the records, or to a file in `directory` beside
                    them */
};

/* Reads the files in their order, as one stream of packets. Says on standard error what went wrong, how far
 * it is where that is a terminal, and at the end how much was read and what was skipped. */
enum exit_code read_captures(const struct read_options *opt, const struct settings *set, char **files,
                             int count);

#endif
