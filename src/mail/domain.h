/* Domains: both forms of an internationalized one, and whether two belong together. Pure. */
#ifndef MAIL_DOMAIN_H
#define MAIL_DOMAIN_H

#include "base/buf.h"

enum domain_kind {
    DOMAIN_ASCII,  /* it has one form alone, which it is in */
    DOMAIN_IDN,    /* it has two */
    DOMAIN_BROKEN, /* it looks like one that has two, but no name is like that */
};
/* `domain` has small ASCII letters, and is UTF-8 where it is not ASCII. IDN: its form for DNS (punycode) is
 * added to `ascii`, that for people to `unicode`, both by IDNA2008 with the mapping of UTS 46,
 * non-transitional (RFC 5891, RFC 5895); else nothing is added. Nothing is looked up. */
enum domain_kind domain_forms(struct slice domain, struct buf *ascii, struct buf *unicode);

enum domain_likeness {
    DOMAIN_APART,
    DOMAIN_RELATED, /* of one organisation, by the list of public suffixes that libpsl has built in */
    DOMAIN_SAME,
};
/* Compares two domains in the form for DNS; case does not matter, nor does a dot at the end. An empty one is
 * like none. */
enum domain_likeness domain_compare(struct slice a, struct slice b);

#endif
