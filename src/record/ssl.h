/* What the session's record has of its TLS handshake. */
#ifndef RECORD_SSL_H
#define RECORD_SSL_H

#include "mail/tls.h"
#include "record/envelope.h"

struct ssl_certificate {
    struct slice subject, issuer;
    struct text_list san;
    uint64_t not_valid_before, not_valid_after; /* epoch seconds; 0: not known */
    struct slice serial, sha256;
    bool self_signed;
};

struct ssl {
    struct slice version, cipher, curve, server_name, next_protocol;
    struct text_list alpn;
    enum maybe established;
    bool hello_retry;
    struct slice last_alert;
    struct ssl_certificate certificate;
    uint64_t cert_chain;
    struct slice ja3, ja3s, ja4;
};

struct spares;

/* In one piece, free() ends it. NULL: nothing is known. *ret_cut is set where a limit cut something. */
struct ssl *ssl_new(struct spares *with, const struct tls_facts *facts, bool *ret_cut);

#endif
