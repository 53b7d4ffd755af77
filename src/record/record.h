/* What comes out: records. */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <time.h>
#include "base/arena.h"
#include "base/net.h"
#include "mail/anomaly.h"
#include "mail/product.h"
#include "mail/received.h"
#include "record/heading.h"
#include "record/logins.h"
#include "record/ssl.h"
#include "record/file.h"

struct address_list {
    struct address *items;
    size_t len, room;
};

/* One Received line. */
struct hop {
    struct received line;
    struct interval delay; /* since the next older one; may be negative */
    bool private, trusted;
};

struct hop_list {
    struct hop *items;
    size_t len, room;
};

/* Where a mail comes from, as far as it can be told. */
struct origin {
    struct address ip;
    struct slice country; /* ISO 3166-1, upper case */
    uint64_t asn;         /* 0: not known */
    struct slice as_name;
};

/* Something odd, the first of its kind in the mail or, outside of mails, in the session. */
struct found_anomaly {
    enum anomaly which;
    uint64_t offset; /* of its first byte, see smtp.h */
    struct slice text;
};

struct anomaly_list {
    struct found_anomaly *items;
    size_t len, room;
};

/* The flags of fields.def, a bool each. */
struct flags {
#define FLAG(name, of_session, doc) bool name;
#include "record/fields.def"
#undef FLAG
};

struct connection {
    struct slice uid;
    struct endpoint orig, resp; /* client, server */
};

/* One mail transaction: stream "smtp". */
struct transaction {
    struct timespec ts; /* of its first command */
    struct connection id;
    uint64_t trans_depth;
    struct slice helo, mailfrom;
    struct text_list rcptto;
    struct slice date, from;
    struct text_list to, cc;
    struct slice reply_to, msg_id, in_reply_to, subject;
    struct addresses *addresses; /* what lies apart may be NULL */
    struct text_list references;
    struct mailing_list *list;
    struct slice auto_submitted, sender, return_path;
    struct text_list header_names;
    struct header_field_list headers;
    struct slice x_originating_ip, first_received, second_received;
    struct slice last_reply, last_error;
    struct slice disposition; /* "accepted", "rejected", "deferred", "aborted", "unknown" */
    struct decision reply;
    struct recipient_list rcpt;
    struct slice queue_id;
    struct mail_params mail_params;
    uint64_t message_bytes;
    struct stored_mail stored;
    struct phases seconds;
    struct address_list path; /* resp_h, orig_h, hop, ... newest first */
    struct slice received_from_originating_ip, user_agent;
    bool tls, is_webmail;
    struct product *agent;
    bool message; /* no field of its own, for who shows the record: text of the message was seen */
    struct file_list files, parts; /* with a name, and without */
    struct url_list urls;
    struct hop_list hops; /* newest first */
    struct authentication *authentication;
    struct origin *origin;
    struct text_list tags;
    struct anomaly_list anomalies;
    struct flags flags;
    struct slice sensor;
};

/* One SMTP connection: stream "smtp_session". */
struct session {
    struct timespec ts; /* of its first packet */
    struct connection id;
    double duration; /* seconds from first to last packet */
    struct slice banner;
    struct product server;
    struct slice helo;
    struct text_list ehlo_keywords;
    bool tls;
    struct slice tls_start; /* "starttls" or "implicit" */
    struct ssl ssl;
    struct login_list logins;
    struct slice dialect, sensor;
    uint64_t mails; /* records in stream smtp */
    struct slice last_reply, last_error;
    struct slice disposition; /* where it was refused before any mail: "rejected" or "deferred" */
    struct decision reply;
    struct slice end; /* "quit", "fin", "rst", "timeout", "reuse", "shed", "eof" */
    struct anomaly_list anomalies;
    struct flags flags;
};

extern const struct shape shape_ssl;        /* struct ssl */
extern const struct stream stream_smtp;     /* struct transaction */
extern const struct stream stream_session;  /* struct session */
extern const struct stream stream_notice;   /* struct notice, notice.h */
extern const struct stream stream_software; /* struct software, software.h */
extern const struct stream stream_stats;    /* struct stats, stats.h */
extern const struct stream
    stream_entry; /* struct entry, entry.h: what scripts write; its path is their own */
extern const struct stream *const stream_table[STREAMS];

struct record {
    const struct stream *stream;
    void *body;          /* of the type that the stream names; borrowed until who takes it returns */
    struct timespec end; /* packet time at which it was complete: the order of records */
    struct arena *mem;   /* for texts that are added to it; NULL: nothing can be */
};

/* Adds a tag to a list that lives in `mem`; one that is there already counts as added. False: no room. */
bool record_tag(struct text_list *tags, struct arena *mem, struct slice tag);

#endif
