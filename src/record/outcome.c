/* outcome.c: what became of a mail.
 * In: events of one transaction. Out: disposition, reply, rcpt, queue_id, mail_params, message_bytes, seconds
 * of its record. Owns: nothing; texts go to the draft. Limits: list_items, the draft's arena. Knowingly: the
 * reply to the message decides; without one the first refusal, as what is refused behind it was refused for
 * it; of recipients the last, as it took them all. Spec: RFC 5321 4.2, 3.8; RFC 2033 4.2; RFC 3461 4. */
#include "record/outcome.h"

#include "mail/esmtp.h"
#include "mail/reply.h"

/* Between the times as records show them, so that captures with finer ones give the same. */
static struct interval span_between(struct timespec from, struct timespec to)
{
    int64_t micros = (int64_t)(to.tv_sec - from.tv_sec) * 1000000 + to.tv_nsec / 1000 - from.tv_nsec / 1000;
    /* What came before the go-ahead took no time after it. */
    return (struct interval){micros > 0 ? (double)micros * 1e-6 : 0, true};
}

void outcome_begin(struct draft *d)
{
    d->ruling = (struct ruling){.stage = STAGE_NONE};
}

/* Parameters */

static struct slice decoded(struct draft *d, struct spares *with, struct slice value)
{
    struct buf *line = &with->line;
    buf_clear(line);
    esmtp_xtext(value, line);
    return draft_text(d, buf_slice(line), &with->scratch);
}

/* A keyword and its value as written: they lie side by side. */
static struct slice whole_param(struct slice keyword, struct slice value)
{
    return (struct slice){keyword.data, keyword.len + (value.data ? 1 + value.len : 0)};
}

static void take_mail_param(struct draft *d, struct spares *with, struct slice keyword, struct slice value)
{
    struct mail_params *p = &d->t.mail_params;
    uint64_t size = 0;
    if (slice_case_eq(keyword, slice_str("SIZE")) && value.len && slice_number(value, &size) == value.len)
        p->size = size;
    else if (slice_case_eq(keyword, slice_str("BODY")) && value.len)
        p->body = draft_text(d, value, &with->scratch);
    else if (slice_case_eq(keyword, slice_str("RET")) && value.len)
        p->ret = draft_text(d, value, &with->scratch);
    else if (slice_case_eq(keyword, slice_str("ENVID")) && value.len)
        p->envid = decoded(d, with, value);
    else if (slice_case_eq(keyword, slice_str("AUTH")) && value.len)
        p->auth = decoded(d, with, value);
    else if (slice_case_eq(keyword, slice_str("SMTPUTF8")) && !value.data)
        p->smtputf8 = true;
    else if (slice_case_eq(keyword, slice_str("REQUIRETLS")) && !value.data)
        p->requiretls = true;
    else
        draft_add_text(d, with->set, &p->others, draft_text(d, whole_param(keyword, value), &with->scratch));
}

static void take_rcpt_param(struct draft *d, struct spares *with, struct recipient *r, struct slice keyword,
                            struct slice value)
{
    if (slice_case_eq(keyword, slice_str("NOTIFY")) && value.len)
        r->notify = draft_text(d, value, &with->scratch);
    else if (slice_case_eq(keyword, slice_str("ORCPT")) && value.len)
        r->orcpt = decoded(d, with, value);
    else
        draft_add_text(d, with->set, &r->params, draft_text(d, whole_param(keyword, value), &with->scratch));
}

void outcome_command(struct draft *d, struct spares *with, const struct smtp_event *ev)
{
    struct slice rest = ev->params, keyword, value, addr = draft_text(d, ev->text, &with->scratch);
    struct recipient *r = NULL;
    if (ev->verb == VERB_MAIL) {
        d->t.mailfrom = addr;
    } else {
        draft_add_text(d, with->set, &d->t.rcptto, addr);
        r = draft_add_recipient(d, with->set, addr);
    }
    while (esmtp_param_next(&rest, &keyword, &value)) {
        if (ev->verb == VERB_MAIL)
            take_mail_param(d, with, keyword, value);
        else if (r)
            take_rcpt_param(d, with, r, keyword, value);
    }
}

/* Replies */

static void decide(struct draft *d, enum stage stage, unsigned code, struct slice line)
{
    d->ruling.stage = stage;
    d->ruling.code = code;
    text_set(&d->decision, line);
}

static struct slice without_codes(struct slice text, struct slice *ret_enhanced)
{
    *ret_enhanced = (struct slice){0};
    if (reply_enhanced(text, ret_enhanced))
        text = slice_sub(text, (size_t)(ret_enhanced->data - text.data) + ret_enhanced->len, text.len);
    return slice_trim(text);
}

/* Recipients mostly hear the same, which is kept once. */
static struct slice text_like(struct draft *d, struct spares *with, struct slice text, struct slice last)
{
    if (!text.data || (last.data && slice_eq(text, last)))
        return text.data ? last : text;
    return draft_text(d, text, &with->scratch);
}

static void answer_recipient(struct draft *d, struct spares *with, size_t i, unsigned code, struct slice line)
{
    struct recipient *r = &d->t.rcpt.items[i];
    const struct recipient *last = i ? r - 1 : r;
    struct slice enhanced, text = without_codes(line, &enhanced);
    r->code = code;
    r->accepted = code < 300 ? MAYBE_YES : MAYBE_NO;
    r->text = text_like(d, with, text, last->text);
    r->enhanced = text_like(d, with, enhanced, last->enhanced);
}

static void on_rcpt_reply(struct draft *d, struct spares *with, const struct smtp_event *ev,
                          struct slice line)
{
    struct ruling *o = &d->ruling;
    o->taken |= ev->code < 300;
    o->refused |= ev->code >= 500;
    if (ev->nth && ev->nth <= d->t.rcpt.len)
        answer_recipient(d, with, ev->nth - 1, ev->code, line);
    if (ev->code >= 400 && (o->stage == STAGE_NONE || o->stage == STAGE_RCPT))
        decide(d, STAGE_RCPT, ev->code, line);
}

/* Has a refusal decided, as far as is known? Refused recipients do only where none was taken. */
static bool is_decided(const struct ruling *o)
{
    return o->stage != STAGE_NONE && !(o->stage == STAGE_RCPT && o->taken);
}

/* LMTP: the nth reply to the message is that of the nth recipient that was taken (RFC 2033 4.2). */
static void on_own_reply(struct draft *d, struct spares *with, const struct smtp_event *ev, struct slice line)
{
    size_t i = d->ruling.own_next;
    while (i < d->t.rcpt.len && d->t.rcpt.items[i].accepted != MAYBE_YES)
        i++;
    if (i < d->t.rcpt.len)
        answer_recipient(d, with, i, ev->code, line);
    d->ruling.own_next = i + 1;
}

/* Of LMTP's many answers one that takes the mail counts most. */
static void on_final_reply(struct draft *d, struct spares *with, const struct smtp_event *ev,
                           struct slice line)
{
    struct ruling *o = &d->ruling;
    if (!o->answered && o->ended_seen)
        d->t.seconds.answer = span_between(o->ended, ev->ts);
    /* Who refuses all recipients refuses the message for that. */
    bool follows = ev->code >= 400 && is_decided(o);
    if ((!o->answered && !follows) || (o->code >= 300 && ev->code < 300))
        decide(d, STAGE_CONTENT, ev->code, line);
    o->answered = true;
    if (ev->nth)
        on_own_reply(d, with, ev, line);
}

static enum stage stage_of(const struct draft *d, enum verb verb)
{
    if (verb == VERB_MAIL)
        return STAGE_MAIL;
    if (verb == VERB_DATA || verb == VERB_BDAT)
        return STAGE_DATA;
    /* To no command: the server hangs up. */
    return d->t.message ? STAGE_CONTENT : d->t.rcpt.len ? STAGE_RCPT : STAGE_MAIL;
}

static void take_reply(struct draft *d, struct spares *with, const struct smtp_event *ev, struct slice line)
{
    if (ev->verb == VERB_RCPT)
        on_rcpt_reply(d, with, ev, line);
    else if (ev->verb == VERB_END_OF_DATA || ev->verb == VERB_BDAT_LAST)
        on_final_reply(d, with, ev, line);
    else if (ev->code >= 400 && ev->verb != VERB_OTHER && ev->verb != VERB_EMPTY && !is_decided(&d->ruling))
        decide(d, stage_of(d, ev->verb), ev->code, line);
}

void outcome_reply(struct draft *d, struct spares *with, const struct smtp_event *ev)
{
    struct buf line;
    if (slice_index(ev->text, '\n') == ev->text.len) {
        take_reply(d, with, ev, ev->text);
        return;
    }
    buf_init(&line, with->set->transaction_bytes);
    reply_join(ev->text, &line);
    take_reply(d, with, ev, buf_slice(&line));
    buf_free(&line);
}

/* The message */

void outcome_message_begin(struct draft *d, struct timespec ts)
{
    d->ruling.begun = ts;
    d->t.seconds.envelope = span_between(d->t.ts, ts);
}

void outcome_message_end(struct draft *d, struct timespec ts, bool end_seen)
{
    d->ruling.ended_seen = end_seen;
    if (!end_seen)
        return;
    d->ruling.ended = ts;
    d->t.seconds.transfer = span_between(d->ruling.begun, ts);
}

/* The end */

static struct slice stage_name(enum stage stage)
{
    static const char *const names[] = {
        [STAGE_NONE] = "",     [STAGE_CONNECT] = "connect", [STAGE_HELO] = "helo",      [STAGE_MAIL] = "mail",
        [STAGE_RCPT] = "rcpt", [STAGE_DATA] = "data",       [STAGE_CONTENT] = "content"};
    return slice_str(names[stage]);
}

struct slice outcome_of_refusal(uint64_t code)
{
    return slice_str(code >= 500 ? "rejected" : "deferred");
}

static struct slice disposition(const struct draft *d)
{
    const struct ruling *o = &d->ruling;
    const struct flags *f = &d->t.flags;
    if (is_decided(o) && o->code < 300)
        return slice_str("accepted");
    if (is_decided(o) && o->code >= 400)
        return outcome_of_refusal(o->stage == STAGE_RCPT && o->refused ? 500 : o->code);
    bool blind = f->gap || f->one_sided || f->midstream;
    return slice_str(blind || o->ended_seen ? "unknown" : "aborted");
}

void outcome_end(struct draft *d, struct spares *with)
{
    struct ruling *o = &d->ruling;
    struct slice id;
    d->t.disposition = disposition(d);
    if (!is_decided(o))
        return;
    struct slice enhanced, text = without_codes(text_slice(d->decision), &enhanced);
    d->t.reply.code = o->code;
    d->t.reply.stage = stage_name(o->stage);
    d->t.reply.text = draft_text(d, text, &with->scratch);
    if (enhanced.data)
        d->t.reply.enhanced = draft_text(d, enhanced, &with->scratch);
    if (o->code < 300 && esmtp_queue_id(d->t.reply.text, &id))
        d->t.queue_id = id;
}

struct decision outcome_of_session(enum verb verb, unsigned code, struct slice line)
{
    struct decision ret = {.code = code};
    ret.text = without_codes(line, &ret.enhanced);
    ret.stage = stage_name(verb == VERB_GREETING ? STAGE_CONNECT : STAGE_HELO);
    return ret;
}
