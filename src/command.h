/* What commands say of arguments that they do not take. */
#ifndef COMMAND_H
#define COMMAND_H

#include "base/error.h"

/* Each says it on standard error and returns the exit code: a text; a text, and how it is used. */
int command_fail(const struct error *err);
int command_misused(const char *text, const char *usage);
/* What getopt_long has just given '?' or ':' for (the options begin with ':', so that these two differ):
 * names the nearest of `known`, which ends with NULL. */
int command_bad_option(const char *command, int c, char **argv, const char *const *known, const char *usage);
/* What went to standard output must have arrived: the exit code. */
int command_finish(void);

#endif
