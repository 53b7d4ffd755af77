/* tls.c: records of TLS to handshake messages to facts.
 * In: bytes and gaps of both sides. Out: struct tls_facts. Owns: the message under way of each side, and what
 * the facts point to. Limits: `most` bytes a message; what is over is left out. PATIENCE bytes of one side
 * behind its handshake while the other's is not seen.
 * Knowingly: a side ends with its first encrypted record, a gap, or what is no record. In TLS 1.3 an alert
 * is told from the client's Finished by its size, as both are encrypted; hellos in the form of SSL 2 are not
 * read. Spec: RFC 8446 4, 5, 6; RFC 5246 6, 7; RFC 8422 5.4. */
#include "mail/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/cursor.h"
#include "base/memory.h"
#include "base/text.h"
#include "mail/tls_names.h"

enum {
    RECORD_HEAD = 5,
    RECORD_MOST = 16384 + 2048, /* RFC 5246 6.2.3 */
    FINISHED_LEAST = 40, /* a record of TLS 1.3 with a Finished in it; one with an alert has 19 bytes */
    PATIENCE = 65536,
    VERSION_13 = 0x0304,
};
enum { RECORD_CIPHER = 20, RECORD_ALERT, RECORD_HANDSHAKE, RECORD_DATA, RECORD_HEARTBEAT };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, CERTIFICATE = 11, SERVER_KEY_EXCHANGE = 12 };

/* One direction. */
struct lane {
    uint8_t head[RECORD_HEAD], message_head[4], alert[2];
    uint8_t head_len, message_head_len, alert_len;
    uint8_t type;          /* of the record */
    uint16_t record_left;  /* bytes of it still to come */
    uint32_t message_left; /* the same of the message */
    uint32_t behind;       /* bytes since it was over */
    bool wanted;           /* the message is read */
    bool changed;          /* ChangeCipherSpec was sent */
    bool over;             /* what follows is not read */
    bool finished;         /* it came to its end */
    bool lost;             /* bytes were missing, or are no records */
    struct buf message;    /* the part of it that came */
};

struct tls {
    size_t most;
    struct lane lanes[2];
    struct text *name, *offered, *protocol, *certificate;
    struct tls_facts facts;
    bool failed;
};

struct tls *tls_new(size_t most)
{
    struct tls *t = calloc(1, sizeof *t);
    memory_check(t);
    t->most = most;
    buf_init(&t->lanes[SIDE_CLIENT].message, most);
    buf_init(&t->lanes[SIDE_SERVER].message, most);
    return t;
}

void tls_free(struct tls **pt)
{
    struct tls *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    buf_free(&t->lanes[SIDE_CLIENT].message);
    buf_free(&t->lanes[SIDE_SERVER].message);
    text_free(&t->name);
    text_free(&t->offered);
    text_free(&t->protocol);
    text_free(&t->certificate);
    free(t);
}

static void end_lane(struct lane *l)
{
    l->over = true;
    buf_free(&l->message);
}

static void take_client_hello(struct tls *t, struct slice body)
{
    struct tls_hello h;
    if (t->facts.client || !tls_client_hello(body, &h))
        return;
    t->facts.client = true;
    if (h.name.data)
        text_set(&t->name, h.name);
    if (h.alpn.len)
        text_set(&t->offered, h.alpn);
    tls_ja3(&h, t->facts.ja3);
    tls_ja4(&h, t->facts.ja4);
}

static void take_server_hello(struct tls *t, struct slice body)
{
    struct tls_hello h;
    struct slice protocol;
    if (!tls_server_hello(body, &h))
        return;
    t->facts.server = true;
    t->facts.retry |= h.retry;
    t->facts.version = h.version;
    t->facts.cipher = h.cipher;
    t->facts.group = h.group ? h.group : t->facts.group;
    if (tls_protocol_next(&h.alpn, &protocol))
        text_set(&t->protocol, protocol);
    tls_ja3s(&h, t->facts.ja3s);
}

static void take_certificates(struct tls *t, struct slice body)
{
    struct cursor all = cursor_of(body);
    uint32_t len = (uint32_t)cursor_u8(&all) << 16;
    len |= cursor_u16(&all);
    struct cursor c = cursor_of(cursor_take(&all, len));
    t->facts.chain = 0;
    text_free(&t->certificate);
    while (c.rest.len && !c.broken) {
        len = (uint32_t)cursor_u8(&c) << 16;
        len |= cursor_u16(&c);
        struct slice der = cursor_take(&c, len);
        if (c.broken)
            return;
        if (!t->facts.chain++)
            text_set(&t->certificate, der);
    }
}

/* Only that of elliptic curves begins with their number, and which one it is the suite's name says. */
static void take_key_exchange(struct tls *t, struct slice body)
{
    char room[TLS_NAME];
    struct cursor c = cursor_of(body);
    struct slice suite = slice_str(tls_cipher_name(t->facts.cipher, room));
    bool named = cursor_u8(&c) == 3;
    uint16_t group = cursor_u16(&c);
    if (named && !c.broken &&
        (slice_case_starts(suite, "TLS_ECDHE_") || slice_case_starts(suite, "TLS_ECDH_anon")))
        t->facts.group = group;
}

static bool is_wanted(enum side side, uint8_t type)
{
    if (side == SIDE_CLIENT)
        return type == CLIENT_HELLO;
    return type == SERVER_HELLO || type == CERTIFICATE || type == SERVER_KEY_EXCHANGE;
}

static void take_message(struct tls *t, uint8_t type, struct slice body)
{
    if (type == CLIENT_HELLO)
        take_client_hello(t, body);
    else if (type == SERVER_HELLO)
        take_server_hello(t, body);
    else if (type == CERTIFICATE)
        take_certificates(t, body);
    else
        take_key_exchange(t, body);
}

static void message_head_done(struct tls *t, enum side side)
{
    struct lane *l = &t->lanes[side];
    l->message_left =
        (uint32_t)l->message_head[1] << 16 | (uint32_t)l->message_head[2] << 8 | l->message_head[3];
    l->wanted = is_wanted(side, l->message_head[0]);
    if (l->wanted && l->message_left > t->most) {
        l->wanted = false;
        t->facts.cut = true;
    }
}

static void message_done(struct tls *t, struct lane *l, struct slice body)
{
    l->message_head_len = 0;
    if (l->wanted)
        take_message(t, l->message_head[0], body);
    buf_free(&l->message);
}

static void handshake_feed(struct tls *t, enum side side, struct slice part)
{
    struct lane *l = &t->lanes[side];
    while (part.len) {
        struct slice body = {NULL, 0};
        if (l->message_head_len < sizeof l->message_head) {
            l->message_head[l->message_head_len++] = part.data[0];
            part = slice_sub(part, 1, part.len);
            if (l->message_head_len < sizeof l->message_head)
                continue;
            message_head_done(t, side);
        }
        body = slice_sub(part, 0, l->message_left);
        part = slice_sub(part, body.len, part.len);
        l->message_left -= (uint32_t)body.len;
        /* What comes whole is not copied. */
        if (l->wanted && (l->message_left || l->message.len)) {
            buf_add(&l->message, body);
            body = buf_slice(&l->message);
        }
        if (!l->message_left)
            message_done(t, l, body);
    }
}

/* In clear; those behind the keys are encrypted. */
static void alert_feed(struct tls *t, struct lane *l, struct slice part)
{
    for (size_t i = 0; i < part.len && l->alert_len < 2; i++)
        l->alert[l->alert_len++] = part.data[i];
    if (l->alert_len < 2)
        return;
    l->alert_len = 0;
    t->facts.alerted = true;
    t->facts.alert = l->alert[1];
    if (l->alert[0] != 2)
        return;
    t->failed = true;
    end_lane(&t->lanes[SIDE_CLIENT]);
    end_lane(&t->lanes[SIDE_SERVER]);
}

/* Up to TLS 1.2 the record behind ChangeCipherSpec is encrypted. In TLS 1.3 that says nothing. */
static bool is_encrypted(const struct tls *t, const struct lane *l)
{
    return l->changed && t->facts.version < VERSION_13;
}

/* The head of a record is here. */
static void record_begin(struct tls *t, enum side side)
{
    struct lane *l = &t->lanes[side];
    l->type = l->head[0];
    l->record_left = (uint16_t)(l->head[3] << 8 | l->head[4]);
    l->alert_len = 0;
    if (l->type < RECORD_CIPHER || l->type > RECORD_HEARTBEAT || l->head[1] != 3 || l->head[2] > 4 ||
        l->record_left > RECORD_MOST) {
        l->lost = true;
        end_lane(l);
    } else if (l->type == RECORD_CIPHER) {
        l->changed = true;
    } else if (l->type == RECORD_HANDSHAKE && is_encrypted(t, l)) {
        l->finished = true;
        end_lane(l);
    } else if (l->type == RECORD_DATA) {
        bool alert = side == SIDE_CLIENT && l->record_left < FINISHED_LEAST;
        bool keys = t->facts.version >= VERSION_13 || l->changed || !t->facts.server;
        l->finished = keys && !alert;
        t->failed |= keys && alert && t->facts.server;
        end_lane(l);
    }
    if (!l->record_left)
        l->head_len = 0;
}

static void record_feed(struct tls *t, enum side side, struct slice part)
{
    struct lane *l = &t->lanes[side];
    if (l->type == RECORD_HANDSHAKE)
        handshake_feed(t, side, part);
    else if (l->type == RECORD_ALERT && !is_encrypted(t, l))
        alert_feed(t, l, part);
}

void tls_feed(struct tls *t, enum side side, struct slice bytes)
{
    struct lane *l = &t->lanes[side];
    while (bytes.len && !l->over) {
        if (l->head_len < RECORD_HEAD) {
            l->head[l->head_len++] = bytes.data[0];
            bytes = slice_sub(bytes, 1, bytes.len);
            if (l->head_len == RECORD_HEAD)
                record_begin(t, side);
            continue;
        }
        struct slice part = slice_sub(bytes, 0, l->record_left);
        bytes = slice_sub(bytes, part.len, bytes.len);
        l->record_left = (uint16_t)(l->record_left - part.len);
        if (!l->record_left)
            l->head_len = 0;
        record_feed(t, side, part);
    }
    if (l->over && l->behind < PATIENCE)
        l->behind += bytes.len < PATIENCE ? (uint32_t)bytes.len : PATIENCE;
}

void tls_gap(struct tls *t, enum side side)
{
    struct lane *l = &t->lanes[side];
    l->lost |= !l->over;
    end_lane(l);
}

bool tls_is_over(const struct tls *t)
{
    const struct lane *c = &t->lanes[SIDE_CLIENT], *v = &t->lanes[SIDE_SERVER];
    return (c->over && v->over) || c->behind >= PATIENCE || v->behind >= PATIENCE;
}

static enum tls_outcome outcome_of(const struct tls *t, bool ended)
{
    const struct lane *c = &t->lanes[SIDE_CLIENT], *v = &t->lanes[SIDE_SERVER];
    if (t->failed)
        return TLS_FAILED;
    if (c->finished && v->finished)
        return TLS_ESTABLISHED;
    bool whole = t->facts.client && !c->lost && !v->lost && (t->facts.server || t->facts.alerted);
    return ended && whole && !t->facts.cut ? TLS_FAILED : TLS_UNKNOWN;
}

const struct tls_facts *tls_facts(struct tls *t, bool ended)
{
    t->facts.server_name = text_slice(t->name);
    t->facts.offered = text_slice(t->offered);
    t->facts.protocol = text_slice(t->protocol);
    t->facts.certificate = text_slice(t->certificate);
    t->facts.outcome = outcome_of(t, ended);
    return &t->facts;
}

/* What others wrote, one byte a character, without those that no line should have. */
static size_t add_text(char *ret, size_t len, size_t room, const char *name, struct slice text)
{
    int n = snprintf(ret + len, room - len, " %s=", name);
    len = len + (size_t)n < room ? len + (size_t)n : room - 1;
    for (size_t i = 0; i < text.len && len + 2 < room; i++) {
        uint8_t c = text.data[i];
        ret[len++] = c > ' ' && c < 127 && c != '\\' ? (char)c : '?';
    }
    ret[len] = '\0';
    return len;
}

size_t tls_dump(const struct tls_facts *f, char *ret, size_t room)
{
    static const char *const outcomes[] = {"unknown", "failed", "established"};
    char one[TLS_NAME], two[TLS_NAME], three[TLS_NAME];
    size_t len = 0;
    *ret = '\0';
    len = add_text(ret, len, room, "outcome", slice_str(outcomes[f->outcome]));
    if (f->server) {
        len = add_text(ret, len, room, "version", slice_str(tls_version_name(f->version, one)));
        len = add_text(ret, len, room, "cipher", slice_str(tls_cipher_name(f->cipher, two)));
        len = add_text(ret, len, room, "ja3s", slice_str(f->ja3s));
    }
    if (f->group)
        len = add_text(ret, len, room, "group", slice_str(tls_group_name(f->group, three)));
    if (f->client) {
        len = add_text(ret, len, room, "ja3", slice_str(f->ja3));
        len = add_text(ret, len, room, "ja4", slice_str(f->ja4));
    }
    if (f->server_name.data)
        len = add_text(ret, len, room, "name", f->server_name);
    if (f->protocol.data)
        len = add_text(ret, len, room, "protocol", f->protocol);
    if (f->alerted)
        len = add_text(ret, len, room, "alert", slice_str(tls_alert_name(f->alert, one)));
    if (f->chain) {
        int n = snprintf(ret + len, room - len, " chain=%u bytes=%zu", f->chain, f->certificate.len);
        len = len + (size_t)n < room ? len + (size_t)n : room - 1;
    }
    return len;
}
