/* trial.c: which of two ends of a message the server took.
 * In: what both sides say once both ends were seen. Out: the same, read on from the end that was taken.
 * Owns: what was said, and a second parser that reads it as the RFC does. Limits: hold_bytes of each side,
 * TURNS_MOST changes between them, TRIALS_MOST in what was kept for one; over them the RFC's end counts, with
 * SMTP_CUT.
 * Knowingly: a server that took the look-alike answers the commands behind it too, though they came in one go
 * with the text: one reply more than the RFC's reading has questions for, or one that fits none, shows it.
 * Spec: RFC 5321 4.1.1.4; CVE-2023-51764. */
#include "mail/trial.h"

#include <stdlib.h>
#include "base/memory.h"
#include "mail/message.h"
#include "mail/pairing.h"
#include "mail/talk.h"

enum { TURNS_MOST = 1024, TRIALS_MOST = 16 };

struct trial {
    struct talk *talk;
    struct smtp *strict; /* reads what was said since the RFC's end; its events go nowhere */
    uint32_t turns;
    enum side last;
    bool refuted; /* the server's replies do not fit the RFC's reading */
};

static void on_strict(void *ctx, const struct smtp_event *ev)
{
    struct trial *t = ctx;
    /* 421 may come at any time, and to nothing (RFC 5321 3.8). */
    if (ev->kind == SMTP_REPLY && ev->code != 421)
        t->refuted |= ev->verb == VERB_NONE || !verb_fits(ev->verb, ev->code);
}

static struct smtp *read_strictly(const struct smtp *s, struct trial *t, uint32_t replies)
{
    struct smtp *strict = smtp_new(s->lim, false, on_strict, t);
    pairing_finish(strict); /* no greeting is due */
    strict->heard = strict->spoke = true;
    strict->lmtp = s->lmtp;
    strict->no_chunking = s->no_chunking;
    strict->trials = TRIALS_MOST;
    while (replies--)
        pairing_push(strict, VERB_END_OF_DATA, 0, 0);
    return strict;
}

bool trial_begin(struct smtp *s)
{
    uint32_t replies = s->lmtp && s->accepted ? s->accepted : 1;
    bool in_step = s->heard && !s->message_gap && !s->lost_replies && !s->queue_len && !s->dropped;
    bool amid_reply = s->server_line.len || s->in_reply;
    if (!in_step || amid_reply || s->doubt_over)
        return false;
    if (s->trials >= TRIALS_MOST || replies > s->lim->pending) {
        smtp_cut(s, SIDE_CLIENT);
        return false;
    }
    struct trial *t = s->trial = calloc(1, sizeof *t);
    memory_check(t);
    t->talk = talk_new(s->lim->hold_bytes);
    t->strict = read_strictly(s, t, replies);
    t->last = SIDE_CLIENT;
    s->trials++;
    s->mode = MODE_TRIAL;
    return true;
}

static void settle(struct smtp *s, bool taken)
{
    struct trial *t = s->trial;
    struct timespec now = s->now;
    s->trial = NULL;
    s->mode = MODE_MESSAGE;
    s->settling++;
    if (taken) {
        s->now = dated_time(s->doubt);
        smtp_message_end(s, true);
        smtp_end_doubt(s);
    } else {
        message_take_doubt(s);
    }
    for (size_t i = 0; i < talk_count(t->talk); i++) {
        struct talk_piece p = talk_piece(t->talk, i);
        smtp_feed(s, (enum side)p.end, p.ts, p.bytes);
    }
    s->now = now;
    if (!--s->settling && s->mode != MODE_TRIAL)
        s->trials = 0;
    trial_free(&t);
}

/* Bytes that may still be kept of this side. */
static size_t room(const struct smtp *s, enum side side)
{
    const struct trial *t = s->trial;
    return t->turns < TURNS_MOST ? s->lim->hold_bytes - talk_said(t->talk, side).len : 0;
}

static void keep(struct smtp *s, enum side side, struct slice bytes)
{
    struct trial *t = s->trial;
    t->turns += side != t->last;
    t->last = side;
    talk_add(t->talk, side, s->now, bytes);
    smtp_feed(t->strict, side, s->now, bytes);
}

size_t trial_take(struct smtp *s, struct slice client_bytes)
{
    if (client_bytes.len > room(s, SIDE_CLIENT)) {
        smtp_cut(s, SIDE_CLIENT);
        settle(s, false);
        return 0;
    }
    keep(s, SIDE_CLIENT, client_bytes);
    return client_bytes.len;
}

void trial_hear(struct smtp *s, struct slice server_bytes)
{
    struct slice part = slice_sub(server_bytes, 0, room(s, SIDE_SERVER));
    keep(s, SIDE_SERVER, part);
    bool refuted = s->trial->refuted || s->trial->strict->skipped;
    if (!refuted && part.len == server_bytes.len)
        return;
    if (!refuted)
        smtp_cut(s, SIDE_SERVER);
    settle(s, refuted);
    smtp_feed(s, SIDE_SERVER, s->now, slice_sub(server_bytes, part.len, server_bytes.len));
}

void trial_give_up(struct smtp *s)
{
    settle(s, false);
}

void trial_free(struct trial **pt)
{
    struct trial *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    talk_free(&t->talk);
    smtp_free(&t->strict);
    free(t);
}
