/* Names and types under which a file is not what it looks like. */
#ifndef MAIL_DISGUISE_H
#define MAIL_DISGUISE_H

#include "base/slice.h"

/* `name` ends as what runs does, behind the end of a document, picture or archive: "invoice.pdf.exe". */
bool disguise_extension(struct slice name);
/* It names a place, not only a file: with a slash or backslash in it, or a drive. */
bool disguise_path(struct slice name);
/* What runs, by its first bytes (`seen`, of sniff_type), stands under a name or a declared type of a
 * document, a picture, sound or film. */
bool disguise_type(struct slice name, struct slice declared, const char *seen);

#endif
