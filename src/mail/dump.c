/* dump.c: an event to one line of text.
 * In: struct smtp_event, struct mime_event. Out: text without control characters. Limits: the caller's room;
 * what does not fit is cut. */
#include <stdio.h>
#include "mail/mime.h"
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
        [SMTP_ANOMALY] = "anomaly",
    };
    size_t len = (size_t)snprintf(ret, room, "%s mail=%u", kinds[ev->kind], ev->mail);
    if (ev->kind == SMTP_COMMAND || ev->kind == SMTP_REPLY)
        len += (size_t)snprintf(ret + len, room - len, " %s", verb_name(ev->verb));
    if (ev->kind == SMTP_REPLY)
        len += (size_t)snprintf(ret + len, room - len, " %u", ev->code);
    if (ev->kind == SMTP_GAP || ev->kind == SMTP_CUT)
        len += (size_t)snprintf(ret + len, room - len, " %s", ev->side == SIDE_CLIENT ? "client" : "server");
    if (ev->kind == SMTP_ANOMALY)
        len += (size_t)snprintf(ret + len, room - len, " %s at=%llu", anomaly_name(ev->anomaly),
                                (unsigned long long)ev->len);
    else if (ev->len)
        len += (size_t)snprintf(ret + len, room - len, " len=%llu", (unsigned long long)ev->len);
    if (ev->text.len) {
        ret[len++] = ' ';
        len = add_text(ret, len, room, ev->text);
    }
    return len;
}

static size_t add_named(char *ret, size_t len, size_t room, const char *name, struct slice text)
{
    int n = snprintf(ret + len, room - len, " %s=", name);
    len = len + (size_t)n < room ? len + (size_t)n : room - 1;
    return add_text(ret, len, room, text);
}

static size_t add_depth(char *ret, size_t len, size_t room, uint32_t depth)
{
    char number[16];
    snprintf(number, sizeof number, "%u", depth);
    return add_named(ret, len, room, "depth", slice_str(number));
}

static size_t add_beginning(char *ret, size_t len, size_t room, const struct mime_event *ev)
{
    const struct {
        const char *name;
        struct slice text;
    } texts[] = {{"type", ev->type},         {"filename", ev->filename},
                 {"raw", ev->raw_filename},  {"disposition", ev->disposition},
                 {"encoding", ev->encoding}, {"charset", ev->charset}};
    len = add_depth(ret, len, room, ev->depth);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].text.len)
            len = add_named(ret, len, room, texts[i].name, texts[i].text);
    return len;
}

size_t mime_dump(const struct mime_event *ev, char *ret, size_t room)
{
    static const char *const kinds[] = {[MIME_HEADER] = "header",
                                        [MIME_HEADERS_END] = "headers-end",
                                        [MIME_ANOMALY] = "anomaly",
                                        [MIME_PART] = "part",
                                        [MIME_PART_BEGIN] = "part-begin",
                                        [MIME_BODY] = "body",
                                        [MIME_ATTACHED_HEADER] = "attached-header"};
    int n = snprintf(ret, room, "%s%s", kinds[ev->kind], ev->cut ? " cut" : "");
    size_t len = (size_t)n < room ? (size_t)n : room - 1;
    if (ev->kind == MIME_HEADER || ev->kind == MIME_ATTACHED_HEADER) {
        len = add_named(ret, len, room, "name", ev->name);
        len = add_named(ret, len, room, "value", ev->value);
    } else if (ev->kind == MIME_ANOMALY) {
        char at[100];
        snprintf(at, sizeof at, "%s at=%llu", anomaly_name(ev->anomaly), (unsigned long long)ev->size);
        len = add_named(ret, len, room, "name", slice_str(at));
        if (ev->value.data)
            len = add_named(ret, len, room, "value", ev->value);
    } else if (ev->kind == MIME_PART) {
        char number[64];
        snprintf(number, sizeof number, "%llu depth=%u", (unsigned long long)ev->size, ev->depth);
        len = add_named(ret, len, room, "size", slice_str(number));
        len = add_named(ret, len, room, "type", ev->type);
        if (ev->filename.data)
            len = add_named(ret, len, room, "filename", ev->filename);
    } else if (ev->kind == MIME_PART_BEGIN) {
        len = add_beginning(ret, len, room, ev);
    } else if (ev->kind == MIME_BODY) {
        len = add_depth(ret, len, room, ev->depth);
        len = add_named(ret, len, room, "value", ev->value);
    }
    return len;
}
