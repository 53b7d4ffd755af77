/* Where in the dialogue the client's next byte stands. */
#ifndef MAIL_MODE_H
#define MAIL_MODE_H

enum mode {
    MODE_COMMAND, /* lines are commands */
    MODE_HOLD,    /* the last command's reply decides what the bytes are: they wait in `hold` */
    MODE_SECRET,  /* the next line answers an AUTH challenge */
    MODE_MESSAGE, /* after 354, up to the dot */
    MODE_CHUNK,   /* inside of a BDAT chunk */
    MODE_RESYNC,  /* after a gap: lines count only where they are commands beyond doubt */
    MODE_SNIFF,   /* after 220 to STARTTLS: the next byte tells TLS from a decrypted feed */
    MODE_TRIAL,   /* the replies decide which of two ends the message has: both sides wait in `trial` */
    MODE_OPAQUE,  /* TLS */
} __attribute__((packed));

/* Where in a line of a message the next byte stands: amid it; behind a CR; at its start after CRLF, or after
 * a bare LF; behind a dot that began the line, and behind dot and CR, in both cases. */
enum bol {
    BOL_NO,
    BOL_CR,
    BOL_YES,
    BOL_DOT,
    BOL_DOT_CR,
    BOL_LF,
    BOL_LF_DOT,
    BOL_LF_DOT_CR
} __attribute__((packed));

/* What the server's answer to the last hello says of it (RFC 2920). */
enum pipelining { PIPELINING_UNKNOWN, PIPELINING_NOT_OFFERED, PIPELINING_OFFERED } __attribute__((packed));

#endif
