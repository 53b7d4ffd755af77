/* What an X.509 certificate says of its owner (RFC 5280). */
#ifndef MAIL_CERTIFICATE_H
#define MAIL_CERTIFICATE_H

#include "base/arena.h"

/* All texts lie in the arena that the caller gave, and may be of any bytes; no data: not there. */
struct certificate {
    struct slice subject, issuer; /* as RFC 2253 writes names, but with letters of all scripts as UTF-8 */
    struct slice *names;          /* subjectAltName: hosts, addresses, mail addresses and URIs, in order */
    size_t name_count;
    int64_t not_before, not_after; /* epoch seconds; 0: cannot be read */
    struct slice serial;           /* hex digits */
    struct slice sha256;           /* of all of it, hex digits */
    bool self_issued;              /* subject and issuer are the same name */
    bool cut;                      /* there are more than `most` names */
};

/* False: `der` is none; then only `sha256` is there. Up to `most` names are read. What does not fit into
 * `mem` is cut, as `mem` says. */
bool certificate_read(struct slice der, size_t most, struct arena *mem, struct certificate *ret);

#endif
