/* Texts that come from hostile mails, made fit for a header or a body. */
#ifndef COURIER_CLEAN_H
#define COURIER_CLEAN_H

#include "base/buf.h"

/* Length of the valid UTF-8 character at the start of `s`, which is not empty; 0: none. */
size_t clean_char(struct slice s);
/* One line of at most `most` bytes and the mark of a cut: every control, line ends too, becomes a blank; what
 * is no UTF-8 or changes how the rest is shown becomes U+FFFD. */
void clean_line(struct buf *ret, struct slice s, size_t most);
/* The same for many lines: LF ends them and tabs stay; CR goes. */
void clean_text(struct buf *ret, struct slice s, size_t most);

#endif
