/* A Received line of a mail's header: who took the mail from whom, when and how. */
#ifndef MAIL_RECEIVED_H
#define MAIL_RECEIVED_H

#include "base/net.h"

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

/* Reads one unfolded value. It cannot fail: of what is no such line little is found. Versions, ids and dates
 * are never addresses, nor is what the client claimed its own address. Linear in the value, whatever it
 * holds. */
void received_parse(struct slice value, struct received *ret);

#endif
