/* message.c: the text of a message after DATA: finds its end, takes the stuffed dots out.
 * In: bytes in MODE_MESSAGE. Out: SMTP_MESSAGE_DATA, then the end. Owns: lines in doubt (in struct smtp).
 * Limits: hold_bytes of them, command_bytes a line.
 * Knowingly: only CRLF.CRLF ends a message, unless all lines of the client
 * so far ended with a bare LF: a server that took those takes LF.LF too; what other servers may take for an
 * end is remembered in `lookalike`, and the server's reply decides (pairing.c). After a gap the end may be
 * lost, so then, and after a lookalike, lines that are commands beyond doubt wait until the text goes on
 * (then they are text) or the server replies (then they are commands). Spec: RFC 5321 4.5.2. */
#include "mail/message.h"

#include <assert.h>

static void text_out(struct smtp *s, const uint8_t *from, const uint8_t *to)
{
    if (to > from)
        smtp_emit(s, SMTP_MESSAGE_DATA, SIDE_CLIENT, (struct slice){from, (size_t)(to - from)}, 0);
}

/* Where a line stands behind [begin, end), of which nothing but the end matters. */
static enum bol bol_after(const struct smtp *s, const uint8_t *begin, const uint8_t *end)
{
    if (end[-1] == '\r')
        return BOL_CR;
    if (end[-1] != '\n')
        return BOL_NO;
    bool cr = end - begin > 1 ? end[-2] == '\r' : s->bol == BOL_CR;
    return cr || s->bare_lf ? BOL_YES : BOL_LF;
}

/* Runs to the next dot that begins a line, or to the end; most text has few dots, and only they matter here.
 */
static const uint8_t *skip_text(struct smtp *s, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *dot = p;
    while (dot < end && (dot = memchr(dot, '.', (size_t)(end - dot))) && (dot == p || dot[-1] != '\n'))
        while (dot < end && *dot == '.')
            dot++;
    if (!dot)
        dot = end;
    s->bol = bol_after(s, p, dot);
    return dot;
}

/* After CRLF: a dot is stuffing or the end, and no text in either case. */
static void at_line_start(struct smtp *s, const uint8_t **p, const uint8_t *end, const uint8_t **out)
{
    if (**p != '.') {
        s->bol = BOL_NO;
        *p = skip_text(s, *p, end);
        return;
    }
    text_out(s, *out, *p);
    *out = ++*p;
    s->bol = BOL_DOT;
}

/* True where the message is over, with *p behind its end. */
static bool after_dot(struct smtp *s, const uint8_t **p, const uint8_t *end, const uint8_t **out)
{
    bool lf = **p == '\n';
    if (s->bol == BOL_DOT_CR && !lf) {
        text_out(s, (const uint8_t *)"\r", (const uint8_t *)"\r" + 1);
        s->bol = BOL_CR;
        *p = skip_text(s, *p, end);
    } else if (s->bol == BOL_DOT_CR || (lf && s->bare_lf)) {
        ++*p;
        smtp_message_end(s, true);
        return true;
    } else if (**p == '\r') {
        s->bol = BOL_DOT_CR;
        *out = ++*p;
    } else if (lf) {
        ++*p;
        s->lookalike = true;
        s->bol = BOL_LF;
    } else {
        s->bol = BOL_NO;
        *p = skip_text(s, *p, end);
    }
    return false;
}

/* A line that begins after a bare LF cannot end the message by the RFC, but some servers let it. */
static void after_bare_lf(struct smtp *s, const uint8_t **p, const uint8_t *end)
{
    bool lf = **p == '\n', cr = **p == '\r';
    if (s->bol == BOL_LF && **p == '.') {
        s->bol = BOL_LF_DOT;
        ++*p;
    } else if (s->bol == BOL_LF_DOT && cr) {
        s->bol = BOL_LF_DOT_CR;
        ++*p;
    } else if (lf && s->bol != BOL_LF) {
        ++*p;
        s->lookalike = true;
        s->bol = s->bol == BOL_LF_DOT_CR ? BOL_YES : BOL_LF;
    } else {
        s->bol = s->bol == BOL_LF_DOT_CR ? BOL_CR : BOL_NO;
        *p = skip_text(s, *p, end);
    }
}

size_t message_feed(struct smtp *s, struct slice bytes)
{
    if (!bytes.len)
        return 0; /* no bytes may have no place either, to which nothing can be added */
    const uint8_t *p = bytes.data, *end = p + bytes.len, *out = p;
    while (p < end) {
        bool ended = false;
        s->lookalike = false;
        switch (s->bol) {
        case BOL_YES:
            at_line_start(s, &p, end, &out);
            break;
        case BOL_DOT:
        case BOL_DOT_CR:
            ended = after_dot(s, &p, end, &out);
            break;
        case BOL_LF:
        case BOL_LF_DOT:
        case BOL_LF_DOT_CR:
            after_bare_lf(s, &p, end);
            break;
        case BOL_NO:
        case BOL_CR:
            p = skip_text(s, p, end);
            break;
        }
        if (ended)
            return (size_t)(p - bytes.data);
        if (s->lookalike) {
            /* What follows is looked at closer. */
            s->had_lookalike = true;
            break;
        }
    }
    text_out(s, out, p);
    return (size_t)(p - bytes.data);
}

void message_take_doubt(struct smtp *s)
{
    struct dated *doubt = s->doubt;
    struct slice text = dated_rest(doubt);
    s->doubt = NULL;
    size_t used = s->mode == MODE_MESSAGE ? message_feed(s, text) : text.len;
    /* Only a dot alone ends a message, and it comes last in what is taken here. */
    assert(used == text.len);
    dated_free(&doubt);
}

static bool at_start(const struct smtp *s)
{
    return s->bol == BOL_YES || s->bol == BOL_LF;
}

/* The last line of the text, with its end where that is there. */
static struct slice last_line(struct slice text)
{
    size_t from = text.len ? text.len - 1 : 0;
    while (from && text.data[from - 1] != '\n')
        from--;
    return slice_sub(text, from, text.len);
}

/* The first one must be a command beyond doubt; behind it a verb will do. */
static bool is_command(struct slice line, bool first)
{
    struct command cmd;
    command_parse(slice_trim(line), &cmd);
    return cmd.strict || (!first && cmd.known);
}

size_t message_feed_doubtful(struct smtp *s, struct slice bytes)
{
    size_t lf = slice_index(bytes, '\n');
    bool whole = lf < bytes.len;
    struct slice part = slice_sub(bytes, 0, lf + whole);
    /* The doubt begins with a line. */
    if (!s->doubt && !at_start(s))
        return message_feed(s, part);
    size_t used = dated_add(&s->doubt, s->lim->hold_bytes, s->now, part);
    struct slice doubt = dated_rest(s->doubt), line = last_line(doubt);
    bool fits = used == part.len, command = !whole || is_command(line, line.len == doubt.len);
    if (!fits || line.len > s->lim->command_bytes || !command)
        message_take_doubt(s);
    return used;
}
