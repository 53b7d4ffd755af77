/* Records without what names persons: for those who may see what mail does, but not who writes what to whom.
 */
#ifndef WEB_REDACT_H
#define WEB_REDACT_H

#include "base/buf.h"

enum redact_how {
    REDACT_TEXT,      /* "anna@example.org" inside of it: "***@example.org" */
    REDACT_ADDRESS,   /* all of it: "***@example.org", or "***" */
    REDACT_MAILBOXES, /* "***@example.org, ***@example.net", or "***" */
    REDACT_WHOLE,     /* "***" */
    REDACT_FILE,      /* "***.pdf" */
    REDACT_URL,       /* "https://example.org/ ***", without the blank */
    REDACT_PROPERTY   /* "smtp.mailfrom=***@example.org" */
};

/* Adds the text as it may be shown. An empty one stays empty, <> is <>. */
void redact_text(enum redact_how how, struct slice text, struct buf *out);
/* How the field at `path` ("files.name", "rcptto") of a stream's records is shown; of no stream ("") what is
 * no record's. */
enum redact_how redact_field(struct slice stream, struct slice path);
/* Whether the msg of notices of that name is a sentence of ours, so that only addresses in it are hidden. */
bool redact_is_own_note(struct slice name);
/* Adds a JSON value as it may be shown: that of the field at `path`, or a whole record where path is empty.
 * Numbers and the like stay. False: it is no JSON, is nested too deeply, or did not fit; then nothing was
 * added. */
bool redact_json(struct slice stream, struct slice path, struct slice json, struct buf *out);

#endif
