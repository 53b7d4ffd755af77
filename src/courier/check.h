/* Are the courier's settings ones that it can work with? And what they name. */
#ifndef COURIER_CHECK_H
#define COURIER_CHECK_H

#include "courier/courier.h"

enum { CHECK_RECIPIENTS = 100, CHECK_ADDRESS = 254, CHECK_PASSWORD = 1024, CHECK_WHERE = 300 };

/* "sendmail:/path" -> "/path"; NULL: the server is none of that kind. */
const char *check_program(const char *server);
/* True: set, and not to "". */
static inline bool check_is_set(const char *value)
{
    return value && *value;
}
/* 0, or -EINVAL and a text that names the setting. */
int check_settings(const struct courier_settings *set, struct error *reterr);
/* The first line of the file, up to CHECK_PASSWORD - 1 bytes. */
int check_password(const char *path, char ret[static CHECK_PASSWORD], struct error *reterr);
/* What may be said of a target in a message: the URL up to its path, which can hold a secret. */
void check_where(const char *url, char ret[static CHECK_WHERE]);
/* True: the URL's host is this machine by its loopback address. */
bool check_is_here(const char *url);

#endif
