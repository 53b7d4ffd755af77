/* How often somebody may try to log in: so many a minute of one address, of one user, and ten times as many
 * of all. Safe from several threads. */
#ifndef WEB_THROTTLE_H
#define WEB_THROTTLE_H

#include "base/net.h"

struct throttle;

struct throttle *throttle_new(uint64_t a_minute);
void throttle_free(struct throttle *t); /* NULL is fine */
/* Counts a try. 0: it may go on; else after so many seconds another one may. `now` is in seconds of a clock
 * that only goes on. */
unsigned throttle_try(struct throttle *t, const struct address *from, struct slice user, double now);
/* The try was no guess: it does not count for its address and user. */
void throttle_forgive(struct throttle *t, const struct address *from, struct slice user);

#endif
