/* What servers wrote of their checks: Authentication-Results (RFC 8601), ARC-Authentication-Results (RFC
 * 8617), Received-SPF (RFC 7208 9.1), and the tags of signatures (RFC 6376 3.2, RFC 8617 4.1). Pure; input is
 * one unfolded value. All that is given back lies in it. Nothing fails: what cannot be read is passed over.
 * Linear in the value. */
#ifndef MAIL_AUTHRES_H
#define MAIL_AUTHRES_H

#include "base/slice.h"

struct authres {
    struct slice rest;        /* what was not read yet */
    struct slice authserv_id; /* who says it; data NULL: it is not told */
    uint64_t instance;        /* i= of ARC-Authentication-Results; 0: none */
};
/* Reads what stands before the first result. */
void authres_open(struct slice value, struct authres *ret);

struct authres_result {
    struct slice method, result; /* as written; no method: "none", nothing was checked */
    struct slice reason;         /* without quotes; data NULL: none */
    struct slice comment;        /* the first one, without parentheses; data NULL: none */
    struct slice properties;     /* for authres_property */
};
/* The next result. False: no more. Segments that are none, as Exchange writes them between results, are
 * passed over. */
bool authres_next(struct authres *a, struct authres_result *ret);
/* Takes the next "key=value" of *rest: of a result "ptype.property=value" with the reason left out. Values
 * come without quotes around all of them. False: no more. */
bool authres_property(struct slice *rest, struct slice *ret_key, struct slice *ret_value);

struct spf_parts {
    struct slice result;  /* as written */
    struct slice comment; /* as above */
    struct slice pairs;   /* for authres_property: client-ip and the like */
};
/* A Received-SPF value. */
void spf_parse(struct slice value, struct spf_parts *ret);

/* Takes the next "name=value" of a signature's tags from *rest, trimmed; blanks from folding may stand in the
 * value. False: no more. */
bool tag_next(struct slice *rest, struct slice *ret_name, struct slice *ret_value);

#endif
