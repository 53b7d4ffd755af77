/* What mailtap web gives up before it answers anybody. */
#ifndef WEB_RIGHTS_H
#define WEB_RIGHTS_H

#include "web/web.h"

/* Makes what the page's users write, while there are rights to; then becomes `user` (NULL or "": where we are
 * root, the owner of the store), and keeps reading the store, writing those files, and the audit and users of
 * the settings. 0, or -errno with a text. */
int web_rights_drop(const struct web_settings *set, const char *user, struct error *reterr);

#endif
