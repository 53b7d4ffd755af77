/* Addresses in header fields: who is named there, under which name, with which address. Pure; input is one
 * unfolded value. */
#ifndef MAIL_MAILBOX_H
#define MAIL_MAILBOX_H

#include "mail/charset.h"

/* A list that is read from its beginning on; to begin with it is {value}. */
struct mailbox_reader {
    struct slice rest;   /* what was not read yet */
    struct slice group;  /* name of the group that the last element stands in, as written; data NULL: none */
    bool closed;         /* and that group ended with it */
    const uint8_t *none; /* for hidden_past_known */
};
/* Takes the next element of the list (RFC 5322 3.4): split at commas and semicolons outside of quotes,
 * comments and angle brackets; a group's name and its closing ';' are no part of it. Trimmed, inside of the
 * value; empty where it stands for a group without members, else not. False: no more. Linear in the list. */
bool mailbox_next(struct mailbox_reader *r, struct slice *ret);

/* The pieces of an element as they are written; data NULL: there is none. They lie in the element. */
struct mailbox_parts {
    struct slice name;   /* a phrase, or what a comment says where there is no phrase */
    struct slice local;  /* before the last '@', all of it where there is none */
    struct slice domain; /* behind it; a route is no part of the address */
    struct slice addr;   /* plain_addr: both, with the '@' between them, as one piece */
    bool plain_name;     /* nothing in it is quoted, escaped or a comment */
    bool name_comment;   /* it is what a comment says */
    bool plain_addr;     /* nor in local and domain, and they are ASCII without blanks */
    bool upper, dash;    /* plain_addr: capital letters, hyphens stand in the domain */
};
/* Reads an element. It cannot fail: what has no address has a name or nothing. Of several addresses the last
 * in angle brackets counts, else the last. Linear in the element. */
void mailbox_parse(struct slice element, struct mailbox_parts *ret);
/* Adds the name to `out`: without quotes and comments, runs of blanks as one, encoded words decoded (RFC
 * 2047), inside of quotes as well, as mailers write them. Valid UTF-8. */
void mailbox_name(struct charsets *cs, const struct mailbox_parts *parts, struct buf *out);
/* Adds the phrase that names a group in the same way. */
void mailbox_phrase(struct charsets *cs, struct slice phrase, struct buf *out);
/* Adds the local part: without comments and blanks, in quotes only where it needs them (RFC 5322 3.2.4). The
 * bytes are as they were. */
void mailbox_local(const struct mailbox_parts *parts, struct buf *out);
/* Adds the domain: without comments and blanks, ASCII letters small; an address literal as it is. */
void mailbox_domain(const struct mailbox_parts *parts, struct buf *out);

#endif
