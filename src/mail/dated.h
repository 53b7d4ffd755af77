/* Bytes that wait until it is known what they are, each dated by the packet that brought it. */
#ifndef MAIL_DATED_H
#define MAIL_DATED_H

#include <time.h>
#include "base/slice.h"

struct dated; /* NULL where none wait: most sessions need none ever, so it is allocated with the first */

/* Adds as many of `bytes` as fit under `max`, those that were passed not counted; returns how many. */
size_t dated_add(struct dated **d, size_t max, struct timespec ts, struct slice bytes);
/* What was not passed yet; valid until the next dated_add, dated_compact or dated_free. */
struct slice dated_rest(const struct dated *d);
/* The packet time of its first byte; there is one. */
struct timespec dated_time(const struct dated *d);
/* The first bytes of one packet out of the rest, which are passed then. False: there are none. */
bool dated_next(struct dated *d, struct timespec *ret_ts, struct slice *ret);
/* `count` bytes of the rest are passed: they go with the next dated_compact or dated_free. */
void dated_pass(struct dated *d, size_t count);
bool dated_is_half_passed(const struct dated *d);
void dated_compact(struct dated *d);
void dated_free(struct dated **d);

#endif
