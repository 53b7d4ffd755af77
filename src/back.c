/* back.c: what is decided once a record is complete.
 * In: records, in their order; lines and notices of scripts. Out: records; to the courier what is mailed or
 * posted; complaints on standard error. Owns: the country databases, the scripts, the notices that may
 * repeat. Limits: max_suppressed notices that may repeat; OWN_ADDRESSES of this machine; DELIVERED_TEXT of
 * each text of a notice that is delivered, JSON_MOST of it all; script_*. Knowingly: its clock is packet
 * time, moved on by the records' ends. */
#include "back.h"

#include <assert.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "rule/fold.h"
#include "sink/json.h"
#include "sink/letter.h"

enum { OWN_ADDRESSES = 64, JSON_MOST = 1 << 20, DELIVERED_TEXT = 8192 };

struct back {
    const struct settings *set;
    struct back_output out;
    struct rule_settings rule_settings;
    struct rules rules;
    struct countries *countries;
    struct fold_table *folds;
    struct scripts *scripts; /* NULL: none */
    struct timespec now;
    struct back_counts counts;
    struct network own[OWN_ADDRESSES]; /* this machine's addresses */
    size_t own_count;
    unsigned missed; /* actions without a target that were told of */
    struct buf json;
    struct line subject, text;
};

static struct networks local_nets(const struct settings *set)
{
    return (struct networks){set->local_nets.items, set->local_nets.count};
}

/* Names of the actions, into the notice. */
static void set_actions(struct notice *n, unsigned actions, struct slice names[static ACTIONS])
{
    n->actions = (struct text_list){.items = names};
    for (unsigned i = 0; i < ACTIONS; i++)
        if (actions & 1u << i)
            names[n->actions.len++] = slice_str(notice_action_name(1u << i));
}

/* A mail that mailtap itself sent: by its Message-ID, or, where that is not known yet, by its sender and a
 * client that is ours. Being mailed about it could go on for ever. */
static bool is_own(const struct back *b, const struct notice *n)
{
    struct slice from = slice_str(b->set->email_from.text);
    if (courier_is_own(b->out.courier, n->msg_id, n->mailfrom))
        return true;
    return from.len && slice_case_eq(from, n->mailfrom) &&
           (address_is_private(&n->src) || networks_have(local_nets(b->set), &n->src) ||
            networks_have((struct networks){b->own, b->own_count}, &n->src));
}

static void deliver(struct back *b, const struct notice *n, unsigned actions)
{
    /* What a receiver should take is no book, and valid JSON in any case. */
    struct notice *cut = notice_copy(n, DELIVERED_TEXT);
    cut->actions = n->actions;
    buf_clear(&b->json);
    line_clear(&b->subject);
    line_clear(&b->text);
    json_line(&(struct record){&stream_notice, cut, n->ts, NULL}, &b->json);
    letter_subject(cut, &b->subject);
    letter_text(cut, &b->text);
    unsigned to =
        (actions & ACTION_EMAIL ? COURIER_EMAIL : 0) | (actions & ACTION_WEBHOOK ? COURIER_WEBHOOK : 0);
    courier_push(b->out.courier, to, slice_trim(buf_slice(&b->json)), line_slice(&b->subject),
                 line_slice(&b->text));
    free(cut);
}

/* Does what was decided. */
static void act(void *ctx, struct notice *n, unsigned actions)
{
    struct back *b = ctx;
    struct slice names[ACTIONS];
    set_actions(n, actions, names);
    if (actions & (ACTION_EMAIL | ACTION_WEBHOOK))
        deliver(b, n, actions);
    if (actions & ACTION_LOG)
        b->out.record(b->out.ctx, &(struct record){&stream_notice, n, n->ts, NULL});
    n->actions = (struct text_list){0};
}

/* A script may want what there is no target for; the settings cannot. */
static unsigned possible(struct back *b, const struct notice *n, unsigned actions)
{
    for (unsigned i = 0; i < ACTIONS; i++) {
        unsigned action = actions & 1u << i;
        const struct settings_target target = settings_target(b->set, action);
        if (!target.name || *target.text)
            continue;
        if (!(b->missed & action))
            fprintf(stderr, "mailtap: %s is wanted for %.*s, but %s is not set\n", notice_action_name(action),
                    (int)n->note.len, (const char *)n->note.data, target.name);
        b->missed |= action;
        actions &= ~action;
    }
    return actions;
}

/* What is done about it, and how long repeats are folded: the policy, a script in its place, and nobody is
 * mailed about mail of our own. */
static unsigned judge(struct back *b, struct notice *n)
{
    const unsigned away = ACTION_EMAIL | ACTION_WEBHOOK;
    const struct policy_row *row = policy_find(&b->set->notice_policy, n, local_nets(b->set));
    unsigned actions = row ? row->actions : ACTION_LOG;
    if (n->suppress_for < 0)
        n->suppress_for = row && row->suppress_for >= 0 ? row->suppress_for : b->set->suppress_for;
    if (b->scripts)
        scripts_notice(b->scripts, n, &actions);
    actions = possible(b, n, actions);
    if (actions & away && is_own(b, n)) {
        b->counts.own++;
        actions &= ~away;
    }
    return actions;
}

static void take_notice(void *ctx, struct notice *n)
{
    struct back *b = ctx;
    struct country_info info;
    b->counts.notices++;
    notice_complete(n);
    if (!n->country.len && countries_lookup(b->countries, &n->host, &info)) {
        n->country = info.country[0] ? slice_str(info.country) : n->country;
        n->asn = info.asn;
    }
    unsigned actions = judge(b, n);
    if (!actions || actions & ACTION_DROP)
        b->counts.dropped++;
    else if (fold_take(b->folds, n, actions))
        act(b, n, actions);
    else
        b->counts.folded++;
}

static void on_entry(void *ctx, struct entry *e)
{
    struct back *b = ctx;
    b->out.record(b->out.ctx, &(struct record){&stream_entry, e, e->ts, NULL});
}

static void on_complaint(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "mailtap: %s\n", text);
}

static int open_scripts(struct back *b, const struct back_scripts *scripts, struct error *reterr)
{
    const struct settings *set = b->set;
    if (!scripts->count)
        return 0;
    const struct script_limits limits = {.memory_bytes = set->script_bytes,
                                         .steps = set->script_steps,
                                         .counters = (uint32_t)set->script_counters,
                                         .line_bytes = set->header_bytes};
    const struct script_host host = {.notice = take_notice,
                                     .entry = on_entry,
                                     .complain = on_complaint,
                                     .ctx = b,
                                     .countries = b->countries,
                                     .local_nets = set->local_nets.items,
                                     .local_net_count = set->local_nets.count};
    return scripts_open(scripts->files, scripts->count, &limits, &host, &b->scripts, reterr);
}

static bool is_after(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/* Those that other machines see. */
static void find_own_addresses(struct back *b)
{
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) < 0)
        return;
    for (struct ifaddrs *i = list; i && b->own_count < OWN_ADDRESSES; i = i->ifa_next) {
        struct network *net = &b->own[b->own_count];
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET) {
            *net = (struct network){{.family = 4}, 32};
            memcpy(net->addr.bytes, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, 4);
            b->own_count++;
        } else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6) {
            *net = (struct network){{.family = 6}, 128};
            memcpy(net->addr.bytes, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
            b->own_count++;
        }
    }
    freeifaddrs(list);
}

static int open_databases(struct back *b, struct error *reterr)
{
    const struct text_set *files = &b->set->country_databases;
    const char *paths[SETTINGS_TEXTS];
    for (size_t i = 0; i < files->count; i++)
        paths[i] = files->items[i].text;
    if (files->count == 1 && strcmp(paths[0], "none") == 0)
        return 0;
    int err = countries_open(paths, files->count, COUNTRIES_DEFAULT, &b->countries, reterr);
    if (!err && !b->countries)
        fprintf(stderr, "mailtap: %s: no countries, networks alone are looked at\n",
                countries_describe(NULL));
    return err;
}

static int open_countries(struct back *b, struct error *reterr)
{
    int err = open_databases(b, reterr);
    if (!err && !b->countries && b->set->suspicious_origination_countries.count)
        fprintf(stderr,
                "mailtap: suspicious_origination_countries finds nothing without a country database\n");
    return err;
}

int back_open(const struct settings *set, const struct back_scripts *scripts, const struct back_output *out,
              struct back **ret, struct error *reterr)
{
    struct back *b = calloc(1, sizeof *b);
    assert(b);
    b->set = set;
    b->out = *out;
    b->rule_settings = (struct rule_settings){.local_nets = local_nets(set),
                                              .origin_nets = {set->suspicious_origination_networks.items,
                                                              set->suspicious_origination_networks.count},
                                              .countries = set->suspicious_origination_countries.items,
                                              .country_count = set->suspicious_origination_countries.count};
    buf_init(&b->json, JSON_MOST);
    find_own_addresses(b);
    int err = open_countries(b, reterr);
    b->folds = fold_table_new(set->max_suppressed, act, b);
    b->rules =
        (struct rules){.set = &b->rule_settings, .countries = b->countries, .raise = take_notice, .ctx = b};
    rules_init(&b->rules);
    if (!err)
        err = open_scripts(b, scripts, reterr);
    if (err)
        back_close(&b);
    *ret = b;
    return err;
}

struct scripts *back_event_scripts(const struct back *b)
{
    bool any = b->scripts && scripts_hooks(b->scripts) & (HOOK_REQUEST | HOOK_REPLY | HOOK_DATA);
    return any ? b->scripts : NULL;
}

void back_record(struct back *b, struct record *rec)
{
    if (is_after(rec->end, b->now))
        b->now = rec->end;
    fold_advance(b->folds, b->now);
    if (b->scripts)
        scripts_tick(b->scripts, b->now);
    if (rec->stream == &stream_notice) {
        take_notice(b, rec->body);
        return;
    }
    rules_record(&b->rules, rec);
    if (b->scripts)
        scripts_record(b->scripts, rec);
    b->out.record(b->out.ctx, rec);
}

void back_finish(struct back *b)
{
    if (b->scripts)
        scripts_finish(b->scripts, b->now);
    fold_finish(b->folds);
}

struct back_counts back_counts(const struct back *b)
{
    struct back_counts counts = b->counts;
    counts.shed = fold_shed(b->folds);
    counts.lookups_failed = countries_failed(b->countries);
    if (b->scripts)
        counts.scripts = scripts_counts(b->scripts);
    return counts;
}

void back_close(struct back **pb)
{
    struct back *b = *pb;
    *pb = NULL;
    if (!b)
        return;
    scripts_close(&b->scripts);
    rules_free(&b->rules);
    fold_table_free(&b->folds);
    countries_close(&b->countries);
    buf_free(&b->json);
    line_free(&b->subject);
    line_free(&b->text);
    free(b);
}
