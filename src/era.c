/* era.c: settings and the services of fronts, from one reload to the next.
 * In: settings, script files. Out: what scripts of fronts tell. Owns: settings, block lists, databases,
 * scripts.
 */
#include "era.h"

#include <stdatomic.h>
#include <stdlib.h>
#include "base/memory.h"
#include "services.h"

struct era {
    struct settings set;
    struct blocklists *lists; /* that its fronts share */
    atomic_uint users;
};

struct era *era_new(void)
{
    struct era *e = calloc(1, sizeof *e);
    memory_check(e);
    atomic_init(&e->users, 1);
    return e;
}

struct settings *era_settings(struct era *e)
{
    return &e->set;
}

void era_drop(struct era *e)
{
    if (!e || atomic_fetch_sub(&e->users, 1) != 1)
        return;
    blocklists_close(e->lists);
    free(e);
}

static void on_notice(void *ctx, struct notice *n)
{
    struct front *f = ctx;
    f->tell(f->ctx, &(struct record){&stream_notice, n, n->ts, NULL});
}

static void on_entry(void *ctx, struct entry *e)
{
    struct front *f = ctx;
    f->tell(f->ctx, &(struct record){&stream_entry, e, e->ts, NULL});
}

static int open_scripts(struct front *f, const struct script_files *scripts, struct error *reterr)
{
    const struct back_hearer to = {on_notice, on_entry, f};
    const struct script_files heard = {scripts->files, scripts->count, SCRIPT_EVENT_HOOKS, scripts->counters};
    int err = back_countries_open(&f->era->set, &f->countries, reterr);
    if (!err)
        err = back_scripts_open(&f->era->set, &heard, f->countries, &to, &f->scripts, reterr);
    if (!err && f->scripts && !scripts_hooks(f->scripts))
        scripts_close(&f->scripts);
    return err;
}

int front_open(struct era *e, const struct script_files *scripts, struct front **ret, struct error *reterr)
{
    struct front *f = calloc(1, sizeof *f);
    memory_check(f);
    f->era = e;
    atomic_fetch_add(&e->users, 1);
    int err = e->lists ? 0 : services_lists(&e->set, &e->lists, reterr);
    if (!err)
        f->lists = blocklists_share(e->lists);
    if (!err && scripts->count)
        err = open_scripts(f, scripts, reterr);
    if (err) {
        front_close(f);
        f = NULL;
    }
    *ret = f;
    return err;
}

static void release(void *owner)
{
    front_close(owner);
}

struct pipeline_services front_services(struct front *f, struct flow_budget *budget,
                                        const struct part_store *store)
{
    return (struct pipeline_services){.lists = f->lists,
                                      .scripts = f->scripts,
                                      .count_scripts = true,
                                      .budget = budget,
                                      .store = store,
                                      .release = release,
                                      .owner = f};
}

void front_close(struct front *f)
{
    if (!f)
        return;
    scripts_close(&f->scripts);
    countries_close(&f->countries);
    blocklists_close(f->lists);
    era_drop(f->era);
    free(f);
}
