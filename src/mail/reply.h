/* One line of the SMTP server (RFC 5321 4.2). */
#ifndef MAIL_REPLY_H
#define MAIL_REPLY_H

#include "base/buf.h"

struct reply_line {
    unsigned code;     /* 200 to 599 */
    bool more;         /* another line of this reply follows */
    struct slice text; /* after the code and its separator; inside the input */
};

/* `line` comes without its end. False: it is no reply line, *ret is untouched. */
bool reply_line_parse(struct slice line, struct reply_line *ret);
/* The enhanced status code (RFC 3463, "5.7.1") that a reply's text begins with, a "#" or blanks in front of
 * it left out. False: there is none, *ret is untouched. */
bool reply_enhanced(struct slice text, struct slice *ret);
/* Adds the lines of a reply, which LFs part, joined by blanks; the enhanced code of the first is left out in
 * those behind it. */
void reply_join(struct slice lines, struct buf *out);

#endif
