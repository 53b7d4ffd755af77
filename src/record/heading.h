/* What a record has of the mail's header beyond single texts. */
#ifndef RECORD_HEADING_H
#define RECORD_HEADING_H

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
    struct slice id, unsubscribe_post;
    struct text_list unsubscribe, subscribe, help, post, owner, archive;
};

struct header_field {
    struct slice name, value;
};

struct header_field_list {
    struct header_field *items;
    size_t len, room;
};

#endif
