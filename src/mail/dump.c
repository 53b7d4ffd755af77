/* dump.c: an event to one line of text.
 * In: struct smtp_event. Out: text without control characters. Limits: the caller's room; what does not fit
 * is cut. */
#include <stdio.h>
#include "mail/smtp.h"

static size_t add_text(char *ret, size_t len, size_t room, struct slice text)
{
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

size_t smtp_dump(const struct smtp_event *ev, char *ret, size_t room)
{
    static const char *const kinds[] = {
        [SMTP_COMMAND] = "command",
        [SMTP_REPLY] = "reply",
        [SMTP_MAIL_BEGIN] = "mail-begin",
        [SMTP_MESSAGE_BEGIN] = "message-begin",
        [SMTP_MESSAGE_DATA] = "message-data",
        [SMTP_MESSAGE_GAP] = "message-gap",
        [SMTP_MESSAGE_END] = "message-end",
        [SMTP_MAIL_END] = "mail-end",
        [SMTP_TLS] = "tls",
        [SMTP_GAP] = "gap",
        [SMTP_CUT] = "cut",
    };
    size_t len = (size_t)snprintf(ret, room, "%s mail=%u", kinds[ev->kind], ev->mail);
    if (ev->kind == SMTP_COMMAND || ev->kind == SMTP_REPLY)
        len += (size_t)snprintf(ret + len, room - len, " %s", verb_name(ev->verb));
    if (ev->kind == SMTP_REPLY)
        len += (size_t)snprintf(ret + len, room - len, " %u", ev->code);
    if (ev->kind == SMTP_GAP || ev->kind == SMTP_CUT)
        len += (size_t)snprintf(ret + len, room - len, " %s", ev->side == SIDE_CLIENT ? "client" : "server");
    if (ev->len)
        len += (size_t)snprintf(ret + len, room - len, " len=%llu", (unsigned long long)ev->len);
    if (ev->text.len) {
        ret[len++] = ' ';
        len = add_text(ret, len, room, ev->text);
    }
    return len;
}
