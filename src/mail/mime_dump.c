/* mime_dump.c: a MIME event to one line of text.
 * In: struct mime_event. Out: text without control characters. Owns: nothing. Limits: the caller's room; what
 * does not fit is cut. */
#include <stdio.h>
#include "mail/mime.h"

static size_t add(char *ret, size_t len, size_t room, const char *name, struct slice text)
{
    int n = snprintf(ret + len, room - len, " %s=", name);
    len = len + (size_t)n < room ? len + (size_t)n : room - 1;
    for (size_t i = 0; i < text.len && len + 5 < room; i++) {
        uint8_t c = text.data[i];
        if (c == '\n')
            len += (size_t)snprintf(ret + len, room - len, "\\n");
        else if (c == '\r')
            len += (size_t)snprintf(ret + len, room - len, "\\r");
        else if (c < 32 || c >= 127 || c == '\\')
            len += (size_t)snprintf(ret + len, room - len, "\\x%02x", c);
        else
            ret[len++] = (char)c;
    }
    ret[len] = '\0';
    return len;
}

size_t mime_dump(const struct mime_event *ev, char *ret, size_t room)
{
    static const char *const kinds[] = {
        [MIME_HEADER] = "header", [MIME_HEADERS_END] = "headers-end", [MIME_PART] = "part"};
    int n = snprintf(ret, room, "%s%s", kinds[ev->kind], ev->cut ? " cut" : "");
    size_t len = (size_t)n < room ? (size_t)n : room - 1;
    if (ev->kind == MIME_HEADER) {
        len = add(ret, len, room, "name", ev->name);
        len = add(ret, len, room, "value", ev->value);
    } else if (ev->kind == MIME_PART) {
        char number[64];
        snprintf(number, sizeof number, "%llu depth=%u", (unsigned long long)ev->size, ev->depth);
        len = add(ret, len, room, "size", slice_str(number));
        len = add(ret, len, room, "type", ev->type);
        if (ev->filename.data)
            len = add(ret, len, room, "filename", ev->filename);
    }
    return len;
}
