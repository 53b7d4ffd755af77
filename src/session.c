/* session.c: from a connection's ordered bytes to the SMTP parser and the record builder.
 * In: data, gaps, end of one flow. Out: records and events, through session_shared. Owns: the bytes seen
 * until it is known what the connection is, then the parser and the builder. Limits: detect_bytes a side,
 * EARLY_MAX lines of both. Knowingly: the ports on which mail is usual stand here, as a hint only. */
#include "session.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>
#include "mail/detect.h"

/* What came before the verdict, in order, to be told again after it. */
struct early {
    int dir;
    uint64_t gap;    /* 0: data */
    size_t from, to; /* in first[dir] */
    struct timespec ts;
};

enum { EARLY_MAX = 256 };

struct smtp_session {
    struct session_shared *shared;
    struct buf first[2];
    struct early *early;
    size_t early_count, early_room;
    bool decided, wanted;
    int client;
    struct connection id;
    char uid[20];
    struct smtp *smtp;
    struct builder *builder;
    struct script_data *script_data;
};

struct smtp_session *session_new(struct session_shared *shared, const struct flow_info *info)
{
    struct smtp_session *s = calloc(1, sizeof *s);
    assert(s);
    s->shared = shared;
    shared->alive++;
    s->client = info->client;
    buf_init(&s->first[0], shared->set->detect_bytes);
    buf_init(&s->first[1], shared->set->detect_bytes);
    return s;
}

static bool has_port(const struct port_set *set, const struct flow_info *info)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i] == info->end[0].port || set->items[i] == info->end[1].port)
            return true;
    return false;
}

static bool is_mail_port(uint16_t port)
{
    return port == 25 || port == 587 || port == 465 || port == 2525 || port == 24;
}

/* A keyed hash in the form of Zeek's uids: C and 17 letters or digits. */
static void make_uid(struct smtp_session *s, const struct flow_info *info)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    struct {
        struct address addr[2];
        uint16_t port[2];
        int64_t sec, nsec;
    } key;
    memset(&key, 0, sizeof key);
    for (int i = 0; i < 2; i++) {
        const struct endpoint *e = &info->end[i ? !s->client : s->client];
        key.addr[i] = e->addr;
        key.port[i] = e->port;
    }
    key.sec = info->first.tv_sec;
    key.nsec = info->first.tv_nsec;
    XXH128_hash_t h = XXH3_128bits_withSeed(&key, sizeof key, 0x6d61696c746170);
    s->uid[0] = 'C';
    for (int i = 1; i < 18; i++) {
        uint64_t *half = i < 10 ? &h.low64 : &h.high64;
        s->uid[i] = letters[*half % 62];
        *half /= 62;
    }
    s->id = (struct connection){{(const uint8_t *)s->uid, 18}, info->end[s->client], info->end[!s->client]};
}

static void on_record(void *ctx, struct record *rec)
{
    struct smtp_session *s = ctx;
    if (rec->stream == &stream_smtp) {
        s->shared->mails++;
        s->shared->truncated += ((const struct transaction *)rec->body)->flags.truncated;
    } else if (rec->stream == &stream_session) {
        s->shared->truncated += ((const struct session *)rec->body)->flags.truncated;
        s->shared->ended++;
        s->shared->one_sided += ((const struct session *)rec->body)->flags.one_sided;
    }
    s->shared->record(s->shared->ctx, rec);
}

static bool tag(void *ctx, uint32_t mail, struct slice tag)
{
    struct smtp_session *s = ctx;
    return builder_tag(s->builder, mail, tag);
}

static void tell_scripts(struct smtp_session *s, const struct smtp_event *ev)
{
    const struct script_scene scene = {&s->id, builder_mail(s->builder, ev->mail), tag, s};
    scripts_event(s->shared->scripts, &s->script_data, &scene, ev);
}

static void on_event(void *ctx, const struct smtp_event *ev)
{
    struct smtp_session *s = ctx;
    if (s->shared->event)
        s->shared->event(s->shared->ctx, s->id.uid, ev);
    builder_smtp(s->builder, ev);
    if (ev->kind == SMTP_REPLY && ev->code >= 400)
        rules_reply(s->shared->rules, &s->id, builder_mail(s->builder, ev->mail), ev);
    if (s->shared->scripts)
        tell_scripts(s, ev);
}

static void on_mime(void *ctx, uint32_t mail, const struct mime_event *ev)
{
    struct smtp_session *s = ctx;
    s->shared->mime(s->shared->ctx, s->id.uid, mail, ev);
}

static enum side side_of(const struct smtp_session *s, int dir)
{
    return dir == s->client ? SIDE_CLIENT : SIDE_SERVER;
}

static void replay(struct smtp_session *s, const size_t skip[2])
{
    for (size_t i = 0; i < s->early_count; i++) {
        const struct early *e = &s->early[i];
        if (e->gap) {
            smtp_gap(s->smtp, side_of(s, e->dir), e->ts, e->gap);
            continue;
        }
        size_t from = e->from > skip[e->dir] ? e->from : skip[e->dir];
        smtp_feed(s->smtp, side_of(s, e->dir), e->ts, slice_sub(buf_slice(&s->first[e->dir]), from, e->to));
    }
}

static void forget_early(struct smtp_session *s)
{
    buf_free(&s->first[0]);
    buf_free(&s->first[1]);
    free(s->early);
    s->early = NULL;
    s->early_count = s->early_room = 0;
}

/* The server's packets are seen, though it may have said nothing yet: its replies are worth waiting for. */
static void expect_server(struct smtp_session *s, const struct flow_info *info)
{
    if (s->smtp && info->heard[!s->client])
        smtp_expect_replies(s->smtp);
}

static void begin(struct smtp_session *s, const struct flow_info *info, enum detected what,
                  const size_t skip[2])
{
    bool midstream = info->client < 0;
    s->wanted = true;
    s->shared->sessions++;
    make_uid(s, info);
    const struct builder_listener out = {on_record, s->shared->mime ? on_mime : NULL, s};
    s->builder = builder_new(s->shared->builder, s->shared->charsets, &s->id, info->first, midstream, &out);
    if (what == DETECT_TLS) {
        builder_implicit_tls(s->builder);
    } else {
        s->smtp = smtp_new(s->shared->smtp, midstream, on_event, s);
        expect_server(s, info);
        replay(s, skip);
    }
    forget_early(s);
}

static bool is_full(const struct smtp_session *s)
{
    size_t most = s->shared->set->detect_bytes;
    return s->first[0].len >= most || s->first[1].len >= most || s->early_count == EARLY_MAX;
}

/* The end that the ports make the client, or -1. */
static int likely_client(const struct flow_info *info)
{
    bool mail[2] = {is_mail_port(info->end[0].port), is_mail_port(info->end[1].port)};
    return mail[0] == mail[1] ? -1 : mail[0];
}

/* Pinned to its port: what is said there does not matter. */
static enum detected pinned(struct smtp_session *s, const struct flow_info *info)
{
    int likely = likely_client(info);
    if (info->client >= 0)
        s->client = info->client;
    else if (likely >= 0)
        s->client = likely;
    else
        s->client = info->end[0].port < info->end[1].port;
    return has_port(&s->shared->set->ports, info) ? DETECT_SMTP : DETECT_NO;
}

static bool has_early_gap(const struct smtp_session *s, int dir)
{
    size_t i = 0;
    while (i < s->early_count && !(s->early[i].dir == dir && s->early[i].gap))
        i++;
    return i < s->early_count;
}

static void decide(struct smtp_session *s, const struct flow_info *info, bool over)
{
    const struct settings *set = s->shared->set;
    size_t skip[2] = {0, 0};
    struct detect_input in = {.first = {buf_slice(&s->first[0]), buf_slice(&s->first[1])},
                              .client = info->client,
                              .holed = {has_early_gap(s, 0), has_early_gap(s, 1)},
                              .likely = likely_client(info),
                              .tls = has_port(&set->tls_ports, info),
                              .over = over || is_full(s)};
    enum detected what = set->ports.count ? pinned(s, info) : detect_smtp(&in, &s->client, skip);
    if (what == DETECT_MORE)
        return;
    s->decided = true;
    if (what == DETECT_NO)
        forget_early(s);
    else
        begin(s, info, what, skip);
}

static void remember(struct smtp_session *s, int dir, struct timespec ts, uint64_t gap, struct slice bytes)
{
    struct early *last = s->early_count ? &s->early[s->early_count - 1] : NULL;
    /* The rest of a line belongs to its beginning, in time too. */
    bool joins = last && last->dir == dir && !last->gap && !gap && last->to > last->from;
    if (joins && s->first[dir].data[last->to - 1] != '\n') {
        buf_add(&s->first[dir], bytes);
        last->to = s->first[dir].len;
        return;
    }
    if (s->early_count == s->early_room) {
        s->early_room = s->early_room ? s->early_room * 2 : 4;
        s->early = realloc(s->early, s->early_room * sizeof *s->early);
        assert(s->early);
    }
    struct early *e = &s->early[s->early_count++];
    *e = (struct early){.dir = dir, .gap = gap, .ts = ts, .from = s->first[dir].len};
    buf_add(&s->first[dir], bytes);
    e->to = s->first[dir].len;
}

static enum flow_want want_of(const struct smtp_session *s)
{
    if (!s->decided)
        return FLOW_WANT_BYTES;
    if (!s->wanted)
        return FLOW_WANT_NOTHING;
    return s->smtp && !smtp_is_opaque(s->smtp) ? FLOW_WANT_BYTES : FLOW_WANT_END;
}

enum flow_want session_data(struct smtp_session *s, const struct flow_info *info, int dir, struct timespec ts,
                            struct slice bytes)
{
    if (!s->decided) {
        size_t before = s->first[dir].len;
        remember(s, dir, ts, 0, bytes);
        size_t kept = s->first[dir].len - before;
        decide(s, info, false);
        bytes = slice_sub(bytes, kept, bytes.len);
    }
    if (bytes.len && want_of(s) == FLOW_WANT_BYTES && s->decided) {
        expect_server(s, info);
        smtp_feed(s->smtp, side_of(s, dir), ts, bytes);
    }
    return want_of(s);
}

enum flow_want session_gap(struct smtp_session *s, const struct flow_info *info, int dir, struct timespec ts,
                           uint64_t len)
{
    if (!s->decided) {
        remember(s, dir, ts, len, (struct slice){0});
        decide(s, info, false);
    } else if (want_of(s) == FLOW_WANT_BYTES) {
        smtp_gap(s->smtp, side_of(s, dir), ts, len);
    }
    return want_of(s);
}

void session_end(struct smtp_session **ps, const struct flow_info *info, enum flow_end how)
{
    static const char *const words[] = {
        [FLOW_FIN] = "fin",   [FLOW_RST] = "rst", [FLOW_TIMEOUT] = "timeout",  [FLOW_REUSE] = "reuse",
        [FLOW_SHED] = "shed", [FLOW_EOF] = "eof", [FLOW_UNWANTED] = "unwanted"};
    struct smtp_session *s = *ps;
    *ps = NULL;
    if (!s)
        return;
    if (!s->decided)
        decide(s, info, true);
    if (s->smtp)
        smtp_finish(s->smtp, info->last);
    if (s->builder)
        builder_finish(s->builder, info->last, !(info->heard[0] && info->heard[1]), words[how]);
    smtp_free(&s->smtp);
    builder_free(&s->builder);
    script_data_free(&s->script_data);
    s->shared->alive--;
    forget_early(s);
    free(s);
}
