/* What a record has of the envelope, and of the server's answers to it. */
#ifndef RECORD_ENVELOPE_H
#define RECORD_ENVELOPE_H

#include "base/slice.h"
#include "record/field.h"

/* Texts are valid UTF-8; data == NULL means that the field has no value and is left out. */
struct text_list {
    struct slice *items;
    size_t len, room;
};

/* What the server said to it: the reply that decided. */
struct decision {
    uint64_t code;
    struct slice enhanced, text; /* `text`: its lines joined by a blank, without both codes */
    struct slice stage;          /* "connect", "helo", "mail", "rcpt", "data", "content" */
};

/* A recipient of the envelope. */
struct recipient {
    struct slice addr;
    uint64_t code; /* of its own reply; 0: none was seen */
    struct slice enhanced, text;
    enum maybe accepted;
    struct slice notify, orcpt;
    struct text_list params; /* all other ones of its RCPT */
};

struct recipient_list {
    struct recipient *items;
    size_t len, room;
};

/* Parameters of MAIL. */
struct mail_params {
    uint64_t size;
    struct slice body, ret, envid, auth;
    bool smtputf8, requiretls;
    struct text_list others;
};

struct phases {
    struct interval envelope, transfer, answer;
};

#endif
