/* Scripts out of texts, with a host that writes down what they say. */
#ifndef UNIT_SCRIPTS_H
#define UNIT_SCRIPTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/buf.h"
#include "mail/smtp.h"
#include "script/counter.h"
#include "script/script.h"

enum { STAGE_SCRIPTS = 3, STAGE_STEPS = 1000000, STAGE_MEMORY = 4 << 20, STAGE_LINE = 1000 };

struct stage {
    struct scripts *scripts;
    char paths[STAGE_SCRIPTS][40];
    struct buf complaints, notices, entries; /* a line each */
    unsigned complained;
    struct network nets[2];
    struct counters *counters; /* or NULL: the scripts' own */
    unsigned keys;
    size_t memory;
    struct arena mem;
    struct slice rcptto[2], to[1];
    struct address path[2];
    struct origin origin;
    struct file files[2];
    struct transaction mail;
    struct session session;
};

static inline void stage_complain(void *ctx, const char *text)
{
    struct stage *st = ctx;
    st->complained++;
    for (size_t i = 0; i < STAGE_SCRIPTS; i++) {
        size_t len = strlen(st->paths[i]);
        if (!len || strncmp(text, st->paths[i], len) != 0)
            continue;
        buf_printf(&st->complaints, "%zu", i);
        text += len;
        break;
    }
    buf_printf(&st->complaints, "%s\n", text);
}

static inline void add_named(struct buf *b, const char *name, struct slice text)
{
    if (text.data)
        buf_printf(b, " %s=%.*s", name, (int)text.len, (const char *)text.data);
}

static inline void stage_notice(void *ctx, struct notice *n)
{
    struct stage *st = ctx;
    struct buf *b = &st->notices;
    char host[ADDRESS_TEXT];
    unsigned actions = 0;
    address_text(&n->host, host);
    buf_printf(b, "%lld", (long long)n->ts.tv_sec);
    add_named(b, "note", n->note);
    add_named(b, "msg", n->msg);
    add_named(b, "sub", n->sub);
    add_named(b, "uid", n->id.uid);
    add_named(b, "host", slice_str(host));
    add_named(b, "mailfrom", n->mailfrom);
    add_named(b, "identifier", n->identifier);
    buf_printf(b, " depth=%d for=%g", (int)n->trans_depth, n->suppress_for);
    if (scripts_notice(st->scripts, n, &actions))
        buf_printf(b, " actions=%u", actions);
    buf_add_str(b, "\n");
}

static inline void add_pair(struct buf *b, const struct entry_pair *p)
{
    buf_printf(b, " %.*s=", (int)p->name.len, (const char *)p->name.data);
    switch (p->kind) {
    case ENTRY_TEXT:
        buf_add_byte(b, '"');
        buf_add(b, p->text);
        buf_add_byte(b, '"');
        break;
    case ENTRY_INTEGER:
        buf_printf(b, "%lld", (long long)p->integer);
        break;
    case ENTRY_NUMBER:
        buf_printf(b, "%.3f", p->number);
        break;
    case ENTRY_BOOL:
        buf_add_str(b, p->boolean ? "true" : "false");
        break;
    case ENTRY_TEXTS:
        for (size_t i = 0; i < p->texts.len; i++) {
            buf_add_str(b, i ? "," : "[");
            buf_add(b, p->texts.items[i]);
        }
        buf_add_str(b, p->texts.len ? "]" : "[]");
    }
}

static inline void stage_entry(void *ctx, struct entry *e)
{
    struct stage *st = ctx;
    buf_printf(&st->entries, "%lld %.*s", (long long)e->ts.tv_sec, (int)e->stream.len,
               (const char *)e->stream.data);
    for (size_t i = 0; i < e->count; i++)
        add_pair(&st->entries, &e->pairs[i]);
    buf_add_str(&st->entries, "\n");
}

static inline struct address stage_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct address){4, {a, b, c, d}};
}

/* A mail and a session with every field. */
static inline void stage_fill(struct stage *st)
{
    const struct connection id = {
        slice_str("CAbc"), {stage_v4(198, 51, 100, 7), 40000}, {stage_v4(192, 0, 2, 25), 25}};
    st->rcptto[0] = slice_str("bob@example.net");
    st->rcptto[1] = slice_str("carol@example.net");
    st->to[0] = slice_str("Bob <bob@example.net>");
    st->path[0] = id.resp.addr;
    st->path[1] = id.orig.addr;
    st->files[0] = (struct file){.type = slice_str("text/plain"), .size = 5};
    st->files[1] =
        (struct file){.name = slice_str("a.pdf"), .type = slice_str("application/pdf"), .size = 2048};
    st->origin = (struct origin){id.orig.addr, slice_str("DE"), 64500, slice_str("Net")};
    st->mail = (struct transaction){
        .ts = {1000, 500000000},
        .id = id,
        .trans_depth = 2,
        .helo = slice_str("client"),
        .mailfrom = slice_str("alice@example.org"),
        .rcptto = {st->rcptto, 2, 2},
        .date = slice_str("today"),
        .from = slice_str("Alice"),
        .to = {st->to, 1, 1},
        .reply_to = slice_str("r@example.org"),
        .msg_id = slice_str("<1@a>"),
        .in_reply_to = slice_str("<0@a>"),
        .subject = slice_str("hello"),
        .x_originating_ip = slice_str("10.1.2.3"),
        .first_received = slice_str("from a"),
        .second_received = slice_str("from b"),
        .last_reply = slice_str("250 ok"),
        .last_error = slice_str("450 later"),
        .path = {st->path, 2, 2},
        .received_from_originating_ip = slice_str("10.0.0.1"),
        .user_agent = slice_str("Mailer"),
        .tls = true,
        .is_webmail = false,
        .files = {st->files + 1, 1, 1},
        .parts = {st->files, 1, 1},
        .origin = &st->origin,
        .flags = {.gap = true},
    };
    st->session = (struct session){.ts = {999, 0},
                                   .id = id,
                                   .duration = 2.5,
                                   .banner = slice_str("hi"),
                                   .helo = slice_str("client"),
                                   .mails = 3,
                                   .tls_start = slice_str("starttls"),
                                   .end = slice_str("fin"),
                                   .flags = {.midstream = true}};
}

static inline void stage_init(struct stage *st)
{
    *st = (struct stage){.keys = 100, .memory = STAGE_MEMORY};
    buf_init(&st->complaints, 1 << 20);
    buf_init(&st->notices, 1 << 20);
    buf_init(&st->entries, 16 << 20);
    arena_init(&st->mem, 1 << 16);
    assert_true(network_parse(slice_str("10.0.0.0/8"), &st->nets[0]));
    assert_true(network_parse(slice_str("2001:db8::/32"), &st->nets[1]));
    stage_fill(st);
}

/* Opens scripts made of `count` texts; -errno where they are refused. */
static inline int stage_try(struct stage *st, const char *const *texts, size_t count, struct error *err)
{
    const struct script_limits lim = {st->memory, STAGE_STEPS, st->keys, STAGE_LINE};
    const struct script_host host = {.notice = stage_notice,
                                     .entry = stage_entry,
                                     .complain = stage_complain,
                                     .ctx = st,
                                     .local_nets = st->nets,
                                     .local_net_count = 2,
                                     .counters = st->counters};
    const char *files[STAGE_SCRIPTS];
    for (size_t i = 0; i < count; i++) {
        strcpy(st->paths[i], "/tmp/script-XXXXXX");
        int fd = mkstemp(st->paths[i]);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
        close(fd);
        files[i] = st->paths[i];
    }
    int rc = scripts_open(files, count, &lim, &host, &st->scripts, err);
    for (size_t i = 0; i < count; i++)
        unlink(st->paths[i]);
    return rc;
}

static inline void stage_open(struct stage *st, const char *text)
{
    struct error err = {""};
    stage_init(st);
    if (stage_try(st, &text, 1, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void stage_mail(struct stage *st)
{
    struct record rec = {&stream_smtp, &st->mail, {1002, 0}, &st->mem};
    scripts_record(st->scripts, &rec);
}

static inline void stage_session(struct stage *st)
{
    struct record rec = {&stream_session, &st->session, {1003, 0}, NULL};
    scripts_record(st->scripts, &rec);
}

static inline void stage_close(struct stage *st)
{
    scripts_close(&st->scripts);
    buf_free(&st->complaints);
    buf_free(&st->notices);
    buf_free(&st->entries);
    arena_free(&st->mem);
}

/* What was said since the last question. */
static inline void assert_said(struct buf *b, const char *wanted)
{
    buf_add_byte(b, '\0');
    assert_string_equal((const char *)b->data, wanted);
    buf_clear(b);
}

/* The body of an on_mail that has to end without a complaint. */
static inline void mail_runs(const char *body)
{
    struct stage st;
    char text[8192];
    snprintf(text, sizeof text, "function on_mail(mail)\n%s\nend", body);
    stage_open(&st, text);
    stage_mail(&st);
    assert_said(&st.complaints, "");
    assert_int_equal(scripts_counts(st.scripts).calls, 1);
    assert_int_equal(scripts_counts(st.scripts).errors, 0);
    stage_close(&st);
}

/* One that ends by an error: "LINE: TEXT", the first line of the body being 2. */
static inline void mail_fails(const char *body, const char *wanted)
{
    struct stage st;
    char text[8192], line[1024];
    snprintf(text, sizeof text, "function on_mail(mail)\n%s\nend", body);
    snprintf(line, sizeof line, "0:%s\n", wanted);
    stage_open(&st, text);
    stage_mail(&st);
    assert_said(&st.complaints, line);
    assert_int_equal(scripts_counts(st.scripts).errors, 1);
    /* It goes on with the next. */
    stage_mail(&st);
    assert_said(&st.complaints, line);
    assert_int_equal(scripts_counts(st.scripts).errors, 2);
    stage_close(&st);
}

#endif
