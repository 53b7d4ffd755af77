/* back.c: what is decided once a record is complete.
 * In: records, in their order; lines and notices of scripts. Out: records, of software too; to the courier
 * what is mailed or posted; complaints on standard error. Owns: its parts, the notices that may repeat, the
 * known software. Limits: max_suppressed notices that may repeat; software_hosts programs; OWN_ADDRESSES of
 * this machine; DELIVERED_TEXT of each text of a notice that is delivered, JSON_MOST of it all; script_*.
 * Knowingly: its clock is packet time, moved on by the records' ends. */
#include "back.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "base/memory.h"
#include "rule/fold.h"
#include "rule/software.h"
#include "sink/json.h"
#include "sink/letter.h"

enum { OWN_ADDRESSES = 64, JSON_MOST = 1 << 20, DELIVERED_TEXT = 8192 };

struct back {
    struct back_output out;
    struct back_parts *parts;
    struct fold_table *folds;
    struct software_table *software;
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
    struct slice from = slice_str(b->parts->set->email_from.text);
    if (courier_is_own(b->out.courier, n->msg_id, n->mailfrom))
        return true;
    return from.len && slice_case_eq(from, n->mailfrom) &&
           (address_is_private(&n->src) || networks_have(local_nets(b->parts->set), &n->src) ||
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
        const struct settings_target target = settings_target(b->parts->set, action);
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
    const struct policy_row *row = policy_find(&b->parts->set->notice_policy, n, local_nets(b->parts->set));
    unsigned actions = row ? row->actions : ACTION_LOG;
    if (n->suppress_for < 0)
        n->suppress_for = row && row->suppress_for >= 0 ? row->suppress_for : b->parts->set->suppress_for;
    if (b->parts->scripts)
        scripts_notice(b->parts->scripts, n, &actions);
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
    if (b->parts->set->local_nets.count && n->host.family)
        n->local = networks_have(local_nets(b->parts->set), &n->host) ? MAYBE_YES : MAYBE_NO;
    if (!n->country.len && countries_lookup(b->parts->countries, &n->host, &info)) {
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

static void on_software(void *ctx, struct software *s)
{
    struct back *b = ctx;
    b->out.record(b->out.ctx, &(struct record){&stream_software, s, s->ts, NULL});
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

static struct back_hearer hearer(struct back *b)
{
    return (struct back_hearer){take_notice, on_entry, b};
}

int back_open(const struct settings *set, const struct script_files *scripts, const struct back_output *out,
              struct back **ret, struct error *reterr)
{
    struct back *b = calloc(1, sizeof *b);
    memory_check(b);
    const struct back_hearer to = hearer(b);
    b->out = *out;
    buf_init(&b->json, JSON_MOST);
    find_own_addresses(b);
    b->folds = fold_table_new(set->max_suppressed, act, b);
    b->software = software_table_new(set->software_hosts, on_software, b);
    int err = back_parts_open(set, scripts, &to, &b->parts, reterr);
    if (err)
        back_close(&b);
    *ret = b;
    return err;
}

/* Of the parts, into what was counted before them. */
static void add_parts(struct back_counts *counts, const struct back_parts *p)
{
    counts->lookups_failed += countries_failed(p->countries);
    if (p->scripts)
        script_counts_add(&counts->scripts, scripts_counts(p->scripts));
}

int back_renew(struct back *b, const struct settings *set, const struct script_files *scripts,
               struct error *reterr)
{
    struct back_parts *parts;
    const struct back_hearer to = hearer(b);
    int err = back_parts_open(set, scripts, &to, &parts, reterr);
    if (err)
        return err;
    if (b->parts->scripts)
        scripts_finish(b->parts->scripts, b->now);
    add_parts(&b->counts, b->parts);
    back_parts_close(&b->parts);
    b->parts = parts;
    b->missed = 0;
    return 0;
}

struct scripts *back_event_scripts(const struct back *b)
{
    struct scripts *s = b->parts->scripts;
    return s && scripts_hooks(s) & SCRIPT_EVENT_HOOKS ? s : NULL;
}

void back_advance(struct back *b, struct timespec now)
{
    if (is_after(now, b->now))
        b->now = now;
    fold_advance(b->folds, b->now);
    if (b->parts->scripts)
        scripts_tick(b->parts->scripts, b->now);
}

void back_record(struct back *b, struct record *rec)
{
    back_advance(b, rec->end);
    if (b->out.extract)
        extract_record(b->out.extract, rec);
    switch (rec->stream->index) {
    case STREAM_NOTICE:
        take_notice(b, rec->body);
        return;
    case STREAM_SMTP:
    case STREAM_SESSION:
        rules_record(&b->parts->rules, rec);
        if (b->parts->scripts)
            scripts_record(b->parts->scripts, rec);
        break;
    case STREAM_SOFTWARE:
    case STREAM_STATS:
    case STREAM_ENTRY:
    case STREAMS:
        break;
    }
    b->out.record(b->out.ctx, rec);
    const struct settings *set = b->parts->set;
    const struct software_settings wanted = {(enum software_scope)set->software, local_nets(set),
                                             set->software_expires};
    software_record(b->software, &wanted, rec);
}

void back_finish(struct back *b)
{
    if (b->parts->scripts)
        scripts_finish(b->parts->scripts, b->now);
    fold_finish(b->folds);
}

struct back_counts back_counts(const struct back *b)
{
    struct back_counts counts = b->counts;
    counts.shed = fold_shed(b->folds);
    counts.software_shed = software_shed(b->software);
    counts.files = extract_counts(b->out.extract);
    add_parts(&counts, b->parts);
    return counts;
}

void back_close(struct back **pb)
{
    struct back *b = *pb;
    *pb = NULL;
    if (!b)
        return;
    back_parts_close(&b->parts);
    fold_table_free(&b->folds);
    software_table_free(&b->software);
    buf_free(&b->json);
    line_free(&b->subject);
    line_free(&b->text);
    free(b);
}
