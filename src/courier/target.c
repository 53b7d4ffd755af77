/* target.c: back-off and counts of one target.
 * In: notices, outcomes of deliveries. Out: when to try next; messages on stderr, one when an outage begins
 * and one when it ends; counts in the page. Owns: the spool. Limits: the spool's. Knowingly: a refusal for
 * good (5xx, 4xx of HTTP) is tried again like all else: what is refused is more often the relay's or
 * receiver's setup than the notice, and the bound and the message tell. Where HTTP says that it is the notice
 * (400, 413, 415, 422), it is given up after REFUSALS. */
#include "courier/target.h"

#include <math.h>
#include <stdlib.h>

enum { REFUSALS = 5 };

void target_init(struct target *t, const char *name, const char *url, int index, int directory,
                 const struct courier_settings *set, struct wire_page *page)
{
    *t = (struct target){.name = name, .index = index, .set = set, .page = page};
    check_where(url, t->where);
    spool_init(&t->spool, name, directory, set->spool_bytes);
    int err = spool_load(&t->spool);
    if (err)
        fprintf(stderr, "mailtap: %s: spool directory: %s\n", name, strerror(-err));
    t->found = t->spool.count;
    atomic_store(&page->found[index], t->found);
}

void target_take(struct target *t, struct slice bytes)
{
    atomic_store(&t->page->received[t->index], ++t->taken);
    if (spool_add(&t->spool, bytes)) {
        t->full = false;
        return;
    }
    atomic_store(&t->page->lost[t->index], ++t->lost);
    if (!t->full)
        fprintf(stderr, "mailtap: %s: spool of %zu bytes is full with %zu notices; new ones are lost\n",
                t->name, t->spool.most, t->spool.count);
    t->full = true;
}

double target_due(const struct target *t)
{
    return t->flying || !t->spool.count ? INFINITY : t->try_at;
}

static void failed(struct target *t, const struct outcome *o, double now)
{
    const struct courier_settings *set = t->set;
    t->pause = t->pause > 0 ? 2 * t->pause : set->retry_first;
    if (t->pause > set->retry_most)
        t->pause = set->retry_most;
    double wait = t->pause * (0.75 + 0.5 * drand48());
    double asked = o->after < set->retry_most ? o->after : set->retry_most;
    t->try_at = now + (asked > wait ? asked : wait);
    if (!t->down)
        fprintf(stderr, "mailtap: %s: %s: %s; retrying\n", t->name, t->where, o->text);
    t->down = true;
}

/* One that no receiver takes must not hold up all behind it for ever. */
static void give_up(struct target *t, const struct outcome *o)
{
    spool_drop(&t->spool);
    t->refusals = 0;
    t->try_at = t->pause = 0;
    atomic_store(&t->page->lost[t->index], ++t->lost);
    fprintf(stderr, "mailtap: %s: %s: %s to the same notice %d times; it is given up\n", t->name, t->where,
            o->text, REFUSALS);
}

void target_landed(struct target *t, const struct outcome *o, double now)
{
    size_t count = t->flying;
    t->flying = 0;
    if (!o->delivered) {
        t->refusals = o->refused ? t->refusals + 1 : 0;
        if (t->refusals == REFUSALS)
            give_up(t, o);
        else
            failed(t, o, now);
        return;
    }
    t->refusals = 0;
    for (size_t i = 0; i < count; i++)
        spool_drop(&t->spool);
    t->delivered += count;
    atomic_store(&t->page->delivered[t->index], t->delivered);
    t->try_at = t->pause = 0;
    if (t->down)
        fprintf(stderr, "mailtap: %s: %s: delivers again\n", t->name, t->where);
    t->down = false;
}

void target_end(struct target *t)
{
    t->lost += spool_unkept(&t->spool);
    atomic_store(&t->page->lost[t->index], t->lost);
    spool_free(&t->spool);
}
