/* One line of the SMTP client to a verb and its argument (RFC 5321 4.1, 3030, 4954, 3207, 2033). */
#ifndef MAIL_COMMAND_H
#define MAIL_COMMAND_H

#include "base/slice.h"

enum verb {
    VERB_NONE,        /* a reply to nothing that was seen */
    VERB_GREETING,    /* what the server's first reply answers: the connection */
    VERB_END_OF_DATA, /* the line with a dot */
    VERB_HELO,
    VERB_EHLO,
    VERB_LHLO,
    VERB_MAIL,
    VERB_RCPT,
    VERB_DATA,
    VERB_BDAT,
    VERB_BDAT_LAST,
    VERB_RSET,
    VERB_QUIT,
    VERB_NOOP,
    VERB_VRFY,
    VERB_EXPN,
    VERB_HELP,
    VERB_AUTH,
    VERB_STARTTLS,
    VERB_XCLIENT,
    VERB_EMPTY, /* an empty line; most servers call it an error, some pass over it */
    VERB_OTHER,
    VERB_COUNT,
};

struct command {
    enum verb verb;
    struct slice word; /* the verb as written */
    struct slice
        arg; /* after the verb and blanks; for MAIL and RCPT the path, bare, "<>" for the null sender */
    struct slice params; /* MAIL, RCPT: what stands behind the path, see esmtp.h */
    uint64_t size;       /* BDAT: octets of the chunk */
    bool spaced, bare;   /* MAIL, RCPT: blanks stand before the path, no brackets around it */
    bool known;          /* the word is a verb, though what follows it may not fit */
    bool strict; /* the line fits the verb's grammar so well that it cannot be message text by chance */
};

/* `line` comes without its end. The slices of *ret lie inside of it. MAIL without FROM:, RCPT without TO: and
 * BDAT without a readable size are VERB_OTHER: servers refuse them, and they open nothing. */
void command_parse(struct slice line, struct command *ret);
const char *verb_name(enum verb verb);
/* Could a reply with this code answer the verb? False only where the RFCs rule it out. */
bool verb_fits(enum verb verb, unsigned code);

#endif
