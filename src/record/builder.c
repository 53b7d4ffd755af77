/* builder.c: the events of one SMTP connection to its records.
 * In: struct smtp_event, in order. Out: records, through struct builder_listener. Owns: the drafts of open
 * mails, the session's texts, a MIME parser once a message came. Limits: struct builder_settings; over them a
 * text is cut and flags.truncated says so. */
#include "record/builder.h"

#include <assert.h>
#include <stdlib.h>
#include "record/headers.h"

struct builder {
    const struct builder_settings *set;
    struct charsets *cs;
    struct builder_listener out;
    struct session session;
    struct arena mem;
    struct arena keywords; /* each EHLO has its own */
    struct buf scratch;
    struct mime *mime;
    struct draft *drafts;                    /* open mails, oldest first */
    struct draft *message;                   /* whose text the MIME parser reads */
    struct draft *spare;                     /* an ended one, for the next mail */
    struct buf line;                         /* a reply, joined */
    struct buf helo, last_reply, last_error; /* replaced often, so outside of the arena */
    bool heard_client, heard_server, quit;
};

struct builder *builder_new(const struct builder_settings *set, struct charsets *cs,
                            const struct connection *id, struct timespec first, bool midstream,
                            const struct builder_listener *out)
{
    struct builder *b = calloc(1, sizeof *b);
    assert(b);
    *b = (struct builder){.set = set, .cs = cs, .out = *out};
    arena_init(&b->mem, set->session_bytes);
    arena_init(&b->keywords, set->session_bytes);
    buf_init(&b->scratch, set->transaction_bytes);
    buf_init(&b->line, set->transaction_bytes);
    buf_init(&b->helo, set->session_bytes);
    buf_init(&b->last_reply, set->session_bytes);
    buf_init(&b->last_error, set->session_bytes);
    b->session.ts = first;
    b->session.id = *id;
    b->session.id.uid = arena_copy(&b->mem, id->uid);
    b->session.flags.midstream = midstream;
    return b;
}

static void draft_free(struct draft *d)
{
    arena_free(&d->mem);
    buf_free(&d->last_reply);
    buf_free(&d->last_error);
    free(d);
}

void builder_free(struct builder **pb)
{
    struct builder *b = *pb;
    *pb = NULL;
    if (!b)
        return;
    for (struct draft *d = b->drafts, *next; d; d = next) {
        next = d->next;
        draft_free(d);
    }
    if (b->spare)
        draft_free(b->spare);
    mime_free(&b->mime);
    buf_free(&b->line);
    buf_free(&b->scratch);
    buf_free(&b->helo);
    buf_free(&b->last_reply);
    buf_free(&b->last_error);
    arena_free(&b->mem);
    arena_free(&b->keywords);
    free(b);
}

static struct draft *draft_of(struct builder *b, uint32_t number)
{
    struct draft *d = b->drafts;
    while (d && d->number != number)
        d = d->next;
    return d;
}

static struct slice session_text(struct builder *b, struct arena *mem, struct slice text)
{
    if (!utf8_valid(text)) {
        buf_clear(&b->scratch);
        utf8_read(text, &b->scratch);
        text = buf_slice(&b->scratch);
    }
    struct slice copy = utf8_whole(arena_copy(mem, text));
    b->session.flags.truncated |= mem->over;
    return copy;
}

static void replace(struct buf *kept, struct slice text)
{
    buf_clear(kept);
    if (utf8_valid(text))
        buf_add(kept, text);
    else
        utf8_read(text, kept);
}

/* An empty text is a value too, so it must not look absent. */
static struct slice kept_text(const struct buf *kept)
{
    return kept->data ? buf_slice(kept) : slice_str("");
}

static struct draft *draft_new(struct builder *b)
{
    struct draft *d = b->spare;
    b->spare = NULL;
    if (d)
        return d;
    d = calloc(1, sizeof *d);
    assert(d);
    arena_init(&d->mem, b->set->transaction_bytes);
    buf_init(&d->last_reply, b->set->transaction_bytes);
    buf_init(&d->last_error, b->set->transaction_bytes);
    return d;
}

static void draft_retire(struct builder *b, struct draft *d)
{
    if (b->spare) {
        draft_free(d);
        return;
    }
    arena_reset(&d->mem);
    buf_clear(&d->last_reply);
    buf_clear(&d->last_error);
    d->next = NULL;
    d->path_done = false;
    b->spare = d;
}

static void mail_begin(struct builder *b, const struct smtp_event *ev)
{
    struct draft *d = draft_new(b);
    d->number = ev->mail;
    d->t = (struct transaction){
        .ts = ev->ts, .id = b->session.id, .trans_depth = ev->mail, .tls = b->session.tls};
    d->t.flags =
        (struct flags){.midstream = b->session.flags.midstream, .gap = ev->len && b->session.flags.gap};
    /* The path's beginning takes its room before any text can: the settings' least values leave enough for
     * it. */
    draft_add_address(d, b->set, &b->session.id.resp.addr);
    assert(d->t.path.room > d->t.path.len);
    d->t.path.items[d->t.path.len++] = b->session.id.orig.addr;
    if (b->session.helo.data)
        d->t.helo = utf8_whole(arena_copy(&d->mem, b->session.helo));
    struct draft **slot = &b->drafts;
    while (*slot)
        slot = &(*slot)->next;
    *slot = d;
}

static void mail_end(struct builder *b, struct draft *d, struct timespec ts)
{
    struct draft **slot = &b->drafts;
    while (*slot != d)
        slot = &(*slot)->next;
    *slot = d->next;
    if (b->message == d)
        b->message = NULL;
    d->t.flags.truncated |= d->mem.over;
    d->t.flags.one_sided = !(b->heard_client && b->heard_server);
    b->session.mails++;
    b->out.record(b->out.ctx, &(struct record){&stream_smtp, &d->t, ts, &d->mem});
    draft_retire(b, d);
}

static void on_mime(void *ctx, const struct mime_event *ev)
{
    struct builder *b = ctx;
    struct draft *d = b->message;
    if (!d)
        return;
    if (b->out.mime)
        b->out.mime(b->out.ctx, d->number, ev);
    if (ev->kind == MIME_HEADER)
        headers_take(d, b->set, b->cs, ev, &b->scratch);
    if (ev->kind != MIME_PART || !ev->filename.data)
        return;
    struct file file = {.size = ev->size};
    file.name = draft_text(d, ev->filename, &b->scratch);
    file.type = draft_text(d, ev->type, &b->scratch);
    draft_add_file(d, b->set, &file);
}

static void message_begin(struct builder *b, const struct smtp_event *ev)
{
    if (!b->mime)
        b->mime = mime_new(&b->set->mime, b->cs, on_mime, b);
    mime_reset(b->mime);
    b->heard_client = true;
    b->message = draft_of(b, ev->mail);
    if (b->message)
        b->message->t.message = true;
    if (ev->len) {
        mime_gap(b->mime, 1);
        if (b->message)
            b->message->t.flags.gap = true;
    }
}

static void message_end(struct builder *b, const struct smtp_event *ev)
{
    if (!b->message)
        return;
    mime_finish(b->mime);
    b->message->t.flags.truncated |= mime_overruns(b->mime) > 0;
    b->message->t.flags.unfinished = ev->len;
    b->message = NULL;
}

static bool is_hello(enum verb verb)
{
    return verb == VERB_HELO || verb == VERB_EHLO || verb == VERB_LHLO;
}

static void on_command(struct builder *b, const struct smtp_event *ev)
{
    struct draft *d = draft_of(b, ev->mail);
    b->heard_client = true;
    b->quit |= ev->verb == VERB_QUIT;
    if (is_hello(ev->verb)) {
        replace(&b->helo, ev->text);
        b->session.helo = kept_text(&b->helo);
    } else if (ev->verb == VERB_MAIL && d)
        d->t.mailfrom = draft_text(d, ev->text, &b->scratch);
    else if (ev->verb == VERB_RCPT && d)
        draft_add_text(d, b->set, &d->t.rcptto, draft_text(d, ev->text, &b->scratch));
}

/* The first line of the answer to EHLO is the server's name; each other one a keyword. */
static void take_keywords(struct builder *b, struct slice text)
{
    struct text_list *list = &b->session.ehlo_keywords;
    size_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    arena_reset(&b->keywords);
    *list =
        (struct text_list){.items = arena_alloc(&b->keywords, lines * sizeof *list->items), .room = lines};
    size_t lf = slice_index(text, '\n');
    while (lf < text.len && list->items) {
        text = slice_sub(text, lf + 1, text.len);
        lf = slice_index(text, '\n');
        list->items[list->len++] = session_text(b, &b->keywords, slice_trim(slice_sub(text, 0, lf)));
    }
    b->session.flags.truncated |= b->keywords.over;
}

/* "250 text text": the lines of a reply joined by blanks. */
static struct slice reply_text(struct builder *b, const struct smtp_event *ev)
{
    struct buf *line = &b->line;
    buf_clear(line);
    buf_add_number(line, ev->code);
    buf_add_byte(line, ' ');
    buf_add(line, ev->text);
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] == '\n')
            line->data[i] = ' ';
    while (line->len && line->data[line->len - 1] == ' ')
        line->len--;
    return buf_slice(line);
}

static void on_reply(struct builder *b, const struct smtp_event *ev)
{
    struct slice text = reply_text(b, ev);
    struct draft *d = draft_of(b, ev->mail);
    b->heard_server = true;
    if (d) {
        replace(&d->last_reply, text);
        d->t.last_reply = kept_text(&d->last_reply);
        d->t.answered |= ev->verb == VERB_END_OF_DATA || ev->verb == VERB_BDAT_LAST;
    }
    bool error = ev->code >= 400 && ev->code != 421;
    if (d && error) {
        replace(&d->last_error, text);
        d->t.last_error = kept_text(&d->last_error);
    } else if (error) {
        replace(&b->last_error, text);
        b->session.last_error = kept_text(&b->last_error);
    }
    replace(&b->last_reply, text);
    b->session.last_reply = kept_text(&b->last_reply);
    if (ev->verb == VERB_GREETING)
        b->session.banner = session_text(b, &b->mem, slice_sub(text, 4, text.len));
    if ((ev->verb == VERB_EHLO || ev->verb == VERB_LHLO) && ev->code < 300)
        take_keywords(b, ev->text);
}

static void on_tls(struct builder *b, const char *start)
{
    b->session.tls = true;
    b->session.tls_start = slice_str(start);
}

static void mark_gap(struct builder *b, const struct smtp_event *ev)
{
    b->session.flags.gap = true;
    for (struct draft *d = b->drafts; d; d = d->next)
        if (!ev->mail || d->number == ev->mail || ev->side == SIDE_SERVER)
            d->t.flags.gap = true;
}

void builder_smtp(struct builder *b, const struct smtp_event *ev)
{
    /* Text comes most often, and needs no draft looked for. */
    struct draft *d = ev->kind == SMTP_MESSAGE_DATA ? NULL : draft_of(b, ev->mail);
    switch (ev->kind) {
    case SMTP_COMMAND:
        on_command(b, ev);
        break;
    case SMTP_REPLY:
        on_reply(b, ev);
        break;
    case SMTP_MAIL_BEGIN:
        mail_begin(b, ev);
        break;
    case SMTP_MESSAGE_BEGIN:
        message_begin(b, ev);
        break;
    case SMTP_MESSAGE_DATA:
        if (b->message)
            mime_feed(b->mime, ev->text);
        break;
    case SMTP_MESSAGE_GAP:
        if (b->message)
            mime_gap(b->mime, ev->len);
        break;
    case SMTP_MESSAGE_END:
        message_end(b, ev);
        break;
    case SMTP_MAIL_END:
        if (d)
            mail_end(b, d, ev->ts);
        break;
    case SMTP_TLS:
        on_tls(b, "starttls");
        break;
    case SMTP_GAP:
        mark_gap(b, ev);
        break;
    case SMTP_CUT:
        b->session.flags.truncated = true;
        if (d)
            d->t.flags.truncated = true;
        break;
    }
}

const struct transaction *builder_mail(const struct builder *b, uint32_t number)
{
    const struct draft *d = b->drafts;
    while (d && d->number != number)
        d = d->next;
    return d ? &d->t : NULL;
}

bool builder_tag(struct builder *b, uint32_t number, struct slice tag)
{
    struct draft *d = draft_of(b, number);
    return d && record_tag(&d->t.tags, &d->mem, tag);
}

void builder_implicit_tls(struct builder *b)
{
    on_tls(b, "implicit");
}

void builder_finish(struct builder *b, struct timespec last, bool one_sided, const char *end)
{
    struct session *s = &b->session;
    s->duration = (double)(last.tv_sec - s->ts.tv_sec) + (double)(last.tv_nsec - s->ts.tv_nsec) * 1e-9;
    s->flags.one_sided = one_sided;
    s->end = slice_str(b->quit && strcmp(end, "fin") == 0 ? "quit" : end);
    b->out.record(b->out.ctx, &(struct record){&stream_session, s, last, &b->mem});
}
