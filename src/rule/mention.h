/* Addresses that a server's reply mentions. */
#ifndef RULE_MENTION_H
#define RULE_MENTION_H

#include "base/net.h"

/* The next address in *rest, in the order of the text; moves *rest behind it. An address stands by itself: no
 * digit or dotted number touches it, so neither 1198.51.100.7 nor 1.2.3.4.5 holds one; it may stand amid a
 * URL or a word (ip=192.0.2.1). False: there is none left. Linear in the text over all calls. */
bool mention_next(struct slice *rest, struct address *ret);

#endif
