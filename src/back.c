/* back.c: what is decided once a record is complete.
 * In: records, in their order. Out: records. Owns: the country databases, the notices that may repeat.
 * Knowingly: its clock is packet time, moved on by the records' ends. */
#include "back.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "rule/fold.h"

struct back {
    const struct settings *set;
    struct back_output out;
    struct rule_settings rule_settings;
    struct rules rules;
    struct countries *countries;
    struct fold_table *folds;
    struct timespec now;
    struct back_counts counts;
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

static void act(struct back *b, struct notice *n, unsigned actions)
{
    struct slice names[ACTIONS];
    set_actions(n, actions, names);
    if (actions & ACTION_LOG)
        b->out.record(b->out.ctx, &(struct record){&stream_notice, n, n->ts, NULL});
}

/* What is done about it, and how long repeats are folded. */
static unsigned judge(const struct back *b, struct notice *n)
{
    const struct policy_row *row = policy_find(&b->set->notice_policy, n, local_nets(b->set));
    if (n->suppress_for < 0)
        n->suppress_for = row && row->suppress_for >= 0 ? row->suppress_for : b->set->suppress_for;
    return row ? row->actions : ACTION_LOG;
}

static void on_fold(void *ctx, struct notice *n)
{
    struct back *b = ctx;
    act(b, n, judge(b, n));
}

static void take_notice(struct back *b, struct notice *n)
{
    struct country_info info;
    b->counts.notices++;
    notice_complete(n);
    if (!n->country.len && countries_lookup(b->countries, &n->host, &info)) {
        n->country = info.country[0] ? slice_str(info.country) : n->country;
        n->asn = info.asn;
    }
    unsigned actions = judge(b, n);
    if (actions & ACTION_DROP)
        b->counts.dropped++;
    else if (fold_take(b->folds, n))
        act(b, n, actions);
    else
        b->counts.folded++;
}

/* A rule has no wish of its own about repeats. */
static void on_raise(void *ctx, struct notice *n)
{
    n->suppress_for = -1;
    take_notice(ctx, n);
}

static bool is_after(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

int back_open(const struct settings *set, const struct back_output *out, struct back **ret,
              struct error *reterr)
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
    const char *paths[SETTINGS_TEXTS];
    size_t count = set->country_databases.count;
    for (size_t i = 0; i < count; i++)
        paths[i] = set->country_databases.items[i].text;
    if (count == 1 && strcmp(paths[0], "none") == 0) {
        /* Nobody wants to know, so nothing is missing. */
    } else if (countries_open(paths, count, COUNTRIES_DEFAULT, &b->countries, reterr) < 0) {
        free(b);
        return -EINVAL;
    } else if (!b->countries) {
        fprintf(stderr, "mailtap: %s: no countries, networks alone are looked at\n",
                countries_describe(NULL));
    }
    b->folds = fold_table_new(set->max_suppressed, on_fold, b);
    b->rules =
        (struct rules){.set = &b->rule_settings, .countries = b->countries, .raise = on_raise, .ctx = b};
    rules_init(&b->rules);
    *ret = b;
    return 0;
}

void back_record(struct back *b, struct record *rec)
{
    if (is_after(rec->end, b->now))
        b->now = rec->end;
    fold_advance(b->folds, b->now);
    if (rec->stream == &stream_notice) {
        on_raise(b, rec->body);
        return;
    }
    rules_record(&b->rules, rec);
    b->out.record(b->out.ctx, rec);
}

void back_finish(struct back *b)
{
    fold_finish(b->folds);
}

struct back_counts back_counts(const struct back *b)
{
    struct back_counts counts = b->counts;
    counts.shed = fold_shed(b->folds);
    return counts;
}

void back_close(struct back **pb)
{
    struct back *b = *pb;
    *pb = NULL;
    if (!b)
        return;
    rules_free(&b->rules);
    fold_table_free(&b->folds);
    countries_close(&b->countries);
    free(b);
}
