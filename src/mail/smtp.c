/* smtp.c: the doors of the parser, and the life of a mail.
 * In: bytes and gaps of both sides, in causal order. Out: struct smtp_event.
 * Owns: line buffers, held bytes, the queue of unanswered commands. Limits: struct smtp_limits.
 * The work is done in client.c and message.c (what the client sends), hold.c (what waits for a reply) and
 * pairing.c (what the server says). Spec: RFC 5321, 2920, 3030, 3207, 4954, 2033. */
#include "mail/smtp.h"

#include <stdlib.h>
#include "base/memory.h"
#include "mail/client.h"
#include "mail/hold.h"
#include "mail/message.h"
#include "mail/pairing.h"
#include "mail/trial.h"

struct smtp *smtp_new(const struct smtp_limits *lim, bool midstream, smtp_fn *fn, void *ctx)
{
    struct smtp *s = malloc(sizeof *s);
    memory_check(s);
    *s = (struct smtp){.lim = lim, .fn = fn, .ctx = ctx, .mode = midstream ? MODE_RESYNC : MODE_COMMAND};
    s->lost_commands = s->skip_line = s->had_gap = s->line_torn = midstream;
    buf_init(&s->line, lim->command_bytes);
    buf_init(&s->server_line, lim->reply_bytes);
    buf_init(&s->reply, lim->reply_bytes);
    pairing_begin(s);
    if (!midstream)
        pairing_push(s, VERB_GREETING, 0, 0);
    return s;
}

void smtp_free(struct smtp **ps)
{
    struct smtp *s = *ps;
    *ps = NULL;
    if (!s)
        return;
    buf_free(&s->line);
    dated_free(&s->hold);
    dated_free(&s->doubt);
    trial_free(&s->trial);
    tls_free(&s->tls);
    secret_free(&s->secrets);
    auth_free(&s->auth);
    buf_free(&s->server_line);
    buf_free(&s->reply);
    pairing_free(s);
    free(s);
}

void smtp_emit(struct smtp *s, enum smtp_kind kind, enum side side, struct slice text, uint64_t len)
{
    struct smtp_event ev = {
        .kind = kind, .side = side, .mail = s->open, .ts = s->now, .text = text, .len = len, .utf8 = s->utf8};
    s->fn(s->ctx, &ev);
}

void smtp_cut(struct smtp *s, enum side side)
{
    smtp_emit(s, SMTP_CUT, side, (struct slice){0}, 0);
}

void smtp_anomaly(struct smtp *s, enum anomaly which, uint64_t at, struct slice text)
{
    anomaly_set *told = s->open ? &s->told : &s->told_outside;
    if (*told & anomaly_bit(which))
        return;
    *told |= anomaly_bit(which);
    struct smtp_event ev = {.kind = SMTP_ANOMALY,
                            .side = SIDE_CLIENT,
                            .mail = s->open,
                            .ts = s->now,
                            .text = text,
                            .anomaly = which,
                            .len = at};
    s->fn(s->ctx, &ev);
}

void smtp_mail_begin(struct smtp *s, bool mail_seen)
{
    s->open = ++s->mails;
    s->told = 0;
    s->unanswered = s->accepted = s->rcpts = 0;
    s->refused = false;
    s->message_begun = false;
    s->utf8 |= !mail_seen;
    smtp_emit(s, SMTP_MAIL_BEGIN, SIDE_CLIENT, (struct slice){0}, !mail_seen);
}

void smtp_mail_close(struct smtp *s)
{
    if (!s->open)
        return;
    if (s->message_begun)
        smtp_emit(s, SMTP_MESSAGE_END, SIDE_CLIENT, (struct slice){0}, 1);
    const struct waiting mail = {s->open, s->unanswered, s->accepted};
    s->message_begun = false;
    s->open = 0;
    pairing_mail_wait(s, &mail);
}

uint32_t smtp_mail_nest(struct smtp *s)
{
    uint32_t open = s->open;
    s->nested = s->open = ++s->mails;
    s->nested_unanswered = 1;
    smtp_emit(s, SMTP_MAIL_BEGIN, SIDE_CLIENT, (struct slice){0}, 0);
    s->open = open;
    return s->nested;
}

void smtp_mail_unnest(struct smtp *s, bool taken)
{
    uint32_t nested = s->nested;
    s->nested = 0;
    /* Of two refused ones the first has ended too: it opened nothing. */
    if (!taken && !s->refused) {
        pairing_mail_wait(s, &(struct waiting){nested, s->nested_unanswered, 0});
        return;
    }
    smtp_mail_close(s);
    s->open = nested;
    s->told = 0;
    s->unanswered = s->nested_unanswered;
    s->accepted = s->rcpts = 0;
    s->refused = !taken;
}

void smtp_tls_begin(struct smtp *s)
{
    if (!s->tls_told)
        smtp_emit(s, SMTP_TLS, SIDE_CLIENT, (struct slice){0}, 0);
    s->tls_told = true;
}

void smtp_auth_end(struct smtp *s, unsigned code, struct slice text, bool gave_up)
{
    if (!s->auth)
        return;
    const struct auth_facts facts = auth_end(s->auth, code, text, gave_up);
    struct smtp_event ev = {.kind = SMTP_LOGIN, .side = SIDE_CLIENT, .ts = s->now, .auth = &facts};
    s->fn(s->ctx, &ev);
    auth_free(&s->auth);
}

static void tell_handshake(struct smtp *s, bool ended)
{
    struct smtp_event ev = {
        .kind = SMTP_HANDSHAKE, .side = SIDE_SERVER, .ts = s->now, .tls = tls_facts(s->tls, ended)};
    s->fn(s->ctx, &ev);
    tls_free(&s->tls);
}

void smtp_tls_feed(struct smtp *s, enum side side, struct slice bytes)
{
    if (!s->tls)
        return;
    tls_feed(s->tls, side, bytes);
    if (tls_is_over(s->tls))
        tell_handshake(s, false);
}

void smtp_begin_tls(struct smtp *s)
{
    s->tls_told = true;
    smtp_emit(s, SMTP_TLS, SIDE_CLIENT, (struct slice){0}, 1);
    client_begin_opaque(s);
}

void smtp_message_begin(struct smtp *s, bool beginning_seen)
{
    if (!s->open)
        smtp_mail_begin(s, false);
    s->mode = MODE_MESSAGE;
    s->bol = beginning_seen ? BOL_YES : BOL_NO;
    s->lookalike = s->had_lookalike = s->doubt_over = false;
    s->message_gap = !beginning_seen;
    s->message_reply_lost = false;
    s->message_begun = true;
    s->message_at = 0;
    s->line_len = 0;
    s->last[0] = s->last[1] = 0;
    smtp_emit(s, SMTP_MESSAGE_BEGIN, SIDE_CLIENT, (struct slice){0}, !beginning_seen);
}

void smtp_message_end(struct smtp *s, bool end_seen)
{
    smtp_emit(s, SMTP_MESSAGE_END, SIDE_CLIENT, (struct slice){0}, !end_seen);
    s->message_begun = false;
    s->mode = MODE_COMMAND;
    if (end_seen)
        pairing_push(s, VERB_END_OF_DATA, s->open, 0);
    smtp_mail_close(s);
}

bool smtp_has_doubt(const struct smtp *s)
{
    struct slice doubt = dated_rest(s->doubt);
    return slice_index(doubt, '\n') < doubt.len;
}

void smtp_end_doubt(struct smtp *s)
{
    struct dated *lines = s->doubt;
    struct timespec now = s->now;
    struct slice piece;
    s->doubt = NULL;
    s->doubt_text = false;
    s->client_at -= dated_rest(lines).len; /* they are consumed anew */
    s->lost_commands |= s->message_gap;
    s->mode = s->message_gap ? MODE_RESYNC : MODE_COMMAND;
    while (dated_next(lines, &s->now, &piece))
        hold_feed(s, piece);
    s->now = now;
    dated_free(&lines);
}

void smtp_expect_replies(struct smtp *s)
{
    s->heard = true;
}

bool smtp_feed(struct smtp *s, enum side side, struct timespec ts, struct slice bytes)
{
    s->now = ts;
    if (side == SIDE_CLIENT && bytes.len) {
        if (s->lost_replies)
            pairing_settle(s);
        /* Most is text, and nothing holds that back. */
        if (s->mode == MODE_MESSAGE && !s->hold && !s->message_gap && !s->had_lookalike) {
            size_t used = message_feed(s, bytes);
            s->client_at += used;
            bytes = slice_sub(bytes, used, bytes.len);
        }
        if (bytes.len)
            hold_feed(s, bytes);
    } else if (bytes.len) {
        s->heard = true;
        pairing_server_feed(s, bytes);
    }
    return !smtp_is_opaque(s);
}

void smtp_gap(struct smtp *s, enum side side, struct timespec ts, uint64_t len)
{
    s->now = ts;
    while (s->mode == MODE_TRIAL)
        trial_give_up(s);
    if (s->tls) {
        tls_gap(s->tls, side);
        if (tls_is_over(s->tls))
            tell_handshake(s, false);
    }
    if (s->mode == MODE_OPAQUE)
        return;
    s->had_gap = true;
    if (side == SIDE_CLIENT)
        hold_settle(s); /* what is held came before the gap */
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
    while (s->mode == MODE_TRIAL)
        trial_give_up(s);
    pairing_settle(s);
    if (smtp_has_doubt(s) && !s->doubt_text) {
        smtp_message_end(s, false);
        smtp_end_doubt(s);
    } else {
        message_take_doubt(s);
    }
    hold_finish(s);
    smtp_mail_close(s);
    pairing_finish(s);
    smtp_auth_end(s, 0, (struct slice){0}, s->heard && !s->had_gap);
    if (s->tls)
        tell_handshake(s, true);
}

bool smtp_is_opaque(const struct smtp *s)
{
    return s->mode == MODE_OPAQUE && !s->tls;
}
