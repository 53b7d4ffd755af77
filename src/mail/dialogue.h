/* The SMTP parser's state, shared by smtp.c, client.c, message.c, hold.c and pairing.c. */
#ifndef MAIL_DIALOGUE_H
#define MAIL_DIALOGUE_H

#include "base/buf.h"
#include "mail/dated.h"
#include "mail/mode.h"
#include "mail/secret.h"
#include "mail/smtp.h"

struct pending {
    uint32_t mail, nth; /* `nth`: see struct smtp_event */
    uint8_t verb;
    bool each; /* answered once for each accepted recipient (RFC 2033 4.2) */
    uint32_t
        left; /* replies still to come; 0 until the first one is here, when all recipients are answered */
};

struct waiting {
    uint32_t mail;       /* closed transaction */
    uint32_t unanswered; /* its commands without a reply */
    uint32_t accepted;   /* its recipients */
};

enum { FEW_PENDING = 4, FEW_WAITING = 2 }; /* as many as most clients send ahead; powers of two */

/* One for each session, of which there are many that say nothing for long: what not all need is allocated
 * when it is needed, and lines, replies and held bytes go back when they are done with. */
struct smtp {
    const struct smtp_limits *lim;
    smtp_fn *fn;
    void *ctx;
    struct timespec now;
    enum mode mode;

    /* client */
    enum bol bol;
    bool line_cut;      /* the line went over its limit: skip to its end */
    bool line_lf;       /* the line that is read now ended with LF alone */
    bool spoke;         /* a line of the client was seen */
    bool bare_lf;       /* all its lines so far ended with LF alone, so may the message's */
    bool lost_commands; /* a client gap: what follows may belong to commands that were not seen */
    bool had_gap;       /* anything was lost in this session, so commands and replies may be out of step */
    bool lost_chunks;   /* the same: a BDAT may not be the first of its mail */
    bool line_torn;     /* the line's beginning was lost */
    bool chunks;        /* it has used BDAT */
    bool pipelines;     /* it has sent a command before the reply to the one before */
    bool hold_over;     /* more came than `hold` may keep: decide without the reply */
    bool hold_blind;    /* the reply lies in a gap: the client's next line decides */
    bool lookalike;     /* the text so far ends as some servers let a message end */
    bool had_lookalike; /* some text of this message did */
    bool doubt_text;    /* behind a command in `doubt` may stand what is none: a text, a chunk, a secret */
    bool doubt_over;    /* more of this message was in doubt than `doubt` may keep */
    uint8_t trials, settling; /* begun in what one kept; ends of them that are under way */
    bool message_gap;         /* bytes of the message are missing, its end may be among them */
    bool message_reply_lost;  /* a server gap came since the message began */
    bool chunk_last;
    enum pipelining pipelining;
    bool in_step;     /* since the last gap; the client waits for each reply */
    bool no_chunking; /* the server's answer to the last hello did not offer it: it may not know BDAT */
    bool utf8;        /* the last MAIL asked for SMTPUTF8, or was not seen */
    uint8_t last[2];  /* bytes of the message, the last one first */
    bool lmtp;

    /* transactions */
    bool refused;       /* the open mail's MAIL was */
    bool message_begun; /* MESSAGE_BEGIN is out for the open mail */

    /* server */
    bool heard;               /* it has said something */
    bool skip_line, tls_told; /* after a gap: up to the next line's start; TLS was told of */
    bool server_opaque, server_line_cut, in_reply, reply_cut;
    bool skipped;      /* a reply fitted only a later command than the one that it should answer */
    bool lost_replies; /* a server gap: how many replies were in it is not known */

    /* client */
    enum verb hold_verb; /* NONE: a chunk was refused before all its octets came; do they come? */
    uint32_t accepted;   /* recipients of the open mail */
    uint32_t line_len;   /* of the message's line so far, up to LINE_MOST and one */
    struct buf line;
    uint32_t reply_at;   /* bytes in `line` when the last reply came: a lost command may have ended there */
    uint32_t doubt_line; /* of what is in doubt, where its last line begins */
    struct dated *hold;
    /* After a gap or lookalike: lines that are commands, unless the message goes on behind them. */
    struct dated *doubt;
    struct trial *trial; /* or NULL, see trial.c */
    struct tls *tls;     /* in MODE_OPAQUE, while its handshake is in clear */
    uint64_t chunk_left;
    uint64_t client_at, line_at;    /* bytes of the client before what is consumed now, before its line */
    uint64_t message_at;            /* the same in the message */
    anomaly_set told, told_outside; /* anomalies of the open mail, and outside of mails */
    struct secrets *secrets;        /* what no reply may repeat */
    struct auth *auth;              /* the exchange under way, or NULL */
    uint64_t lost_bytes;            /* since the last command that was seen, outside of its chunk */
    uint32_t stray_replies;         /* since then, to commands that were not seen */

    /* transactions */
    uint32_t mails;      /* begun */
    uint32_t open;       /* the mail that commands belong to, or 0 */
    uint32_t rcpts;      /* RCPT commands of the open mail */
    uint32_t unanswered; /* commands of the open mail without a reply */
    uint32_t nested;     /* begun by a MAIL amid the open mail; its reply decides which one goes on */
    uint32_t nested_unanswered;
    uint32_t waiting_from, waiting_len, waiting_room;
    struct waiting *waiting; /* ring; in `few_waiting` while it has room */
    struct waiting few_waiting[FEW_WAITING];

    /* server */
    struct buf server_line; /* the part of a line that came */
    struct buf reply;       /* lines of a reply that goes on, joined by LF */
    struct pending *queue;  /* ring; in `few_pending` while it has room */
    uint32_t queue_from, queue_len, queue_room;
    struct pending few_pending[FEW_PENDING];
    uint32_t dropped;  /* commands that a limit took out of the queue: so many replies answer nothing known */
    struct late *late; /* or NULL, see pairing.c */
    uint32_t late_len;
};

/* smtp.c */
void smtp_emit(struct smtp *s, enum smtp_kind kind, enum side side, struct slice text, uint64_t len);
void smtp_cut(struct smtp *s, enum side side);
/* Tells of it, the first time. */
void smtp_anomaly(struct smtp *s, enum anomaly which, uint64_t at, struct slice text);
void smtp_mail_begin(struct smtp *s, bool mail_seen);
void smtp_mail_close(struct smtp *s);
/* MAIL amid an open mail: begins a mail that waits for the reply; returns its number. */
uint32_t smtp_mail_nest(struct smtp *s);
/* The reply is here: where it was `taken` the nested mail is the open one, else it ends, and the open one
 * goes on. */
void smtp_mail_unnest(struct smtp *s, bool taken);
/* Tells of TLS, once. */
void smtp_tls_begin(struct smtp *s);
/* The AUTH exchange under way, if any, is over: by that reply, or, where `code` is 0, by none. */
void smtp_auth_end(struct smtp *s, unsigned code, struct slice text, bool gave_up);
/* Bytes of TLS. */
void smtp_tls_feed(struct smtp *s, enum side side, struct slice bytes);
void smtp_message_begin(struct smtp *s, bool beginning_seen);
/* Ends the message text. `end_seen`: its reply is awaited from here on. */
void smtp_message_end(struct smtp *s, bool end_seen);
/* A whole line stands in `doubt`. */
bool smtp_has_doubt(const struct smtp *s);
/* The bytes in `doubt` are commands, as a reply shows: the message ended before them. */
void smtp_end_doubt(struct smtp *s);

#endif
