/* notices.c: what becomes of notices.
 * In: notices, time. Out: records of those that are logged; to the courier what is mailed or posted; a word
 * on standard error where an action has no target. Owns: the notices that may repeat. Limits: OWN_ADDRESSES
 * of this machine; DELIVERED_TEXT of each text of a notice that is delivered, JSON_MOST of it all.
 * Knowingly: of notices that others raised it is not known what their owners wanted done about repeats, so
 * these are folded by what is done here alone. */
#include "notices.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "base/memory.h"
#include "sink/json.h"
#include "sink/letter.h"

enum { OWN_ADDRESSES = 64, JSON_MOST = 1 << 20, DELIVERED_TEXT = 8192 };
/* The longest window that a setting can say. */
#define WINDOW_MOST (168 * 3600.0)
enum { AWAY = ACTION_EMAIL | ACTION_WEBHOOK };

struct notices {
    struct notices_output out;
    struct notices_rules by;
    struct fold_table *folds;
    struct notices_counts counts;
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
static bool is_own(const struct notices *o, const struct notice *n)
{
    struct slice from = slice_str(o->by.set->email_from.text);
    if (courier_is_own(o->out.courier, n->msg_id, n->mailfrom))
        return true;
    return from.len && slice_case_eq(from, n->mailfrom) &&
           (address_is_private(&n->src) || networks_have(local_nets(o->by.set), &n->src) ||
            networks_have((struct networks){o->own, o->own_count}, &n->src));
}

static void deliver(struct notices *o, const struct notice *n, unsigned actions)
{
    /* What a receiver should take is no book, and valid JSON in any case. */
    struct notice *cut = notice_copy(n, DELIVERED_TEXT);
    cut->actions = n->actions;
    buf_clear(&o->json);
    line_clear(&o->subject);
    line_clear(&o->text);
    json_line(&(struct record){&stream_notice, cut, n->ts, NULL}, &o->json);
    letter_subject(cut, &o->subject);
    letter_text(cut, &o->text);
    unsigned to =
        (actions & ACTION_EMAIL ? COURIER_EMAIL : 0) | (actions & ACTION_WEBHOOK ? COURIER_WEBHOOK : 0);
    courier_push(o->out.courier, to, slice_trim(buf_slice(&o->json)), line_slice(&o->subject),
                 line_slice(&o->text));
    free(cut);
}

/* Does what was decided. */
static void act(void *ctx, struct notice *n, unsigned actions)
{
    struct notices *o = ctx;
    struct slice names[ACTIONS];
    set_actions(n, actions, names);
    if (actions & AWAY)
        deliver(o, n, actions);
    if (actions & ACTION_LOG)
        o->out.record(o->out.ctx, &(struct record){&stream_notice, n, n->ts, NULL});
    n->actions = (struct text_list){0};
}

/* A script may want what there is no target for; the settings cannot. */
static unsigned possible(struct notices *o, const struct notice *n, unsigned actions)
{
    for (unsigned i = 0; i < ACTIONS; i++) {
        unsigned action = actions & 1u << i;
        const struct settings_target target = settings_target(o->by.set, action);
        if (!target.name || *target.text)
            continue;
        if (!(o->missed & action))
            fprintf(stderr, "mailtap: %s is wanted for %.*s, but %s is not set\n", notice_action_name(action),
                    (int)n->note.len, (const char *)n->note.data, target.name);
        o->missed |= action;
        actions &= ~action;
    }
    return actions;
}

/* What is done about it, and how long repeats are folded: the policy, a script in its place, and nobody is
 * mailed about mail of our own. */
static unsigned judge(struct notices *o, struct notice *n, const struct policy_row *row)
{
    unsigned actions = row ? row->actions : ACTION_LOG;
    if (o->by.scripts)
        scripts_notice(o->by.scripts, n, &actions);
    actions = possible(o, n, actions);
    if (actions & AWAY && is_own(o, n)) {
        o->counts.own++;
        actions &= ~(unsigned)AWAY;
    }
    return actions;
}

static const struct policy_row *row_of(const struct notices *o, const struct notice *n)
{
    return policy_find(&o->by.set->notice_policy, n, local_nets(o->by.set));
}

/* Whoever took a notice of others off nothing would find it nowhere. */
static bool is_dropped(struct notices *o, unsigned actions)
{
    bool dropped = !actions || actions & ACTION_DROP;
    o->counts.dropped += dropped;
    return dropped;
}

void notices_take(struct notices *o, struct notice *n)
{
    struct country_info info;
    o->counts.raised++;
    notice_complete(n);
    /* Here already, as whoever is mailed wants to know it too. */
    if (!n->sensor.len && *o->by.set->sensor.text)
        n->sensor = slice_str(o->by.set->sensor.text);
    if (o->by.set->local_nets.count && n->host.family)
        n->local = networks_have(local_nets(o->by.set), &n->host) ? MAYBE_YES : MAYBE_NO;
    if (!n->country.len && countries_lookup(o->by.countries, &n->host, &info)) {
        n->country = info.country[0] ? slice_str(info.country) : n->country;
        n->asn = info.asn;
    }
    const struct policy_row *row = row_of(o, n);
    if (n->suppress_for < 0)
        n->suppress_for = row && row->suppress_for >= 0 ? row->suppress_for : o->by.set->suppress_for;
    unsigned actions = judge(o, n, row);
    if (is_dropped(o, actions))
        return;
    if (fold_take(o->folds, n, actions))
        act(o, n, actions);
    else
        o->counts.folded++;
}

static unsigned actions_of(const struct notice *n)
{
    unsigned actions = 0;
    for (size_t i = 0; i < n->actions.len; i++)
        actions |= notice_action(n->actions.items[i]);
    return actions;
}

enum notices_heard notices_hear(struct notices *o, struct notice *n, bool again,
                                struct slice names[static ACTIONS])
{
    const unsigned taken = actions_of(n);
    const struct policy_row *row = row_of(o, n);
    const struct notices_counts counts = o->counts;
    /* One that says it lasts for ever would silence its likes for ever. */
    n->suppress_for = n->suppress_for > WINDOW_MOST ? WINDOW_MOST : n->suppress_for;
    const double window = n->suppress_for;
    if (row && row->suppress_for >= 0)
        n->suppress_for = row->suppress_for;
    unsigned actions = judge(o, n, row);
    bool dropped = is_dropped(o, actions);
    if (again)
        o->counts = counts;
    if (dropped)
        return NOTICES_LEFT;
    set_actions(n, taken | actions, names);
    if (!again && !fold_take(o->folds, n, actions)) {
        o->counts.folded++;
        return NOTICES_LEFT;
    }
    if (!again && actions & AWAY)
        deliver(o, n, actions);
    bool same = !(actions & AWAY & ~taken) && window == n->suppress_for;
    return same ? NOTICES_GOES : NOTICES_CHANGED;
}

/* Those that other machines see. */
static void find_own_addresses(struct notices *o)
{
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) < 0)
        return;
    for (struct ifaddrs *i = list; i && o->own_count < OWN_ADDRESSES; i = i->ifa_next) {
        struct network *net = &o->own[o->own_count];
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET) {
            *net = (struct network){{.family = 4}, 32};
            memcpy(net->addr.bytes, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, 4);
            o->own_count++;
        } else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6) {
            *net = (struct network){{.family = 6}, 128};
            memcpy(net->addr.bytes, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
            o->own_count++;
        }
    }
    freeifaddrs(list);
}

struct notices *notices_new(size_t most, const struct notices_output *out)
{
    struct notices *o = calloc(1, sizeof *o);
    memory_check(o);
    o->out = *out;
    buf_init(&o->json, JSON_MOST);
    find_own_addresses(o);
    o->folds = fold_table_new(most, act, o);
    return o;
}

void notices_rules(struct notices *o, const struct notices_rules *by)
{
    o->by = *by;
    o->missed = 0;
}

void notices_advance(struct notices *o, struct timespec now)
{
    fold_advance(o->folds, now);
}

void notices_finish(struct notices *o)
{
    fold_finish(o->folds);
}

struct fold_table *notices_folds(struct notices *o)
{
    return o->folds;
}

struct notices_counts notices_counts(const struct notices *o)
{
    struct notices_counts counts = o->counts;
    counts.shed = fold_shed(o->folds);
    return counts;
}

void notices_free(struct notices **po)
{
    struct notices *o = *po;
    *po = NULL;
    if (!o)
        return;
    fold_table_free(&o->folds);
    buf_free(&o->json);
    line_free(&o->subject);
    line_free(&o->text);
    free(o);
}
