/* smtp.c: the client's side of the dialogue, and the doors of the parser.
 * In: bytes and gaps of both sides, in causal order. Out: struct smtp_event.
 * Owns: line buffers, held bytes, the queue of unanswered commands. Limits: struct smtp_limits.
 * Knowingly: what follows DATA, STARTTLS, AUTH, a nested MAIL or EHLO waits for the server's reply; where the server is not
 * heard, the text itself decides. AUTH exchanges are consumed and never leave here.
 * Spec: RFC 5321, 2920, 3030, 3207, 4954, 2033. */
#include "mail/dialogue.h"

#include <assert.h>
#include <stdlib.h>

struct smtp *smtp_new(const struct smtp_limits *lim, bool midstream, smtp_fn *fn, void *ctx)
{
    struct smtp *s = calloc(1, sizeof *s);
    assert(s);
    *s = (struct smtp){.lim = lim, .fn = fn, .ctx = ctx, .mode = midstream ? MODE_RESYNC : MODE_COMMAND};
    s->lost_commands = s->skip_line = midstream;
    buf_init(&s->line, lim->command_bytes);
    buf_init(&s->hold, lim->hold_bytes);
    buf_init(&s->doubt, lim->hold_bytes);
    buf_init(&s->server_line, lim->reply_bytes);
    buf_init(&s->reply, lim->reply_bytes);
    if (!midstream)
        pairing_push(s, VERB_GREETING, 0);
    return s;
}

void smtp_free(struct smtp **ps)
{
    struct smtp *s = *ps;
    *ps = NULL;
    if (!s)
        return;
    buf_free(&s->line);
    buf_free(&s->hold);
    buf_free(&s->doubt);
    buf_free(&s->server_line);
    buf_free(&s->reply);
    for (size_t i = 0; i < LATE_MAX; i++)
        buf_free(&s->late[i].text);
    free(s->queue);
    free(s);
}

void smtp_emit(struct smtp *s, enum smtp_kind kind, enum side side, struct slice text, uint64_t len)
{
    struct smtp_event ev = {.kind = kind, .side = side, .mail = s->open, .ts = s->now, .text = text, .len = len};
    s->fn(s->ctx, &ev);
}

void smtp_cut(struct smtp *s, enum side side)
{
    smtp_emit(s, SMTP_CUT, side, (struct slice){0}, 0);
}

void smtp_mail_begin(struct smtp *s, bool mail_seen)
{
    s->open = ++s->mails;
    s->unanswered = s->accepted = 0;
    s->message_begun = false;
    smtp_emit(s, SMTP_MAIL_BEGIN, SIDE_CLIENT, (struct slice){0}, !mail_seen);
}

void smtp_mail_close(struct smtp *s)
{
    if (!s->open)
        return;
    if (s->message_begun)
        smtp_emit(s, SMTP_MESSAGE_END, SIDE_CLIENT, (struct slice){0}, 1);
    uint32_t mail = s->open, unanswered = s->unanswered;
    s->message_begun = false;
    s->open = 0;
    pairing_mail_wait(s, mail, unanswered);
}

void smtp_message_begin(struct smtp *s, bool beginning_seen)
{
    if (!s->open)
        smtp_mail_begin(s, false);
    s->mode = MODE_MESSAGE;
    s->bol = beginning_seen ? BOL_YES : BOL_NO;
    s->lookalike = s->had_lookalike = false;
    s->message_gap = !beginning_seen;
    s->message_reply_lost = false;
    s->message_begun = true;
    smtp_emit(s, SMTP_MESSAGE_BEGIN, SIDE_CLIENT, (struct slice){0}, !beginning_seen);
}

void smtp_message_end(struct smtp *s, bool end_seen)
{
    smtp_emit(s, SMTP_MESSAGE_END, SIDE_CLIENT, (struct slice){0}, !end_seen);
    s->message_begun = false;
    s->mode = MODE_COMMAND;
    /* LMTP (RFC 2033 4.2) answers the dot once for each recipient that it took. */
    uint32_t replies = !end_seen ? 0 : s->lmtp && s->accepted ? s->accepted : 1;
    while (replies--)
        pairing_push(s, VERB_END_OF_DATA, s->open);
    smtp_mail_close(s);
}

static void begin_opaque(struct smtp *s)
{
    s->mode = MODE_OPAQUE;
    s->server_opaque = true;
    smtp_mail_close(s);
}

static bool holds(const struct smtp *s, enum verb verb, bool had_open)
{
    switch (verb) {
    case VERB_DATA:
    case VERB_STARTTLS:
    case VERB_AUTH:
        return true;
    case VERB_MAIL:
    case VERB_HELO:
    case VERB_EHLO:
    case VERB_LHLO:
        return had_open && s->heard;
    case VERB_NONE:
    case VERB_GREETING:
    case VERB_END_OF_DATA:
    case VERB_RCPT:
    case VERB_BDAT:
    case VERB_BDAT_LAST:
    case VERB_RSET:
    case VERB_QUIT:
    case VERB_NOOP:
    case VERB_VRFY:
    case VERB_EXPN:
    case VERB_HELP:
    case VERB_XCLIENT:
    case VERB_OTHER:
    case VERB_COUNT:
        break;
    }
    return false;
}

static bool session_verb(enum verb v)
{
    return v == VERB_HELO || v == VERB_EHLO || v == VERB_LHLO || v == VERB_RSET || v == VERB_QUIT || v == VERB_AUTH ||
           v == VERB_STARTTLS;
}

static void begin_chunk(struct smtp *s, const struct command *cmd)
{
    if (!s->message_begun) {
        s->message_begun = true;
        smtp_emit(s, SMTP_MESSAGE_BEGIN, SIDE_CLIENT, (struct slice){0}, s->lost_commands);
    }
    s->chunk_left = cmd->size;
    s->chunk_last = cmd->verb == VERB_BDAT_LAST;
    s->mode = MODE_CHUNK;
}

static void end_chunk(struct smtp *s)
{
    s->mode = MODE_COMMAND;
    if (!s->chunk_last)
        return;
    smtp_emit(s, SMTP_MESSAGE_END, SIDE_CLIENT, (struct slice){0}, 0);
    s->message_begun = false;
    for (uint32_t i = 1; s->lmtp && i < s->accepted; i++)
        pairing_push(s, VERB_END_OF_DATA, s->open);
    smtp_mail_close(s);
}

static void command_out(struct smtp *s, const struct command *cmd, uint32_t mail)
{
    bool secret = cmd->verb == VERB_AUTH;
    struct slice text = secret ? slice_sub(cmd->arg, 0, slice_index(cmd->arg, ' ')) : cmd->arg;
    struct smtp_event ev = {.kind = SMTP_COMMAND, .side = SIDE_CLIENT, .verb = cmd->verb, .mail = mail, .ts = s->now,
                            .text = text};
    s->fn(s->ctx, &ev);
}

/* A nested MAIL or a second EHLO closes the open mail only where the server takes it, so both wait for the reply. */
static void open_or_close(struct smtp *s, const struct command *cmd)
{
    bool refused_ones_stay = s->heard && s->open;
    switch (cmd->verb) {
    case VERB_MAIL:
        smtp_mail_close(s);
        smtp_mail_begin(s, true);
        s->lost_commands = false;
        break;
    case VERB_RCPT:
    case VERB_DATA:
    case VERB_BDAT:
    case VERB_BDAT_LAST:
        if (!s->open && s->lost_commands)
            smtp_mail_begin(s, false);
        break;
    case VERB_HELO:
    case VERB_EHLO:
    case VERB_LHLO:
        s->lmtp = cmd->verb == VERB_LHLO;
        if (!refused_ones_stay)
            smtp_mail_close(s);
        break;
    case VERB_RSET:
    case VERB_QUIT:
    case VERB_STARTTLS:
        smtp_mail_close(s);
        break;
    case VERB_NONE:
    case VERB_GREETING:
    case VERB_END_OF_DATA:
    case VERB_NOOP:
    case VERB_VRFY:
    case VERB_EXPN:
    case VERB_HELP:
    case VERB_AUTH:
    case VERB_XCLIENT:
    case VERB_OTHER:
    case VERB_COUNT:
        break;
    }
}

static void client_command(struct smtp *s, const struct command *cmd)
{
    bool had_open = s->open != 0;
    open_or_close(s, cmd);
    uint32_t mail = session_verb(cmd->verb) ? 0 : s->open;
    command_out(s, cmd, mail);
    pairing_push(s, cmd->verb, mail);
    if (s->mode == MODE_RESYNC)
        s->mode = MODE_COMMAND;
    if (cmd->verb == VERB_BDAT || cmd->verb == VERB_BDAT_LAST) {
        if (!s->open) {
            /* A chunk out of sequence is refused, but its octets come all the same (RFC 3030 2). */
            s->chunk_left = cmd->size;
            s->chunk_last = false;
            s->mode = MODE_CHUNK;
        } else {
            begin_chunk(s, cmd);
        }
    } else if (holds(s, cmd->verb, had_open && cmd->verb != VERB_MAIL)) {
        s->mode = MODE_HOLD;
        s->hold_verb = cmd->verb;
    }
}

/* Lines that no command can be: after a gap with no server to ask, a header field means that DATA was lost. */
static bool like_field(struct slice line)
{
    size_t colon = slice_index(line, ':');
    if (!colon || colon == line.len || colon > 60)
        return false;
    for (size_t i = 0; i < colon; i++)
        if (line.data[i] <= ' ' || line.data[i] >= 127)
            return false;
    return true;
}

static void resync_line(struct smtp *s, struct slice line)
{
    struct command cmd;
    command_parse(line, &cmd);
    if (cmd.strict)
        client_command(s, &cmd);
    else if (!s->heard && s->open && like_field(line)) {
        smtp_message_begin(s, false);
        s->bol = BOL_NO;
        (void)message_feed(s, line);
        (void)message_feed(s, slice_str("\r\n"));
    }
}

static void client_line(struct smtp *s, struct slice line, bool crlf)
{
    if (s->mode == MODE_SECRET) {
        s->mode = MODE_HOLD;
        s->hold_verb = VERB_AUTH;
        pairing_push(s, VERB_AUTH, 0);
        return;
    }
    if (s->mode == MODE_RESYNC) {
        resync_line(s, line);
        return;
    }
    s->bare_lf = !crlf;
    struct command cmd;
    command_parse(line, &cmd);
    if (line.len)
        client_command(s, &cmd);
}

static size_t lines_feed(struct smtp *s, struct slice bytes)
{
    size_t lf = slice_index(bytes, '\n');
    struct slice part = slice_sub(bytes, 0, lf);
    bool whole = lf < bytes.len;
    if (!whole || s->line.len || s->line_cut) {
        if (!s->line_cut && !buf_add(&s->line, part)) {
            s->line_cut = true;
            smtp_cut(s, SIDE_CLIENT);
        }
        if (!whole)
            return bytes.len;
        part = buf_slice(&s->line);
    }
    s->line_cut = false;
    bool crlf = part.len && part.data[part.len - 1] == '\r';
    struct slice line = slice_sub(part, 0, part.len - crlf);
    client_line(s, line, crlf);
    buf_clear(&s->line);
    return lf + 1;
}

static size_t chunk_feed(struct smtp *s, struct slice bytes)
{
    size_t take = bytes.len < s->chunk_left ? bytes.len : (size_t)s->chunk_left;
    if (s->open && take)
        smtp_emit(s, SMTP_MESSAGE_DATA, SIDE_CLIENT, slice_sub(bytes, 0, take), 0);
    s->chunk_left -= take;
    if (!s->chunk_left)
        end_chunk(s);
    return take;
}

static bool like_tls(uint8_t c)
{
    return c == 0x16 || c == 0x15 || c == 0x14 || c == 0x17 || c >= 0x80;
}

static size_t sniff_feed(struct smtp *s, struct slice bytes)
{
    if (like_tls(bytes.data[0]))
        begin_opaque(s);
    else
        s->mode = MODE_COMMAND;
    return 0;
}

/* Takes what the mode takes; 0 only where the mode changed. */
static size_t client_consume(struct smtp *s, struct slice bytes)
{
    switch (s->mode) {
    case MODE_COMMAND:
    case MODE_RESYNC:
    case MODE_SECRET:
        return lines_feed(s, bytes);
    case MODE_MESSAGE:
        return s->message_gap || s->had_lookalike ? message_feed_doubtful(s, bytes) : message_feed(s, bytes);
    case MODE_CHUNK:
        return s->chunk_left ? chunk_feed(s, bytes) : (end_chunk(s), 0);
    case MODE_SNIFF:
        return sniff_feed(s, bytes);
    case MODE_OPAQUE:
        return bytes.len;
    case MODE_HOLD:
        break;
    }
    return 0;
}

static void zero_chunk(struct smtp *s)
{
    if (s->mode == MODE_CHUNK && !s->chunk_left)
        end_chunk(s);
}

static void drain_hold(struct smtp *s)
{
    while (s->mode != MODE_HOLD && s->hold_from < s->hold.len) {
        struct slice rest = slice_sub(buf_slice(&s->hold), s->hold_from, s->hold.len);
        s->hold_from += client_consume(s, rest);
        zero_chunk(s);
    }
    if (s->hold_from == s->hold.len) {
        buf_free(&s->hold);
        s->hold_from = 0;
    }
}

/* Does what the client sent on begin like a command, so that its DATA or AUTH must have been refused? */
static bool goes_on_with_command(const struct smtp *s)
{
    struct slice rest = slice_sub(buf_slice(&s->hold), s->hold_from, s->hold.len);
    struct command cmd;
    command_parse(slice_trim(slice_sub(rest, 0, slice_index(rest, '\n'))), &cmd);
    return cmd.strict && cmd.verb != VERB_NOOP;
}

static void after_hold(struct smtp *s, unsigned code)
{
    s->mode = MODE_COMMAND;
    s->hold_blind = false;
    bool command = !code && goes_on_with_command(s);
    bool taken = code ? code < 400 : !command;
    if (s->hold_verb == VERB_DATA) {
        if (taken && code / 100 != 2)
            smtp_message_begin(s, true);
    } else if (s->hold_verb == VERB_AUTH) {
        if (taken && code != 235)
            s->mode = MODE_SECRET;
    } else if (s->hold_verb == VERB_STARTTLS) {
        if (taken) {
            smtp_emit(s, SMTP_TLS, SIDE_CLIENT, (struct slice){0}, 0);
            s->mode = MODE_SNIFF;
        }
    } else if (code && taken) {
        /* HELO, EHLO, LHLO: where the server refuses, an open mail stays open (RFC 5321 4.1.4). */
        smtp_mail_close(s);
    }
}

void smtp_release(struct smtp *s, unsigned code)
{
    after_hold(s, code);
    drain_hold(s);
}

/* No reply will tell: the client's own text must. It takes a whole line of it. */
static bool must_guess(const struct smtp *s)
{
    struct slice rest = slice_sub(buf_slice(&s->hold), s->hold_from, s->hold.len);
    bool line = slice_index(rest, '\n') < rest.len || rest.len > 512 || (rest.len && like_tls(rest.data[0]));
    return s->mode == MODE_HOLD && rest.len && (s->hold_over || ((!s->heard || s->hold_blind) && line));
}

static void client_feed(struct smtp *s, struct slice bytes)
{
    while (bytes.len) {
        if (s->mode != MODE_HOLD && s->hold_from == s->hold.len) {
            size_t n = client_consume(s, bytes);
            zero_chunk(s);
            bytes = slice_sub(bytes, n, bytes.len);
            continue;
        }
        size_t before = s->hold.len;
        s->hold_over = !buf_add(&s->hold, bytes);
        bytes = slice_sub(bytes, s->hold.len - before, bytes.len);
        if (s->mode != MODE_HOLD)
            drain_hold(s);
        while (must_guess(s)) {
            size_t had = s->hold.len - s->hold_from;
            after_hold(s, 0);
            drain_hold(s);
            if (s->hold.len - s->hold_from < had)
                s->hold_over = false;
        }
        if (s->hold_from > s->hold.len / 2) {
            buf_consume(&s->hold, s->hold_from);
            s->hold_from = 0;
        }
    }
}

void smtp_end_doubt(struct smtp *s)
{
    struct buf lines = s->doubt;
    buf_init(&s->doubt, s->lim->hold_bytes);
    s->mode = MODE_RESYNC;
    client_feed(s, buf_slice(&lines));
    buf_free(&lines);
}

void smtp_feed(struct smtp *s, enum side side, struct timespec ts, struct slice bytes)
{
    s->now = ts;
    if (!bytes.len)
        return;
    if (side == SIDE_CLIENT) {
        pairing_settle(s);
        client_feed(s, bytes);
        return;
    }
    s->heard = true;
    if (s->mode == MODE_SNIFF && like_tls(bytes.data[0]))
        begin_opaque(s);
    pairing_server_feed(s, bytes);
}

static void client_gap(struct smtp *s, uint64_t len)
{
    if (s->mode == MODE_HOLD)
        after_hold(s, 0);
    drain_hold(s);
    s->line_cut = false;
    switch (s->mode) {
    case MODE_MESSAGE:
        message_take_doubt(s);
        s->message_gap = true;
        s->bol = BOL_LF; /* perhaps: then the server's reply decides about a dot that comes first */
        smtp_emit(s, SMTP_MESSAGE_GAP, SIDE_CLIENT, (struct slice){0}, len);
        return;
    case MODE_CHUNK:
        if (s->open)
            smtp_emit(s, SMTP_MESSAGE_GAP, SIDE_CLIENT, (struct slice){0}, len < s->chunk_left ? len : s->chunk_left);
        if (len <= s->chunk_left) {
            s->chunk_left -= len;
            zero_chunk(s);
            return;
        }
        end_chunk(s);
        break;
    case MODE_OPAQUE:
    case MODE_SNIFF:
        return;
    case MODE_COMMAND:
    case MODE_SECRET:
    case MODE_RESYNC:
    case MODE_HOLD:
        break;
    }
    buf_clear(&s->line);
    s->lost_commands = true;
    s->mode = MODE_RESYNC;
}

void smtp_gap(struct smtp *s, enum side side, struct timespec ts, uint64_t len)
{
    s->now = ts;
    if (s->mode == MODE_OPAQUE)
        return;
    smtp_emit(s, SMTP_GAP, side, (struct slice){0}, len);
    if (side == SIDE_CLIENT) {
        pairing_settle(s);
        client_gap(s, len);
    } else if (!s->server_opaque) {
        pairing_server_gap(s);
    }
}

void smtp_finish(struct smtp *s, struct timespec ts)
{
    s->now = ts;
    pairing_settle(s);
    if (slice_index(buf_slice(&s->doubt), '\n') < s->doubt.len) {
        smtp_message_end(s, false);
        smtp_end_doubt(s);
    } else {
        message_take_doubt(s);
    }
    while (s->mode == MODE_HOLD && s->hold.len > s->hold_from) {
        after_hold(s, 0);
        drain_hold(s);
    }
    smtp_mail_close(s);
    pairing_finish(s);
}

bool smtp_is_opaque(const struct smtp *s)
{
    return s->mode == MODE_OPAQUE;
}
