/* What the first bytes of a part say that it is. */
#ifndef MAIL_SNIFF_H
#define MAIL_SNIFF_H

#include "base/slice.h"

/* The media type of what begins with `head`, under the name that libmagic has for it: a constant string.
 * "text/plain" where it holds nothing that no text has, else "application/octet-stream"; NULL where `head` is
 * empty. What does not show in `head` counts as not there. */
const char *sniff_type(struct slice head);
/* Is `type`, one of those, of what runs when it is opened? */
bool sniff_runs(const char *type);

#endif
