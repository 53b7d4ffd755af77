/* What a client gives away in AUTH, or in a line that is no command: it never leaves here, not even in the
 * words of a server that repeats it. */
#ifndef MAIL_SECRET_H
#define MAIL_SECRET_H

#include "base/buf.h"

struct secrets; /* NULL: none are known */

/* How much of a reply is to be taken for what the client said. */
enum secret_care {
    SECRET_CARE_LITTLE, /* it answers a command that has no secret */
    SECRET_CARE_MUCH,   /* it may answer AUTH, or a line that is no command */
    SECRET_CARE_MOST,   /* the same, and not all that the client said was seen */
};

/* Remembers a line, by its copy, or as much of it as a reply is compared with. */
void secret_add(struct secrets **ps, struct slice line);
/* True: something in `text` must not be told, and *ret, which is to be freed, is what may. `held` may hold
 * secrets too. */
bool secret_hide(const struct secrets *s, struct slice held, enum secret_care care, struct slice text,
                 struct buf *ret);
/* `word`, where it is the name of a way to log in; else nothing, as it may be a secret. */
struct slice secret_mechanism(struct slice word);
/* That name in capitals, which lives as long as the program. */
struct slice secret_mechanism_name(struct slice word);
void secret_free(struct secrets **ps);

#endif
