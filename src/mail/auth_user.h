/* The user's name in what a client answers, for each way to log in. */
#ifndef MAIL_AUTH_USER_H
#define MAIL_AUTH_USER_H

#include "base/buf.h"

enum { AUTH_USER_MOST = 320 }; /* a mailbox has up to 64 + 1 + 255 bytes (RFC 5321 4.5.3.1) */

/* `answer` is decoded. Adds the name to *ret, which holds AUTH_USER_MOST bytes. False: there is none, or what
 * stands in its place is not beyond doubt, as it could be a secret out of place. */
typedef bool auth_user_fn(struct slice answer, struct buf *ret);

auth_user_fn auth_user_plain;   /* RFC 4616: authzid NUL authcid NUL passwd */
auth_user_fn auth_user_whole;   /* LOGIN and EXTERNAL: nothing but the name */
auth_user_fn auth_user_cram;    /* RFC 2195: name and 32 hex digits */
auth_user_fn auth_user_digest;  /* RFC 2831: username="..." */
auth_user_fn auth_user_scram;   /* RFC 5802: n,,n=...,r=... */
auth_user_fn auth_user_xoauth2; /* user=...^Aauth=Bearer ... */
auth_user_fn auth_user_bearer;  /* RFC 7628: n,a=...,^A... */
auth_user_fn auth_user_ntlm;    /* MS-NLMP 2.2.1.3, the third message: DOMAIN\name */

#endif
