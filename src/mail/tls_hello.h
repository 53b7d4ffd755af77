/* The hellos of TLS, and the fingerprints that are made of them. */
#ifndef MAIL_TLS_HELLO_H
#define MAIL_TLS_HELLO_H

#include "base/slice.h"

/* All slices lie inside of the message. Lists of numbers are two bytes each, as sent, without the length
 * before them; they may end amid a number. */
struct tls_hello {
    uint16_t version;        /* as the message has it; the one chosen, where a server says so elsewhere */
    uint16_t legacy;         /* as the message has it */
    struct slice ciphers;    /* client */
    uint16_t cipher;         /* server: the one chosen */
    uint16_t group;          /* server: of its key share; 0: none */
    bool retry;              /* server: HelloRetryRequest (RFC 8446 4.1.4) */
    struct slice extensions; /* type, length and data of each; all of them are whole */
    struct slice name;       /* client: host name that is asked for (RFC 6066 3); data is NULL for none */
    bool named;              /* client: the extension is there */
    struct slice groups;     /* client: supported groups, in RFC 4492 elliptic curves */
    struct slice formats;    /* client: point formats, a byte each */
    struct slice signatures; /* client: signature algorithms */
    struct slice versions;   /* client: supported versions */
    struct slice alpn;       /* protocols, a length of one byte before each (RFC 7301 3.1) */
};

/* One extension after the other, as sent. False: there is no further one. */
bool tls_extension_next(struct slice *rest, uint16_t *ret_type, struct slice *ret_data);
/* The next protocol of an ALPN list. False: there is none, or the list is torn. */
bool tls_protocol_next(struct slice *rest, struct slice *ret);
/* Made up by the sender, so that servers get used to what they do not know (RFC 8701). */
bool tls_is_grease(uint16_t number);

/* `body` is the message behind its type and length. False: it is torn, *ret is not to be used. */
bool tls_client_hello(struct slice body, struct tls_hello *ret);
bool tls_server_hello(struct slice body, struct tls_hello *ret);

enum { TLS_JA3 = 33, TLS_JA4 = 37 }; /* with the zero behind them */

/* A text is empty where OpenSSL's settings forbid its hash.
 * MD5 over the numbers of the hello in decimal, in hex digits, as its authors at Salesforce published it. */
void tls_ja3(const struct tls_hello *client, char ret[static TLS_JA3]);
void tls_ja3s(const struct tls_hello *server, char ret[static TLS_JA3]);
/* JA4 of TLS over TCP, as FoxIO describes it. */
void tls_ja4(const struct tls_hello *client, char ret[static TLS_JA4]);

#endif
