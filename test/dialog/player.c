/* player.c: bytes and gaps to events and records as text.
 * In: what a connection's sides sent. Out: text. Owns: parser, builder, texts. Limits: those of the settings
 * below, small enough for tests to reach. */
#include "player.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "mail/smtp.h"
#include "record/spare.h"
#include "sink/json.h"

enum { TEXT_SHOWN = 300 };

struct player {
    struct smtp *smtp;
    struct spares *spares;
    struct builder *builder;
    struct charsets *charsets;
    struct buf events, records, message, mime;
    uint32_t message_mail;
    size_t from, to; /* the bytes of the piece that is fed now */
    struct span spans[PLAYER_MAILS];
    uint32_t begun, ended;
};

static const struct smtp_limits smtp_limits = {.command_bytes = 8192,
                                               .reply_bytes = 16384,
                                               .hold_bytes = 262144,
                                               .pending = 1000,
                                               .waiting = 16,
                                               .auth_user = true,
                                               .tls_bytes = 65536};

/* With the agents that are built in; they are read once, and live as long as the program. */
static const struct builder_settings *builder_settings(void)
{
    static struct builder_settings settings = {
        .path = {.capture = PATH_ALL},
        .mime =
            {.header_bytes = 65536, .headers_bytes = 1 << 20, .depth = 16, .parts = 100, .head_bytes = 512},
        .hash = HASH_SHA256,
        .transaction_bytes = 512 * 1024,
        .session_bytes = 32 * 1024,
        .list_items = 1000,
        .hop_items = 100,
        .address_items = 200,
        .header_items = 200,
        .url_items = 100,
        .url_bytes = 2048,
        .member_items = 100,
    };
    static struct agents *agents;
    struct error err;
    if (!agents && agents_open(NULL, &agents, &err) < 0)
        abort();
    settings.agents = agents;
    return &settings;
}

static void on_record(void *ctx, struct record *rec)
{
    struct player *p = ctx;
    struct transaction *t = (struct transaction *)rec->body;
    if (rec->stream == &stream_smtp)
        t->ts = (struct timespec){0};
    json_line(rec, &p->records);
}

static struct connection id_of(void *ctx)
{
    (void)ctx;
    return (struct connection){
        .uid = slice_str("C0"), .orig = {{4, {198, 51, 100, 7}}, 40001}, .resp = {{4, {192, 0, 2, 25}}, 25}};
}

/* Message text comes in any pieces, so it is written down once it is whole; what the mail holds stands behind
 * it. */
static void flush_message(struct player *p)
{
    char line[4096];
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < p->message.len; i++)
        hash = (hash ^ p->message.data[i]) * 16777619u;
    if (p->message_mail) {
        struct smtp_event ev = {.kind = SMTP_MESSAGE_DATA,
                                .mail = p->message_mail,
                                .len = p->message.len,
                                .text = slice_sub(buf_slice(&p->message), 0, TEXT_SHOWN)};
        smtp_dump(&ev, line, sizeof line);
        buf_add_str(&p->events, line);
        if (p->message.len > TEXT_SHOWN)
            buf_printf(&p->events, " ... hash=%08x", hash);
        buf_add_byte(&p->events, '\n');
    }
    buf_add(&p->events, buf_slice(&p->mime));
    buf_clear(&p->message);
    buf_clear(&p->mime);
    p->message_mail = 0;
}

static void on_mime(void *ctx, uint32_t mail, const struct mime_event *ev)
{
    struct player *p = ctx;
    char line[4096];
    mime_dump(ev, line, sizeof line);
    buf_printf(&p->mime, "mime mail=%u ", mail);
    buf_add_str(&p->mime, line);
    buf_add_byte(&p->mime, '\n');
}

static void note_span(struct player *p, const struct smtp_event *ev)
{
    struct span *span = ev->mail && ev->mail <= PLAYER_MAILS ? &p->spans[ev->mail - 1] : NULL;
    p->begun += ev->kind == SMTP_MAIL_BEGIN;
    p->ended += ev->kind == SMTP_MAIL_END;
    if (span && ev->kind == SMTP_MAIL_BEGIN)
        span->from = p->from;
    if (span && ev->kind == SMTP_MAIL_END)
        *span = (struct span){span->from, p->to, true};
}

static void on_event(void *ctx, const struct smtp_event *ev)
{
    struct player *p = ctx;
    note_span(p, ev);
    if (ev->kind == SMTP_MESSAGE_DATA) {
        if (p->message_mail != ev->mail)
            flush_message(p);
        p->message_mail = ev->mail;
        buf_add(&p->message, ev->text);
    } else {
        char line[4096];
        flush_message(p);
        smtp_dump(ev, line, sizeof line);
        buf_add_str(&p->events, line);
        buf_add_byte(&p->events, '\n');
    }
    builder_smtp(p->builder, ev);
}

static const struct builder_listener listener = {id_of, on_record, on_mime};

struct player *player_new(bool midstream)
{
    return player_new_limited(midstream, NULL);
}

struct player *player_new_limited(bool midstream, const struct smtp_limits *lim)
{
    struct player *p = calloc(1, sizeof *p);
    assert(p);
    buf_init(&p->events, 64 << 20);
    buf_init(&p->records, 64 << 20);
    buf_init(&p->message, 16 << 20);
    buf_init(&p->mime, 16 << 20);
    p->charsets = charsets_new();
    p->smtp = smtp_new(lim ? lim : &smtp_limits, midstream, on_event, p);
    p->spares = spares_new(builder_settings(), p->charsets);
    p->builder = builder_new(p->spares, midstream, &listener, p);
    return p;
}

void player_feed(struct player *p, enum side side, struct slice bytes)
{
    p->from = p->to;
    p->to += bytes.len;
    smtp_feed(p->smtp, side, (struct timespec){0}, bytes);
}

void player_gap(struct player *p, enum side side, uint64_t len)
{
    p->from = p->to;
    p->to += len;
    smtp_gap(p->smtp, side, (struct timespec){0}, len);
}

void player_finish(struct player *p)
{
    smtp_finish(p->smtp, (struct timespec){0});
    flush_message(p);
    builder_finish(p->builder, (struct timespec){0}, (struct timespec){0}, false, "fin");
}

struct slice player_events(struct player *p)
{
    return buf_slice(&p->events);
}

struct slice player_records(struct player *p)
{
    return buf_slice(&p->records);
}

const struct span *player_span(const struct player *p, uint32_t number)
{
    return number && number <= PLAYER_MAILS ? &p->spans[number - 1] : NULL;
}

void player_counts(const struct player *p, uint32_t *ret_begun, uint32_t *ret_ended)
{
    *ret_begun = p->begun;
    *ret_ended = p->ended;
}

void player_free(struct player **pp)
{
    struct player *p = *pp;
    *pp = NULL;
    smtp_free(&p->smtp);
    builder_free(&p->builder);
    spares_free(&p->spares);
    charsets_free(&p->charsets);
    buf_free(&p->events);
    buf_free(&p->records);
    buf_free(&p->message);
    buf_free(&p->mime);
    free(p);
}
