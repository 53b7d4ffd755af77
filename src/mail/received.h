/* A Received line of a mail's header: who took the mail from whom, when and how. */
#ifndef MAIL_RECEIVED_H
#define MAIL_RECEIVED_H

#include "base/net.h"
#include "mail/stops.h"

/* Texts lie in the value, as they are written; data == NULL, family 0 and time 0 stand for what is not said.
 */
struct received {
    struct slice from_helo; /* what the client called itself */
    struct slice from_rdns; /* the name that the server found for it */
    struct slice by, with, id;
    struct slice recipient; /* "for", without angle brackets */
    struct slice tls_version, tls_cipher;
    struct address from_ip, by_ip;
    uint64_t time; /* seconds since 1970 */
};

/* What comes first in a line. */
struct received_head {
    struct stops stops; /* of the whole value */
    size_t end; /* behind the parentheses of "from NAME (NAME [192.0.2.1]) by", as most lines begin; 0:
                   this one does not, and the rest is not set */
    struct slice name, found, written; /* of the last one: the address */
    struct address ip; /* there is no other one before the next clause, nor what could be one */
};

void received_head(struct slice value, struct received_head *ret);
/* Reads one unfolded value behind its head. It cannot fail: of what is no such line little is found.
 * Versions, ids and dates are never addresses, nor is what the client claimed its own address. Linear in the
 * value, whatever it holds. */
void received_parse(const struct received_head *head, struct received *ret);

#endif
