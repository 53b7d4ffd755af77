/* pairing.c: the server's side of the dialogue: its lines to replies, each reply to the command it answers.
 * In: server bytes and gaps. Out: SMTP_REPLY, and SMTP_MAIL_END once a closed mail has all its replies.
 * Owns: the queue of unanswered commands, the reply under way, replies kept after a gap (in struct smtp).
 * Limits: reply_bytes, pending, waiting, LATE_MAX, SKIP_MAX. Over them the oldest is given up, with SMTP_CUT.
 * Knowingly: after a server gap replies are aligned with the newest commands, as in a lock-step dialogue.
 * Spec: RFC 5321 4.2, RFC 2920 (PIPELINING). */
#include "mail/pairing.h"

#include <stdlib.h>
#include "base/memory.h"
#include "mail/client.h"
#include "mail/esmtp.h"
#include "mail/hold.h"
#include "mail/message.h"
#include "mail/reply.h"
#include "mail/trial.h"

/* A reply that is not paired yet. */
struct late {
    unsigned code;
    struct timespec ts;
    struct buf text;
};

enum { LATE_MAX = 16 };

enum { SKIP_MAX = 256 };  /* commands looked at for the one that a reply fits */
enum { QUEUE_KEPT = 16 }; /* entries of memory of an empty queue */

static void end_mail(struct smtp *s, uint32_t mail)
{
    uint32_t open = s->open;
    s->open = mail;
    smtp_emit(s, SMTP_MAIL_END, SIDE_SERVER, (struct slice){0}, 0);
    s->open = open;
}

/* A limit costs this mail a reply. */
static void cut_mail(struct smtp *s, uint32_t mail)
{
    uint32_t open = s->open;
    s->open = mail;
    smtp_cut(s, SIDE_SERVER);
    s->open = open;
}

static struct waiting *waiting_at(struct smtp *s, uint32_t i)
{
    return &s->waiting[(s->waiting_from + i) & (s->waiting_room - 1)];
}

static void waiting_grow(struct smtp *s)
{
    uint32_t room = s->waiting_room * 2;
    struct waiting *grown = malloc(room * sizeof *grown);
    memory_check(grown);
    for (uint32_t i = 0; i < s->waiting_len; i++)
        grown[i] = *waiting_at(s, i);
    if (s->waiting != s->few_waiting)
        free(s->waiting);
    s->waiting = grown;
    s->waiting_room = room;
    s->waiting_from = 0;
}

/* In order, so that records leave in the order of their mails. */
static void end_answered(struct smtp *s, bool force_first)
{
    while (s->waiting_len && (force_first || !waiting_at(s, 0)->unanswered)) {
        uint32_t mail = waiting_at(s, 0)->mail;
        s->waiting_from = (s->waiting_from + 1) & (s->waiting_room - 1);
        s->waiting_len--;
        force_first = false;
        end_mail(s, mail);
    }
}

void pairing_mail_wait(struct smtp *s, const struct waiting *mail)
{
    if (s->waiting_len >= s->lim->waiting) {
        cut_mail(s, waiting_at(s, 0)->mail);
        end_answered(s, true);
    }
    if (s->waiting_len == s->waiting_room)
        waiting_grow(s);
    struct waiting *w = waiting_at(s, s->waiting_len++);
    *w = *mail;
    if (!s->heard)
        w->unanswered = 0;
    end_answered(s, false);
}

void pairing_finish(struct smtp *s)
{
    s->queue_len = 0;
    while (s->waiting_len)
        end_answered(s, true);
}

static struct pending *queue_at(struct smtp *s, uint32_t i)
{
    return &s->queue[(s->queue_from + i) & (s->queue_room - 1)];
}

static struct waiting *waiting_find(struct smtp *s, uint32_t mail)
{
    for (uint32_t i = 0; i < s->waiting_len; i++)
        if (waiting_at(s, i)->mail == mail)
            return waiting_at(s, i);
    return NULL;
}

/* NULL where it has ended. */
static uint32_t *accepted_of(struct smtp *s, uint32_t mail)
{
    struct waiting *w = waiting_find(s, mail);
    return w ? &w->accepted : mail && mail == s->open ? &s->accepted : NULL;
}

/* NULL where the mail has ended, or is none. */
static uint32_t *unanswered_of(struct smtp *s, uint32_t mail)
{
    struct waiting *w = waiting_find(s, mail);
    if (!mail || w)
        return w ? &w->unanswered : NULL;
    if (mail == s->open)
        return &s->unanswered;
    return mail == s->nested ? &s->nested_unanswered : NULL;
}

static void answered(struct smtp *s, uint32_t mail)
{
    uint32_t *count = unanswered_of(s, mail);
    if (count)
        *count -= *count > 0;
    end_answered(s, false);
}

static void queue_begin(struct smtp *s)
{
    s->queue = s->few_pending;
    s->queue_room = FEW_PENDING;
    s->queue_from = 0;
}

static struct pending pop(struct smtp *s)
{
    struct pending p = *queue_at(s, 0);
    s->queue_from = (s->queue_from + 1) & (s->queue_room - 1);
    if (!--s->queue_len && s->queue_room > QUEUE_KEPT) {
        free(s->queue);
        queue_begin(s);
    }
    return p;
}

static void queue_grow(struct smtp *s)
{
    uint32_t room = s->queue_room * 2;
    struct pending *grown = malloc(room * sizeof *grown);
    memory_check(grown);
    for (uint32_t i = 0; i < s->queue_len; i++)
        grown[i] = *queue_at(s, i);
    if (s->queue != s->few_pending)
        free(s->queue);
    s->queue = grown;
    s->queue_room = room;
    s->queue_from = 0;
}

void pairing_push(struct smtp *s, enum verb verb, uint32_t mail, uint32_t nth)
{
    if (s->queue_len >= s->lim->pending) {
        /* Without a server there is nothing to pair, so nothing is lost then. */
        if (s->heard)
            cut_mail(s, queue_at(s, 0)->mail);
        answered(s, pop(s).mail);
        s->dropped += s->heard;
    }
    if (s->queue_len == s->queue_room)
        queue_grow(s);
    s->pipelines |= s->queue_len > 0;
    *queue_at(s, s->queue_len++) =
        (struct pending){.mail = mail,
                         .nth = nth,
                         .verb = (uint8_t)verb,
                         .each = verb == VERB_END_OF_DATA || verb == VERB_BDAT_LAST};
    if (mail && mail == s->open)
        s->unanswered++;
}

/* A code that fits only a later command shows that the ones before it went unanswered. */
static void skip_unfit(struct smtp *s, unsigned code)
{
    if (!s->queue_len || verb_fits(queue_at(s, 0)->verb, code))
        return;
    for (uint32_t i = 1; i < s->queue_len && i < SKIP_MAX; i++) {
        if (verb_fits(queue_at(s, i)->verb, code)) {
            s->skipped = true;
            while (i--)
                answered(s, pop(s).mail);
            return;
        }
    }
}

/* A server that replies amid a message whose end may have been lost, or read otherwise, has seen its end. */
static void end_unseen_message(struct smtp *s, unsigned code)
{
    if (s->mode != MODE_MESSAGE || s->queue_len)
        return;
    bool commands = smtp_has_doubt(s), gap = s->message_gap || commands;
    if (!(gap || s->lookalike) || (code == 354 && !commands))
        return;
    /* It hangs up amid the text. */
    if (commands && !s->message_gap && (code == 421 || code == 521)) {
        message_take_doubt(s);
        return;
    }
    /* A reply that is lost as well is not awaited: this one answers a command. */
    smtp_message_end(s, !(commands && s->message_reply_lost));
    if (gap)
        smtp_end_doubt(s);
}

/* A challenge is as secret as its answer, and some servers repeat what they do not understand. */
static bool hide_secrets(struct smtp *s, enum verb to, unsigned code, struct slice text, struct buf *ret)
{
    bool doubtful = to == VERB_AUTH || to == VERB_OTHER || to == VERB_NONE || to == VERB_EMPTY;
    if (!doubtful && code < 400)
        return false;
    bool unsure = doubtful && code >= 400 && (s->had_gap || !s->spoke);
    struct slice held =
        s->mode == MODE_HOLD && s->hold_verb == VERB_AUTH ? dated_rest(s->hold) : (struct slice){0};
    enum secret_care care = unsure ? SECRET_CARE_MOST : doubtful ? SECRET_CARE_MUCH : SECRET_CARE_LITTLE;
    return secret_hide(s->secrets, held, care, text, ret);
}

static void emit_reply(struct smtp *s, struct pending to, unsigned code, struct slice text)
{
    struct buf rest;
    bool hidden = code != 334 && hide_secrets(s, to.verb, code, text, &rest);
    if (code == 334) {
        secret_add(&s->secrets, text);
        auth_challenge(s->auth, text);
    }
    struct smtp_event ev = {.kind = SMTP_REPLY,
                            .side = SIDE_SERVER,
                            .verb = (enum verb)to.verb,
                            .code = code,
                            .mail = to.mail,
                            .nth = to.nth,
                            .ts = s->now,
                            .text = text};
    if (code == 334)
        ev.text.len = 0;
    if (hidden)
        ev.text = buf_slice(&rest);
    s->fn(s->ctx, &ev);
    if (to.verb == VERB_AUTH && code != 334)
        smtp_auth_end(s, code, text, false);
    if (hidden)
        buf_free(&rest);
}

/* What the reply answers. An entry that is answered for each recipient stays until the last one is; *ret_last
 * tells. */
static struct pending take_pending(struct smtp *s, unsigned code, bool *ret_last)
{
    *ret_last = true;
    if (s->dropped) {
        s->dropped--;
        return (struct pending){.verb = VERB_NONE};
    }
    struct pending *head = s->queue_len ? queue_at(s, 0) : NULL;
    /* A client that waits behind DATA got no 2xx for it: the reply answers something else. */
    bool waits = head && head->verb == VERB_DATA && s->mode == MODE_HOLD && !dated_rest(s->hold).len;
    if (!head || ((s->had_gap || waits) && !verb_fits(head->verb, code))) {
        s->stray_replies++;
        return (struct pending){.mail = s->open, .verb = VERB_NONE};
    }
    if (head->each && !head->left) {
        uint32_t *accepted = accepted_of(s, head->mail);
        head->left = s->lmtp && accepted && *accepted ? *accepted : 1;
    }
    head->nth += head->each && s->lmtp;
    *ret_last = !head->each || --head->left == 0;
    return *ret_last ? pop(s) : *head;
}

static bool is_hello(uint8_t verb)
{
    return verb == VERB_HELO || verb == VERB_EHLO || verb == VERB_LHLO;
}

static void note_reply(struct smtp *s, const struct pending *to, unsigned code, struct slice text)
{
    uint32_t *accepted = to->verb == VERB_RCPT && code < 300 ? accepted_of(s, to->mail) : NULL;
    if (accepted)
        ++*accepted;
    if (to->verb == VERB_MAIL && code >= 400 && to->mail && to->mail == s->open)
        s->refused = true;
    if (code >= 300 || !is_hello(to->verb))
        return;
    s->lmtp = to->verb == VERB_LHLO;
    const struct esmtp_offers offers = esmtp_offers(text);
    s->no_chunking = !s->had_gap && !offers.chunking;
    s->pipelining = offers.pipelining ? PIPELINING_OFFERED : PIPELINING_NOT_OFFERED;
}

/* The chunk's own reply is here, but not all its octets. Do they come (RFC 3030 2), or did the server not
 * understand their number? Then it replies to what they say. */
static void doubt_chunk(struct smtp *s, const struct pending *to, unsigned code)
{
    bool own = to->verb == VERB_BDAT || to->verb == VERB_BDAT_LAST;
    if (s->mode != MODE_CHUNK || !own || s->queue_len || code < 400 || s->had_gap)
        return;
    s->mode = MODE_HOLD;
    s->hold_verb = VERB_NONE;
}

/* A reply to nothing, amid a chunk: its octets are commands. Those that came before the first of these
 * replies are not here any more. */
static void pass_chunk_not_taken(struct smtp *s, unsigned code)
{
    if (s->queue_len || s->dropped || code == 421)
        return;
    if (s->mode == MODE_HOLD && s->hold_verb == VERB_NONE) {
        hold_release(s, code);
    } else if (s->mode == MODE_CHUNK && !s->had_gap) {
        smtp_cut(s, SIDE_CLIENT);
        s->had_gap = s->lost_commands = s->lost_chunks = true;
        s->mode = MODE_RESYNC;
    }
}

/* After a gap 354 shows that DATA was taken, whatever it was paired with. */
static bool tells_of_message(const struct smtp *s, const struct pending *to, unsigned code)
{
    return code == 354 && to->verb == VERB_NONE && s->had_gap &&
           (s->mode == MODE_RESYNC || s->mode == MODE_COMMAND);
}

/* The client goes on with text behind a DATA that seems unanswered: its 354 lies in a gap, and this reply
 * answers the text. */
static void pass_lost_go_ahead(struct smtp *s, unsigned code)
{
    bool data = s->queue_len && queue_at(s, 0)->verb == VERB_DATA;
    if (!s->had_gap || !data || code / 100 != 2 || s->mode != MODE_HOLD || !dated_rest(s->hold).len)
        return;
    answered(s, pop(s).mail);
    hold_release(s, 0);
}

/* The server took a sender, so the open mail had ended, and what follows is not of it (RFC 3463 3.2). */
static bool takes_lost_mail(const struct smtp *s, struct slice text)
{
    bool room = s->lost_bytes >= LOST_END + LOST_MAIL;
    return s->open && room && s->lost_commands && s->mode == MODE_RESYNC && slice_case_starts(text, "2.1.0");
}

/* How many of the queue are no open commands, where the client waits for each reply. It has one open at most;
 * and where it is not known whether it may pipeline, none would ask for two mails at once. */
static uint32_t out_of_step(struct smtp *s)
{
    uint32_t mails = 0, last = 0;
    if (s->pipelining == PIPELINING_NOT_OFFERED)
        return s->queue_len - 1;
    for (uint32_t i = 0; i < s->queue_len && i < SKIP_MAX; i++) {
        if (queue_at(s, i)->verb != VERB_MAIL)
            continue;
        last = i;
        mails++;
    }
    return mails > 1 ? last : 0;
}

/* Of several commands that are open behind a gap those of before have had their replies in it, or are octets
 * of a chunk whose BDAT was lost. */
static void keep_step(struct smtp *s)
{
    s->in_step &= s->queue_len != 1;
    if (!s->in_step || !s->queue_len)
        return;
    for (uint32_t n = out_of_step(s); n; n--)
        answered(s, pop(s).mail);
}

static void pair(struct smtp *s, unsigned code, struct slice text)
{
    bool last;
    pass_lost_go_ahead(s, code);
    pass_chunk_not_taken(s, code);
    end_unseen_message(s, code);
    keep_step(s);
    skip_unfit(s, code);
    s->reply_at = (uint32_t)s->line.len;
    struct pending to = take_pending(s, code, &last);
    bool message = tells_of_message(s, &to, code);
    if (to.verb == VERB_NONE && code == 250 && takes_lost_mail(s, text)) {
        smtp_mail_close(s);
        to.mail = 0;
    }
    if (message && !s->open)
        smtp_mail_begin(s, false);
    if (message)
        to.mail = s->open;
    emit_reply(s, to, code, text);
    note_reply(s, &to, code, text);
    bool decides = s->mode == MODE_HOLD && to.verb == s->hold_verb && to.verb != VERB_NONE && !s->queue_len;
    if (last && to.verb != VERB_NONE)
        answered(s, to.mail);
    if (decides)
        hold_release(s, code);
    doubt_chunk(s, &to, code);
    if (decides)
        return;
    if (message)
        smtp_message_begin(s, !s->line.len); /* no text comes before this reply */
}

static void late_free(struct late *late, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        buf_free(&late[i].text);
    free(late);
}

void pairing_begin(struct smtp *s)
{
    queue_begin(s);
    s->waiting = s->few_waiting;
    s->waiting_room = FEW_WAITING;
}

void pairing_free(struct smtp *s)
{
    late_free(s->late, s->late_len);
    if (s->waiting != s->few_waiting)
        free(s->waiting);
    if (s->queue != s->few_pending)
        free(s->queue);
}

void pairing_settle(struct smtp *s)
{
    if (!s->lost_replies)
        return;
    s->lost_replies = false;
    /* A chunk that is still coming has no answer yet. */
    uint32_t open_ones = s->late_len + (s->mode == MODE_CHUNK);
    while (s->queue_len > open_ones) {
        struct pending lost = pop(s);
        if (is_hello(lost.verb)) /* the client goes on, so it was taken */
            s->lmtp = lost.verb == VERB_LHLO;
        answered(s, lost.mail);
    }
    struct late *late = s->late;
    uint32_t count = s->late_len;
    s->late = NULL;
    s->late_len = 0;
    struct timespec now = s->now;
    for (uint32_t i = 0; i < count; i++) {
        s->now = late[i].ts;
        pair(s, late[i].code, buf_slice(&late[i].text));
    }
    s->now = now;
    late_free(late, count);
    s->hold_blind = s->mode == MODE_HOLD && !s->queue_len;
}

static void keep_late(struct smtp *s, unsigned code, struct slice text)
{
    if (!s->late)
        s->late = malloc(LATE_MAX * sizeof *s->late);
    memory_check(s->late);
    struct late *l = &s->late[s->late_len++];
    l->code = code;
    l->ts = s->now;
    buf_init(&l->text, s->lim->reply_bytes);
    buf_add(&l->text, text);
}

static void reply_done(struct smtp *s, unsigned code, struct slice text)
{
    if (s->lost_replies && s->queue_len > 1) {
        keep_late(s, code, text);
        if (s->late_len == s->queue_len || s->late_len == LATE_MAX)
            pairing_settle(s);
    } else {
        if (!s->late_len)
            s->lost_replies = false;
        pair(s, code, text);
    }
}

static void reply_add(struct smtp *s, struct slice text)
{
    bool fits = !s->in_reply || buf_add_byte(&s->reply, '\n');
    if (!buf_add(&s->reply, text) || !fits)
        s->reply_cut = true;
    s->in_reply = true;
}

/* Few replies have more than one line, so the memory of those goes. */
static void long_reply_done(struct smtp *s, unsigned code)
{
    struct buf reply = s->reply;
    buf_init(&s->reply, s->lim->reply_bytes);
    if (s->reply_cut)
        smtp_cut(s, SIDE_SERVER);
    s->in_reply = s->reply_cut = false;
    reply_done(s, code, buf_slice(&reply));
    buf_free(&reply);
}

static void server_line(struct smtp *s, struct slice line)
{
    while (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    struct reply_line r;
    if (!reply_line_parse(line, &r)) {
        /* Some servers break a long text into lines without a code. */
        if (s->in_reply && !s->skip_line)
            reply_add(s, line);
        s->skip_line = false;
        return;
    }
    s->skip_line = false;
    if (!s->in_reply && !r.more) {
        reply_done(s, r.code, r.text);
        return;
    }
    reply_add(s, r.text);
    if (!r.more)
        long_reply_done(s, r.code);
}

/* A handshake record or an alert, which no line of a server begins with: TLS was begun by a command that was
 * lost, or hidden behind others. Where STARTTLS was taken, whatever record it is. */
static bool begins_tls(const struct smtp *s, uint8_t first)
{
    if (s->server_line.len || s->in_reply)
        return false;
    return first == 0x16 || first == 0x15 || (s->mode == MODE_SNIFF && client_like_tls(first));
}

void pairing_server_feed(struct smtp *s, struct slice bytes)
{
    while (bytes.len && !s->server_opaque) {
        if (s->mode == MODE_TRIAL) {
            trial_hear(s, bytes);
            return;
        }
        if (begins_tls(s, *bytes.data)) {
            smtp_tls_begin(s);
            client_begin_opaque(s);
            break;
        }
        size_t lf = slice_index(bytes, '\n');
        struct slice part = slice_sub(bytes, 0, lf);
        bool whole = lf < bytes.len;
        bytes = slice_sub(bytes, lf + whole, bytes.len);
        if (whole && !s->server_line.len && !s->server_line_cut && part.len <= s->lim->reply_bytes) {
            server_line(s, part);
            continue;
        }
        if (!s->server_line_cut && !buf_add(&s->server_line, part)) {
            s->server_line_cut = true;
            smtp_cut(s, SIDE_SERVER);
        }
        if (whole) {
            s->server_line_cut = false;
            /* The line's memory is moved out first: a released client byte may lead back here. */
            struct buf line = s->server_line;
            buf_init(&s->server_line, s->lim->reply_bytes);
            server_line(s, buf_slice(&line));
            buf_free(&line);
        }
    }
    if (bytes.len)
        smtp_tls_feed(s, SIDE_SERVER, bytes);
}

void pairing_server_gap(struct smtp *s)
{
    /* The reply that would tell may be lost. */
    if (s->mode == MODE_HOLD &&
        (s->hold_verb == VERB_NONE || s->hold_verb == VERB_BDAT || s->hold_verb == VERB_BDAT_LAST))
        hold_release(s, 0);
    buf_clear(&s->server_line);
    s->server_line_cut = false;
    s->in_reply = s->reply_cut = false;
    buf_free(&s->reply);
    s->skip_line = true;
    s->lost_replies = true;
    s->message_reply_lost = true;
    s->in_step = s->pipelining != PIPELINING_OFFERED && !s->pipelines;
}
