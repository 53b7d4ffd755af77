/* What mailtap web gives up before it answers anybody. */
#ifndef WEB_RIGHTS_H
#define WEB_RIGHTS_H

#include "web/web.h"

struct web_rights {
    const struct web_settings *web;
    const char
        *user; /* NULL or "": where we are root, the owner of the store's folder, or of the other one */
    const char *folder;  /* of the store; NULL: it is a server */
    const char *url;     /* of that server */
    const char *ca_file; /* whom we believe of it, or NULL */
};

/* Makes what the page's users write, while there are rights to; then becomes the user, and keeps reading the
 * store or connecting to its server, writing those files, and the audit and users of the settings. 0, or
 * -errno with a text. */
int web_rights_drop(const struct web_rights *rights, struct error *reterr);

#endif
