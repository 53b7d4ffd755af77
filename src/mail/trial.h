/* A message with two ends: the RFC's, and before it a look-alike with commands behind it. Which one the
 * server took shows in how many replies come. */
#ifndef MAIL_TRIAL_H
#define MAIL_TRIAL_H

#include "mail/dialogue.h"

/* All between the two ends stands in `doubt`, the RFC's end last. From here on MODE_TRIAL keeps what both
 * sides say. False: no reply can tell, so the RFC's end counts; nothing has changed. */
bool trial_begin(struct smtp *s);
/* In MODE_TRIAL; returns how many bytes were taken. 0: too many for hold_bytes; the mode has changed. */
size_t trial_take(struct smtp *s, struct slice client_bytes);
void trial_hear(struct smtp *s, struct slice server_bytes);
/* Nothing more will tell: the RFC's end counts. What was kept has been read when this returns; perhaps
 * another trial has begun in it. */
void trial_give_up(struct smtp *s);
void trial_free(struct trial **t);

#endif
