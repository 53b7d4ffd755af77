/* client.c: what the client sends: command lines, message text, chunks, secrets, TLS.
 * In: client bytes that no reply holds back (hold.c). Out: struct smtp_event. Owns: nothing of its own
 * (struct smtp). Limits: command_bytes a line. Knowingly: AUTH exchanges are consumed and never leave here,
 * nor does the text of a line that is no command, as it may be a secret out of place. Spec: RFC 5321, RFC
 * 3030 (BDAT), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 2033 (LMTP). */
#include "mail/client.h"

#include "mail/charset.h"
#include "mail/hold.h"
#include "mail/message.h"
#include "mail/pairing.h"
#include "mail/trial.h"

/* What a verb does to the dialogue. */
static const struct trait {
    bool session; /* its reply belongs to the session, not to a mail */
    bool closes;  /* it ends the open mail, where it has no argument */
    bool resets; /* the same where the server takes it: a refused one leaves the mail open (RFC 5321 4.1.4) */
    bool decides; /* the reply decides what the client's next bytes are */
    bool opens;   /* where MAIL was lost it opens a mail */
} traits[VERB_COUNT] = {
    [VERB_HELO] = {.session = true, .resets = true},
    [VERB_EHLO] = {.session = true, .resets = true},
    [VERB_LHLO] = {.session = true, .resets = true},
    [VERB_RSET] = {.session = true, .closes = true},
    [VERB_QUIT] = {.session = true, .closes = true},
    [VERB_STARTTLS] = {.session = true, .resets = true, .decides = true},
    [VERB_AUTH] = {.session = true, .decides = true},
    [VERB_RCPT] = {.opens = true},
    [VERB_DATA] = {.opens = true, .decides = true},
    [VERB_BDAT] = {.opens = true},
    [VERB_BDAT_LAST] = {.opens = true},
};

void client_begin_opaque(struct smtp *s)
{
    if (s->mode == MODE_HOLD)
        hold_settle(s); /* what is held came before */
    s->mode = MODE_OPAQUE;
    s->server_opaque = true;
    smtp_mail_close(s);
    if (!s->tls && s->lim->tls_bytes)
        s->tls = tls_new(s->lim->tls_bytes);
}

static void begin_chunk(struct smtp *s)
{
    s->mode = MODE_CHUNK;
    s->chunks = true;
    /* A chunk out of sequence is refused, but its octets come all the same (RFC 3030 2). */
    if (!s->open || s->message_begun)
        return;
    s->message_begun = true;
    smtp_emit(s, SMTP_MESSAGE_BEGIN, SIDE_CLIENT, (struct slice){0}, s->lost_chunks);
}

static void end_chunk(struct smtp *s)
{
    s->mode = MODE_COMMAND;
    if (!s->chunk_last)
        return;
    smtp_emit(s, SMTP_MESSAGE_END, SIDE_CLIENT, (struct slice){0}, 0);
    s->message_begun = false;
    smtp_mail_close(s);
}

void client_take_chunk(struct smtp *s)
{
    if (s->hold_verb != VERB_NONE)
        begin_chunk(s);
    s->mode = MODE_CHUNK;
    if (!s->chunk_left)
        end_chunk(s);
}

/* Length of what stands before the first blank. */
static size_t word_len(struct slice s)
{
    size_t i = 0;
    while (i < s.len && !byte_is_blank(s.data[i]))
        i++;
    return i;
}

static unsigned case_of(struct slice word)
{
    unsigned lower = 0;
    for (size_t i = 0; i < word.len; i++)
        lower += word.data[i] >= 'a' && word.data[i] <= 'z';
    if (!lower)
        return FORM_UPPER;
    bool capital = word.data[0] >= 'A' && word.data[0] <= 'Z';
    return lower == word.len ? FORM_LOWER : capital && lower + 1 == word.len ? FORM_TITLE : FORM_MIXED;
}

static uint16_t form_of(const struct smtp *s, const struct command *cmd)
{
    unsigned form = cmd->known ? case_of(cmd->word) : 0;
    form |= (s->line_lf ? FORM_LF : 0u) | (cmd->spaced ? FORM_SPACED : 0u) | (cmd->bare ? FORM_BARE : 0u);
    if (!s->heard)
        return (uint16_t)form;
    if (s->queue_len)
        form |= FORM_PIPELINED;
    if (s->queue_len && s->queue[s->queue_from & (s->queue_room - 1)].verb == VERB_GREETING)
        form |= FORM_EARLY;
    return (uint16_t)(form | FORM_HEARD);
}

static void command_out(struct smtp *s, const struct command *cmd, struct slice line, uint32_t mail,
                        uint32_t nth)
{
    struct slice text = cmd->known ? cmd->arg : (struct slice){0};
    if (cmd->verb == VERB_AUTH) {
        struct slice word = slice_sub(text, 0, word_len(text));
        struct slice mechanism = secret_mechanism(word);
        struct slice answer = slice_sub(text, mechanism.len, text.len);
        secret_add(&s->secrets, answer);
        s->auth = auth_new(secret_mechanism_name(word), s->lim->auth_user);
        if (mechanism.len && answer.len)
            auth_answer(s->auth, answer);
        text = mechanism;
    } else if (!cmd->known) {
        secret_add(&s->secrets, line);
    }
    struct smtp_event ev = {.kind = SMTP_COMMAND,
                            .side = SIDE_CLIENT,
                            .form = form_of(s, cmd),
                            .verb = cmd->verb,
                            .mail = mail,
                            .nth = nth,
                            .ts = s->now,
                            .text = text,
                            .params = cmd->params};
    s->fn(s->ctx, &ev);
}

/* Chunks, unlike DATA, have no reply of their own kind: what was lost before this command may have been the
 * mail's end and the beginning of another one. Rather two records than fields of two mails in one. */
static bool begins_behind_lost(const struct smtp *s, enum verb verb)
{
    bool chunk = verb == VERB_BDAT || verb == VERB_BDAT_LAST;
    if (!s->open || !s->lost_commands || !traits[verb].opens)
        return false;
    if (s->lost_bytes < LOST_END + LOST_MAIL + (verb == VERB_RCPT ? 0 : LOST_RCPT))
        return false;
    if (!s->heard)
        return s->message_begun;
    /* A client that waits for each reply has got one to what ended the mail, to MAIL, and to RCPT. */
    uint32_t least = s->pipelines ? 1 : verb == VERB_RCPT ? 2 : 3;
    return (chunk || s->chunks) && s->stray_replies >= least + !s->message_begun;
}

/* The mail that the command belongs to, or 0. */
static uint32_t open_or_close(struct smtp *s, const struct command *cmd, bool asks)
{
    const struct trait *t = &traits[cmd->verb];
    if (begins_behind_lost(s, cmd->verb))
        smtp_mail_close(s);
    if (cmd->verb == VERB_MAIL) {
        s->lost_commands = s->lost_chunks = false;
        if (asks)
            return smtp_mail_nest(s);
        smtp_mail_close(s);
        smtp_mail_begin(s, true);
    } else if (t->opens && !s->open && s->lost_commands) {
        smtp_mail_begin(s, false);
    } else if ((t->closes || t->resets) && !asks) {
        smtp_mail_close(s);
    }
    s->lost_chunks &= cmd->verb != VERB_RCPT;
    return t->session ? 0 : s->open;
}

static void client_command(struct smtp *s, const struct command *cmd, struct slice line)
{
    /* Unheard, a hello is taken for accepted. */
    if (traits[cmd->verb].resets && cmd->verb != VERB_STARTTLS && !s->heard)
        s->lmtp = cmd->verb == VERB_LHLO;
    /* A second MAIL, EHLO or STARTTLS amid a mail ends it only where the server takes it; so does RSET with
     * an argument, which it should refuse. */
    bool doubtful = traits[cmd->verb].resets || (traits[cmd->verb].closes && !cmd->strict);
    bool asks = s->open && s->heard && ((cmd->verb == VERB_MAIL && !s->refused) || doubtful);
    uint32_t mail = open_or_close(s, cmd, asks);
    if (s->auth)
        smtp_auth_end(s, 0, (struct slice){0}, false);
    s->lost_bytes = s->stray_replies = 0;
    uint32_t nth = cmd->verb == VERB_RCPT && mail ? ++s->rcpts : 0;
    command_out(s, cmd, line, mail, nth);
    pairing_push(s, cmd->verb, mail, nth);
    if (s->mode == MODE_RESYNC)
        s->mode = MODE_COMMAND;
    bool chunk = cmd->verb == VERB_BDAT || cmd->verb == VERB_BDAT_LAST;
    if (chunk) {
        s->chunk_left = cmd->size;
        s->chunk_last = s->open && cmd->verb == VERB_BDAT_LAST;
    }
    if (chunk && !s->no_chunking) {
        begin_chunk(s);
    } else if (chunk || asks || traits[cmd->verb].decides) {
        s->mode = MODE_HOLD;
        s->hold_verb = cmd->verb;
    }
}

/* Lines that no command can be: after a gap with no server to ask, a header field means that DATA was lost.
 */
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
    bool torn = s->line_torn;
    s->line_torn = false;
    command_parse(line, &cmd);
    /* A lost BDAT's octets need no line end, so a command may follow them directly, once they are answered.
     */
    if (!cmd.strict && s->reply_at && s->reply_at < line.len)
        command_parse(slice_sub(line, s->reply_at, line.len), &cmd);
    if (cmd.strict) {
        client_command(s, &cmd, line);
        return;
    }
    secret_add(&s->secrets, line);
    /* What is left of a line may be of any kind: "TO:<b@example.com>". */
    if (!s->heard && s->open && !torn && like_field(line)) {
        smtp_message_begin(s, false);
        s->bol = BOL_NO;
        (void)message_feed(s, line);
        (void)message_feed(s, slice_str("\r\n"));
    }
}

/* Spaces are not needed: the parameter stands behind the path. Its digit is looked for, which has no case. */
static bool asks_for_utf8(struct slice line)
{
    const size_t last = strlen("SMTPUTF8") - 1;
    for (size_t i = last; i < line.len; i++) {
        i += slice_index(slice_sub(line, i, line.len), '8');
        if (i < line.len && slice_case_starts(slice_sub(line, i - last, line.len), "SMTPUTF8"))
            return true;
    }
    return false;
}

static bool may_have_8bit(struct smtp *s, const struct command *cmd, struct slice line)
{
    if (cmd->verb == VERB_MAIL)
        s->utf8 = asks_for_utf8(line);
    return s->utf8 && (cmd->verb == VERB_MAIL || cmd->verb == VERB_RCPT);
}

static void judge_bytes(struct smtp *s, struct slice line, bool utf8)
{
    for (size_t i = 0; i < line.len; i++) {
        uint8_t c = line.data[i];
        if (c == '\r')
            smtp_anomaly(s, ANOMALY_command_bare_cr, s->line_at + i, (struct slice){0});
        else if (!c)
            smtp_anomaly(s, ANOMALY_command_nul, s->line_at + i, (struct slice){0});
        else if (c >= 0x80 && !utf8)
            smtp_anomaly(s, ANOMALY_command_8bit, s->line_at + i, (struct slice){0});
    }
}

/* Of a line without its end. */
static void judge_line(struct smtp *s, const struct command *cmd, struct slice line, bool crlf)
{
    enum { LINE_USUAL = 1000 };
    bool utf8 = may_have_8bit(s, cmd, line);
    if (!ascii_only(line) || slice_index(line, '\r') < line.len || slice_index(line, '\0') < line.len)
        judge_bytes(s, line, utf8);
    if (line.len > LINE_USUAL && cmd->verb != VERB_AUTH)
        smtp_anomaly(s, ANOMALY_command_long, s->line_at, (struct slice){0});
    if (!crlf)
        smtp_anomaly(s, ANOMALY_command_bare_lf, s->line_at + line.len, (struct slice){0});
}

static void client_line(struct smtp *s, struct slice line, bool crlf)
{
    s->line_lf = !crlf;
    if (s->mode == MODE_SECRET) {
        secret_add(&s->secrets, line);
        auth_answer(s->auth, line);
        s->mode = MODE_HOLD;
        s->hold_verb = VERB_AUTH;
        pairing_push(s, VERB_AUTH, 0, 0);
        return;
    }
    if (s->mode == MODE_RESYNC) {
        resync_line(s, line);
        return;
    }
    bool first = !s->spoke;
    s->bare_lf = !crlf && (first || s->bare_lf);
    s->spoke = true;
    /* A load balancer's word before the client's own; the server does not answer it. */
    if (first && slice_case_starts(line, "PROXY "))
        return;
    struct command cmd;
    command_parse(line, &cmd);
    client_command(s, &cmd, line);
    judge_line(s, &cmd, line, crlf);
}

static size_t lines_feed(struct smtp *s, struct slice bytes)
{
    size_t lf = slice_index(bytes, '\n');
    struct slice part = slice_sub(bytes, 0, lf);
    bool whole = lf < bytes.len;
    if (!s->line.len && !s->line_cut)
        s->line_at = s->client_at;
    /* A line that comes whole, and fits, is not copied. */
    bool copied = !whole || s->line.len || s->line_cut || part.len > s->lim->command_bytes;
    if (copied && !s->line_cut && !buf_add(&s->line, part)) {
        s->line_cut = true;
        smtp_cut(s, SIDE_CLIENT);
    }
    if (!whole)
        return bytes.len;
    if (copied)
        part = buf_slice(&s->line);
    s->line_cut = false;
    bool crlf = part.len && part.data[part.len - 1] == '\r';
    client_line(s, slice_sub(part, 0, part.len - crlf), crlf);
    if (copied)
        buf_free(&s->line);
    s->reply_at = 0;
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

bool client_like_tls(uint8_t c)
{
    return c == 0x16 || c == 0x15 || c == 0x14 || c == 0x17 || c >= 0x80;
}

static size_t sniff_feed(struct smtp *s, struct slice bytes)
{
    if (client_like_tls(bytes.data[0]))
        client_begin_opaque(s);
    else
        s->mode = MODE_COMMAND;
    return 0;
}

size_t client_consume(struct smtp *s, struct slice bytes)
{
    size_t used = bytes.len;
    switch (s->mode) {
    case MODE_COMMAND:
    case MODE_RESYNC:
    case MODE_SECRET:
        used = lines_feed(s, bytes);
        break;
    case MODE_MESSAGE:
        used = s->message_gap || s->had_lookalike ? message_feed_doubtful(s, bytes) : message_feed(s, bytes);
        break;
    case MODE_CHUNK:
        used = chunk_feed(s, bytes);
        break;
    case MODE_SNIFF:
        used = sniff_feed(s, bytes);
        break;
    case MODE_OPAQUE:
        smtp_tls_feed(s, SIDE_CLIENT, bytes);
        break;
    case MODE_TRIAL:
        return trial_take(s, bytes);
    case MODE_HOLD:
        return 0;
    }
    s->client_at += used;
    if (s->mode == MODE_CHUNK && !s->chunk_left)
        end_chunk(s);
    return used;
}

void client_gap(struct smtp *s, uint64_t len)
{
    s->line_cut = false;
    s->client_at += len;
    switch (s->mode) {
    case MODE_MESSAGE:
        message_take_doubt(s);
        s->message_gap = true;
        s->message_at += len;
        s->line_len = 0;
        s->bol = BOL_LF; /* perhaps: then the server's reply decides about a dot that comes first */
        smtp_emit(s, SMTP_MESSAGE_GAP, SIDE_CLIENT, (struct slice){0}, len);
        return;
    case MODE_CHUNK:
        if (s->open)
            smtp_emit(s, SMTP_MESSAGE_GAP, SIDE_CLIENT, (struct slice){0},
                      len < s->chunk_left ? len : s->chunk_left);
        s->lost_bytes += len > s->chunk_left ? len - s->chunk_left : 0;
        if (len <= s->chunk_left) {
            s->chunk_left -= len;
            if (!s->chunk_left)
                end_chunk(s);
            return;
        }
        end_chunk(s);
        break;
    case MODE_OPAQUE:
    case MODE_SNIFF:
    case MODE_TRIAL: /* ended by smtp_gap */
        return;
    case MODE_COMMAND:
    case MODE_SECRET:
    case MODE_RESYNC:
    case MODE_HOLD:
        s->lost_bytes += len;
        break;
    }
    secret_add(&s->secrets, buf_slice(&s->line));
    buf_free(&s->line);
    s->lost_commands = s->lost_chunks = s->line_torn = true;
    s->in_step = s->pipelining != PIPELINING_OFFERED && !s->pipelines;
    s->mode = MODE_RESYNC;
}
