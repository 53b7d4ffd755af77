/* What a record has of the mail's header beyond single texts. */
#ifndef RECORD_HEADING_H
#define RECORD_HEADING_H

#include "base/net.h"
#include "record/envelope.h"

/* Somebody who is named in a header field, or a group without members. */
struct mailbox {
    struct slice name;           /* decoded */
    struct slice addr;           /* local@domain */
    struct slice domain;         /* the end of addr */
    struct slice domain_unicode; /* where that is punycode */
    struct slice group;
};

struct mailbox_list {
    struct mailbox *items;
    size_t len, room;
};

struct addresses {
    struct mailbox_list from, sender, reply_to, to, cc, bcc;
};

/* What a mailing list says of itself. */
struct mailing_list {
    struct slice id, unsubscribe_post, precedence;
    struct text_list unsubscribe, subscribe, help, post, owner, archive;
};

struct header_field {
    struct slice name, value;
};

struct header_field_list {
    struct header_field *items;
    size_t len, room;
};

/* What a server wrote of a check that it made. */
struct auth_result {
    struct slice authserv_id, method, result, reason, comment;
    struct text_list properties; /* "ptype.property=value" */
    uint64_t arc_instance;       /* of ARC-Authentication-Results; 0: it is none */
    bool trusted;
};

struct auth_result_list {
    struct auth_result *items;
    size_t len, room;
};

struct received_spf {
    struct slice result, comment, identity, envelope_from, helo, receiver, mechanism, problem;
    struct address client_ip;
};

struct received_spf_list {
    struct received_spf *items;
    size_t len, room;
};

struct dkim_signature {
    struct slice domain, selector, algorithm, identity;
    uint64_t time, expires; /* seconds since 1970; 0: not said */
    bool length_limited;
};

struct dkim_signature_list {
    struct dkim_signature *items;
    size_t len, room;
};

/* The fields of one instance in the chain of ARC. */
struct arc_set {
    uint64_t instance;
    struct slice cv, domain, selector; /* of its seal */
    struct slice message_domain;       /* of its signature */
};

struct arc_set_list {
    struct arc_set *items;
    size_t len, room;
};

/* What can be seen of how a mail was authenticated. */
struct authentication {
    struct auth_result_list results;
    struct received_spf_list spf;
    struct dkim_signature_list dkim;
    struct arc_set_list arc;
    struct slice aligned_spf, aligned_dkim; /* "strict", "relaxed", "no" */
};

#endif
