/* pipeline.c: wires the stages; the only file that knows all of them.
 * In: packets, or segments that were decoded elsewhere. Out: records and events. Owns: decoder, flow table,
 * charsets, what builders share. */
#include "pipeline.h"

#include <stdlib.h>
#include <sys/random.h>
#include "base/memory.h"
#include "session.h"

/* What sessions began under: settings and services. Each keeps its own until it ends. */
struct generation {
    struct generation *older;
    struct session_shared shared;
    struct smtp_limits smtp;
    struct builder_settings builder;
    struct slice authserv[SETTINGS_TEXTS]; /* texts of the settings */
    struct rule_settings rule_settings;
    struct rules rules;
    struct pipeline_services services;
};

struct pipeline {
    struct flow_table *flows;
    struct charsets *charsets;
    struct pipeline_output out;
    struct generation *newest;
    struct pipeline_stats past; /* of generations that are gone */
};

static void count_generation(struct pipeline_stats *sum, const struct generation *g)
{
    sum->sessions += g->shared.sessions;
    sum->mails += g->shared.mails;
    sum->ended += g->shared.ended;
    sum->one_sided += g->shared.one_sided;
    sum->truncated += g->shared.truncated;
    if (g->services.lists) {
        const struct blocklists_counts c = blocklists_counts(g->services.lists);
        sum->lists.limits += c.limits;
        sum->lists.cut += c.cut;
    }
    if (g->services.count_scripts && g->services.scripts)
        script_counts_add(&sum->scripts, scripts_counts(g->services.scripts));
}

static void generation_free(struct generation *g)
{
    spares_free(&g->shared.spares);
    rules_free(&g->rules);
    if (g->services.release)
        g->services.release(g->services.owner);
    free(g);
}

/* Those that no session uses any more. */
static void drop_old(struct pipeline *p)
{
    for (struct generation **slot = &p->newest->older; *slot;) {
        struct generation *g = *slot;
        if (g->shared.alive) {
            slot = &g->older;
            continue;
        }
        *slot = g->older;
        count_generation(&p->past, g);
        generation_free(g);
    }
}

static void *on_open(void *ctx, const struct flow_info *info)
{
    struct pipeline *p = ctx;
    return session_new(&p->newest->shared, info);
}

static enum flow_want on_data(void *ctx, void *user, const struct flow_info *info, int dir,
                              struct timespec ts, struct slice bytes)
{
    (void)ctx;
    return session_data(user, info, dir, ts, bytes);
}

static enum flow_want on_gap(void *ctx, void *user, const struct flow_info *info, int dir, struct timespec ts,
                             uint64_t len)
{
    (void)ctx;
    return session_gap(user, info, dir, ts, len);
}

static void on_end(void *ctx, void *user, const struct flow_info *info, enum flow_end how)
{
    struct pipeline *p = ctx;
    struct smtp_session *session = user;
    session_end(&session, info, how);
    if (p->newest->older)
        drop_old(p);
}

static const struct flow_handler handler = {on_open, on_data, on_gap, on_end};

static struct flow_settings flow_settings_of(const struct settings *set, struct flow_budget *budget)
{
    struct flow_settings f = {.max_flows = (uint32_t)set->max_flows,
                              .max_sessions = (uint32_t)set->max_sessions,
                              .flow_bytes = set->flow_bytes,
                              .total_bytes = set->total_bytes,
                              .flow_pieces = (uint32_t)set->flow_pieces,
                              .recheck_bytes = set->recheck_bytes,
                              .idle_timeout = set->flow_timeout,
                              .ignored_timeout = set->ignored_timeout,
                              .closed_timeout = set->closed_timeout,
                              .gap_wait = set->gap_wait,
                              .hole_wait = set->hole_wait,
                              .budget = budget};
    /* Against made collisions; nothing that is printed depends on it. */
    if (getrandom(&f.seed, sizeof f.seed, GRND_NONBLOCK) < 0)
        f.seed = (uintptr_t)set;
    return f;
}

static void on_notice(void *ctx, struct notice *n)
{
    struct pipeline *p = ctx;
    p->out.record(p->out.ctx, &(struct record){&stream_notice, n, n->ts, NULL});
}

struct decoder *pipeline_decoder(const struct settings *set)
{
    const struct decode_settings d = {.verify_checksums = set->checksums == 1,
                                      .max_layers = (uint32_t)set->max_layers,
                                      .fragment_datagrams = (uint32_t)set->fragment_datagrams,
                                      .fragment_bytes = set->fragment_bytes,
                                      .fragment_timeout_s = set->fragment_timeout};
    return decoder_new(&d);
}

static void take_authserv(struct generation *g, const struct settings *set)
{
    for (size_t i = 0; i < set->trusted_authserv.count; i++)
        g->authserv[i] = slice_str(set->trusted_authserv.items[i].text);
    g->builder.trusted_authserv = g->authserv;
    g->builder.trusted_authserv_count = set->trusted_authserv.count;
}

static void begin_generation(struct pipeline *p, const struct settings *set,
                             const struct pipeline_services *services)
{
    struct generation *g = calloc(1, sizeof *g);
    memory_check(g);
    g->services = *services;
    g->smtp = (struct smtp_limits){.command_bytes = set->command_bytes,
                                   .reply_bytes = set->reply_bytes,
                                   .hold_bytes = set->hold_bytes,
                                   .pending = (uint32_t)set->max_pending,
                                   .waiting = (uint32_t)set->max_waiting,
                                   .auth_user = set->auth_user,
                                   .tls_bytes = set->tls_bytes};
    g->builder = (struct builder_settings){
        .path = {(enum path_capture)set->mail_path_capture, set->local_nets.items, set->local_nets.count},
        .mime = {set->header_bytes, set->headers_bytes, (uint32_t)set->mime_depth, (uint32_t)set->mime_parts,
                 set->head_bytes},
        .transaction_bytes = set->transaction_bytes,
        .session_bytes = set->session_bytes,
        .list_items = (uint32_t)set->list_items,
        .hop_items = (uint32_t)set->hop_items,
        .url_items = (uint32_t)set->url_items,
        .member_items = (uint32_t)set->member_items,
        .url_bytes = set->url_bytes,
        .hash = services->store && services->store->parts && set->hash == HASH_NONE
                    ? HASH_SHA256
                    : (enum hash_mode)set->hash,
        .store = services->store,
        .trusted_relays = set->trusted_relays.items,
        .trusted_relay_count = set->trusted_relays.count,
        .address_items = (uint32_t)set->address_items,
        .header_items = (uint32_t)set->header_items,
        .all_headers = set->headers == 1,
        .agents = services->agents};
    take_authserv(g, set);
    g->rule_settings = (struct rule_settings){.local_nets = {set->local_nets.items, set->local_nets.count},
                                              .blocklist_kinds = (unsigned)set->blocklist_kinds};
    g->rules =
        (struct rules){.set = &g->rule_settings, .lists = services->lists, .raise = on_notice, .ctx = p};
    rules_init(&g->rules);
    g->shared = (struct session_shared){.set = set,
                                        .rules = &g->rules,
                                        .scripts = services->scripts,
                                        .smtp = &g->smtp,
                                        .spares = spares_new(&g->builder, p->charsets),
                                        .record = p->out.record,
                                        .event = p->out.event,
                                        .mime = p->out.mime,
                                        .ctx = p->out.ctx};
    g->older = p->newest;
    p->newest = g;
}

struct pipeline *pipeline_new(const struct settings *set, const struct pipeline_services *services,
                              const struct pipeline_output *out)
{
    struct pipeline *p = calloc(1, sizeof *p);
    memory_check(p);
    const struct flow_settings f = flow_settings_of(set, services->budget);
    p->out = *out;
    p->charsets = charsets_new();
    begin_generation(p, set, services);
    p->flows = flow_table_new(&f, &handler, p);
    return p;
}

void pipeline_renew(struct pipeline *p, const struct settings *set, const struct pipeline_services *services)
{
    const struct flow_settings f = flow_settings_of(set, services->budget);
    begin_generation(p, set, services);
    flow_table_adjust(p->flows, &f);
    drop_old(p);
}

void pipeline_take(struct pipeline *p, struct parcel *parcels, size_t count)
{
    flow_table_take(p->flows, parcels, count);
}

struct flow_order pipeline_order(const struct pipeline *p)
{
    return flow_table_order(p->flows);
}

void pipeline_finish(struct pipeline *p)
{
    flow_table_finish(p->flows);
}

struct pipeline_stats pipeline_stats(const struct pipeline *p)
{
    struct pipeline_stats s = p->past;
    for (const struct generation *g = p->newest; g; g = g->older)
        count_generation(&s, g);
    s.flow = flow_table_stats(p->flows);
    return s;
}

void pipeline_free(struct pipeline **pp)
{
    struct pipeline *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    flow_table_free(&p->flows);
    drop_old(p);
    generation_free(p->newest);
    charsets_free(&p->charsets);
    free(p);
}
