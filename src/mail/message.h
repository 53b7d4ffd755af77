/* The text of a message after DATA, up to its end. */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include "mail/dialogue.h"

/* Takes text in MODE_MESSAGE; returns how many bytes. At the message's end the mode has changed. */
size_t message_feed(struct smtp *s, struct slice bytes);
/* The same after a gap or lookalike: what looks like commands is kept in `doubt`. */
size_t message_feed_doubtful(struct smtp *s, struct slice bytes);
/* The bytes in `doubt` are text. */
void message_take_doubt(struct smtp *s);

#endif
