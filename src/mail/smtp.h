/* The SMTP dialogue by push: ordered bytes and gaps of both directions in, mail events out. Pure.
 *
 * The caller feeds in causal order: bytes of one side come after the bytes of the other that they answer. Any
 * split of the input gives the same events. Nothing here fails: oddities are events. */
#ifndef MAIL_SMTP_H
#define MAIL_SMTP_H

#include <time.h>
#include "base/net.h"
#include "mail/anomaly.h"
#include "mail/auth.h"
#include "mail/command.h"
#include "mail/tls.h"

enum smtp_kind {
    SMTP_COMMAND,       /* verb, text = argument, params, mail, nth */
    SMTP_REPLY,         /* code, text = lines joined by LF, verb that it answers, mail, nth */
    SMTP_MAIL_BEGIN,    /* mail; `len` 1 where it begins without MAIL, which was not seen */
    SMTP_MESSAGE_BEGIN, /* mail; `len` 1 where its beginning was not seen */
    SMTP_MESSAGE_DATA,  /* mail, text = unstuffed bytes */
    SMTP_MESSAGE_GAP,   /* mail, len = bytes missing */
    SMTP_MESSAGE_END,   /* mail; `len` 1 where its end was not seen */
    SMTP_MAIL_END,      /* mail: closed, and all its replies seen or given up */
    SMTP_TLS,           /* the readable part is over; `len` 1: TLS from the first byte on */
    SMTP_HANDSHAKE,     /* tls: what its handshake says; once, when its part in clear is over */
    SMTP_LOGIN,         /* auth: an AUTH exchange, once it is over */
    SMTP_GAP,           /* side, len; mail where one is open */
    SMTP_CUT,           /* a limit cut a line, a reply or a queue; mail where one is open */
    SMTP_ANOMALY,       /* mail where one is open; anomaly, the first of its kind in this mail, or outside of
                           mails; len = place of its first byte in the message, counted from 0 where that
                           begins, or in what the client sent; text: evidence, or none */
};

/* How a command was written and sent. */
enum smtp_form {
    FORM_LF = 1,         /* its line ended with LF alone */
    FORM_SPACED = 2,     /* MAIL, RCPT: blanks stand before the path */
    FORM_BARE = 4,       /* MAIL, RCPT: no brackets stand around the path */
    FORM_HEARD = 8,      /* the server's side is seen */
    FORM_PIPELINED = 16, /* not all commands before it were answered */
    FORM_EARLY = 32,     /* the server had not greeted */
    FORM_UPPER = 64,     /* the verb, a known one, is in capitals */
    FORM_LOWER = 128,    /* in small letters */
    FORM_TITLE = 256,    /* as Mail */
    FORM_MIXED = 512,    /* otherwise */
};

struct smtp_event {
    enum smtp_kind kind;
    enum side side;
    enum verb verb;
    unsigned code;
    enum anomaly anomaly;
    uint16_t form; /* COMMAND: bits of enum smtp_form */
    bool utf8;     /* MESSAGE_BEGIN: its MAIL asked for SMTPUTF8 (RFC 6531), or was not seen */
    uint32_t mail; /* number of the transaction in this session, from 1; 0: the session itself */
    uint32_t nth;  /* RCPT and its reply: which one of the mail's, from 1. LMTP's replies to the end of the
                      message: of which accepted recipient. Otherwise 0 */
    struct timespec ts;
    struct slice text, params; /* `params`: behind the path of MAIL and RCPT */
    uint64_t len;
    union {
        const struct tls_facts *tls;   /* HANDSHAKE */
        const struct auth_facts *auth; /* LOGIN */
    };
};
typedef void smtp_fn(void *ctx, const struct smtp_event *ev); /* slices die on return */

struct smtp_limits {
    size_t command_bytes; /* one client line */
    size_t reply_bytes;   /* one reply, all lines */
    size_t hold_bytes;    /* client bytes kept until the reply that decides what they are */
    uint32_t pending;     /* commands without a reply yet */
    uint32_t waiting;     /* closed transactions whose last replies are awaited */
    bool auth_user;       /* tell the names of users who log in */
    size_t tls_bytes;     /* one message of a TLS handshake; 0: none is read */
};

struct smtp;

/* `lim` is borrowed and outlives the parser. `midstream`: the beginning was not seen, so nothing is taken for
 * granted. */
struct smtp *smtp_new(const struct smtp_limits *lim, bool midstream, smtp_fn *fn, void *ctx);
/* Packets of the server are seen, so its replies are waited for; without them the client's text itself
 * decides. */
void smtp_expect_replies(struct smtp *s);
/* TLS begins with the first byte: before anything is fed. */
void smtp_begin_tls(struct smtp *s);
/* True: what follows can be read; see smtp_is_opaque. */
bool smtp_feed(struct smtp *s, enum side side, struct timespec ts, struct slice bytes);
void smtp_gap(struct smtp *s, enum side side, struct timespec ts, uint64_t len);
/* The connection is over: what is open is closed, with the events that belong to it. */
void smtp_finish(struct smtp *s, struct timespec ts);
/* True once nothing readable can follow, TLS and the clear part of its handshake: the caller may stop
 * feeding.
 */
bool smtp_is_opaque(const struct smtp *s);
void smtp_free(struct smtp **s);
/* One line of text, without its end, for an event: what tests compare and --events prints. */
size_t smtp_dump(const struct smtp_event *ev, char *ret, size_t room);

#endif
