/* A finding: stream "notice". */
#ifndef RECORD_NOTICE_H
#define RECORD_NOTICE_H

#include "record/record.h"

/* What is done about a notice, a bit each. */
enum notice_action { ACTION_LOG = 1, ACTION_EMAIL = 2, ACTION_WEBHOOK = 4, ACTION_DROP = 8 };
enum { ACTIONS = 4 };

/* Texts are valid UTF-8, borrowed from whoever raises it until that call returns. */
struct notice {
    struct timespec ts;   /* when what it tells of happened */
    struct connection id; /* no uid: it is about no single connection */
    uint64_t trans_depth; /* the mail in the connection; 0: none */
    struct slice note;    /* "SMTP::Blocklist_Blocked_Host" */
    struct slice msg, sub;
    struct address src, dst;       /* the connection's ends */
    struct address host;           /* whom it is about */
    enum maybe local;              /* is that one of ours? */
    struct slice mailfrom, msg_id; /* of the mail, as far as they are known */
    struct slice country;          /* of the host */
    uint64_t asn;
    struct slice list, kind, removal, retired; /* the block list that spoke */
    uint64_t code;                             /* of the reply; 0: none */
    struct slice enhanced;
    struct slice identifier; /* notices with the same note and identifier say the same */
    struct text_list actions;
    double suppress_for; /* seconds; negative: who raises it leaves that to the policy */
    uint64_t folded;     /* it stands for so many repeats; 0: it is one itself */
    struct slice sensor;
};

/* "log", "email", "webhook", "drop". */
const char *notice_action_name(enum notice_action action);
/* The action of that name; 0: there is none. */
unsigned notice_action(struct slice name);
/* A copy in one piece of memory, for free(); texts are cut to `most` bytes each, at a whole character.
 * Actions are left out. */
struct notice *notice_copy(const struct notice *n, size_t most);
/* Fills src, dst and host from the connection where they are empty. */
void notice_complete(struct notice *n);

#endif
