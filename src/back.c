/* back.c: what is decided once a record is complete.
 * In: records, in their order; lines and notices of scripts. Out: records, of software too; to the courier
 * what is mailed or posted; complaints on standard error. Owns: its parts, the notices that may repeat, the
 * known software. Limits: max_suppressed notices that may repeat; software_hosts programs; script_*.
 * Knowingly: its clock is packet time, moved on by the records' ends. */
#include "back.h"

#include <stdlib.h>
#include "base/memory.h"
#include "notices.h"
#include "rule/software.h"

struct back {
    struct back_output out;
    struct back_parts *parts;
    struct notices *notices;
    struct software_table *software;
    struct timespec now;
    struct back_counts counts;
};

static struct networks local_nets(const struct settings *set)
{
    return (struct networks){set->local_nets.items, set->local_nets.count};
}

static void take_notice(void *ctx, struct notice *n)
{
    struct back *b = ctx;
    notices_take(b->notices, n);
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

static struct back_hearer hearer(struct back *b)
{
    return (struct back_hearer){take_notice, on_entry, b};
}

static void go_by_parts(struct back *b)
{
    const struct back_parts *p = b->parts;
    notices_rules(b->notices, &(struct notices_rules){p->set, p->countries, p->scripts});
}

int back_open(const struct settings *set, const struct script_files *scripts, const struct back_output *out,
              struct back **ret, struct error *reterr)
{
    struct back *b = calloc(1, sizeof *b);
    memory_check(b);
    const struct back_hearer to = hearer(b);
    b->out = *out;
    b->notices =
        notices_new(set->max_suppressed, &(struct notices_output){out->record, out->courier, out->ctx});
    b->software = software_table_new(set->software_hosts, on_software, b);
    int err = back_parts_open(set, scripts, &to, &b->parts, reterr);
    if (err)
        back_close(&b);
    else
        go_by_parts(b);
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
    go_by_parts(b);
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
    notices_advance(b->notices, b->now);
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
    notices_finish(b->notices);
}

struct back_counts back_counts(const struct back *b)
{
    struct back_counts counts = b->counts;
    const struct notices_counts told = notices_counts(b->notices);
    counts.notices = told.raised;
    counts.folded = told.folded;
    counts.dropped = told.dropped;
    counts.own = told.own;
    counts.shed = told.shed;
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
    notices_free(&b->notices);
    software_table_free(&b->software);
    free(b);
}
