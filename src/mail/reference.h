/* References to characters in HTML: &amp; &#x2F; (HTML, "named character references"). */
#ifndef MAIL_REFERENCE_H
#define MAIL_REFERENCE_H

#include "base/slice.h"

enum { REFERENCE_BYTES = 4 };

/* `name` stands between '&' and, where it is `ended`, a semicolon. Writes the character as UTF-8 and returns
 * its length; 0: it is none of those that matter in URLs. *ret_used: how much of `name` it took, all of it
 * unless it is one that needs no semicolon. */
size_t reference_read(struct slice name, bool ended, size_t *ret_used, uint8_t ret[static REFERENCE_BYTES]);

#endif
