/* Client bytes that wait for the reply that decides what they are. */
#ifndef MAIL_HOLD_H
#define MAIL_HOLD_H

#include "mail/dialogue.h"

/* Client bytes in: they are held back, or passed to client_consume. */
void hold_feed(struct smtp *s, struct slice bytes);
/* The reply that MODE_HOLD waited for is here. */
void hold_release(struct smtp *s, unsigned code);
/* It will never come: whether the client goes on with a command decides. */
void hold_settle(struct smtp *s);
/* The connection is over. */
void hold_finish(struct smtp *s);

#endif
