/* The files of TLS. */
#ifndef WEB_PEM_H
#define WEB_PEM_H

#include "base/buf.h"
#include "base/error.h"

/* Reads a certificate and its key, each with a NUL behind it, and checks that they belong together; says on
 * standard error where the certificate counts no more, or not yet. 0, or -errno with a text. */
int pem_read(const char *certificate, const char *key, struct buf *retcertificate, struct buf *retkey,
             struct error *reterr);
/* Overwrites before it frees. */
void pem_forget(struct buf *key);

#endif
