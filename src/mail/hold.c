/* hold.c: client bytes that wait for a reply, because it decides what they are.
 * In: client bytes. Out: the same bytes, to client.c, once it is known what they are. Owns: the held bytes
 * (dated.c). Limits: hold_bytes; over it, where the server is not heard, or where the reply is
 * lost, the client's own next line decides. Spec: RFC 5321 4.1.4, 4.2.5; RFC 2920 3.1. */
#include "mail/hold.h"

#include "mail/client.h"
#include "mail/trial.h"

static struct slice held(const struct smtp *s)
{
    return dated_rest(s->hold);
}

/* They fit: as many may be held as a trial keeps. */
static void move_to_trial(struct smtp *s)
{
    struct dated *hold = s->hold;
    struct slice piece;
    s->hold = NULL;
    while (dated_next(hold, &s->now, &piece))
        (void)client_consume(s, piece);
    dated_free(&hold);
}

static void drain(struct smtp *s)
{
    struct timespec now = s->now;
    while (s->mode != MODE_HOLD && s->mode != MODE_TRIAL && held(s).len) {
        s->now = dated_time(s->hold);
        dated_pass(s->hold, client_consume(s, held(s)));
    }
    if (s->mode == MODE_TRIAL)
        move_to_trial(s);
    s->now = now;
    if (!held(s).len)
        dated_free(&s->hold);
}

/* A longer line is judged by its beginning, however much of it came. */
enum { LINE_JUDGED = 512 };

/* Does what the client sent on begin like a command, so that its DATA or AUTH must have been refused? */
static bool goes_on_with_command(const struct smtp *s)
{
    struct slice rest = slice_sub(held(s), 0, LINE_JUDGED);
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
    smtp_mail_close(s);
    /* What came before the server's go-ahead was sent in the clear, whatever the server makes of it. */
    if (held(s).len && !client_like_tls(held(s).data[0]))
        return;
    smtp_tls_begin(s);
    s->mode = MODE_SNIFF;
}

/* Who does not know BDAT takes its octets for commands, and so does who replies again before all of them
 * came. */
static void after_chunk(struct smtp *s, enum verb verb, unsigned code)
{
    bool unknown = code == 500 || code == 502;
    if (verb == VERB_NONE ? !code : !unknown)
        client_take_chunk(s);
}

/* `code` of the reply; 0: there will be none. */
static void decide(struct smtp *s, unsigned code)
{
    bool command = !code && goes_on_with_command(s);
    bool taken = code ? code < 400 : !command;
    enum verb verb = s->hold_verb;
    if (code && taken && verb == VERB_STARTTLS && held(s).len && !client_like_tls(held(s).data[0]))
        smtp_anomaly(s, ANOMALY_starttls_injection, s->client_at, (struct slice){0});
    s->mode = MODE_COMMAND;
    s->hold_blind = false;
    if (verb == VERB_DATA)
        after_data(s, code, taken);
    else if (verb == VERB_AUTH)
        after_auth(s, code, taken);
    else if (verb == VERB_STARTTLS)
        after_starttls(s, taken);
    else if (verb == VERB_BDAT || verb == VERB_BDAT_LAST || verb == VERB_NONE)
        after_chunk(s, verb, code);
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

/* Is there a whole line, or what needs no more to be judged? Asked of a short rest only, as it is asked anew
 * with each packet. */
static bool has_line(struct slice rest)
{
    return rest.len >= LINE_JUDGED || client_like_tls(rest.data[0]) || slice_index(rest, '\n') < rest.len;
}

/* No reply will tell: the client's own text must. It takes a whole line of it. */
static bool must_guess(const struct smtp *s)
{
    struct slice rest = held(s);
    if (s->mode == MODE_HOLD && s->hold_verb == VERB_NONE)
        return s->hold_over || rest.len >= s->chunk_left;
    bool unheard = !s->heard || s->hold_blind;
    return s->mode == MODE_HOLD && rest.len && (s->hold_over || (unheard && has_line(rest)));
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

void hold_feed(struct smtp *s, struct slice bytes)
{
    while (bytes.len) {
        if (s->mode != MODE_HOLD && (!s->hold || !held(s).len)) {
            size_t n = client_consume(s, bytes);
            bytes = slice_sub(bytes, n, bytes.len);
            continue;
        }
        size_t taken = dated_add(&s->hold, s->lim->hold_bytes, s->now, bytes);
        s->hold_over = taken < bytes.len;
        bytes = slice_sub(bytes, taken, bytes.len);
        if (s->mode != MODE_HOLD)
            drain(s);
        guess(s);
        if (s->hold && dated_is_half_passed(s->hold))
            dated_compact(s->hold);
    }
}
