/* One delivery at a time by a program that takes a mail on its standard input, as sendmail does. */
#ifndef COURIER_SENDMAIL_H
#define COURIER_SENDMAIL_H

#include <sys/types.h>
#include "courier/target.h"

struct sendmail {
    pid_t pid;
    int fd; /* readable once the program ended; -1: none runs */
    double deadline;
};

void sendmail_init(struct sendmail *s);
/* Starts `program -i -f FROM -- TO...` with the mail, whose line ends are LF. False: it did not start, *ret
 * says why. */
bool sendmail_start(struct sendmail *s, const char *program, const struct courier_settings *set,
                    struct slice mail, double now, struct outcome *ret);
/* True: it ended, or took too long and was killed; *ret says how. */
bool sendmail_done(struct sendmail *s, double now, struct outcome *ret);
/* Kills what runs. */
void sendmail_free(struct sendmail *s);

#endif
