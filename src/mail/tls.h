/* The part of a TLS connection that is readable: its handshake up to where encryption begins, by push. Pure.
 *
 * Both directions are fed in causal order, each in any pieces; nothing is opened or kept of what is
 * encrypted.
 */
#ifndef MAIL_TLS_H
#define MAIL_TLS_H

#include "base/net.h"
#include "mail/tls_hello.h"

enum tls_outcome {
    TLS_UNKNOWN,     /* not all of it was seen */
    TLS_FAILED,      /* an alert ended it, or it did not get that far */
    TLS_ESTABLISHED, /* both ends have sent what only they could once the keys were agreed on */
};

struct tls_facts {
    bool client, server; /* its hello was read */
    uint16_t version;    /* chosen by the server; 0: its hello was not read */
    uint16_t cipher;
    uint16_t group;                  /* of the key exchange; 0: not known, or none */
    bool retry;                      /* the server asked for another hello (RFC 8446 4.1.4) */
    struct slice server_name;        /* asked for by the client, as sent; no data: none */
    struct slice offered;            /* ALPN of the client, to be read by tls_protocol_next */
    struct slice protocol;           /* the one that the server chose, as sent; no data: none */
    char ja3[TLS_JA3], ja4[TLS_JA4]; /* of the client's first hello; empty: it was not read */
    char ja3s[TLS_JA3];              /* of the server's last one */
    bool alerted;
    uint8_t alert;            /* the last one in clear, by either end */
    struct slice certificate; /* the server's own, DER; no data: none, or TLS 1.3, where it is encrypted */
    uint32_t chain;           /* certificates that the server sent */
    bool cut;                 /* a message went over the limit, and was left out */
    enum tls_outcome outcome;
};

struct tls;

/* `most` bytes of one handshake message are read. Free with tls_free. */
struct tls *tls_new(size_t most);
void tls_feed(struct tls *t, enum side side, struct slice bytes);
/* What this side sends from here on is not read: where its next record begins is not known. */
void tls_gap(struct tls *t, enum side side);
/* Nothing more will be learned: it need not be fed any longer. */
bool tls_is_over(const struct tls *t);
/* What is known so far; `ended`: the connection is over. Lives until the next call. */
const struct tls_facts *tls_facts(struct tls *t, bool ended);
void tls_free(struct tls **t);
/* One line of text, without its end, for an event. */
size_t tls_dump(const struct tls_facts *f, char *ret, size_t room);

#endif
