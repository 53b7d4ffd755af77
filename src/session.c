/* session.c: from a connection's ordered bytes to the SMTP parser and the record builder.
 * In: data, gaps, end of one flow. Out: records and events, through session_shared. Owns: the bytes seen
 * until it is known what the connection is, then the parser and the builder. Limits: detect_bytes a side,
 * EARLY_MAX lines of both. Knowingly: the ports on which mail is usual stand here, as a hint only. */
#include "session.h"

#include <stdlib.h>
#include <xxhash.h>
#include "base/memory.h"
#include "mail/detect.h"
#include "mail/talk.h"

enum { EARLY_MAX = TALK_APART, UID = 18 };

/* There are many of them that say nothing for long, so what not all need is allocated when it is needed. */
struct smtp_session {
    struct session_shared *shared;
    const struct flow_info *info; /* the connection's own */
    struct talk *early;           /* what came before the verdict, to be told again after it; or NULL */
    struct smtp *smtp;
    struct builder *builder; /* it is SMTP */
    struct script_data *script_data;
    char uid[UID];
    bool client;   /* the end that is the client */
    bool implicit; /* TLS from the first byte on: once its handshake is read, nothing needs the parser */
    bool expects;  /* the parser knows that the server's packets are seen */
    uint8_t want;  /* enum flow_want: of what comes next */
};

struct smtp_session *session_new(struct session_shared *shared, const struct flow_info *info)
{
    struct smtp_session *s = malloc(sizeof *s);
    memory_check(s);
    *s = (struct smtp_session){
        .shared = shared, .info = info, .client = info->client == 1, .want = FLOW_WANT_MORE};
    shared->alive++;
    return s;
}

static struct talk *early_of(struct smtp_session *s)
{
    if (!s->early)
        s->early = spares_take_talk(s->shared->spares, s->shared->set->detect_bytes);
    return s->early;
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
    for (int i = 1; i < UID; i++) {
        uint64_t *half = i < 10 ? &h.low64 : &h.high64;
        s->uid[i] = letters[*half % 62];
        *half /= 62;
    }
}

static struct connection id_of(void *ctx)
{
    const struct smtp_session *s = ctx;
    return (struct connection){
        {(const uint8_t *)s->uid, UID}, s->info->end[s->client], s->info->end[!s->client]};
}

static struct slice uid_of(const struct smtp_session *s)
{
    return (struct slice){(const uint8_t *)s->uid, UID};
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
    const struct connection id = id_of(s);
    const struct script_scene scene = {&id, builder_mail(s->builder, ev->mail), tag, s};
    scripts_event(s->shared->scripts, &s->script_data, &scene, ev);
}

static void on_event(void *ctx, const struct smtp_event *ev)
{
    struct smtp_session *s = ctx;
    if (s->shared->event)
        s->shared->event(s->shared->ctx, uid_of(s), ev);
    builder_smtp(s->builder, ev);
    if (ev->kind == SMTP_REPLY && ev->code >= 400) {
        const struct connection id = id_of(s);
        rules_reply(s->shared->rules, &id, builder_mail(s->builder, ev->mail), ev);
    }
    if (s->shared->scripts)
        tell_scripts(s, ev);
}

static void on_mime(void *ctx, uint32_t mail, const struct mime_event *ev)
{
    struct smtp_session *s = ctx;
    s->shared->mime(s->shared->ctx, uid_of(s), mail, ev);
}

static const struct builder_listener with_mime = {id_of, on_record, on_mime},
                                     without_mime = {id_of, on_record, NULL};

static enum side side_of(const struct smtp_session *s, int dir)
{
    return dir == s->client ? SIDE_CLIENT : SIDE_SERVER;
}

static void replay(struct smtp_session *s, const size_t skip[2])
{
    for (size_t i = 0; i < talk_count(s->early); i++) {
        struct talk_piece p = talk_piece(s->early, i);
        size_t skipped = skip[p.end] > p.from ? skip[p.end] - p.from : 0;
        if (p.gap)
            smtp_gap(s->smtp, side_of(s, p.end), p.ts, p.gap);
        else
            smtp_feed(s->smtp, side_of(s, p.end), p.ts, slice_sub(p.bytes, skipped, p.bytes.len));
    }
}

/* The server's packets are seen, though it may have said nothing yet: its replies are worth waiting for. */
static void expect_server(struct smtp_session *s, const struct flow_info *info)
{
    if (s->expects || !info->heard[!s->client])
        return;
    s->expects = true;
    smtp_expect_replies(s->smtp);
}

/* Whichever bytes were doubtful: what the receiver made of all that follows depends on them. */
static void doubt(struct smtp_session *s, const struct flow_info *info)
{
    if (info->ambiguous && s->builder)
        builder_doubt(s->builder);
}

/* Nothing that can be read follows. */
static void end_reading(struct smtp_session *s, const struct flow_info *info)
{
    s->want = FLOW_WANT_END;
    if (!s->implicit)
        return;
    smtp_finish(s->smtp, info->last);
    smtp_free(&s->smtp);
}

static void begin(struct smtp_session *s, const struct flow_info *info, enum detected what,
                  const size_t skip[2])
{
    bool midstream = info->client < 0;
    s->shared->sessions++;
    make_uid(s, info);
    s->builder = builder_new(s->shared->spares, midstream, s->shared->mime ? &with_mime : &without_mime, s);
    doubt(s, info);
    s->smtp = smtp_new(s->shared->smtp, midstream, on_event, s);
    s->implicit = what == DETECT_TLS;
    if (s->implicit)
        smtp_begin_tls(s->smtp);
    expect_server(s, info);
    replay(s, skip);
    spares_give_talk(s->shared->spares, &s->early);
    s->want = FLOW_WANT_BYTES;
    if (smtp_is_opaque(s->smtp))
        end_reading(s, info);
}

static bool is_full(const struct smtp_session *s)
{
    size_t most = s->shared->set->detect_bytes;
    const struct talk *e = s->early;
    return talk_said(e, 0).len >= most || talk_said(e, 1).len >= most || talk_count(e) == EARLY_MAX;
}

/* The end that the ports make the client, or -1. */
static int likely_client(const struct flow_info *info)
{
    bool mail[2] = {is_mail_port(info->end[0].port), is_mail_port(info->end[1].port)};
    return mail[0] == mail[1] ? -1 : mail[0];
}

/* Pinned to its port: what is said there does not matter. */
static enum detected pinned(const struct settings *set, const struct flow_info *info, int *ret_client)
{
    int likely = likely_client(info);
    if (info->client >= 0)
        *ret_client = info->client;
    else if (likely >= 0)
        *ret_client = likely;
    else
        *ret_client = info->end[0].port < info->end[1].port;
    return has_port(&set->ports, info) ? DETECT_SMTP : DETECT_NO;
}

static void decide(struct smtp_session *s, const struct flow_info *info, bool over)
{
    const struct settings *set = s->shared->set;
    const struct talk *e = early_of(s);
    size_t skip[2] = {0, 0};
    int client = info->client;
    struct detect_input in = {.first = {talk_said(e, 0), talk_said(e, 1)},
                              .client = info->client,
                              .holed = {talk_has_gap(e, 0), talk_has_gap(e, 1)},
                              .likely = likely_client(info),
                              .tls = has_port(&set->tls_ports, info),
                              .over = over || is_full(s)};
    enum detected what = set->ports.count ? pinned(set, info, &client) : detect_smtp(&in, &client, skip);
    if (what == DETECT_MORE)
        return;
    s->client = client == 1;
    if (what != DETECT_NO) {
        begin(s, info, what, skip);
        return;
    }
    spares_give_talk(s->shared->spares, &s->early);
    s->want = FLOW_WANT_NOTHING;
}

/* Can what came of `dir` behind its first `before` bytes change the verdict? A line that goes on says no more
 * than its beginning did; long ones are looked at again at times. */
static bool tells_more(const struct smtp_session *s, int dir, size_t before)
{
    enum { LOOK = 1024 };
    struct slice first = talk_said(s->early, dir), added = slice_sub(first, before, first.len);
    return before < 2 || first.len / LOOK > before / LOOK || slice_index(added, '\n') < added.len ||
           is_full(s);
}

/* Before the verdict; returns those bytes that come behind it. */
static struct slice hear_early(struct smtp_session *s, const struct flow_info *info, int dir,
                               struct timespec ts, struct slice bytes)
{
    struct talk *early = early_of(s);
    size_t before = talk_said(early, dir).len, kept = talk_add(early, dir, ts, bytes);
    if (tells_more(s, dir, before))
        decide(s, info, false);
    return slice_sub(bytes, kept, bytes.len);
}

enum flow_want session_data(struct smtp_session *s, const struct flow_info *info, int dir, struct timespec ts,
                            struct slice bytes)
{
    if (s->want == FLOW_WANT_MORE)
        bytes = hear_early(s, info, dir, ts, bytes);
    if (!bytes.len || s->want != FLOW_WANT_BYTES)
        return (enum flow_want)s->want;
    doubt(s, info);
    expect_server(s, info);
    if (!smtp_feed(s->smtp, side_of(s, dir), ts, bytes))
        end_reading(s, info);
    return (enum flow_want)s->want;
}

enum flow_want session_gap(struct smtp_session *s, const struct flow_info *info, int dir, struct timespec ts,
                           uint64_t len)
{
    if (s->want == FLOW_WANT_MORE) {
        talk_gap(early_of(s), dir, ts, len);
        decide(s, info, false);
    } else if (s->want == FLOW_WANT_BYTES) {
        smtp_gap(s->smtp, side_of(s, dir), ts, len);
        if (smtp_is_opaque(s->smtp))
            end_reading(s, info);
    }
    return (enum flow_want)s->want;
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
    if (s->want == FLOW_WANT_MORE)
        decide(s, info, true);
    doubt(s, info);
    if (s->smtp)
        smtp_finish(s->smtp, info->last);
    if (s->builder)
        builder_finish(s->builder, info->first, info->last, !(info->heard[0] && info->heard[1]), words[how]);
    smtp_free(&s->smtp);
    builder_free(&s->builder);
    script_data_free(&s->script_data);
    s->shared->alive--;
    free(s);
}
