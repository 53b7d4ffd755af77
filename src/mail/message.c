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
#include "mail/plain.h"
#include "mail/trial.h"

enum { LINE_MOST = 998 }; /* without its end; RFC 5322 2.1.1 */
enum { SLOWLY = 32 };     /* bytes, before it is tried again whether the next ones are plain */

/* The bytes that are read now. */
struct run {
    const uint8_t *begin, *end, *p, *out; /* all before `out` has been passed on */
};

static void text_out(struct smtp *s, struct run *r)
{
    if (r->p > r->out)
        smtp_emit(s, SMTP_MESSAGE_DATA, SIDE_CLIENT, (struct slice){r->out, (size_t)(r->p - r->out)}, 0);
    r->out = r->p;
}

/* The byte that stands `back` before p: in the run, or among the last two of the one before; 0: none does. */
static uint8_t before(const struct smtp *s, const struct run *r, size_t back)
{
    size_t at = (size_t)(r->p - r->begin);
    return at >= back ? r->p[-(ptrdiff_t)back] : s->last[back - at - 1];
}

static void note_last(struct smtp *s, struct run *r)
{
    const uint8_t last[2] = {before(s, r, 1), before(s, r, 2)};
    memcpy(s->last, last, sizeof last);
}

/* Tells of an oddity that begins `back` bytes before p. Where it stands among the text does not depend on how
 * the text is cut. Behind a gap it may be another mail's text, and what stood before is a guess. */
static void odd(struct smtp *s, struct run *r, enum anomaly which, size_t back, const char *text)
{
    if (s->message_gap || s->told & anomaly_bit(which))
        return;
    text_out(s, r);
    smtp_anomaly(s, which, s->message_at + (uint64_t)(r->p - r->begin) - back, slice_str(text));
}

static void pass_plain(struct smtp *s, struct run *r)
{
    bool long_told = s->told & anomaly_bit(ANOMALY_message_long_line);
    struct plain t = {
        .text = {r->p, (size_t)(r->end - r->p)},
        .last = before(s, r, 1),
        .line = s->line_len,
        .line_most = long_told ? SIZE_MAX : LINE_MOST,
        .bare_lf = !s->bare_lf && !(s->told & anomaly_bit(ANOMALY_message_bare_lf)),
        .bare_cr = !(s->told & anomaly_bit(ANOMALY_message_bare_cr)),
    };
    r->p += plain_pass(&t);
    s->line_len = t.line > LINE_MOST ? LINE_MOST + 1 : (uint32_t)t.line;
}

/* What the byte at p shows: what it is itself, and what those before it were. */
static void judge_byte(struct smtp *s, struct run *r, uint8_t last)
{
    uint8_t c = *r->p;
    if (last == '\r' && c != '\n')
        odd(s, r, ANOMALY_message_bare_cr, 1, "");
    if (last == '.' && before(s, r, 2) == '\r' && (c == '\r' || c == '\n'))
        odd(s, r, ANOMALY_end_lookalike, 1, c == '\r' ? "<CR>.<CR>" : "<CR>.<LF>");
    if (c == '\n' && last != '\r' && !s->bare_lf)
        odd(s, r, ANOMALY_message_bare_lf, 0, "");
    if (!c)
        odd(s, r, ANOMALY_message_nul, 0, "");
    if (c == '\n')
        s->line_len = 0;
    else if (c != '\r' && s->line_len <= LINE_MOST && ++s->line_len > LINE_MOST)
        odd(s, r, ANOMALY_message_long_line, LINE_MOST, "");
}

/* Where a line stands behind p. */
static enum bol bol_here(const struct smtp *s, const struct run *r)
{
    uint8_t last = before(s, r, 1);
    if (last == '\r')
        return BOL_CR;
    if (last != '\n')
        return BOL_NO;
    return before(s, r, 2) == '\r' || s->bare_lf ? BOL_YES : BOL_LF;
}

/* What follows a CR and a dot is not passed over: perhaps it is a CR or LF. */
static void pass_behind_dot(struct smtp *s, struct run *r)
{
    if (r->p < r->end && before(s, r, 1) == '.' && before(s, r, 2) == '\r') {
        judge_byte(s, r, '.');
        r->p++;
    }
}

/* Up to `most` bytes, one by one. True: a dot that begins a line is next. */
static bool pass_slowly(struct smtp *s, struct run *r, ptrdiff_t most)
{
    uint8_t last = before(s, r, 1);
    for (const uint8_t *stop = r->end - r->p > most ? r->p + most : r->end; r->p < stop; r->p++) {
        if (last == '\n' && *r->p == '.')
            return true;
        judge_byte(s, r, last);
        last = *r->p;
    }
    pass_behind_dot(s, r);
    return false;
}

/* Runs to the next dot that begins a line, or to the end; most text has few of them, and little else that is
 * odd. The first byte is no such dot. */
static void skip_text(struct smtp *s, struct run *r)
{
    do
        pass_plain(s, r);
    while (r->p < r->end && !pass_slowly(s, r, SLOWLY));
    s->bol = bol_here(s, r);
}

/* After CRLF: a dot is stuffing or the end, and no text in either case. */
static void at_line_start(struct smtp *s, struct run *r)
{
    if (*r->p != '.') {
        s->bol = BOL_NO;
        skip_text(s, r);
        return;
    }
    text_out(s, r);
    r->out = ++r->p;
    s->bol = BOL_DOT;
}

static void see_lookalike(struct smtp *s, struct run *r, const char *what, size_t back)
{
    odd(s, r, ANOMALY_end_lookalike, back, what);
    s->lookalike = true;
    s->line_len = 0;
}

/* True where the message is over, with p behind its end. */
static bool after_dot(struct smtp *s, struct run *r)
{
    bool lf = *r->p == '\n';
    if (s->bol == BOL_DOT_CR && !lf) {
        odd(s, r, ANOMALY_end_lookalike, 2, "<CRLF>.<CR>");
        smtp_emit(s, SMTP_MESSAGE_DATA, SIDE_CLIENT, slice_str("\r"), 0);
        s->bol = BOL_CR;
        skip_text(s, r);
    } else if (s->bol == BOL_DOT_CR || (lf && s->bare_lf)) {
        r->p++;
        smtp_message_end(s, true);
        return true;
    } else if (*r->p == '\r') {
        s->bol = BOL_DOT_CR;
        r->out = ++r->p;
    } else if (lf) {
        see_lookalike(s, r, "<CRLF>.<LF>", 1);
        r->p++;
        s->bol = BOL_LF;
    } else {
        s->bol = BOL_NO;
        skip_text(s, r);
    }
    return false;
}

/* A line that begins after a bare LF cannot end the message by the RFC, but some servers let it. */
static void after_bare_lf(struct smtp *s, struct run *r)
{
    bool lf = *r->p == '\n', cr = *r->p == '\r';
    if (s->bol == BOL_LF && *r->p == '.') {
        s->bol = BOL_LF_DOT;
        r->p++;
    } else if (s->bol == BOL_LF_DOT && cr) {
        s->bol = BOL_LF_DOT_CR;
        r->p++;
    } else if (lf && s->bol != BOL_LF) {
        bool crlf = s->bol == BOL_LF_DOT_CR;
        see_lookalike(s, r, crlf ? "<LF>.<CRLF>" : "<LF>.<LF>", 1 + crlf);
        r->p++;
        s->bol = crlf ? BOL_YES : BOL_LF;
    } else {
        if (s->bol == BOL_LF_DOT_CR)
            odd(s, r, ANOMALY_end_lookalike, 2, "<LF>.<CR>");
        s->bol = s->bol == BOL_LF_DOT_CR ? BOL_CR : BOL_NO;
        skip_text(s, r);
    }
}

/* True: the message is over. */
static bool step(struct smtp *s, struct run *r)
{
    switch (s->bol) {
    case BOL_YES:
        at_line_start(s, r);
        break;
    case BOL_DOT:
    case BOL_DOT_CR:
        return after_dot(s, r);
    case BOL_LF:
    case BOL_LF_DOT:
    case BOL_LF_DOT_CR:
        after_bare_lf(s, r);
        break;
    case BOL_NO:
    case BOL_CR:
        skip_text(s, r);
        break;
    }
    return false;
}

size_t message_feed(struct smtp *s, struct slice bytes)
{
    if (!bytes.len)
        return 0; /* no bytes may have no place either, to which nothing can be added */
    struct run r = {bytes.data, bytes.data + bytes.len, bytes.data, bytes.data};
    bool ended = false;
    s->lookalike = false;
    while (r.p < r.end && !ended && !s->lookalike)
        ended = step(s, &r);
    size_t used = (size_t)(r.p - bytes.data);
    if (ended)
        return used;
    /* What follows a lookalike is looked at closer. */
    s->had_lookalike |= s->lookalike;
    text_out(s, &r);
    note_last(s, &r);
    s->message_at += used;
    return used;
}

void message_take_doubt(struct smtp *s)
{
    struct dated *doubt = s->doubt;
    struct slice text = dated_rest(doubt);
    s->doubt = NULL;
    s->doubt_text = false;
    while (text.len && s->mode == MODE_MESSAGE)
        text = slice_sub(text, message_feed(s, text), text.len);
    /* Only a dot alone ends a message, and it comes last in what is taken here. */
    assert(!text.len || s->mode != MODE_MESSAGE);
    dated_free(&doubt);
}

static bool at_start(const struct smtp *s)
{
    return s->bol == BOL_YES || s->bol == BOL_LF;
}

/* A MAIL is shown, other commands may hold what should not be. */
static void note_smuggled(struct smtp *s, const struct command *cmd, struct slice line)
{
    if (s->told & anomaly_bit(ANOMALY_end_lookalike))
        smtp_anomaly(s, ANOMALY_smuggled_command, s->message_at + s->doubt_line,
                     cmd->verb == VERB_MAIL ? line : (struct slice){0});
}

/* The last line of `doubt` ends the message by the RFC, with commands before it. */
static bool ends_behind_commands(const struct smtp *s, struct slice doubt, struct slice line)
{
    return s->doubt_line && slice_eq(line, slice_str(".\r\n")) && doubt.data[s->doubt_line - 2] == '\r';
}

/* A line is whole. True: it stays in `doubt`. */
static bool stays_in_doubt(struct smtp *s, struct slice doubt)
{
    struct slice line = slice_sub(doubt, s->doubt_line, doubt.len);
    struct command cmd;
    if (ends_behind_commands(s, doubt, line))
        return trial_begin(s);
    if (s->doubt_text)
        return true;
    /* The first one must be a command beyond doubt, or MAIL; behind it a verb will do. */
    line = slice_trim(line);
    command_parse(line, &cmd);
    bool begins = cmd.strict || (cmd.verb == VERB_MAIL && !s->message_gap);
    if (!begins && (!s->doubt_line || !cmd.known))
        return false;
    note_smuggled(s, &cmd, line);
    bool text =
        cmd.verb == VERB_DATA || cmd.verb == VERB_BDAT || cmd.verb == VERB_BDAT_LAST || cmd.verb == VERB_AUTH;
    s->doubt_text = text && s->heard && !s->message_gap && !s->doubt_over;
    return true;
}

/* Too much of it: by the RFC all of it is text. The replies, if the server reads it otherwise, would answer
 * what is known no more. */
static void give_up_doubt(struct smtp *s)
{
    if (s->doubt_text) {
        s->doubt_over = true;
        smtp_cut(s, SIDE_CLIENT);
    }
    message_take_doubt(s);
}

size_t message_feed_doubtful(struct smtp *s, struct slice bytes)
{
    size_t lf = slice_index(bytes, '\n');
    bool whole = lf < bytes.len;
    struct slice part = slice_sub(bytes, 0, lf + whole);
    /* The doubt begins with a line. */
    if (!s->doubt && !at_start(s))
        return message_feed(s, part);
    if (!s->doubt)
        s->doubt_line = 0;
    size_t used = dated_add(&s->doubt, s->lim->hold_bytes, s->now, part);
    struct slice doubt = dated_rest(s->doubt);
    bool fits = used == part.len && (s->doubt_text || doubt.len - s->doubt_line <= s->lim->command_bytes);
    if (!fits)
        give_up_doubt(s);
    else if (whole && !stays_in_doubt(s, doubt))
        message_take_doubt(s);
    else if (whole)
        s->doubt_line = (uint32_t)doubt.len;
    return used;
}
