/* What became of a mail: the envelope's commands and the server's replies into its record. */
#ifndef RECORD_OUTCOME_H
#define RECORD_OUTCOME_H

#include "mail/smtp.h"
#include "record/spare.h"

/* Of an empty draft: nothing is known yet. */
void outcome_begin(struct draft *d);
/* MAIL or RCPT of this mail: its address and parameters (RFC 5321 4.1.1, RFC 3461). */
void outcome_command(struct draft *d, struct spares *with, const struct smtp_event *ev);
/* A reply to a command of it. */
void outcome_reply(struct draft *d, struct spares *with, const struct smtp_event *ev);
/* MESSAGE_BEGIN, then MESSAGE_END. */
void outcome_message_begin(struct draft *d, struct timespec ts);
void outcome_message_end(struct draft *d, struct timespec ts, bool end_seen);
/* The mail is complete and its flags are set: says what became of it. */
void outcome_end(struct draft *d, struct spares *with);

/* Of a session that a reply to `verb` refused; `line` is its text by reply_join, which the slices of the
 * decision lie in. */
struct decision outcome_of_session(enum verb verb, unsigned code, struct slice line);
/* "rejected" or "deferred", by the code of a refusal. */
struct slice outcome_of_refusal(uint64_t code);

#endif
