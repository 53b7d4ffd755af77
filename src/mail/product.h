/* What programs call themselves, in a User-Agent field or a greeting: a name and a version, in the forms that
 * most of them keep to. Which product it is a table says (record/agents.h). */
#ifndef MAIL_PRODUCT_H
#define MAIL_PRODUCT_H

#include "base/slice.h"

enum {
    PRODUCT_NAME = 64,    /* bytes of a name; what is longer is none */
    PRODUCT_VERSION = 64, /* bytes of a version, cut */
};

/* Slices of the text that it was read from, but for what a table knew; empty where it is not known. */
struct product {
    struct slice name, version;
    struct slice kind; /* a word of the table of agents */
};

/* The version at the start of `behind`, past what commonly stands between it and a name: "/1.2", " v1.2",
 * ", Version: 1.2", " (Release 1.2)". Letters and digits, '.', '-', '_', '+' and '~' from the first digit on,
 * up to "--". Empty: there is none. Looks at some 100 bytes. */
struct slice product_version(struct slice behind);
/* Of the value of a User-Agent or X-Mailer field: "Product/1.2 (...)", "Product 1.2", "Product". False: no
 * name is in it; *ret is empty. `kind` stays empty. */
bool product_of_agent(struct slice text, struct product *ret);
/* Of a greeting without its code (RFC 5321 4.2), "host ESMTP Product 1.2 ready": as most words in it name no
 * product, only what has a version is taken for one, and dates and addresses are no versions. */
bool product_of_greeting(struct slice text, struct product *ret);
/* Length of the host name that a greeting begins with: its first word, where a dot is in it; else 0. */
size_t product_greeting_host(struct slice text);

#endif
