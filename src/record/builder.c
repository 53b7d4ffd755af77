/* builder.c: the events of one SMTP connection to its records.
 * In: struct smtp_event, in order. Out: records, through struct builder_listener. Owns: the session's texts;
 * for their time the drafts of open mails and a message's MIME parser (spare.c). Limits: struct
 * builder_settings; over them a text is cut and flags.truncated says so. */
#include "record/builder.h"

#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"
#include "mail/dialect.h"
#include "mail/reply.h"
#include "record/authentication.h"
#include "record/keeping.h"
#include "record/outcome.h"
#include "record/parts.h"

enum { TLS_NONE, TLS_STARTTLS, TLS_IMPLICIT };

/* One for each session, of which there are many that say nothing for long: it keeps what the session's record
 * needs, in as little memory, and the record is made of it when it is written. */
struct builder {
    struct spares *with;
    const struct builder_listener *out;
    void *ctx;
    struct draft *drafts;    /* open mails, oldest first */
    struct draft *message;   /* whose text its MIME parser reads */
    struct mime *reader;     /* that parser: text passes the draft by, which is seldom in the cache by then */
    struct keeping *keeping; /* of `message`, where it is kept whole */
    uint64_t message_bytes;  /* of `message`, not yet in its record */
    struct text *banner, *helo, *ehlo, *last_reply, *last_error; /* as they came; `ehlo` is the whole reply */
    struct ssl *ssl;                                             /* or NULL */
    struct logins *logins;
    struct dialect *dialect;
    struct found_anomaly *odd; /* outside of mails, or NULL */
    uint32_t mails;
    uint16_t odd_len;
    struct text *refused; /* the first reply that refused the connection or the hello; none was taken since */
    uint16_t refused_code;
    uint8_t refused_verb;
    struct flags flags;
    uint8_t tls; /* how it began: TLS_STARTTLS, ... */
    bool heard_client, heard_server, quit;
};

struct builder *builder_new(struct spares *with, bool midstream, const struct builder_listener *out,
                            void *ctx)
{
    struct builder *b = malloc(sizeof *b);
    memory_check(b);
    *b = (struct builder){.with = with, .out = out, .ctx = ctx, .flags.midstream = midstream};
    return b;
}

static void give_parser(struct builder *b, struct draft *d)
{
    if (!d->mime)
        return;
    spares_give_mime(b->with, d->mime);
    spares_give_parts(b->with, d->parts);
    d->mime = NULL;
    d->parts = NULL;
}

static void give_back(struct builder *b, struct draft *d)
{
    give_parser(b, d);
    spares_give_draft(b->with, d);
}

void builder_free(struct builder **pb)
{
    struct builder *b = *pb;
    *pb = NULL;
    if (!b)
        return;
    for (struct draft *d = b->drafts, *next; d; d = next) {
        next = d->next;
        give_back(b, d);
    }
    text_free(&b->banner);
    text_free(&b->helo);
    text_free(&b->ehlo);
    text_free(&b->last_reply);
    text_free(&b->last_error);
    text_free(&b->refused);
    free(b->odd);
    free(b->ssl);
    logins_free(&b->logins);
    dialect_free(&b->dialect);
    free(b);
}

static struct draft *draft_of(struct builder *b, uint32_t number)
{
    struct draft *d = b->drafts;
    while (d && d->number != number)
        d = d->next;
    return d;
}

/* As UTF-8, in up to `most` bytes; `valid`: it is UTF-8. */
static struct slice keep(struct text **kept, struct slice text, bool valid, size_t most)
{
    struct buf read;
    if (valid) {
        text_set(kept, slice_sub(text, 0, most));
        return text_slice(*kept);
    }
    buf_init(&read, most);
    utf8_read(text, &read);
    text_set(kept, buf_slice(&read));
    buf_free(&read);
    return text_slice(*kept);
}

static void mail_begin(struct builder *b, const struct smtp_event *ev)
{
    struct draft *d = spares_take_draft(b->with);
    d->number = ev->mail;
    d->t =
        (struct transaction){.ts = ev->ts, .id = b->out->id(b->ctx), .trans_depth = ev->mail, .tls = b->tls};
    d->t.flags = (struct flags){
        .midstream = b->flags.midstream, .gap = ev->len && b->flags.gap, .ambiguous = b->flags.ambiguous};
    /* The path's beginning takes its room before any text can: the settings' least values leave enough for
     * it. */
    draft_add_address(d, b->with->set, &d->t.id.resp.addr);
    assert(d->t.path.room > d->t.path.len);
    d->t.path.items[d->t.path.len++] = d->t.id.orig.addr;
    outcome_begin(d);
    if (b->helo)
        d->t.helo = utf8_whole(arena_copy(&d->mem, text_slice(b->helo)));
    struct draft **slot = &b->drafts;
    while (*slot)
        slot = &(*slot)->next;
    *slot = d;
}

/* What was counted of the message goes to its record; for whoever looks at that. */
static void settle_bytes(struct builder *b)
{
    if (b->message)
        b->message->t.message_bytes += b->message_bytes;
    b->message_bytes = 0;
}

static void leave_message(struct builder *b)
{
    b->message = NULL;
    b->keeping = NULL;
}

/* Of two messages in one mail neither is it. */
static void keep_whole(struct builder *b, struct draft *d, bool begun)
{
    const struct part_store *store = b->with->set->store;
    if (!store || !store->mails)
        return;
    if (!d->keeping)
        d->keeping = keeping_new();
    keeping_drop(d->keeping);
    if (!begun || d->t.message)
        return;
    keeping_begin(d->keeping, store, b->with->mail_methods);
    b->keeping = d->keeping;
}

/* Bytes of the message are missing. */
static void lose_whole(struct builder *b)
{
    if (b->keeping)
        keeping_drop(b->keeping);
    b->keeping = NULL;
}

static void mail_end(struct builder *b, struct draft *d, struct timespec ts)
{
    settle_bytes(b);
    struct draft **slot = &b->drafts;
    while (*slot != d)
        slot = &(*slot)->next;
    *slot = d->next;
    if (b->message == d)
        leave_message(b);
    if (d->keeping)
        keeping_settle(d->keeping, d);
    d->t.flags.one_sided = !(b->heard_client && b->heard_server);
    outcome_end(d, b->with);
    authentication_end(d);
    d->t.flags.truncated |= d->mem.over;
    b->mails++;
    b->out->record(b->ctx, &(struct record){&stream_smtp, &d->t, ts, &d->mem});
    give_back(b, d);
}

static void on_mime(void *ctx, const struct mime_event *ev)
{
    struct builder *b = ctx;
    struct draft *d = b->message;
    if (!d)
        return;
    struct buf *scratch = &b->with->scratch;
    if (b->out->mime && ev->kind <= MIME_PART)
        b->out->mime(b->ctx, d->number, ev);
    if (ev->kind == MIME_ANOMALY)
        draft_add_anomaly(d, b->with->set, &(struct found_anomaly){ev->anomaly, ev->size, ev->value},
                          scratch);
    if (ev->kind != MIME_HEADER) {
        parts_mime(d->parts, d, b->with, d->mime, ev);
        return;
    }
    dialect_header(b->dialect, d->number, ev->name);
    headers_take(d, b->with->set, b->with->cs, ev, scratch);
}

static void message_begin(struct builder *b, struct draft *d, const struct smtp_event *ev)
{
    b->heard_client = true;
    settle_bytes(b);
    leave_message(b);
    b->message = d;
    if (!d)
        return;
    give_parser(b, d);
    b->reader = d->mime = spares_take_mime(b->with, on_mime, b);
    d->parts = spares_take_parts(b->with);
    if (ev->utf8)
        mime_utf8(d->mime);
    keep_whole(b, d, !ev->len);
    d->t.message = true;
    outcome_message_begin(d, ev->ts);
    if (ev->len) {
        mime_gap(d->mime, 1);
        d->t.flags.gap = true;
    }
}

static void message_end(struct builder *b, const struct smtp_event *ev)
{
    struct draft *d = b->message;
    if (!d)
        return;
    settle_bytes(b);
    mime_finish(d->mime, !ev->len);
    if (ev->len)
        lose_whole(b);
    outcome_message_end(d, ev->ts, !ev->len);
    d->t.flags.truncated |= mime_overruns(d->mime) > 0;
    d->t.flags.unfinished = ev->len;
    leave_message(b);
    give_parser(b, d);
}

static bool is_hello(enum verb verb)
{
    return verb == VERB_HELO || verb == VERB_EHLO || verb == VERB_LHLO;
}

static void on_command(struct builder *b, struct draft *d, const struct smtp_event *ev)
{
    b->heard_client = true;
    b->quit |= ev->verb == VERB_QUIT;
    dialect_command(&b->dialect, ev);
    if (is_hello(ev->verb))
        keep(&b->helo, ev->text, utf8_valid(ev->text), b->with->set->session_bytes);
    else if (d && (ev->verb == VERB_MAIL || ev->verb == VERB_RCPT))
        outcome_command(d, b->with, ev);
}

/* The first line of the answer to EHLO is the server's name; each other one a keyword. They live until the
 * next call. */
static struct text_list keywords(struct builder *b)
{
    struct arena *mem = &b->with->keywords;
    struct slice text = text_slice(b->ehlo);
    size_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    arena_reset(mem);
    struct text_list list = {.items = arena_alloc(mem, lines * sizeof *list.items), .room = lines};
    size_t lf = slice_index(text, '\n');
    while (lf < text.len && list.items) {
        text = slice_sub(text, lf + 1, text.len);
        lf = slice_index(text, '\n');
        list.items[list.len++] = utf8_copy(mem, slice_trim(slice_sub(text, 0, lf)), &b->with->scratch);
    }
    b->flags.truncated |= mem->over;
    return list;
}

static void on_ehlo_reply(struct builder *b, struct slice text)
{
    /* That the one before went over a limit stays known. */
    if (b->ehlo)
        (void)keywords(b);
    text_set(&b->ehlo, text);
}

/* "250 text text": the lines of a reply joined by blanks. */
static struct slice reply_text(struct builder *b, const struct smtp_event *ev)
{
    struct buf *line = &b->with->line;
    /* A code has three digits. */
    const uint8_t head[] = {(uint8_t)('0' + ev->code / 100), (uint8_t)('0' + ev->code / 10 % 10),
                            (uint8_t)('0' + ev->code % 10), ' '};
    buf_clear(line);
    buf_add(line, (struct slice){head, sizeof head});
    buf_add(line, ev->text);
    for (uint8_t *lf = line->len ? memchr(line->data, '\n', line->len) : NULL; lf;
         lf = memchr(lf, '\n', line->len - (size_t)(lf - line->data)))
        *lf = ' ';
    while (line->len && line->data[line->len - 1] == ' ')
        line->len--;
    return buf_slice(line);
}

static bool refuses_session(enum verb verb)
{
    return verb == VERB_GREETING || is_hello(verb);
}

static void note_refusal(struct builder *b, const struct smtp_event *ev)
{
    if (ev->code < 400) {
        text_free(&b->refused);
    } else if (!b->refused) {
        struct buf text;
        buf_init(&text, b->with->set->session_bytes);
        reply_join(ev->text, &text);
        keep(&b->refused, buf_slice(&text), utf8_valid(buf_slice(&text)), b->with->set->session_bytes);
        buf_free(&text);
        b->refused_code = (uint16_t)ev->code;
        b->refused_verb = (uint8_t)ev->verb;
    }
}

static void on_reply(struct builder *b, struct draft *d, const struct smtp_event *ev)
{
    struct slice text = reply_text(b, ev);
    bool valid = utf8_valid(text);
    b->heard_server = true;
    if (d) {
        d->t.last_reply = keep(&d->last_reply, text, valid, b->with->set->transaction_bytes);
        outcome_reply(d, b->with, ev);
    }
    bool error = ev->code >= 400 && ev->code != 421;
    if (d && error)
        d->t.last_error = keep(&d->last_error, text, valid, b->with->set->transaction_bytes);
    else if (error)
        keep(&b->last_error, text, valid, b->with->set->session_bytes);
    if (refuses_session(ev->verb))
        note_refusal(b, ev);
    keep(&b->last_reply, text, valid, b->with->set->session_bytes);
    if (ev->verb == VERB_GREETING)
        text_set(&b->banner, slice_sub(text, 4, text.len));
    if ((ev->verb == VERB_EHLO || ev->verb == VERB_LHLO) && ev->code < 300)
        on_ehlo_reply(b, ev->text);
}

static void mark_gap(struct builder *b, const struct smtp_event *ev)
{
    b->flags.gap = true;
    /* Between two chunks it may have held a third. */
    if (ev->side == SIDE_CLIENT)
        lose_whole(b);
    if (ev->side == SIDE_CLIENT && b->message)
        parts_lack(b->message->parts);
    for (struct draft *d = b->drafts; d; d = d->next)
        if (!ev->mail || d->number == ev->mail || ev->side == SIDE_SERVER)
            d->t.flags.gap = true;
}

static void on_anomaly(struct builder *b, struct draft *d, const struct smtp_event *ev)
{
    if (d) {
        draft_add_anomaly(d, b->with->set, &(struct found_anomaly){ev->anomaly, ev->len, ev->text},
                          &b->with->scratch);
        return;
    }
    b->odd = realloc(b->odd, (b->odd_len + 1) * sizeof *b->odd);
    memory_check(b->odd);
    b->odd[b->odd_len++] = (struct found_anomaly){ev->anomaly, ev->len, {NULL, 0}};
}

void builder_smtp(struct builder *b, const struct smtp_event *ev)
{
    /* Text comes most often, and needs no draft looked for. */
    struct draft *d = ev->kind == SMTP_MESSAGE_DATA ? NULL : draft_of(b, ev->mail);
    switch (ev->kind) {
    case SMTP_COMMAND:
        on_command(b, d, ev);
        break;
    case SMTP_REPLY:
        on_reply(b, d, ev);
        break;
    case SMTP_MAIL_BEGIN:
        mail_begin(b, ev);
        break;
    case SMTP_MESSAGE_BEGIN:
        message_begin(b, d, ev);
        break;
    case SMTP_MESSAGE_DATA:
        if (b->message) {
            b->message_bytes += ev->text.len;
            mime_feed(b->reader, ev->text);
            if (b->keeping)
                keeping_add(b->keeping, ev->text);
        }
        break;
    case SMTP_MESSAGE_GAP:
        if (b->message)
            mime_gap(b->reader, ev->len);
        lose_whole(b);
        break;
    case SMTP_MESSAGE_END:
        message_end(b, ev);
        break;
    case SMTP_MAIL_END:
        if (d)
            mail_end(b, d, ev->ts);
        break;
    case SMTP_TLS:
        b->tls = ev->len ? TLS_IMPLICIT : TLS_STARTTLS;
        break;
    case SMTP_LOGIN:
        b->flags.truncated |= !logins_add(&b->logins, b->with, ev->auth);
        break;
    case SMTP_HANDSHAKE:
        free(b->ssl);
        b->ssl = ssl_new(b->with, ev->tls, &b->flags.truncated);
        break;
    case SMTP_GAP:
        mark_gap(b, ev);
        break;
    case SMTP_ANOMALY:
        on_anomaly(b, d, ev);
        break;
    case SMTP_CUT:
        b->flags.truncated = true;
        if (d)
            d->t.flags.truncated = true;
        if (d && d == b->message)
            lose_whole(b);
        break;
    }
}

const struct transaction *builder_mail(struct builder *b, uint32_t number)
{
    settle_bytes(b);
    const struct draft *d = draft_of(b, number);
    return d ? &d->t : NULL;
}

bool builder_tag(struct builder *b, uint32_t number, struct slice tag)
{
    struct draft *d = draft_of(b, number);
    return d && record_tag(&d->t.tags, &d->mem, tag);
}

void builder_doubt(struct builder *b)
{
    if (b->flags.ambiguous)
        return;
    b->flags.ambiguous = true;
    for (struct draft *d = b->drafts; d; d = d->next)
        d->t.flags.ambiguous = true;
}

/* Where all of what the client said was seen, or it would be another one. */
static struct slice dialect_of(const struct builder *b, struct arena *mem)
{
    char text[DIALECT_TEXT];
    size_t len = b->flags.gap || b->flags.midstream ? 0 : dialect_text(b->dialect, text);
    return len ? arena_copy(mem, (struct slice){(const uint8_t *)text, len}) : (struct slice){NULL, 0};
}

void builder_finish(struct builder *b, struct timespec first, struct timespec last, bool one_sided,
                    const char *end)
{
    struct arena *mem = &b->with->mem;
    struct session s = {.ts = first, .id = b->out->id(b->ctx), .tls = b->tls, .mails = b->mails};
    arena_reset(mem);
    s.duration = (double)(last.tv_sec - first.tv_sec) + (double)(last.tv_nsec - first.tv_nsec) * 1e-9;
    s.id.uid = arena_copy(mem, s.id.uid);
    if (b->banner)
        s.banner = utf8_copy(mem, text_slice(b->banner), &b->with->scratch);
    agents_of_greeting(b->with->set->agents, s.banner, &s.server);
    if (b->ehlo)
        s.ehlo_keywords = keywords(b);
    s.helo = text_slice(b->helo);
    s.last_reply = text_slice(b->last_reply);
    s.last_error = text_slice(b->last_error);
    if (b->refused && !b->mails) {
        s.disposition = outcome_of_refusal(b->refused_code);
        s.reply = outcome_of_session((enum verb)b->refused_verb, b->refused_code, text_slice(b->refused));
    }
    if (b->tls)
        s.tls_start = slice_str(b->tls == TLS_IMPLICIT ? "implicit" : "starttls");
    if (b->ssl)
        s.ssl = *b->ssl;
    s.logins = logins_list(b->logins);
    s.dialect = dialect_of(b, mem);
    s.anomalies = (struct anomaly_list){b->odd, b->odd_len, b->odd_len};
    s.flags = b->flags;
    s.flags.truncated |= mem->over;
    s.flags.one_sided = one_sided;
    s.end = slice_str(b->quit && strcmp(end, "fin") == 0 ? "quit" : end);
    b->out->record(b->ctx, &(struct record){&stream_session, &s, last, mem});
}
