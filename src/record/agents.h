/* Programs that write and take mail: rows of a file, and which of them a User-Agent field or a greeting
 * speaks of. The file (data/agents.yaml) says in its head how it is written and which row wins. */
#ifndef RECORD_AGENTS_H
#define RECORD_AGENTS_H

#include "base/error.h"
#include "mail/product.h"

enum agent_kind {
    /* Of a User-Agent or X-Mailer field. */
    AGENT_WEBMAIL,
    AGENT_MAIL_CLIENT,
    AGENT_MOBILE_CLIENT,
    AGENT_MAILING,      /* newsletters, campaigns, tickets: mail in bulk or by a service */
    AGENT_LIST_MANAGER, /* mailing lists */
    AGENT_LIBRARY,      /* what other programs write mail with */
    AGENT_TOOL,         /* command lines and scripts */
    /* Of a greeting. */
    AGENT_MTA,
    AGENT_SECURITY_GATEWAY, /* filters and firewalls before a server */
    AGENT_HOSTED,           /* a provider's own servers */
    AGENT_KINDS,
};

enum {
    AGENTS_FILE = 1 << 20,  /* bytes of a file */
    AGENTS_ROWS = 4000,     /* rows of a file */
    AGENTS_PATTERN = 128,   /* bytes of a pattern, and of what stands before a version */
    AGENTS_EXAMPLES = 4000, /* examples of all its rows */
    AGENTS_TEXT = 512,      /* bytes of a text that are looked at */
};

/* Does not change once it is read: any number of threads may ask it. */
struct agents;

/* Reads the rows of a file; NULL: those that were built in. -errno: the file cannot be read, or is not as it
 * should be; *reterr says where. 0: *ret is for agents_close, which takes NULL too. */
int agents_open(const char *path, struct agents **ret, struct error *reterr);
void agents_close(struct agents *a);
size_t agents_rows(const struct agents *a);

/* The product that a User-Agent or X-Mailer field speaks of, and its kind; without a row the name and version
 * as far as the usual form gives them (product.h), no kind, and AGENT_KINDS. Slices live as long as `text`
 * and the rows. `a` may be NULL: no rows. Some ten instructions a byte. */
enum agent_kind agents_of_mail(const struct agents *a, struct slice text, struct product *ret);
/* The same of a greeting, without its code. What stands in the host name alone is no match. */
enum agent_kind agents_of_greeting(const struct agents *a, struct slice text, struct product *ret);
/* "webmail", "mail_client", "mobile_client", "mailing", "list_manager", "library", "tool", "mta",
 * "security_gateway", "hosted". */
const char *agent_kind_name(enum agent_kind kind);

#endif
