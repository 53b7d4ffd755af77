/* The server's side: its lines to replies, each to the command that it answers. */
#ifndef MAIL_PAIRING_H
#define MAIL_PAIRING_H

#include "mail/dialogue.h"

/* Before and after all others. */
void pairing_begin(struct smtp *s);
void pairing_free(struct smtp *s);
/* A command of `mail` (0: of the session) now waits for its reply. */
void pairing_push(struct smtp *s, enum verb verb, uint32_t mail, uint32_t nth);
/* After a server gap: takes the commands still unanswered as answered in the gap, all but those that the
 * replies since fit. */
void pairing_settle(struct smtp *s);
void pairing_server_feed(struct smtp *s, struct slice bytes);
void pairing_server_gap(struct smtp *s);
/* Ends every mail that still waits for replies. */
void pairing_finish(struct smtp *s);
/* A closed mail: ends now, or when the last of its commands is answered. */
void pairing_mail_wait(struct smtp *s, const struct waiting *mail);

/* The least bytes of what ends a mail, of MAIL, and of RCPT: "RSET", "MAIL FROM:<>", "RCPT TO:<a>". */
enum { LOST_END = 6, LOST_MAIL = 14, LOST_RCPT = 13 };

#endif
