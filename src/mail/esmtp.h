/* Parameters of MAIL and RCPT (RFC 5321 4.1.2), what they say, and what servers offer and name. */
#ifndef MAIL_ESMTP_H
#define MAIL_ESMTP_H

#include "base/buf.h"

/* Takes the next "KEYWORD" or "KEYWORD=value" off `rest`, what stands behind the path; both are slices of it.
 * ret_value->data is NULL where there is no '='. False: there is none left. */
bool esmtp_param_next(struct slice *rest, struct slice *ret_keyword, struct slice *ret_value);
/* Adds the text that an xtext (RFC 3461 4) stands for; what is not well written is added as it is. */
void esmtp_xtext(struct slice text, struct buf *out);
/* Of the answer to a hello, its lines joined by LF. */
struct esmtp_offers {
    bool chunking, pipelining;
};
struct esmtp_offers esmtp_offers(struct slice text);
/* The server's own name for a mail that it took, out of the reply to the message's end: as Postfix, Exim,
 * Sendmail, OpenSMTPD, Exchange, Gmail, qmail and Haraka word it. A slice of `text`. False: none is there. */
bool esmtp_queue_id(struct slice text, struct slice *ret);

#endif
