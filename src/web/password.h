/* Passwords as they are kept: "$scrypt$ln=16,r=8,p=1$salt$hash", salt and hash in base64 without padding. */
#ifndef WEB_PASSWORD_H
#define WEB_PASSWORD_H

#include "base/error.h"
#include "base/slice.h"

enum { PASSWORD_LINE = 160, PASSWORD_MOST = 1024 /* bytes of a password */ };

/* A new line of a password, with a salt of its own. 0 or -errno. */
int password_make(struct slice password, char ret[static PASSWORD_LINE], struct error *reterr);
/* Whether a line is one, and costs no more than 256 MiB and some seconds. */
bool password_is_line(struct slice line);
/* Bytes that password_check of it takes, as a measure of its cost; 0: it is no line. */
uint64_t password_cost(struct slice line);
/* Whether the password is the line's. Takes the same time whether or not. */
bool password_check(struct slice password, struct slice line);

#endif
