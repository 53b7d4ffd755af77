/* message.c: the text of a message after DATA: finds its end, takes the stuffed dots out.
 * In: bytes in MODE_MESSAGE. Out: SMTP_MESSAGE_DATA, then the end.
 * Knowingly: only CRLF.CRLF ends a message, unless the client ends its commands with a bare LF too; what other servers may take
 * for an end is remembered in `lookalike`, and the server's reply decides (pairing.c).
 * Spec: RFC 5321 4.5.2. */
#include "mail/dialogue.h"

static void text_out(struct smtp *s, const uint8_t *from, const uint8_t *to)
{
    if (to > from)
        smtp_emit(s, SMTP_MESSAGE_DATA, SIDE_CLIENT, (struct slice){from, (size_t)(to - from)}, 0);
}

/* Runs to the next line start; returns where it stands. */
static const uint8_t *skip_line(struct smtp *s, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
    if (!lf) {
        s->bol = end[-1] == '\r' ? BOL_CR : BOL_NO;
        return end;
    }
    bool cr = lf > p ? lf[-1] == '\r' : s->bol == BOL_CR;
    s->bol = cr || s->bare_lf ? BOL_YES : BOL_LF;
    return lf + 1;
}

/* A line that begins after a bare LF cannot end the message by the RFC, but some servers let it. */
static void note_lookalike(struct smtp *s, const uint8_t *p, const uint8_t *end)
{
    size_t n = (size_t)(end - p);
    if ((n == 2 && memcmp(p, ".\n", 2) == 0) || (n == 3 && memcmp(p, ".\r\n", 3) == 0))
        s->lookalike = true;
}

size_t message_feed(struct smtp *s, struct slice bytes)
{
    const uint8_t *p = bytes.data, *end = p + bytes.len, *out = p;
    s->lookalike = false;
    while (p < end) {
        switch (s->bol) {
        case BOL_YES:
            if (*p == '.') {
                text_out(s, out, p);
                out = ++p;
                s->bol = BOL_DOT;
            } else {
                s->bol = BOL_NO;
                p = skip_line(s, p, end);
            }
            break;
        case BOL_DOT:
            if (*p == '\r') {
                s->bol = BOL_DOT_CR;
                out = ++p;
            } else if (*p == '\n' && s->bare_lf) {
                smtp_message_end(s, true);
                return (size_t)(p + 1 - bytes.data);
            } else {
                s->lookalike = *p == '\n' && p + 1 == end;
                s->bol = BOL_NO;
                p = skip_line(s, p, end);
            }
            break;
        case BOL_DOT_CR:
            if (*p == '\n') {
                smtp_message_end(s, true);
                return (size_t)(p + 1 - bytes.data);
            }
            text_out(s, (const uint8_t *)"\r", (const uint8_t *)"\r" + 1);
            s->bol = *p == '\r' ? BOL_CR : BOL_NO;
            p = skip_line(s, p, end);
            break;
        case BOL_LF:
            note_lookalike(s, p, end);
            s->bol = BOL_NO;
            p = skip_line(s, p, end);
            break;
        case BOL_NO:
        case BOL_CR:
            p = skip_line(s, p, end);
            break;
        }
    }
    text_out(s, out, end);
    return bytes.len;
}
