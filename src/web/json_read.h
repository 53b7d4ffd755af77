/* JSON, token by token, of texts that others wrote: nothing is built, nothing recurses. */
#ifndef WEB_JSON_READ_H
#define WEB_JSON_READ_H

#include "base/buf.h"

enum { JSON_READ_DEPTH = 64 };

enum json_token {
    JSON_WRONG, /* no JSON, or nested too deeply; and so is all that follows */
    JSON_END,   /* behind the value */
    JSON_OBJECT,
    JSON_LIST,
    JSON_CLOSE, /* of the innermost object or list */
    JSON_KEY,
    JSON_TEXT,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
};

struct json_reader {
    struct slice rest;
    struct slice raw;           /* of the last token, as it stands there; of a text without its quotes */
    unsigned depth;             /* of objects and lists that are open */
    char open[JSON_READ_DEPTH]; /* '{' or '[' of each */
    enum {
        JSON_WANTS_VALUE,
        JSON_WANTS_FIRST,
        JSON_WANTS_NEXT,
        JSON_WANTS_COLON,
        JSON_IS_DONE,
        JSON_IS_WRONG
    } state;
};

/* `text` is the caller's and must outlive the reader. */
struct json_reader json_reader_of(struct slice text);
enum json_token json_read(struct json_reader *j);
/* Adds to `out` what the raw text of a key or text means. Escapes that mean no character of Unicode, and
 * bytes that are no UTF-8, become U+FFFD. False: it did not fit. */
bool json_unescape(struct slice raw, struct buf *out);

#endif
