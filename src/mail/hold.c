/* hold.c: client bytes that wait for a reply, because it decides what they are.
 * In: client bytes. Out: the same bytes, to client.c, once it is known what they are. Owns: the held bytes.
 * Limits: HOLD_MARKS packet times; hold_bytes; over it, where the server is not heard, or where the reply is
 * lost, the client's own next line decides. Spec: RFC 5321 4.1.4, 4.2.5; RFC 2920 3.1. */
#include "mail/hold.h"

#include "mail/client.h"

enum { HOLD_KEPT = 4096 }; /* bytes of memory that stay with the session */

static struct slice held(const struct smtp *s)
{
    return slice_sub(buf_slice(&s->hold), s->hold_from, s->hold.len);
}

/* Held bytes are dated by the packet that brought them. */
static void hold_add(struct smtp *s, struct slice bytes)
{
    struct hold_mark *last = s->mark_count ? &s->marks[s->mark_count - 1] : NULL;
    bool same = last && memcmp(&last->ts, &s->now, sizeof s->now) == 0;
    if (!same && s->mark_count < HOLD_MARKS)
        s->marks[s->mark_count++] = (struct hold_mark){s->hold.len, s->now};
    buf_add(&s->hold, bytes);
}

static struct timespec held_time(const struct smtp *s)
{
    uint32_t i = s->mark_count;
    while (i > 1 && s->marks[i - 1].at > s->hold_from)
        i--;
    return i ? s->marks[i - 1].ts : s->now;
}

static void drain(struct smtp *s)
{
    struct timespec now = s->now;
    while (s->mode != MODE_HOLD && s->hold_from < s->hold.len) {
        s->now = held_time(s);
        s->hold_from += client_consume(s, held(s));
    }
    s->now = now;
    if (s->hold_from == s->hold.len) {
        if (s->hold.room > HOLD_KEPT)
            buf_free(&s->hold);
        buf_clear(&s->hold);
        s->hold_from = s->mark_count = 0;
    }
}

/* Does what the client sent on begin like a command, so that its DATA or AUTH must have been refused? */
static bool goes_on_with_command(const struct smtp *s)
{
    struct slice rest = held(s);
    struct command cmd;
    command_parse(slice_trim(slice_sub(rest, 0, slice_index(rest, '\n'))), &cmd);
    return cmd.strict && cmd.verb != VERB_NOOP;
}

static void after_data(struct smtp *s, unsigned code, bool taken)
{
    /* A server that answers 250 has read the message already, without a 354. */
    bool read = code / 100 == 2 && held(s).len && !goes_on_with_command(s);
    if (taken && (code / 100 != 2 || read))
        smtp_message_begin(s, true);
}

static void after_auth(struct smtp *s, unsigned code, bool taken)
{
    if (taken && code / 100 != 2)
        s->mode = MODE_SECRET;
}

static void after_starttls(struct smtp *s, bool taken)
{
    if (!taken)
        return;
    /* What came before the server's go-ahead was sent in the clear, whatever the server makes of it. */
    if (held(s).len && !client_like_tls(held(s).data[0]))
        return;
    smtp_tls_begin(s);
    s->mode = MODE_SNIFF;
}

/* `code` of the reply; 0: there will be none. */
static void decide(struct smtp *s, unsigned code)
{
    bool command = !code && goes_on_with_command(s);
    bool taken = code ? code < 400 : !command;
    enum verb verb = s->hold_verb;
    s->mode = MODE_COMMAND;
    s->hold_blind = false;
    if (verb == VERB_DATA)
        after_data(s, code, taken);
    else if (verb == VERB_AUTH)
        after_auth(s, code, taken);
    else if (verb == VERB_STARTTLS)
        after_starttls(s, taken);
    else if (verb == VERB_MAIL)
        smtp_mail_unnest(s, !code || taken);
    else if (!code || taken)
        smtp_mail_close(s); /* HELO, EHLO, LHLO */
}

void hold_release(struct smtp *s, unsigned code)
{
    decide(s, code);
    drain(s);
}

void hold_settle(struct smtp *s)
{
    do {
        if (s->mode == MODE_HOLD)
            decide(s, 0);
        drain(s);
    } while (s->mode == MODE_HOLD);
}

void hold_finish(struct smtp *s)
{
    while (s->mode == MODE_HOLD && (held(s).len || s->nested)) {
        decide(s, 0);
        drain(s);
    }
}

/* No reply will tell: the client's own text must. It takes a whole line of it. */
static bool must_guess(const struct smtp *s)
{
    struct slice rest = held(s);
    bool line =
        slice_index(rest, '\n') < rest.len || rest.len > 512 || (rest.len && client_like_tls(rest.data[0]));
    return s->mode == MODE_HOLD && rest.len && (s->hold_over || ((!s->heard || s->hold_blind) && line));
}

static void guess(struct smtp *s)
{
    while (must_guess(s)) {
        size_t had = held(s).len;
        decide(s, 0);
        drain(s);
        if (held(s).len < had)
            s->hold_over = false;
    }
}

/* The bytes in front were passed on. */
static void compact(struct smtp *s)
{
    buf_consume(&s->hold, s->hold_from);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->mark_count; i++) {
        /* The mark that the first byte stands under stays, too. */
        bool passed = i + 1 < s->mark_count && s->marks[i + 1].at <= s->hold_from;
        struct hold_mark mark = s->marks[i];
        mark.at -= mark.at < s->hold_from ? mark.at : s->hold_from;
        if (!passed)
            s->marks[kept++] = mark;
    }
    s->mark_count = kept;
    s->hold_from = 0;
}

void hold_feed(struct smtp *s, struct slice bytes)
{
    while (bytes.len) {
        if (s->mode != MODE_HOLD && !held(s).len) {
            size_t n = client_consume(s, bytes);
            bytes = slice_sub(bytes, n, bytes.len);
            continue;
        }
        size_t room = s->hold.max - s->hold.len;
        s->hold_over = bytes.len > room;
        hold_add(s, slice_sub(bytes, 0, room));
        bytes = slice_sub(bytes, room, bytes.len);
        if (s->mode != MODE_HOLD)
            drain(s);
        guess(s);
        if (s->hold_over || s->hold_from > s->hold.len / 2)
            compact(s);
    }
}
